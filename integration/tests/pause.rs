//! `pause` and `unpause`: processes that stand still, and what reaches them all the same.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use minirun_integration::{ControlGroups, TestHost};

const STATE: (&str, &str) = ("freezer.state", "cgroup.events");

/// How long a counter is looked at for standing still; it makes thousands of steps meanwhile.
const LOOK: Duration = Duration::from_millis(100);

fn hosts() -> Vec<TestHost> {
    let kinds = [
        ControlGroups::Unified,
        ControlGroups::WithControllers,
        ControlGroups::Old,
    ];
    let there = kinds.into_iter().filter(|kind| kind.are_there());
    there
        .map(|kind| {
            let host = TestHost::with(kind);
            host.imports_busybox(&[]);
            host
        })
        .collect()
}

/// A container that counts as fast as it can.
fn counts(host: &TestHost, name: &str) {
    let script = "i=0; while :; do i=$((i + 1)); echo $i >/tmp/count.new; mv /tmp/count.new /tmp/count; done";
    host.minirun(["run", "-d", "--name", name, "busybox", "sh", "-c", script])
        .succeeds();
    host.container(name);
    goes_on(host, name);
}

/// The number it has come to, read past the container: nothing can be executed in one that stands still.
fn count(host: &TestHost, name: &str) -> u64 {
    let root = PathBuf::from(format!(
        "/proc/{}/root/tmp/count",
        host.container(name).pid()
    ));
    let text = std::fs::read_to_string(root).unwrap_or_default();
    text.trim().parse().unwrap_or_default()
}

fn goes_on(host: &TestHost, name: &str) {
    let (before, deadline) = (count(host, name), Instant::now() + Duration::from_secs(20));
    while count(host, name) <= before {
        assert!(Instant::now() < deadline, "it does not go on from {before}");
    }
}

/// There is no event for something that does not happen, so this looks for a while.
fn stands_still(host: &TestHost, name: &str) {
    let (before, end) = (count(host, name), Instant::now() + LOOK);
    while Instant::now() < end {
        assert_eq!(count(host, name), before);
    }
}

#[test]
fn a_paused_container_stands_still_until_it_is_let_go_on() {
    for host in hosts() {
        counts(&host, "web1");
        host.minirun("pause web1").succeeds().stdout_is("web1");
        let state = host.control("web1", STATE);
        assert!(state == "FROZEN" || state.contains("frozen 1"), "{state}");
        stands_still(&host, "web1");
        host.minirun("unpause web1").succeeds().stdout_is("web1");
        goes_on(&host, "web1");
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn it_is_shown_as_docker_shows_it() {
    let host = TestHost::create();
    host.idles("web1", "");
    host.idles("web2", "");
    host.minirun("pause web1").succeeds();
    let state = host.container("web1").inspect()["State"].take();
    assert_eq!(state["Status"], "paused");
    assert_eq!(state["Paused"], true);
    assert_eq!(state["Running"], true);
    assert!(state["Pid"].as_i64().is_some_and(|pid| pid > 0));
    let listed = host.minirun([
        "ps",
        "--filter",
        "status=paused",
        "--format",
        "{{.Names}} {{.State}} {{.Status}}",
    ]);
    let line = listed.succeeds().line().to_owned();
    assert!(
        line.starts_with("web1 paused Up ") && line.ends_with(" (Paused)"),
        "{line}"
    );
    host.minirun(["ps", "--filter", "status=running", "--format", "{{.Names}}"])
        .succeeds()
        .stdout_is("web2");
    host.minirun("unpause web1").succeeds();
    assert_eq!(host.container("web1").status(), "running");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let host = TestHost::create();
    host.idles("web1", "");
    host.minirun("create --name web2 demo true").succeeds();
    host.minirun("unpause web1")
        .fails_with(1)
        .stderr_is("error: container `web1` is not paused");
    host.minirun("pause web1").succeeds();
    host.minirun("pause web1")
        .fails_with(1)
        .stderr_is("error: container `web1` is paused already");
    for command in ["pause", "unpause"] {
        host.minirun([command, "web2"])
            .fails_with(1)
            .stderr_contains("container `web2` is not running");
    }
    host.minirun("exec web1 true").fails_with(125).stderr_is(
        "error: container `web1` is paused\nhint: let it go on first: `minirun unpause web1`",
    );
    host.minirun("start web1")
        .fails_with(1)
        .stderr_contains("container `web1` is paused");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn killing_reaches_a_paused_container() {
    for host in hosts() {
        counts(&host, "web1");
        host.minirun("pause web1").succeeds();
        host.minirun("kill web1").succeeds();
        host.minirun("wait web1").succeeds().stdout_is("137");
        host.minirun("start web1").succeeds();
        assert_eq!(host.container("web1").status(), "running");
        host.minirun("pause web1").succeeds();
        host.minirun("rm -f web1").succeeds();
        host.finish();
    }
}

#[test]
fn stopping_lets_a_paused_container_obey() {
    for host in hosts() {
        let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
        host.runs_script("web1", "", script);
        host.container("web1").awaits_log("ready");
        host.minirun("pause web1").succeeds();
        host.minirun("stop -t 30 web1").succeeds();
        assert_eq!(host.container("web1").exit_code(), 7);
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn another_signal_arrives_when_the_container_goes_on() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "trap 'echo heard' USR1; echo ready; while :; do sleep 0.01; done";
    host.runs_script("web1", "", script);
    host.container("web1").awaits_log("ready");
    host.minirun("pause web1").succeeds();
    host.minirun("kill -s USR1 web1").succeeds();
    assert_eq!(host.container("web1").status(), "paused");
    host.minirun("logs web1").succeeds().stdout_is("ready");
    host.minirun("unpause web1").succeeds();
    host.container("web1").awaits_log("heard");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_monitor_that_is_killed_takes_a_paused_container_with_it() {
    for host in hosts() {
        counts(&host, "web1");
        host.minirun("pause web1").succeeds();
        let init = host.container("web1").process();
        let monitor = init.parent();
        monitor.signal(nix::sys::signal::Signal::SIGKILL);
        assert!(monitor.ends_within(Duration::from_secs(10)));
        host.minirun("ps -a --format {{.State}}")
            .succeeds()
            .stdout_is("exited");
        assert!(init.ends_within(Duration::from_secs(10)));
        host.removes("web1");
        host.finish();
    }
}
