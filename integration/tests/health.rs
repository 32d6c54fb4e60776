//! Health checks: a program in the container is asked again and again whether all is well.

use minirun_integration::TestHost;
use minirun_integration::health::{OFTEN, ONCE};
use serde_json::json;

#[test]
fn a_container_is_as_healthy_as_its_latest_checks() {
    let host = TestHost::with_busybox();
    let options = format!("{OFTEN} --health-retries 2");
    let container = host.checks("web1", (&options, "test -e /ok"));
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
    let host = TestHost::with_busybox();
    let container = host.checks("web1", ("", "true"));
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
    let host = TestHost::with_busybox();
    let options = format!("{ONCE} -u alice -w /tmp -e A=container");
    let check = "id -u; pwd; echo $A; cat /proc/1/cmdline; echo; echo error >&2";
    let container = host.checks("web1", (&options, check));
    assert_eq!(
        container.only_health_result(),
        (
            0,
            "1000\n/tmp\ncontainer\nsleep\x001000\x00\nerror\n".to_owned()
        )
    );
    // What it writes is no output of the container.
    host.minirun("logs web1").succeeds().stdout_is("");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_first_4096_bytes_of_the_output_are_kept() {
    let host = TestHost::with_busybox();
    let check = "yes | head -c 4096";
    let container = host.checks("web1", (ONCE, check));
    assert_eq!(container.only_health_result(), (0, "y\n".repeat(2048)));
    let check = "yes | head -c 1000000; exit 3";
    let container = host.checks("web2", (ONCE, check));
    assert_eq!(
        container.only_health_result(),
        (3, "y\n".repeat(2048) + "...")
    );
    host.removes("web1 web2");
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
        container.only_health_result(),
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
    let host = TestHost::with_busybox();
    let options = "--health-retries 1 --health-start-period 1h --health-start-interval 20ms";
    let container = host.checks("web1", (options, "test -e /ok"));
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
    let host = TestHost::with_busybox();
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
