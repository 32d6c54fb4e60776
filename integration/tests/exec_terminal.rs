//! `exec -t`: a terminal for one more program, made in a container whose root may be hostile.

use minirun_integration::{Terminal, TestHost};
use nix::sys::signal::Signal;

fn host_with_sleeper() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 busybox sleep 100000")
        .succeeds();
    host
}

/// A shell executed in the container, at its first prompt.
#[track_caller]
fn shell(host: &TestHost) -> Terminal {
    let mut terminal = host.minirun_at_terminal("exec -it web1 sh");
    terminal.shows("/ # ");
    terminal
}

#[test]
fn an_executed_program_has_a_terminal_of_the_container_and_its_exit_code_is_exact() {
    let host = host_with_sleeper();
    // Those of any new terminal. That of the command itself may be changed before this test can ask.
    let mut idle = host.place().program("true", "").at_terminal();
    idle.finish().succeeds();
    let before = idle.settings();
    let mut terminal = host.minirun_at_terminal("exec -it -e A=b -w /tmp -u alice web1 sh");
    terminal.shows("/tmp $ ");
    assert!(terminal.is_raw());
    terminal.types("tty; stty size; echo $A $TERM; stat -c %u:%g $(tty); ls /dev/console\r");
    terminal.shows("/dev/pts/0\r\n30 100\r\nb xterm\r\n1000:5\r\n");
    terminal.shows("No such file or directory\r\n/tmp $ ");
    terminal.types("cat\r");
    host.container("web1").awaits_process("cat");
    terminal.resizes((40, 90));
    terminal.types("\x03");
    terminal.shows("/tmp $ ");
    terminal.types("stty size; exit 21\r");
    terminal.shows("40 90\r\n");
    terminal.finish().fails_with(21);
    assert_eq!(terminal.settings(), before);
    host.minirun("exec -t web1 ls -1 --color=never /proc/self/fd")
        .succeeds()
        .stdout_is("0\r\n1\r\n2\r\n3\r");
    host.removes("web1");
    host.finish();
}

#[test]
fn two_terminals_are_two() {
    let host = host_with_sleeper();
    let mut one = shell(&host);
    let mut other = shell(&host);
    for (terminal, name) in [(&mut one, "/dev/pts/0"), (&mut other, "/dev/pts/1")] {
        terminal.types("tty\r");
        terminal.shows(name);
        terminal.types("exit\r");
    }
    one.finish().succeeds();
    other.finish().succeeds();
    host.removes("web1");
    host.finish();
}

#[test]
fn a_terminal_without_input_works_in_a_pipe_and_without_anybody() {
    let host = host_with_sleeper();
    host.minirun([
        "exec",
        "-t",
        "web1",
        "sh",
        "-c",
        "tty; echo err >&2; exit 5",
    ])
    .fails_with(5)
    .stdout_is("/dev/pts/0\r\nerr\r");
    let script = "seq 1 50000; tty >/tmp/new; mv /tmp/new /tmp/result; sleep 1000";
    host.minirun(["exec", "-dt", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("");
    let script = "while [ ! -e /tmp/result ]; do :; done; cat /tmp/result";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("/dev/pts/0");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_program_that_is_detached_from_goes_on_and_is_neither_ended_nor_held_up() {
    let host = host_with_sleeper();
    let script = "trap 'echo hangup >/tmp/hangup' HUP; read line; seq 1 50000; echo done >/tmp/new; \
        mv /tmp/new /tmp/result; sleep 1000";
    let mut terminal = host.minirun_at_terminal(["exec", "-it", "web1", "sh", "-c", script]);
    let monitor = host.container("web1").process().parent();
    terminal.becomes_raw(true);
    terminal.types("\r\x10\x11");
    terminal.finish().succeeds();
    assert!(!terminal.is_raw());
    let script = "while [ ! -e /tmp/result ]; do :; done; cat /tmp/result /tmp/hangup";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .fails_with(1)
        .stdout_is("done");
    monitor.awaits_open_file("ptmx");
    host.minirun(["exec", "web1", "sh", "-c", "kill -9 $(pidof sh)"])
        .fails();
    host.removes("web1");
    host.finish();
}

#[test]
fn a_terminal_that_is_taken_away_ends_the_program() {
    let host = host_with_sleeper();
    let terminal = shell(&host);
    terminal.process().signal(Signal::SIGKILL);
    let script = "while pidof sh | grep -q ' '; do :; done";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds();
    drop(terminal);
    host.removes("web1");
    host.finish();
}

/// What a hostile root could put in the way, once with the right to mount.
const TRAPS: [(&str, &str); 7] = [
    ("rm /dev/ptmx; echo plain >/dev/ptmx", ""),
    ("rm /dev/ptmx; mkfifo /dev/ptmx", ""),
    (
        "rm /dev/ptmx; ln -s /proc/1/fd/0 /dev/ptmx; touch /dev/console",
        "",
    ),
    (
        "mount -t tmpfs none /dev/pts; echo plain >/dev/pts/ptmx",
        "No such device",
    ),
    (
        "mount -t tmpfs none /dev/pts; mkfifo /dev/pts/ptmx",
        "No such device",
    ),
    (
        "mount -t tmpfs none /dev/pts; ln -s /dev/null /dev/pts/ptmx",
        "No such device",
    ),
    (
        "touch /tmp/ptmx; mount -o bind /tmp/ptmx /dev/pts/ptmx",
        "Cross-device link",
    ),
];

#[test]
fn whatever_a_container_puts_in_the_place_of_terminals_is_not_opened() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    for (trap, complaint) in TRAPS {
        host.minirun("run -d --name web1 busybox sleep 100000")
            .succeeds();
        let pid = host.container("web1").pid().to_string();
        let enter = ["--mount", "--target", pid.as_str(), "sh", "-c", trap];
        host.command("nsenter", enter).succeeds();
        let executed = host.minirun("exec -t web1 tty");
        match complaint {
            "" => executed.succeeds().stdout_is("/dev/pts/0\r"),
            complaint => executed
                .fails_with(125)
                .stdout_is("")
                .stderr_contains("error: cannot make a terminal in the container: ")
                .stderr_contains(complaint)
                .stderr_contains("hint: it is made in the container's `/dev/pts`"),
        };
        host.removes("web1");
    }
    host.finish();
}
