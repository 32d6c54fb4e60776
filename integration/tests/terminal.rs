//! `-t`: a program with a terminal of its own, and the user's terminal before, meanwhile and afterwards.

use std::time::Duration;

use minirun_integration::{Process, Terminal, TestHost, WINDOW};
use nix::sys::signal::Signal;

fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// A shell at a terminal, at its first prompt.
#[track_caller]
fn shell(host: &TestHost, options: &str) -> Terminal {
    let words = format!("run --name web1 {options} -it busybox sh");
    let mut terminal = host.minirun_at_terminal(words);
    terminal.shows("/ # ");
    terminal
}

/// The settings of a terminal that nobody has changed, as each has them at first. A program that has just been started at one may
/// have changed them before a test can ask.
#[track_caller]
fn first_settings(host: &TestHost) -> String {
    let mut terminal = host.place().program("true", "").at_terminal();
    terminal.finish().succeeds();
    terminal.settings()
}

/// Waits until a process stands still because of a signal. The kernel has no event for that, so this asks again and again.
#[track_caller]
fn awaits_stop(process: &Process) {
    while !process.status().contains("State:\tT") {
        assert!(
            !process.ends_within(Duration::ZERO),
            "process {} ended before it was stopped",
            process.pid()
        );
        std::thread::yield_now();
    }
}

/// Types a command and gives what it prints, which must be one line that is not in the command.
#[track_caller]
fn answer(terminal: &mut Terminal, command: &str) -> String {
    terminal.types(&format!("{command}; echo e''nd\r"));
    terminal.shows("\r\n");
    let answer = terminal.shows("end\r\n");
    terminal.shows("/ # ");
    answer.trim_end().replace("\r\n", " ")
}

#[test]
fn a_program_has_a_terminal_of_its_own_container_and_dev_console_is_the_same() {
    let host = host();
    let mut terminal = shell(&host, "--rm");
    assert_eq!(answer(&mut terminal, "tty"), "/dev/pts/0");
    assert_eq!(
        answer(
            &mut terminal,
            "stat -c '%t:%T %u:%g %a' /dev/console /dev/pts/0"
        ),
        "88:0 0:5 620 88:0 0:5 620"
    );
    assert_eq!(answer(&mut terminal, "echo hi >/dev/console"), "hi");
    assert_eq!(answer(&mut terminal, "echo ho >/dev/tty"), "ho");
    assert_eq!(answer(&mut terminal, "echo $TERM"), "xterm");
    assert_eq!(
        answer(&mut terminal, "ls -1 /proc/1/fd"),
        "0 1 10 2",
        "the 10 is the shell's own"
    );
    assert_eq!(
        answer(&mut terminal, "cut -d' ' -f 6-7 /proc/1/stat"),
        "1 34816",
        "its session's terminal is 136:0"
    );
    terminal.types("exit 42\r");
    terminal.finish().fails_with(42);
    host.finish();
}

#[test]
fn the_program_sees_the_size_of_the_window_from_its_beginning_and_every_change() {
    let host = host();
    let (rows, columns) = WINDOW;
    let script = "trap 'stty size' WINCH; stty size; while :; do read line && exit 3; done";
    let words = ["run", "--rm", "-it", "busybox", "sh", "-c", script];
    let mut terminal = host.minirun_at_terminal(words);
    terminal.shows(&format!("{rows} {columns}\r\n"));
    terminal.resizes((50, 140));
    terminal.shows("50 140\r\n");
    terminal.resizes((24, 80));
    terminal.shows("24 80\r\n");
    terminal.types("x\r");
    terminal.finish().fails_with(3);
    host.finish();
}

#[test]
fn an_interrupt_is_a_key_that_ends_the_program_in_front() {
    let host = host();
    let mut terminal = shell(&host, "--rm");
    terminal.types("sleep 1000\r");
    host.container("web1").awaits_process("sleep");
    terminal.types("\x03");
    terminal.shows("/ # ");
    assert_eq!(answer(&mut terminal, "echo $?"), "130");
    terminal.types("exit 130\r");
    terminal.finish().fails_with(130);
    host.finish();
}

#[test]
fn job_control_works() {
    let host = host();
    let mut terminal = shell(&host, "--rm");
    terminal.types("sleep 1000\r");
    host.container("web1").awaits_process("sleep");
    terminal.types("\x1a");
    terminal.shows("Stopped");
    terminal.shows("/ # ");
    assert_eq!(answer(&mut terminal, "jobs | cut -c 1-11"), "[1]+  Stopp");
    terminal.types("fg\r");
    terminal.shows("sleep 1000\r\n");
    // The shell says that before it gives the terminal to the program and lets it go on; until then, the key would be the shell's.
    host.container("web1").awaits_process("sleep");
    terminal.types("\x03");
    terminal.shows("/ # ");
    terminal.types("exit 7\r");
    terminal.finish().fails_with(7);
    host.finish();
}

#[test]
fn the_users_terminal_is_raw_meanwhile_and_as_before_afterwards() {
    let host = host();
    let endings: [(&str, i32); 3] = [
        ("run --rm -it busybox sh -c true", 0),
        ("run --rm -it busybox nosuch", 127),
        ("run --rm -it --ip 1.2.3.4 busybox true", 125),
    ];
    let before = first_settings(&host);
    for (words, code) in endings {
        let mut terminal = host.minirun_at_terminal(words);
        terminal.finish().exits_with(code);
        assert_eq!(terminal.settings(), before, "{words}");
    }
    let mut terminal = host.minirun_at_terminal("run --rm -it busybox cat");
    terminal.becomes_raw(true);
    terminal.types("\x04");
    terminal.finish().succeeds();
    assert_eq!(terminal.settings(), before);
    host.finish();
}

#[test]
fn output_that_cannot_be_written_leaves_the_terminal_as_it_was() {
    let host = host();
    let line = "minirun run --rm -it busybox echo hi >/dev/full";
    let before = first_settings(&host);
    let mut terminal = host.place().program("sh", ["-c", line]).at_terminal();
    terminal.shows("error: cannot write to standard output: No space left on device");
    terminal.finish().fails_with(125);
    assert_eq!(terminal.settings(), before);
    host.finish();
}

#[test]
fn much_that_is_typed_at_once_arrives_whole() {
    let host = host();
    let script = "stty raw -echo; echo ready; head -c 200000 | wc -c";
    let words = ["run", "--rm", "-it", "busybox", "sh", "-c", script];
    let mut terminal = host.minirun_at_terminal(words);
    terminal.shows("ready");
    terminal.types(&"x".repeat(200_000));
    terminal.shows("200000");
    terminal.finish().succeeds();
    host.finish();
}

#[test]
fn a_signal_that_ends_the_command_leaves_the_terminal_as_it_was_and_the_program_running() {
    let host = host();
    let before = first_settings(&host);
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let words = "run --name web1 --sig-proxy=false -it busybox sh";
        let mut terminal = host.minirun_at_terminal(words);
        terminal.shows("/ # ");
        assert!(terminal.is_raw());
        terminal.process().signal(signal);
        terminal.finish().is_killed_by(signal as i32);
        assert_eq!(terminal.settings(), before);
        assert_eq!(host.container("web1").status(), "running");
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn a_signal_is_passed_on_to_a_program_with_a_terminal_too() {
    let host = host();
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 1000 & wait; done";
    let words = ["run", "--rm", "-it", "busybox", "sh", "-c", script];
    let before = first_settings(&host);
    let mut terminal = host.minirun_at_terminal(words);
    terminal.shows("ready\r\n");
    terminal.process().signal(Signal::SIGTERM);
    terminal.finish().fails_with(9);
    assert_eq!(terminal.settings(), before);
    host.finish();
}

#[test]
fn a_command_that_is_paused_gives_the_terminal_back_and_takes_it_again() {
    let host = host();
    let mut terminal = shell(&host, "--rm");
    terminal.process().signal(Signal::SIGTSTP);
    terminal.becomes_raw(false);
    // It gives the terminal back before it stops, and a stop that comes later undoes what is to let it go on.
    awaits_stop(terminal.process());
    terminal.process().signal(Signal::SIGCONT);
    terminal.becomes_raw(true);
    assert_eq!(answer(&mut terminal, "echo $((40 + 2))"), "42");
    terminal.types("exit\r");
    terminal.finish().succeeds();
    host.finish();
}

#[test]
fn a_terminal_works_in_a_pipe_and_is_one_stream_whose_lines_end_as_on_a_terminal() {
    let host = host();
    host.minirun([
        "run",
        "--name",
        "job",
        "-t",
        "busybox",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 4",
    ])
    .fails_with(4)
    .stdout_is("out\r\nerr\r")
    .stderr_is("");
    host.minirun("logs job")
        .succeeds()
        .stdout_is("out\r\nerr\r");
    host.removes("job");
    host.finish();
}

#[test]
fn input_that_nobody_types_is_refused_with_a_terminal_and_nothing_is_left_behind() {
    let host = host();
    let refused = host
        .place()
        .program("minirun", "run -it busybox cat")
        .input("hi\n");
    refused.run().fails_with(1).stderr_is(
        "error: standard input is not a terminal, which `-i` together with `-t` needs\n\
         hint: leave out `-t` to pass on a file or a pipe",
    );
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.minirun("run -d --name web1 -it busybox sh").succeeds();
    for command in ["attach web1", "exec -it web1 sh"] {
        host.minirun(command)
            .fails_with(1)
            .stderr_contains("is not a terminal");
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn piped_input_reaches_the_program_and_so_does_its_end() {
    let host = host();
    let piped =
        |words: &str, input: &str| host.place().program("minirun", words).input(input).run();
    piped("run --rm -i busybox cat", "hi\n")
        .succeeds()
        .stdout_is("hi");
    piped("run --rm -i busybox wc -c", &"x".repeat(300_000))
        .succeeds()
        .stdout_is("300000");
    piped("run --rm -i busybox sh", "exit 5\n").fails_with(5);
    piped("run --rm busybox cat", "hi\n")
        .succeeds()
        .stdout_is("");
    let line = "echo hi | minirun run --rm -i busybox cat | tr h H";
    host.command("sh", ["-c", line]).succeeds().stdout_is("Hi");
    host.finish();
}

#[test]
fn another_user_owns_the_terminal_it_is_given() {
    let host = host();
    let script = "tty; stat -c '%u:%g' /dev/pts/0 /dev/console; echo hi >/dev/tty; : </dev/stdin";
    host.minirun([
        "run", "--rm", "-t", "-u", "alice", "busybox", "sh", "-c", script,
    ])
    .succeeds()
    .stdout_is("/dev/pts/0\r\n1000:5\r\n1000:5\r\nhi\r");
    host.finish();
}

#[test]
fn much_output_arrives_whole() {
    let host = host();
    let words = [
        "run",
        "--rm",
        "-t",
        "busybox",
        "sh",
        "-c",
        "stty -opost; seq 1 30000",
    ];
    let expected: String = (1..=30_000).map(|number| format!("{number}\n")).collect();
    host.minirun(words)
        .succeeds()
        .stdout_is(expected.trim_end());
    host.finish();
}

#[test]
fn a_program_may_close_its_terminal_for_a_while() {
    let host = host();
    let script = "exec 0<&- 1<&- 2<&-; sleep 0.1; exec >/dev/pts/0; echo back; exit 6";
    host.minirun(["run", "--rm", "-t", "busybox", "sh", "-c", script])
        .fails_with(6)
        .stdout_is("back\r");
    host.finish();
}

#[test]
fn a_command_ends_with_its_terminal_and_a_program_that_does_not_mind_goes_on() {
    let host = host();
    for options in ["--sig-proxy=false", ""] {
        let terminal = shell(&host, options);
        let mut command = terminal.hangs_up();
        command.finish().is_killed_by(Signal::SIGHUP as i32);
        assert_eq!(host.container("web1").status(), "running");
        host.removes("web1");
    }
    host.finish();
}
