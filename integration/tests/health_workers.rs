//! The processes that check health: they take the monitor's time and hold nothing of it, and nothing is left of them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use minirun_integration::health::{OFTEN, ONCE};
use minirun_integration::probe::LONG_WAIT;
use minirun_integration::{Container, Process, TestHost};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// The file of a container's control group with this name.
fn cgroup_file(host: &TestHost, container: &Container<'_>, name: &str) -> PathBuf {
    let document = container.inspect();
    let id = document["Id"].as_str().expect("it has an id");
    let found = host.command("find", ["/sys/fs/cgroup", "-name", id]);
    PathBuf::from(found.succeeds().line()).join(name)
}

/// Waits until the monitor of a container has a child besides the container: a worker.
#[track_caller]
fn worker_of(container: &Container<'_>) -> Process {
    let first = container.process();
    let monitor = first.parent();
    let end = Instant::now() + LONG_WAIT;
    loop {
        let mut children = monitor.children().into_iter();
        if let Some(worker) = children.find(|pid| *pid != first.pid()) {
            return Process::open(worker);
        }
        assert!(Instant::now() < end, "nobody checks");
        std::thread::yield_now();
    }
}

/// The files that both hold open, but for what everybody does.
fn shared(one: &Process, other: &Process) -> Vec<PathBuf> {
    let files = |process: &Process| -> Vec<PathBuf> {
        let directory = format!("/proc/{}/fd", process.pid());
        let open = fs::read_dir(directory).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok())
            .collect()
    };
    let others = files(other);
    let everybodys = ["/dev/null", "anon_inode:[pidfd]"].map(PathBuf::from);
    let own = files(one).into_iter();
    own.filter(|file| others.contains(file) && !everybodys.contains(file))
        .collect()
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_what_it_started() {
    let host = TestHost::with_busybox();
    // Long enough for the busiest host to come to the first word of the check.
    let options = format!("{ONCE} --health-timeout 5s --init");
    let container = host.checks("web1", (&options, "echo begun; sleep 77 & sleep 78"));
    assert_eq!(
        container.only_health_result(),
        (-1, "the check took longer than 5s: begun\n".to_owned())
    );
    // Whoever is killed takes a moment to be gone.
    let processes = cgroup_file(&host, &container, "cgroup.procs");
    let end = Instant::now() + LONG_WAIT;
    let left = || host.read_file(processes.to_str().expect("a path"));
    while left().lines().count() > 2 {
        assert!(Instant::now() < end, "{}", left());
        std::thread::yield_now();
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_paused_container_is_not_checked() {
    let host = TestHost::with_busybox();
    // Long enough for a check of the busiest host, which fails none before the pause.
    let options = format!("{OFTEN} --health-timeout 3s --health-retries 1");
    let paused = host.checks("web1", (&options, "true"));
    paused.awaits_health_status("healthy");
    let freeze = cgroup_file(&host, &paused, "cgroup.freeze");
    let write = |word| host.inside(|| fs::write(&freeze, word).expect("a control group"));
    write("1");
    // Two checks of another one take their whole time, in which one of a paused container would have failed.
    let other = host.checks("web2", (&options, "sleep 1000"));
    other.awaits_health(|health| health["Log"][1].is_object());
    assert_eq!(paused.inspect()["State"]["Health"]["Status"], "healthy");
    let before = paused.health_results();
    let passed = |result: &Value| result["ExitCode"] == 0;
    assert!(before.iter().all(passed), "{before:?}");
    write("0");
    paused.awaits_health(|health| {
        let latest = health["Log"].as_array().and_then(|log| log.last());
        latest != before.last()
    });
    assert_eq!(paused.inspect()["State"]["Health"]["Status"], "healthy");
    host.removes("web1 web2");
    host.finish();
}

/// Guards against counting a check that was begun before a pause and found its time to be over after it.
#[test]
fn a_check_that_a_pause_came_upon_does_not_count() {
    let host = TestHost::with_busybox();
    // Long enough for the busiest host to pause it before the check has failed.
    let options = format!("{ONCE} --health-timeout 5s --health-retries 1");
    let paused = host.checks("web1", (&options, "sleep 1000"));
    let worker = worker_of(&paused);
    let freeze = cgroup_file(&host, &paused, "cgroup.freeze");
    let write = |word| host.inside(|| fs::write(&freeze, word).expect("a control group"));
    write("1");
    // When the check of another one has failed, its time is over, too.
    let other = host.checks("web2", (&options, "sleep 1000"));
    assert_eq!(other.only_health_result().0, -1);
    write("0");
    assert!(worker.ends_within(LONG_WAIT));
    let health = paused.inspect()["State"]["Health"].take();
    assert_eq!(health["Log"], json!([]), "{health}");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_container_ends_in_the_middle_of_a_check_and_its_health_is_forgotten() {
    let host = TestHost::with_busybox();
    let options = format!("{OFTEN} --init");
    let container = host.checks("web1", (&options, "sleep 1000"));
    let worker = worker_of(&container);
    host.minirun("stop web1").succeeds();
    host.minirun("start web1").succeeds();
    assert!(worker.ends_within(Duration::ZERO));
    assert_eq!(container.inspect()["State"]["Health"]["Status"], "starting");
    worker_of(&container);
    host.minirun("kill web1").succeeds();
    host.minirun("wait web1").succeeds().stdout_is("137");
    assert_eq!(container.inspect()["State"].get("Health"), None);
    host.minirun("ps -a --format {{.Status}}")
        .succeeds()
        .stdout_lacks("health");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_worker_dies_with_its_monitor() {
    let host = TestHost::with_busybox();
    let container = host.checks("web1", (OFTEN, "sleep 1000"));
    let worker = worker_of(&container);
    worker.parent().signal(Signal::SIGKILL);
    assert!(worker.ends_within(LONG_WAIT));
    assert_eq!(container.exit_code(), 137);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_worker_that_is_killed_counts_as_a_failure() {
    let host = TestHost::with_busybox();
    let options = format!("{ONCE} --health-retries 1");
    let container = host.checks("web1", (&options, "sleep 1000"));
    worker_of(&container).signal(Signal::SIGKILL);
    assert_eq!(
        container.only_health_result(),
        (-1, "the check was killed before it was over".to_owned())
    );
    assert_eq!(
        container.inspect()["State"]["Health"]["Status"],
        "unhealthy"
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn the_monitor_does_everything_else_meanwhile() {
    let host = TestHost::with_busybox();
    let script = "trap 'echo answer' USR1; echo ready; while :; do sleep 1000 & wait $!; done";
    let mut running = host.spawn_minirun([
        "run",
        "--name",
        "web1",
        "--health-interval",
        "20ms",
        "--health-cmd",
        "sleep 1000",
        "busybox",
        "sh",
        "-c",
        script,
    ]);
    running.read_until("ready\n");
    let container = host.container("web1");
    worker_of(&container);
    host.minirun("kill -s USR1 web1").succeeds();
    running.read_until("answer\n");
    host.minirun("network create lan").succeeds();
    host.minirun("network connect lan web1").succeeds();
    assert_eq!(container.networks(), ["bridge", "lan"]);
    host.minirun("kill web1").succeeds();
    running.finish().fails_with(137);
    host.removes("web1");
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn a_worker_holds_nothing_of_its_monitor() {
    let host = TestHost::with_busybox();
    let options = format!("{OFTEN} -p 8080:80");
    let container = host.checks("web1", (&options, "sleep 1000"));
    let worker = worker_of(&container);
    let monitor = worker.parent();
    let end = Instant::now() + LONG_WAIT;
    // It has just been forked when it is found.
    while shared(&worker, &monitor) != Vec::<PathBuf>::new() {
        assert!(Instant::now() < end, "{:?}", shared(&worker, &monitor));
        std::thread::yield_now();
    }
    host.removes("web1");
    host.finish();
}
