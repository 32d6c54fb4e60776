//! Restart policies survive whatever is killed: programs, monitors, guardians, and all of them.

use std::path::Path;
use std::time::Duration;

use minirun_integration::probe::LONG_WAIT;
use minirun_integration::runs::{FOREVER, is_between_two_runs, kill, runs};
use minirun_integration::{Container, Process, TestHost};
use nix::unistd::{Pid, getsid};

/// The monitor that a guardian has made last, as soon as it has a session of its own, which programs for rules never have.
fn next_monitor(guardian: &Process) -> Process {
    let pid = guardian.pid();
    let path = format!("/proc/{pid}/task/{pid}/children");
    loop {
        let children = std::fs::read_to_string(&path).expect("the guardian lives");
        let leads = |child: &i32| getsid(Some(Pid::from_raw(*child))) == Ok(Pid::from_raw(*child));
        let mut leaders = children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
            .filter(leads)
            // One that was waited for is gone; one that was not keeps its number.
            .filter_map(|leader| Process::find(leader).ok());
        if let Some(monitor) = leaders.find(|leader| !leader.ends_within(Duration::ZERO)) {
            return monitor;
        }
        std::thread::yield_now();
    }
}

/// Starts a shell as [`runs`] does, and waits until its first run is in the log; gives the file of that as well.
///
/// What the program has printed is lost with a monitor that is killed before it has copied it, and then no count of runs is right.
/// Who copies has given back the container's lock, too, without which the next command repairs nothing.
#[track_caller]
fn runs_on_record<'host>(
    host: &'host TestHost,
    options: &str,
    script: &str,
) -> (Container<'host>, String) {
    let container = runs(host, options, script);
    let log = container.log_file();
    host.awaits_runs(&log, 1);
    (container, log)
}

#[test]
fn the_guardian_starts_again_what_died_with_its_monitor() {
    let host = TestHost::create();
    let (container, log) = runs_on_record(&host, "--restart always -p 8080:80", FOREVER);
    for round in 2..5 {
        let first = container.process();
        let monitor = first.parent();
        let guardian = monitor.parent();
        assert_eq!(monitor.session(), monitor.pid());
        assert_eq!(guardian.session(), guardian.pid());
        kill(&monitor);
        assert!(first.ends_within(LONG_WAIT));
        host.awaits_runs(&log, round);
        host.awaits_status("web1", "running");
        assert_eq!(container.process().parent().parent().pid(), guardian.pid());
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn without_its_guardian_a_monitor_goes_on_and_the_policy_too() {
    let host = TestHost::create();
    let (container, log) = runs_on_record(&host, "--restart always", FOREVER);
    let first = container.process();
    kill(&first.parent().parent());
    assert!(!first.ends_within(Duration::ZERO));
    kill(&first);
    host.awaits_runs(&log, 2);
    host.awaits_status("web1", "running");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_command_replaces_a_guardian_that_was_killed() {
    let host = TestHost::create();
    let (container, log) = runs_on_record(&host, "--restart always", FOREVER);
    let first = container.process();
    kill(&first.parent().parent());
    host.minirun("ps").succeeds().stdout_contains("web1");
    assert!(!first.ends_within(Duration::ZERO));
    kill(&first.parent());
    host.awaits_runs(&log, 2);
    host.removes("web1");
    host.finish();
}

#[test]
fn with_both_killed_the_next_command_goes_on_by_the_policy() {
    let host = TestHost::create();
    for policy in ["always", "unless-stopped", "on-failure:5"] {
        let (container, log) = runs_on_record(&host, &format!("--restart {policy}"), FOREVER);
        let first = container.process();
        let monitor = first.parent();
        kill(&monitor.parent());
        kill(&monitor);
        host.awaits_rest();
        assert_eq!(host.runs_in(&log), 1);
        host.minirun("ps -a").succeeds().stdout_contains("web1");
        host.awaits_runs(&log, 2);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn a_user_who_stopped_it_wins_over_both_being_killed() {
    let host = TestHost::create();
    let (container, log) = runs_on_record(
        &host,
        "--restart always",
        "trap '' TERM; while :; do sleep 1000 & wait $!; done",
    );
    let first = container.process();
    let stopping = host.spawn_minirun("stop -t 60 web1");
    // This sign says that a user stops it. Before, the command opens descriptors of processes only to see whether they live.
    let sign = log.replace("/log", "/stopped");
    while !host.inside(|| Path::new(&sign).exists()) {
        let ended = stopping.process().ends_within(Duration::ZERO);
        assert!(!ended, "the command ended and did not stop anything");
        std::thread::yield_now();
    }
    let monitor = first.parent();
    kill(&monitor.parent());
    kill(&monitor);
    stopping.finish().succeeds().stdout_is("web1");
    host.minirun("ps -a")
        .succeeds()
        .stdout_contains("Exited (137)");
    host.awaits_rest();
    assert_eq!(host.runs_in(&log), 1);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_guardian_that_is_killed_between_two_runs_is_replaced_by_the_next_command() {
    let host = TestHost::create();
    let container = is_between_two_runs(&host, "");
    let log = container.log_file();
    host.kills_everything();
    let before = host.runs_in(&log);
    host.minirun("ps")
        .succeeds()
        .stdout_contains("Restarting (7) ");
    host.awaits_runs(&log, before + 1);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_monitor_that_is_killed_while_it_starts_the_program_again_is_replaced() {
    let host = TestHost::create();
    let (container, log) = runs_on_record(&host, "--restart always -p 8080:80", FOREVER);
    let monitor = container.process().parent();
    let guardian = monitor.parent();
    kill(&monitor);
    for step in 0..6 {
        let monitor = next_monitor(&guardian);
        let seen = std::time::Instant::now();
        while seen.elapsed() < Duration::from_micros(1500) * step {
            std::hint::spin_loop();
        }
        kill(&monitor);
    }
    // After so many ends in a row the next run may be 6.4 seconds away, which is most of the time that the others wait.
    next_monitor(&guardian);
    host.awaits_runs(&log, 2);
    host.awaits_status("web1", "running");
    assert_eq!(
        next_monitor(&guardian).pid(),
        container.process().parent().pid()
    );
    host.removes("web1");
    host.finish();
}

/// Regression test: the address of a start that was killed before it was noted stayed leased for ever, because the next start
/// took another.
#[test]
fn a_killed_start_that_has_noted_nothing_loses_no_address() {
    let host = TestHost::create();
    host.idles("other", "");
    for policy in ["always", "no"] {
        let (container, log) = runs_on_record(&host, &format!("--restart {policy}"), FOREVER);
        let monitor = container.process().parent();
        let guardian = monitor.parent();
        if policy == "always" {
            kill(&guardian);
        }
        kill(&monitor);
        // The note is written when the program runs; this is how it looks a moment before.
        host.command("rm", [&log.replace("/log", "/last.json")[..]])
            .succeeds();
        host.minirun("ps").succeeds();
        host.minirun("start web1").succeeds();
        host.awaits_runs(&log, 2);
        host.removes("web1");
    }
    // So it was with one that failed by itself.
    host.imports_busybox(&[]);
    host.minirun("create --name web1 busybox /tmp/program")
        .succeeds();
    let log = host.container("web1").log_file();
    host.minirun("start web1").fails();
    let program = log.replace("/log", "/upper/tmp/program");
    host.write_file(&program, "#!/bin/sh\nexec sleep 1000\n");
    host.command("chmod", ["755", &program]).succeeds();
    host.minirun("start web1").succeeds();
    host.removes("other web1");
    host.finish();
}

/// Regression test of the whole: no moment is left at which being killed loses the container or leaves something behind.
#[test]
fn whatever_moment_everything_is_killed_at_the_policy_goes_on() {
    let host = TestHost::create();
    for step in 0..15 {
        let container = runs(&host, "--restart always -p 8080:80", "exit 1");
        let log = container.log_file();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(23) * step {
            std::hint::spin_loop();
        }
        host.kills_everything();
        let before = host.runs_in(&log);
        host.minirun("ps -a").succeeds().stdout_contains("web1");
        host.awaits_runs(&log, before + 1);
        host.minirun("rm -f web1").succeeds();
    }
    host.finish();
}
