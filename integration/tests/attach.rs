//! `attach`, and leaving a terminal while its program goes on.

use minirun_integration::{Terminal, TestHost};
use nix::sys::signal::Signal;

/// What is typed to detach: ctrl-p, ctrl-q.
const DETACH: &str = "\x10\x11";

fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// Waits until so many commands have attached themselves so far, whatever has become of them. What a monitor holds open would not
/// tell: it keeps the pipes of a command that is gone until there is something to write to them.
#[track_caller]
fn await_attached(host: &TestHost, commands: usize) {
    host.spawn_minirun("events --since 1h --filter event=attach --format {{.Action}}")
        .read_until(&"attach\n".repeat(commands));
}

/// Starts a shell at a terminal, with nobody attached. Whoever attaches gets a prompt because the size of the window changes, which
/// the shell heeds only when it waits for a line, and not yet when it has written its first prompt.
#[track_caller]
fn starts_shell(host: &TestHost) {
    host.minirun("run -d --name web1 -it busybox sh").succeeds();
    host.container("web1").awaits_process("sh");
}

/// Leaves a terminal, which must be as it was before.
#[track_caller]
fn detaches(mut terminal: Terminal, keys: &str) {
    terminal.types(keys);
    let ended = terminal.finish().succeeds();
    let prompt = ["\x1b[6n", "\x1b[J", "/ # "];
    let said = prompt.iter().fold(ended.stdout().to_owned(), |said, part| {
        said.replace(part, "")
    });
    assert_eq!(
        said.trim_start_matches('\r'),
        "\n",
        "detaching says nothing"
    );
    assert!(!terminal.is_raw());
}

#[test]
fn a_user_leaves_and_comes_back_and_the_program_goes_on() {
    let host = host();
    let mut first = host.minirun_at_terminal("run --name web1 -it busybox sh");
    first.shows("/ # ");
    first.types("a=40\r");
    first.shows("/ # ");
    detaches(first, DETACH);
    assert_eq!(host.container("web1").status(), "running");
    let mut second = host.minirun_at_terminal("attach web1");
    second.becomes_raw(true);
    second.types("echo $((a + 2)); stty size\r");
    second.shows("42\r\n30 100\r\n");
    second.types("exit 17\r");
    second.finish().fails_with(17);
    assert_eq!(host.container("web1").exit_code(), 17);
    host.minirun("attach web1")
        .fails_with(1)
        .stderr_is("error: container `web1` is not running\nhint: start it: `minirun start web1`");
    host.removes("web1");
    host.finish();
}

#[test]
fn other_keys_can_be_chosen_and_those_that_break_off_reach_the_program() {
    let host = host();
    let words = [
        "run",
        "--name",
        "web1",
        "--detach-keys",
        "ctrl-a,d",
        "-it",
        "busybox",
        "sh",
        "-c",
        "stty raw -echo; echo ready; dd bs=1 count=5 2>/dev/null | od -An -c; stty sane; exec sh",
    ];
    let mut terminal = host.minirun_at_terminal(words);
    terminal.shows("ready");
    terminal.types("\x01\x10\x11\x01");
    terminal.types("x");
    terminal.shows("001 020 021 001   x");
    terminal.shows("/ # ");
    detaches(terminal, "\x01d");
    for (keys, complaint) in [("ctrl-", "`ctrl-` is no key"), ("ab", "`ab` is no key")] {
        host.minirun(["attach", "--detach-keys", keys, "web1"])
            .fails_with(125)
            .stderr_contains(complaint);
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn several_are_attached_at_once_and_all_see_and_type_the_same() {
    let host = host();
    starts_shell(&host);
    let mut one = host.minirun_at_terminal("attach web1");
    let mut other = host.minirun_at_terminal("attach web1");
    one.shows("/ # ");
    other.shows("/ # ");
    one.becomes_raw(true);
    other.becomes_raw(true);
    one.types("echo o''ne\r");
    one.shows("one\r\n");
    other.shows("one\r\n");
    other.types("echo t''wo\r");
    one.shows("two\r\n");
    other.shows("two\r\n");
    detaches(one, DETACH);
    other.types("exit 3\r");
    other.finish().fails_with(3);
    host.removes("web1");
    host.finish();
}

#[test]
fn output_and_error_output_of_a_program_with_pipes_are_kept_apart() {
    let host = host();
    let script = "while read line; do echo err $line >&2; echo out $line; done; exit 6";
    host.runs_script("web1", "-i", script);
    let attached = host.spawn_minirun("attach --no-stdin web1");
    await_attached(&host, 1);
    let piped = |input: &str| {
        let program = host.place().program("minirun", "attach web1").input(input);
        let running = program.spawn();
        host.container("web1")
            .awaits_log(&format!("out {}", input.trim_end()));
        running
    };
    // The end of what one of them has to say is not the end of the program's input.
    let first = piped("a\n");
    let second = piped("b\n");
    host.container("web1").process().signal(Signal::SIGKILL);
    for ended in [first.finish(), second.finish()] {
        ended.fails_with(137);
    }
    attached
        .finish()
        .fails_with(137)
        .stdout_is("out a\nout b")
        .stderr_is("err a\nerr b");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_started_container_takes_input_from_whoever_starts_it() {
    let host = host();
    host.minirun("create --name job -i busybox sh").succeeds();
    let start = |words: &str| {
        host.place()
            .program("minirun", words)
            .input("exit 8\n")
            .run()
    };
    start("start -ai job").fails_with(8);
    start("start -i job").fails_with(8);
    host.minirun("start job").succeeds();
    start("attach job").fails_with(8);
    host.removes("job");
    host.minirun("create --name job -it busybox sh").succeeds();
    let mut terminal = host.minirun_at_terminal("start -ai job");
    terminal.shows("/ # ");
    terminal.types("exit 9\r");
    terminal.finish().fails_with(9);
    host.removes("job");
    host.finish();
}

#[test]
fn signals_go_to_the_program_unless_that_is_not_wanted() {
    let host = host();
    let script = "trap 'exit 12' INT; echo ready; while :; do sleep 1000 & wait; done";
    host.runs_script("web1", "", script);
    host.container("web1").awaits_log("ready");
    let aside = host.spawn_minirun("attach --sig-proxy=false web1");
    await_attached(&host, 1);
    aside.signal(Signal::SIGINT);
    aside.finish().is_killed_by(Signal::SIGINT as i32);
    assert_eq!(host.container("web1").status(), "running");
    let attached = host.spawn_minirun("attach web1");
    attached.process().awaits_open_file("signalfd");
    attached.signal(Signal::SIGINT);
    attached.finish().fails_with(12);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_connection_that_breaks_takes_nobody_along() {
    let host = host();
    starts_shell(&host);
    let mut terminal = host.minirun_at_terminal("attach web1");
    terminal.shows("/ # ");
    let mut command = terminal.hangs_up();
    command.finish().is_killed_by(Signal::SIGHUP as i32);
    let mut again = host.minirun_at_terminal("attach web1");
    again.shows("/ # ");
    again.becomes_raw(true);
    again.types("echo s''till\r");
    again.shows("still\r\n");
    again.types("exit\r");
    again.finish().succeeds();
    host.removes("web1");
    host.finish();
}

#[test]
fn whoever_is_killed_or_does_not_read_does_not_hold_up_the_end() {
    let host = host();
    let words = [
        "run",
        "-d",
        "--name",
        "web1",
        "busybox",
        "sh",
        "-c",
        "sleep 1000 & wait; exec yes",
    ];
    host.minirun(words).succeeds();
    let gone = host.spawn_minirun("attach web1");
    await_attached(&host, 1);
    gone.signal(Signal::SIGKILL);
    gone.finish().is_killed_by(Signal::SIGKILL as i32);
    let paused = host.spawn_minirun("attach web1");
    await_attached(&host, 2);
    paused.signal(Signal::SIGSTOP);
    host.container("web1").awaits_process("sleep");
    host.minirun(["exec", "web1", "sh", "-c", "kill $(pidof sleep)"])
        .succeeds();
    host.container("web1").awaits_log("y");
    host.minirun("kill web1").succeeds();
    host.minirun("wait web1").succeeds().stdout_is("137");
    host.minirun("logs --tail 1 web1").succeeds().stdout_is("y");
    paused.signal(Signal::SIGCONT);
    paused.finish().fails_with(137).stdout_contains("y\ny\n");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_monitor_that_is_killed_is_told_to_those_who_are_attached() {
    let host = host();
    host.minirun("run -d --rm --name web1 busybox sleep 1000")
        .succeeds();
    let attached = host.spawn_minirun("attach web1");
    await_attached(&host, 1);
    host.container("web1")
        .process()
        .parent()
        .signal(Signal::SIGKILL);
    attached
        .finish()
        .fails_with(137)
        .stderr_contains("error: the monitor of container `web1` was killed");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn many_come_and_go_and_the_monitor_keeps_nothing_of_them() {
    let host = host();
    starts_shell(&host);
    let monitor = host.container("web1").process().parent();
    let open = || {
        let path = format!("/proc/{}/fd", monitor.pid());
        std::fs::read_dir(path).expect("it runs").count()
    };
    let mut counts = Vec::new();
    for _ in 0..10 {
        let mut terminal = host.minirun_at_terminal("attach web1");
        terminal.shows("/ # ");
        terminal.becomes_raw(true);
        // While it is attached, since then those before it are forgotten for certain. One that has left is only when there is
        // something to write to it or another comes.
        counts.push(open());
        detaches(terminal, DETACH);
    }
    assert_eq!(counts[0], counts[9], "{counts:?}");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_without_any_network_can_be_attached_to_as_well() {
    let host = host();
    host.minirun("run -d --name web1 --network none -i busybox cat")
        .succeeds();
    let attach = host.place().program("minirun", "attach web1");
    let mut attached = attach.input("hello\n").spawn();
    attached.read_until("hello\n");
    host.removes("web1");
    attached.finish().fails_with(137);
    host.finish();
}
