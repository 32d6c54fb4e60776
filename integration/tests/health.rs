//! Health checks: a program in the container is asked again and again whether all is well.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use minirun_integration::probe::LONG_WAIT;
use minirun_integration::{Container, Process, TestHost};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// One check soon after the start, and no other for an hour.
const ONCE: &str = "--health-start-period 1ms --health-start-interval 50ms --health-interval 1h";

/// A check as often as can be.
const OFTEN: &str = "--health-interval 20ms";

fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// Starts a program that sleeps, and checks it with a line of shell.
#[track_caller]
fn checks<'host>(
    host: &'host TestHost,
    name: &str,
    (options, check): (&str, &str),
) -> Container<'host> {
    let mut words = vec!["run", "-d", "--name", name, "--health-cmd", check];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sleep", "1000"]);
    host.minirun(words.as_slice()).succeeds();
    host.container(name)
}

/// The results of the latest checks.
#[track_caller]
fn results(container: &Container<'_>) -> Vec<Value> {
    let health = &container.inspect()["State"]["Health"];
    health["Log"].as_array().expect("a list").clone()
}

/// The exit code and the output of the only check.
#[track_caller]
fn only_result(container: &Container<'_>) -> (i64, String) {
    container.awaits_health(|_| true);
    let results = results(container);
    assert_eq!(results.len(), 1, "{results:?}");
    let output = results[0]["Output"].as_str().expect("text").to_owned();
    (results[0]["ExitCode"].as_i64().expect("a number"), output)
}

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

#[test]
fn a_container_is_as_healthy_as_its_latest_checks() {
    let host = host();
    let options = format!("{OFTEN} --health-retries 2");
    let container = checks(&host, "web1", (&options, "test -e /ok"));
    let first = container.pid();
    container.awaits_health_status("unhealthy");
    host.minirun("ps --format {{.Status}} --filter health=unhealthy")
        .succeeds()
        .stdout_contains("(unhealthy)");
    let streak = container.inspect()["State"]["Health"]["FailingStreak"].clone();
    assert!(streak.as_u64() >= Some(2), "{streak}");

    host.minirun("exec web1 touch /ok").succeeds();
    container.awaits_health_status("healthy");
    let health = container.inspect()["State"]["Health"].take();
    assert_eq!(health["FailingStreak"], 0);
    host.minirun("ps --format {{.Status}} --filter health=healthy")
        .succeeds()
        .stdout_contains("(healthy)");
    host.minirun("ps -q --filter health=unhealthy")
        .succeeds()
        .stdout_is("");

    host.minirun("exec web1 rm /ok").succeeds();
    container.awaits_health_status("unhealthy");
    // Nobody ends or restarts it for that.
    assert_eq!(container.pid(), first);
    host.removes("web1");
    host.finish();
}

#[test]
fn before_the_first_check_nothing_is_known() {
    let host = host();
    let container = checks(&host, "web1", ("", "true"));
    assert_eq!(
        container.inspect()["State"]["Health"],
        json!({"Status": "starting", "FailingStreak": 0, "Log": []})
    );
    host.minirun("ps --format {{.Status}} --filter health=starting")
        .succeeds()
        .stdout_contains("(health: starting)");
    host.minirun("run -d --name web2 busybox sleep 1000")
        .succeeds();
    host.minirun("ps --format {{.Names}} --filter health=none")
        .succeeds()
        .stdout_is("web2");
    let unchecked = host.container("web2").inspect();
    assert_eq!(unchecked["State"].get("Health"), None);
    assert_eq!(unchecked["Config"].get("Healthcheck"), None);
    host.minirun("ps --filter health=ill")
        .fails()
        .stderr_contains(
            "no container can be `ill`: use one of `starting`, `healthy`, `unhealthy`, `none`",
        );
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn the_program_is_in_the_container_with_its_user_directory_and_environment() {
    let host = host();
    let options = format!("{ONCE} -u alice -w /tmp -e A=container");
    let check = "id -u; pwd; echo $A; cat /proc/1/cmdline; echo; echo error >&2";
    let container = checks(&host, "web1", (&options, check));
    assert_eq!(
        only_result(&container),
        (
            0,
            "1000\n/tmp\ncontainer\nsleep\01000\0\nerror\n".to_owned()
        )
    );
    // What it writes is no output of the container.
    host.minirun("logs web1").succeeds().stdout_is("");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_first_4096_bytes_of_the_output_are_kept() {
    let host = host();
    let check = "yes | head -c 4096";
    let container = checks(&host, "web1", (ONCE, check));
    assert_eq!(only_result(&container), (0, "y\n".repeat(2048)));
    let check = "yes | head -c 1000000; exit 3";
    let container = checks(&host, "web2", (ONCE, check));
    assert_eq!(only_result(&container), (3, "y\n".repeat(2048) + "..."));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_what_it_started() {
    let host = host();
    let options = format!("{ONCE} --health-timeout 1s --init");
    let container = checks(&host, "web1", (&options, "echo begun; sleep 77 & sleep 78"));
    assert_eq!(
        only_result(&container),
        (-1, "the check took longer than 1s: begun\n".to_owned())
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
fn a_program_that_cannot_be_executed_is_a_failure_that_says_why() {
    let host = TestHost::create();
    host.imports_busybox(&["-c", r#"HEALTHCHECK --retries=1 CMD ["nosuch"]"#]);
    host.minirun(format!("run -d --name web1 {ONCE} busybox sleep 1000"))
        .succeeds();
    let container = host.container("web1");
    assert_eq!(
        only_result(&container),
        (-1, "command `nosuch` not found in the container".to_owned())
    );
    assert_eq!(
        container.inspect()["State"]["Health"]["Status"],
        "unhealthy"
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn failures_do_not_count_in_the_start_period() {
    let host = host();
    let options = "--health-retries 1 --health-start-period 1h --health-start-interval 20ms";
    let container = checks(&host, "web1", (options, "test -e /ok"));
    let health = container.awaits_health(|health| health["Log"][4].is_object());
    assert_eq!(health["Status"], "starting");
    assert_eq!(health["FailingStreak"], 0);
    host.minirun("exec web1 touch /ok").succeeds();
    container.awaits_health_status("healthy");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_image_says_how_and_options_lie_over_it() {
    let host = TestHost::create();
    let change = r#"HEALTHCHECK --interval=20ms --retries=1 CMD ["test", "-e", "/ok"]"#;
    host.imports_busybox(&["-c", change]);
    let of_image =
        json!({"Test": ["CMD", "test", "-e", "/ok"], "Interval": 20_000_000, "Retries": 1});
    let image = host.minirun("inspect busybox").succeeds().json();
    assert_eq!(image[0]["Config"]["Healthcheck"], of_image);

    let container = host.container("web1");
    host.minirun("run -d --name web1 busybox sleep 1000")
        .succeeds();
    assert_eq!(container.inspect()["Config"]["Healthcheck"], of_image);
    container.awaits_health_status("unhealthy");
    host.removes("web1");

    let words =
        "create --name web1 --health-cmd true --health-retries 7 --health-timeout 1m30s busybox";
    host.minirun(words).succeeds();
    assert_eq!(
        container.inspect()["Config"]["Healthcheck"],
        json!({
            "Test": ["CMD-SHELL", "true"], "Interval": 20_000_000, "Timeout": 90_000_000_000_u64, "Retries": 7
        })
    );
    host.removes("web1");

    host.minirun("run -d --name web1 --no-healthcheck busybox sleep 1000")
        .succeeds();
    host.minirun("ps -q --filter health=none")
        .succeeds()
        .stdout_contains(&container.inspect()["Id"].as_str().expect("an id")[..12]);
    host.removes("web1");
    host.finish();
}

#[test]
fn what_contradicts_itself_or_cannot_be_is_refused() {
    let host = host();
    for (options, complaint) in [
        ("--no-healthcheck --health-cmd true", "--no-healthcheck"),
        ("--no-healthcheck --health-retries 1", "--no-healthcheck"),
        ("--health-interval -1s", "the time span `-1s` is negative"),
        ("--health-timeout=-1s", "the time span `-1s` is negative"),
        (
            "--health-interval 999us",
            "the time span `999us` is too short",
        ),
        ("--health-start-period 5", "`5` is not a time span"),
        ("--health-start-interval soon", "`soon` is not a time span"),
        ("--health-retries=-1", "-1"),
    ] {
        host.minirun(format!("run -d {options} busybox true"))
            .fails_with(125)
            .stderr_contains(complaint);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.minirun("create --name web1 --health-retries 2 busybox")
        .succeeds()
        .stderr_contains(
            "warning: neither the image nor `--health-cmd` says how health is checked",
        );
    host.removes("web1");
    host.finish();
}

#[test]
fn a_paused_container_is_not_checked() {
    let host = host();
    let options = format!("{OFTEN} --health-timeout 1s --health-retries 1");
    let paused = checks(&host, "web1", (&options, "true"));
    paused.awaits_health_status("healthy");
    let freeze = cgroup_file(&host, &paused, "cgroup.freeze");
    let write = |word| host.inside(|| fs::write(&freeze, word).expect("a control group"));
    write("1");
    // Two checks of another one take their whole time, in which one of a paused container would have failed.
    let other = checks(&host, "web2", (&options, "sleep 1000"));
    other.awaits_health(|health| health["Log"][1].is_object());
    assert_eq!(paused.inspect()["State"]["Health"]["Status"], "healthy");
    let before = results(&paused);
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

#[test]
fn a_container_ends_in_the_middle_of_a_check_and_its_health_is_forgotten() {
    let host = host();
    let options = format!("{OFTEN} --init");
    let container = checks(&host, "web1", (&options, "sleep 1000"));
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
    let host = host();
    let container = checks(&host, "web1", (OFTEN, "sleep 1000"));
    let worker = worker_of(&container);
    worker.parent().signal(Signal::SIGKILL);
    assert!(worker.ends_within(LONG_WAIT));
    assert_eq!(container.exit_code(), 137);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_worker_that_is_killed_counts_as_a_failure() {
    let host = host();
    let options = format!("{ONCE} --health-retries 1");
    let container = checks(&host, "web1", (&options, "sleep 1000"));
    worker_of(&container).signal(Signal::SIGKILL);
    assert_eq!(
        only_result(&container),
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
    let host = host();
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
    let host = host();
    let options = format!("{OFTEN} -p 8080:80");
    let container = checks(&host, "web1", (&options, "sleep 1000"));
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
