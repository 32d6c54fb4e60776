//! `--init`: a small first process before the program, which passes signals on to it and reaps what is left behind.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use minirun_integration::probe::LONG_WAIT;
use minirun_integration::{Container, Process, TestHost};
use nix::sys::signal::Signal;

/// Starts a line of shell as `web1`.
#[track_caller]
fn starts<'host>(host: &'host TestHost, options: &str, script: &str) -> Container<'host> {
    let mut words = vec!["run", "-d", "--name", "web1"];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sh", "-c", script]);
    host.minirun(words.as_slice()).succeeds();
    host.container("web1")
}

/// The program behind the first process, as soon as that has no other child.
#[track_caller]
fn only_child(first: &Process) -> Process {
    let end = Instant::now() + LONG_WAIT;
    loop {
        match first.children()[..] {
            [pid] => return Process::open(pid),
            _ if Instant::now() < end => std::thread::yield_now(),
            ref others => panic!("it should have one child, not {others:?}"),
        }
    }
}

/// The program behind the first process, once that is `sleep` and sleeps. The kernel has its name a moment before its words.
#[track_caller]
fn sleeping_child(first: &Process) -> Process {
    let program = only_child(first);
    program.awaits_name("sleep");
    program.awaits_sleep();
    program
}

/// How many children have ended that it has not looked after.
fn zombies(first: &Process) -> usize {
    let state = |pid| fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let children = first.children().into_iter().map(state);
    children
        .filter(|status| status.contains("State:\tZ"))
        .count()
}

/// What a process is and may do.
fn identity(process: &Process) -> Vec<String> {
    let kept = ["Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Umask:"];
    let status = process.status();
    let lines = status.lines();
    lines
        .filter(|line| kept.iter().any(|start| line.starts_with(start)))
        .map(str::to_owned)
        .collect()
}

fn name(process: &Process) -> String {
    let read = |file| fs::read_to_string(format!("/proc/{}/{file}", process.pid()));
    let words = read("cmdline").expect("it runs").replace('\0', " ");
    format!("{} {words}", read("comm").expect("it runs").trim_end())
}

#[test]
fn the_program_is_the_child_of_a_process_that_is_no_more_than_it() {
    let host = TestHost::with_busybox();
    for (options, ids) in [
        ("--init", "Uid:\t0\t0\t0\t0"),
        (
            "--init -u alice --security-opt no-new-privileges",
            "Uid:\t1000\t1000\t1000\t1000",
        ),
    ] {
        let container = starts(&host, options, "exec sleep 1000");
        let first = container.process();
        let program = sleeping_child(&first);
        // It waits for signals when it has taken its name and closed what it had open, which it may do after the program began.
        first.awaits_name("init");
        first.awaits_sleep();
        assert_eq!(name(&first), "init init ");
        assert_eq!(name(&program), "sleep sleep 1000 ");
        assert_eq!(identity(&first), identity(&program));
        assert!(identity(&first).contains(&ids.to_owned()));
        assert_eq!(first.session(), program.session());
        let held = fs::read_dir(format!("/proc/{}/fd", first.pid())).expect("it runs");
        assert_eq!(held.count(), 0);
        assert_eq!(container.inspect()["HostConfig"]["Init"], true);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn orphans_are_reaped() {
    let host = TestHost::with_busybox();
    let make_orphans = [
        "exec",
        "web1",
        "sh",
        "-c",
        "n=0; while [ $n -lt 20 ]; do (true &); n=$((n+1)); done",
    ];
    let first = starts(&host, "--init", "exec sleep 1000").process();
    let program = only_child(&first);
    host.minirun(make_orphans).succeeds();
    assert_eq!(only_child(&first).pid(), program.pid());
    host.removes("web1");

    // Without, they stay: the program was not written to be a first process.
    let first = starts(&host, "", "exec sleep 1000").process();
    first.awaits_name("sleep");
    host.minirun(make_orphans).succeeds();
    let end = Instant::now() + LONG_WAIT;
    while zombies(&first) < 20 {
        assert!(Instant::now() < end, "{} zombies", zombies(&first));
        std::thread::yield_now();
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn signals_reach_the_program() {
    let host = TestHost::with_busybox();
    let script = "trap 'echo one' USR1; trap 'echo stop; exit 3' TERM; echo ready; \
                  while :; do sleep 1000 & wait $!; done";
    let container = starts(&host, "--init", script);
    container.awaits_log("ready\n");
    host.minirun("kill -s USR1 web1").succeeds();
    container.awaits_log("one\n");
    host.minirun("stop web1").succeeds();
    host.minirun("wait web1").succeeds().stdout_is("3");
    host.minirun("logs web1")
        .succeeds()
        .stdout_is("ready\none\nstop");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_program_that_minds_no_signal_ends_by_it_and_need_not_be_killed() {
    let host = TestHost::with_busybox();
    for (signal, code) in [("TERM", "143"), ("HUP", "129"), ("RTMIN", "162")] {
        let container = starts(&host, "--init", "exec sleep 1000");
        only_child(&container.process()).awaits_name("sleep");
        host.minirun(format!("kill -s {signal} web1")).succeeds();
        host.minirun("wait web1").succeeds().stdout_is(code);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn the_exit_code_is_the_programs() {
    let host = TestHost::with_busybox();
    for (script, code) in [("true", 0), ("exit 42", 42), ("kill -9 $$", 137)] {
        let ended = host.in_busybox("--init", script);
        assert_eq!(ended.code(), Some(code), "{ended:?}");
    }
    host.minirun("run --rm --init busybox nosuch")
        .fails_with(127)
        .stderr_contains("command `nosuch` not found in the container");
    host.minirun("run --rm --init busybox /etc/passwd")
        .fails_with(126)
        .stderr_contains("command `/etc/passwd` cannot be executed");
    host.minirun("run --rm --init -w /etc/passwd/x busybox true")
        .fails_with(126);
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn output_and_input_are_the_programs_alone() {
    let host = TestHost::with_busybox();
    host.place()
        .program("minirun", "run --rm --init -i busybox cat")
        .input("hello\n")
        .run()
        .succeeds()
        .stdout_is("hello");
    host.finish();
}

/// Root in a container has no `CAP_SYS_PTRACE`, without which the kernel shows nobody a process that is not dumpable.
#[test]
fn the_executable_of_minirun_is_out_of_reach() {
    let host = TestHost::with_busybox();
    let container = starts(&host, "--init", "exec sleep 1000");
    let looks = [
        "readlink /proc/1/exe",
        "cat /proc/1/exe",
        "cat /proc/1/mem",
        "cat /proc/1/maps",
        "cat /proc/1/environ",
        "ls /proc/1/root/",
    ];
    for look in looks {
        let refused = host.minirun(["exec", "web1", "sh", "-c", look]).fails();
        assert_eq!(refused.stdout(), "", "{look}");
    }
    // The program itself is as open as any.
    host.minirun("exec web1 readlink /proc/2/exe")
        .succeeds()
        .stdout_contains("busybox");
    let first = container.process();
    let executable = fs::read_link(format!("/proc/{}/exe", first.pid())).expect("root looks");
    // It lies on a mount that is attached nowhere.
    assert_eq!(executable, std::path::Path::new("/"));
    host.removes("web1");
    host.finish();
}

#[test]
fn what_the_program_leaves_behind_ends_with_it() {
    let host = TestHost::with_busybox();
    let script = "(setsid sleep 1000 &); sleep 1000 & echo left; exit 5";
    let container = starts(&host, "--init", script);
    host.minirun("wait web1").succeeds().stdout_is("5");
    assert_eq!(container.exit_code(), 5);
    host.removes("web1");
    host.finish();
}

#[test]
fn all_of_it_dies_with_the_monitor() {
    let host = TestHost::with_busybox();
    let container = starts(&host, "--init -u alice", "exec sleep 1000");
    let first = container.process();
    let program = only_child(&first);
    first.parent().signal(Signal::SIGKILL);
    assert!(first.ends_within(LONG_WAIT));
    assert!(program.ends_within(LONG_WAIT));
    assert_eq!(container.exit_code(), 137);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_program_that_is_executed_later_is_reaped_by_its_own_parent() {
    let host = TestHost::with_busybox();
    let container = starts(&host, "--init", "exec sleep 1000");
    host.minirun(["exec", "web1", "sh", "-c", "exit 9"])
        .fails_with(9);
    // One that it leaves behind comes to the first process.
    host.minirun(["exec", "web1", "sh", "-c", "(sleep 0 &)"])
        .succeeds();
    let program = sleeping_child(&container.process());
    assert_eq!(name(&program), "sleep sleep 1000 ");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_step_is_told() {
    let host = TestHost::with_busybox();
    let told = host
        .minirun("run --rm --init --explain busybox true")
        .succeeds();
    let steps: BTreeSet<&str> = told.stderr().lines().collect();
    let sentence = "stay before the program, pass signals on to it and reap orphans";
    assert!(
        steps.iter().any(|step| step.ends_with(sentence)),
        "{}",
        told.stderr()
    );
    host.finish();
}
