//! Restart policies: what is started again, when, and how often.

use minirun_integration::runs::{FOREVER, is_between_two_runs, kill, runs};
use minirun_integration::{Container, TestHost};
use nix::sys::signal::Signal;
use serde_json::json;

/// Starts the container `web1`, each run of which ends when it is told to by SIGUSR1, with this code, and waits for the first.
#[track_caller]
fn runs_until_told(host: &TestHost, code: i32) -> Container<'_> {
    host.imports_busybox(&[]);
    let script =
        format!("trap 'exit {code}' USR1 TERM; echo run; while :; do sleep 1000 & wait $!; done");
    let container = host.runs_script("web1", "--restart always", &script);
    host.awaits_runs(&container.log_file(), 1);
    container
}

/// The same, between its first run, which has ended with this code, and the second, which does not begin: the guardian is held.
#[track_caller]
fn stays_between_two_runs(host: &TestHost, code: i32) -> Container<'_> {
    let container = runs_until_told(host, code);
    let guardian = container.process().parent().parent();
    // It waits for the end of the monitor then, and holds no lock that others wait for.
    guardian.awaits_open_file("pidfd");
    guardian.awaits_sleep();
    guardian.signal(Signal::SIGSTOP);
    host.minirun("kill -s USR1 web1").succeeds();
    host.awaits_status("web1", "restarting");
    container
}

#[test]
fn always_starts_again_whatever_the_exit_code_and_keeps_the_address() {
    let host = TestHost::create();
    let container = runs_until_told(&host, 0);
    let log = container.log_file();
    // Only a container that runs has an address, so no run may end by itself meanwhile.
    let address = container.address();
    for count in [2, 3] {
        host.minirun("kill -s USR1 web1").succeeds();
        host.awaits_runs(&log, count);
        host.awaits_status("web1", "running");
    }
    assert_eq!(container.address(), address);
    let answer = container.inspect();
    assert!(answer["RestartCount"].as_u64() >= Some(2), "{answer}");
    assert_eq!(
        answer["HostConfig"]["RestartPolicy"],
        json!({"Name": "always", "MaximumRetryCount": 0})
    );
    host.minirun("stop web1").succeeds().stdout_is("web1");
    assert_eq!(container.status(), "exited");
    host.awaits_rest();
    host.removes("web1");
    host.finish();
}

#[test]
fn on_failure_starts_again_as_often_as_it_says_and_keeps_the_last_code() {
    let host = TestHost::create();
    let container = runs(&host, "--restart on-failure:2", "exit 9");
    let log = container.log_file();
    host.awaits_runs(&log, 3);
    host.awaits_rest();
    assert_eq!(host.runs_in(&log), 3);
    assert_eq!(container.exit_code(), 9);
    let answer = container.inspect();
    assert_eq!(answer["RestartCount"], 2);
    assert_eq!(
        answer["HostConfig"]["RestartPolicy"],
        json!({"Name": "on-failure", "MaximumRetryCount": 2})
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn on_failure_leaves_a_success_alone_and_no_policy_leaves_everything_alone() {
    let host = TestHost::create();
    for (options, script) in [
        ("--restart on-failure", "exit 0"),
        ("--restart no", "exit 1"),
    ] {
        let log = runs(&host, options, script).log_file();
        host.awaits_runs(&log, 1);
        host.awaits_rest();
        assert_eq!(host.runs_in(&log), 1);
        assert_eq!(host.container("web1").inspect()["RestartCount"], 0);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn each_wait_is_twice_as_long_as_the_one_before() {
    let host = TestHost::create();
    let container = runs(&host, "--restart always", "cat /proc/uptime; exit 1");
    host.awaits_runs(&container.log_file(), 6);
    let lines = host.minirun("logs web1").succeeds();
    let moments: Vec<f64> = lines
        .stdout()
        .lines()
        .filter_map(|line| line.split_once(' ')?.0.parse().ok())
        .collect();
    assert!(moments.len() >= 5, "{moments:?}");
    // The kernel tells the time since the boot in hundredths of a second.
    for (pair, wait) in moments.windows(2).zip([0.09, 0.19, 0.39, 0.79]) {
        let passed = pair[1] - pair[0];
        assert!(passed >= wait, "{passed} s instead of {wait} s");
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_program_that_is_killed_is_started_again_unless_a_user_kills_it() {
    let host = TestHost::create();
    for policy in ["always", "unless-stopped", "on-failure"] {
        let container = runs(&host, &format!("--restart {policy}"), FOREVER);
        let log = container.log_file();
        kill(&container.process());
        host.awaits_runs(&log, 2);
        host.awaits_status("web1", "running");
        host.minirun("kill web1").succeeds();
        host.awaits_rest();
        assert_eq!(host.runs_in(&log), 2, "{policy}");
        assert_eq!(container.exit_code(), 137);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn a_signal_that_asks_for_something_else_does_not_end_the_policy() {
    let host = TestHost::create();
    let script = "trap 'exit 3' USR1; echo ready; while :; do sleep 1000 & wait $!; done";
    let container = runs(&host, "--restart always", script);
    let log = container.log_file();
    container.awaits_log("ready\n");
    host.minirun("kill -s USR1 web1").succeeds();
    host.awaits_runs(&log, 2);
    host.removes("web1");
    host.finish();
}

#[test]
fn everybody_knows_a_container_between_two_runs() {
    let host = TestHost::create();
    let container = stays_between_two_runs(&host, 7);
    host.minirun("ps")
        .succeeds()
        .stdout_contains("Restarting (7) ");
    host.minirun("ps -q --filter status=restarting")
        .succeeds()
        .stdout_is(&container.inspect()["Id"].as_str().expect("an id")[..12]);
    let state = container.inspect()["State"].take();
    for (key, value) in [
        ("Status", json!("restarting")),
        ("Running", json!(true)),
        ("Restarting", json!(true)),
        ("Pid", json!(0)),
        ("ExitCode", json!(7)),
    ] {
        assert_eq!(state[key], value, "{key}");
    }
    host.minirun("wait web1").succeeds().stdout_is("7");
    host.minirun("exec web1 true").fails().stderr_is(
        "error: container `web1` is restarting\n\
         hint: wait until it runs, or stop it: `minirun stop web1`",
    );
    host.minirun("rm web1")
        .fails_with(1)
        .stderr_contains("error: container `web1` is restarting");
    host.minirun("kill -s USR1 web1")
        .fails_with(1)
        .stderr_contains("is restarting");
    host.network("lan", "");
    host.minirun("network connect lan web1").succeeds();
    host.minirun("rename web1 web2").succeeds();
    host.minirun("stop web2").succeeds().stdout_is("web2");
    host.awaits_rest();
    assert_eq!(host.container("web2").status(), "exited");
    host.minirun("start web2").succeeds();
    assert_eq!(host.container("web2").networks(), ["bridge", "lan"]);
    host.removes("web2");
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn a_container_between_two_runs_is_removed_killed_or_started_at_once() {
    let host = TestHost::create();
    for command in ["rm -f", "kill", "start", "restart", "update --restart no"] {
        let container = is_between_two_runs(&host, "-p 8080:80");
        host.minirun(format!("{command} web1"))
            .succeeds()
            .stdout_is("web1");
        if ["start", "restart"].contains(&command) {
            assert!(container.inspect()["RestartCount"].as_u64() < Some(6));
        } else {
            host.awaits_rest();
        }
        host.minirun("rm -f web1").succeeds();
    }
    host.finish();
}

#[test]
fn what_was_changed_between_two_runs_holds_for_the_next() {
    let host = TestHost::create();
    let container = runs(&host, "--restart always", "exec sleep 0.1");
    host.awaits_status("web1", "restarting");
    host.network("lan", "");
    host.minirun("network connect lan web1").succeeds();
    host.awaits_runs(&container.log_file(), 4);
    host.minirun("stop web1").succeeds();
    host.minirun("start web1").succeeds();
    assert_eq!(container.networks(), ["bridge", "lan"]);
    host.removes("web1");
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn a_first_start_that_fails_is_told_and_not_repeated() {
    let host = TestHost::create();
    host.minirun("run -d --name web1 --restart always demo nosuch")
        .fails_with(127);
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.minirun("create --name web1 --restart always demo nosuch")
        .succeeds();
    host.minirun("start web1").fails();
    host.awaits_rest();
    assert_eq!(host.container("web1").status(), "exited");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_later_start_that_fails_is_repeated_until_it_works() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("create --name web1 --restart on-failure busybox /program")
        .succeeds();
    let container = host.container("web1");
    let log = container.log_file();
    let directory = log.strip_suffix("/log").expect("it lies beside").to_owned();
    let program = format!("{directory}/upper/program");
    // It takes itself away, so that the next start finds nothing.
    let text = "#!/bin/sh\necho run\nrm /program\nexit 1\n";
    let place = |text: &str| {
        host.write_file(&program, text);
        host.command("chmod", ["755", &program]).succeeds();
    };
    place(text);
    host.minirun("start web1").succeeds();
    host.awaits_status("web1", "restarting");
    let code = |host: &TestHost| host.container("web1").exit_code();
    while code(&host) != 127 {
        std::thread::yield_now();
    }
    place("#!/bin/sh\necho run\nexec sleep 1000\n");
    host.awaits_runs(&log, 2);
    host.awaits_status("web1", "running");
    host.removes("web1");
    host.finish();
}

#[test]
fn whoever_is_attached_or_waits_sees_the_first_end() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let words = [
        "run",
        "--name",
        "web1",
        "--restart",
        "always",
        "busybox",
        "sh",
        "-c",
        "echo run; exit 5",
    ];
    host.minirun(words).fails_with(5).stdout_is("run");
    host.awaits_runs(&host.container("web1").log_file(), 3);
    host.removes("web1");
    let container = runs(&host, "--restart always", FOREVER);
    let waiting = host.spawn_minirun("wait web1");
    waiting.process().awaits_open_file("pidfd");
    kill(&container.process());
    waiting.finish().succeeds().stdout_is("137");
    host.removes("web1");
    host.finish();
}

#[test]
fn logs_are_followed_over_restarts_to_the_very_end() {
    let host = TestHost::create();
    runs(&host, "--restart on-failure:3", "sleep 0.2; exit 1");
    host.minirun("logs -f web1")
        .succeeds()
        .stdout_is("run\nrun\nrun\nrun");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_paused_command_does_not_hold_up_the_next_run() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "echo run; dd if=/dev/zero bs=1024 count=100 2>/dev/null; exit 1";
    let words = [
        "run",
        "--name",
        "web1",
        "--restart",
        "always",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    let mut running = host.spawn_minirun(words);
    running.read_until("run\n");
    running.signal(Signal::SIGSTOP);
    host.awaits_runs(&host.container("web1").log_file(), 2);
    running.signal(Signal::SIGCONT);
    host.minirun("rm -f web1").succeeds();
    drop(running);
    host.finish();
}

#[test]
fn a_policy_can_be_given_and_taken_away_while_the_container_runs() {
    let host = TestHost::create();
    let container = runs(&host, "", FOREVER);
    let log = container.log_file();
    host.minirun("update --restart always web1")
        .succeeds()
        .stdout_is("web1");
    kill(&container.process().parent());
    host.awaits_runs(&log, 2);
    host.awaits_status("web1", "running");
    kill(&container.process());
    host.awaits_runs(&log, 3);
    host.awaits_status("web1", "running");
    host.minirun("update --restart no web1").succeeds();
    kill(&container.process());
    host.awaits_rest();
    assert_eq!(host.runs_in(&log), 3);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_removes_itself_has_no_policy() {
    let host = TestHost::create();
    host.minirun("run --rm --restart always demo true").fails_with(125).stderr_is(
        "error: `--restart` and `--rm` exclude each other: a container that removes itself cannot be started again\n\
         hint: leave one of them out",
    );
    host.minirun("run --rm --restart no demo true").succeeds();
    host.minirun("run -d --rm --name web1 demo sleep 1000")
        .succeeds();
    host.minirun("update --restart always web1")
        .fails_with(1)
        .stderr_contains("exclude each other");
    for word in [
        "",
        "sometimes",
        "on-failure:",
        "on-failure:-1",
        "always:3",
        "no:1",
    ] {
        host.minirun(["create", "--restart", word, "demo"])
            .fails_with(125)
            .stderr_contains("unknown restart policy");
    }
    host.removes("web1");
    host.finish();
}
