//! `--timeout`: what lasts too long is killed, and said to have been.

use std::time::{Duration, Instant};

use minirun_integration::probe::LONG_WAIT;
use minirun_integration::runs::runs;
use minirun_integration::{ControlGroups, TestHost};
use nix::sys::signal::Signal;

fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

#[test]
fn a_container_whose_time_is_over_is_killed_with_all_its_processes() {
    let host = host();
    let begun = Instant::now();
    let script = "trap '' TERM INT; sleep 1000 & (setsid sleep 1000 &) ; while :; do sleep 1; done";
    let words = [
        "run",
        "--name",
        "slow",
        "--timeout",
        "300ms",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    host.minirun(words)
        .fails_with(124)
        .stderr_is("error: the container was killed because its time was over (`--timeout`)");
    assert!(begun.elapsed() >= Duration::from_millis(300));
    let answer = host.container("slow").inspect();
    assert_eq!(answer["HostConfig"]["Timeout"], 300_000_000);
    let state = &answer["State"];
    assert_eq!(state["TimedOut"], true, "{state}");
    assert_eq!(state["OOMKilled"], false, "{state}");
    assert_eq!(state["ExitCode"], 124, "{state}");
    assert!(
        state["Usage"]["WallSeconds"].as_f64() >= Some(0.3),
        "{state}"
    );
    host.minirun("ps -a --format {{.Status}}")
        .succeeds()
        .stdout_contains("Exited (124) ")
        .stdout_contains(" (timed out)");
    host.minirun("wait slow").succeeds().stdout_is("124");
    let died = host.past_events("--filter event=die").remove(0);
    assert_eq!(died["Actor"]["Attributes"]["timedOut"], "true", "{died}");
    host.removes("slow");
    // The host has no process left, or this fails.
    host.finish();
}

#[test]
fn a_program_that_ends_in_time_keeps_its_code_whatever_that_is() {
    let host = host();
    for code in [0, 7, 124] {
        let script = format!("exit {code}");
        host.minirun([
            "run",
            "--name",
            "quick",
            "--timeout",
            "1h",
            "busybox",
            "sh",
            "-c",
            &script,
        ])
        .exits_with(code);
        let state = host.container("quick").inspect()["State"].take();
        assert_eq!(state["TimedOut"], false, "{state}");
        host.removes("quick");
    }
    host.finish();
}

#[test]
fn what_was_executed_in_it_ends_with_it() {
    let host = host();
    host.minirun("run -d --name web1 --timeout 1h busybox sleep 1000")
        .succeeds();
    let words = ["exec", "web1", "sh", "-c", "echo inside; sleep 1000"];
    let mut executed = host.spawn_minirun(words);
    executed.read_until("inside\n");
    host.minirun("update --timeout 1ms web1").succeeds();
    executed.finish().fails_with(137);
    host.minirun("wait web1").succeeds().stdout_is("124");
    host.removes("web1");
    host.finish();
}

#[test]
fn time_goes_on_while_a_container_is_paused() {
    for kind in [ControlGroups::Unified, ControlGroups::Old] {
        if !kind.are_there() {
            continue;
        }
        let host = TestHost::with(kind);
        host.minirun("run -d --name web1 --timeout 1h demo sleep infinity")
            .succeeds();
        host.minirun("pause web1").succeeds();
        host.minirun("update --timeout 1ms web1").succeeds();
        host.minirun("wait web1").succeeds().stdout_is("124");
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn a_time_out_is_a_failure_to_a_restart_policy_and_every_run_has_the_whole_time() {
    let host = TestHost::create();
    // Each run is counted by what its program prints first, for which a busy machine needs some of the time.
    let container = runs(
        &host,
        "--restart on-failure:2 --timeout 1s",
        "exec sleep 1000",
    );
    let log = container.log_file();
    host.awaits_runs(&log, 3);
    host.awaits_rest();
    assert_eq!(host.runs_in(&log), 3);
    let answer = container.inspect();
    assert_eq!(answer["RestartCount"], 2);
    assert_eq!(answer["State"]["TimedOut"], true);
    assert!(answer["State"]["Usage"]["WallSeconds"].as_f64() >= Some(1.0));
    host.removes("web1");
    host.finish();
}

#[test]
fn the_limit_of_a_running_container_can_be_lifted() {
    let host = host();
    // Long enough for the command that lifts it, also on a busy machine; the program must outlast it.
    host.minirun([
        "run",
        "-d",
        "--name",
        "web1",
        "--timeout",
        "8",
        "busybox",
        "sh",
        "-c",
        "sleep 9; exit 5",
    ])
    .succeeds();
    host.minirun("update --timeout 0 web1").succeeds();
    assert_eq!(host.container("web1").inspect()["HostConfig"]["Timeout"], 0);
    host.minirun("wait web1").succeeds().stdout_is("5");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_whose_monitor_is_killed_does_not_outlive_its_time() {
    let host = TestHost::create();
    let container = host.idles("web1", "--timeout 1h");
    let first = container.process();
    first.parent().signal(Signal::SIGKILL);
    assert!(first.ends_within(LONG_WAIT));
    let state = container.inspect()["State"].take();
    assert_eq!(state["TimedOut"], false, "{state}");
    assert_eq!(state["ExitCode"], 137, "{state}");
    host.removes("web1");
    host.finish();
}

#[test]
fn what_is_no_time_is_refused_before_anything_is_made() {
    let host = TestHost::create();
    for (word, problem) in [
        (
            "soon",
            "`soon` is not a time span: write one such as `30s`, `1m30s` or `500ms`",
        ),
        (
            "-5s",
            "the time span `-5s` is negative: write one of zero or more",
        ),
    ] {
        host.minirun(["run", &format!("--timeout={word}"), "demo", "true"])
            .fails_with(125)
            .stderr_is(&format!("error: {problem} (of `--timeout <DURATION>`)"));
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}
