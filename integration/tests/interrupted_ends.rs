//! What is met half way: monitors that are killed just after a program has begun or ended, and commands that do not listen.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use minirun_integration::probe::LONG_WAIT;
use minirun_integration::{Container, Process, TestHost};
use nix::sys::signal::Signal;

fn id(container: &Container<'_>) -> String {
    let id = container.inspect()["Id"].as_str().map(str::to_owned);
    id.expect("a container has an id")
}

/// Holds a file's lock until it is dropped.
#[track_caller]
fn hold(host: &TestHost, path: &str) -> File {
    host.inside(|| {
        let file = File::options().create(true).append(true).open(path);
        let file = file.expect("its directory is there");
        file.lock().expect("it can be locked");
        file
    })
}

/// Waits until the record of who is who holds a word. No command is asked, which might wait for the lock that is held.
#[track_caller]
fn awaits_record(host: &TestHost, id: &str, word: &str) {
    let path = format!("/run/minirun/containers/{id}/running.json");
    let begun = Instant::now();
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    while !host.inside(read).contains(word) {
        assert!(begun.elapsed() < LONG_WAIT, "the record should say {word}");
        std::thread::yield_now();
    }
}

fn kill(process: &Process) {
    process.signal(Signal::SIGKILL);
    assert!(process.ends_within(LONG_WAIT));
}

/// Regression test: `stop` believed that of a container between two runs only records are left, and forgot it together with its
/// rules and control group, which a killed monitor had left.
#[test]
fn what_a_killed_monitor_left_of_the_last_run_goes_when_the_next_one_is_called_off() {
    let host = TestHost::create();
    for command in ["stop", "rm -f", "start"] {
        let container = host.idles("web1", "--restart always -p 8080:80");
        let id = id(&container);
        let program = container.process();
        let monitor = program.parent();
        let guardian = monitor.parent();
        guardian.signal(Signal::SIGSTOP);
        let held = hold(&host, "/run/minirun/firewall.lock");
        kill(&program);
        awaits_record(&host, &id, "\"restarting\": {");
        kill(&monitor);
        drop(held);
        host.minirun(format!("{command} web1")).succeeds();
        assert!(guardian.ends_within(LONG_WAIT), "{command}");
        if command == "start" {
            assert_eq!(host.rules("nat").with(&["--dport 8080", "DNAT"]).len(), 1);
        } else {
            host.rules("nat").lack(&["8080"]);
            host.command("find", ["/sys/fs/cgroup", "-name", &id])
                .succeeds()
                .stdout_is("");
        }
        host.minirun("rm -f web1").succeeds();
    }
    host.finish();
}

/// Regression test: the program was reported to run before its addresses were noted, so a monitor that was killed in between
/// left a container that had lost the address under which others had seen it.
#[test]
fn the_addresses_are_noted_before_anybody_hears_that_the_program_runs() {
    let host = TestHost::create();
    host.minirun("create --name web1 demo sleep infinity")
        .succeeds();
    let container = host.container("web1");
    let id = id(&container);
    let note = format!("/var/lib/minirun/containers/{id}/.last.json.new");
    let held = hold(&host, &note);
    let starting = host.spawn_minirun("start web1");
    awaits_record(&host, &id, "\"init\": {");
    container.awaits_process("sleep");
    let monitor = container.process().parent();
    kill(&monitor);
    drop(held);
    starting
        .finish()
        .fails()
        .stderr_contains("the monitor of container `web1` ended unexpectedly");
    host.minirun("start web1").succeeds();
    host.removes("web1");
    host.finish();
}

/// Regression test: what a monitor that was killed while it wrote the record had left kept the container's directory for ever.
#[test]
fn a_record_that_was_half_written_goes_with_its_container() {
    let host = TestHost::create();
    let container = host.idles("web1", "");
    let directory = format!("/run/minirun/containers/{}", id(&container));
    host.write_file(&format!("{directory}/.running.json.new"), "{");
    host.removes("web1");
    assert!(!host.inside(|| Path::new(&directory).exists()));
    host.finish();
}

/// Nearly as much as fits into the pipe of a program that writes much, and that of its command, of a mebibyte each.
const WIDE_PIPES: u64 = 1_900_000;

/// How much a process has written, as `/proc/PID/io` counts it.
fn written(counts: &str) -> u64 {
    let text = std::fs::read_to_string(counts).expect("the process lives");
    let count = text.lines().find_map(|line| line.strip_prefix("wchar: "));
    count.expect("it is counted").parse().expect("a number")
}

/// Regression test: where pipes cannot be made as wide as they would have to be, whoever waited for the end of a container waited
/// for a command that did not read.
#[test]
fn nobody_waits_for_a_command_that_does_not_read() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let words = [
        "--bounding-set=-sys_resource",
        "minirun",
        "run",
        "--name",
        "web1",
        "busybox",
        "sh",
        "-c",
        "echo run; exec dd if=/dev/zero bs=65536 count=1000",
    ];
    let mut running = host.place().program("setpriv", words).spawn();
    running.read_until("run\n");
    running.signal(Signal::SIGSTOP);
    let counts = format!("/proc/{}/io", host.container("web1").pid());
    let begun = Instant::now();
    // On a busy host the command may stand still before the pipes were made wide; then less fits, and nobody has to wait either.
    while written(&counts) < WIDE_PIPES && begun.elapsed() < LONG_WAIT {
        std::thread::yield_now();
    }
    host.minirun("rm -f web1").succeeds();
    running.signal(Signal::SIGKILL);
    host.finish();
}
