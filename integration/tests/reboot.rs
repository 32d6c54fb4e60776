//! What becomes of containers when the host goes down and comes up again.

use std::net::SocketAddrV4;

use minirun_integration::probe::{LONG_WAIT, Reach, http_get, tcp_connect};
use minirun_integration::{HOST_ADDRESS, TestHost};

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// The names of the containers that run, in alphabetical order.
fn running(host: &TestHost) -> Vec<String> {
    let listed = host
        .minirun(["ps", "--format", "{{.Names}}", "--filter", "status=running"])
        .succeeds();
    let mut names: Vec<String> = listed.stdout().lines().map(str::to_owned).collect();
    names.sort();
    names
}

#[track_caller]
fn idles(host: &TestHost, name: &str, policy: &str) {
    host.idles(name, &format!("--restart {policy}"));
}

#[test]
fn after_a_boot_runs_what_its_policy_says() {
    let host = TestHost::create();
    for policy in ["no", "on-failure", "always", "unless-stopped"] {
        idles(&host, &format!("{policy}-running"), policy);
        idles(&host, &format!("{policy}-stopped"), policy);
        host.minirun(format!("stop -t 0 {policy}-stopped"))
            .succeeds();
        host.minirun(format!(
            "create --name {policy}-created --restart {policy} demo sleep infinity"
        ))
        .succeeds();
    }
    host.idles("removes-itself", "--rm");
    host.minirun("run -d --name succeeded --restart on-failure demo true")
        .succeeds();
    host.minirun("wait succeeded").succeeds();
    host.reboots();
    let expected = "on-failure-running\nalways-running\nalways-stopped\nunless-stopped-running";
    host.minirun("system boot").succeeds().stdout_is(expected);
    let up = [
        "always-running",
        "always-stopped",
        "on-failure-running",
        "unless-stopped-running",
    ];
    assert_eq!(running(&host), up);
    let pids: Vec<i32> = up.iter().map(|name| host.container(name).pid()).collect();
    host.minirun("system boot").succeeds().stdout_is("");
    let again: Vec<i32> = up.iter().map(|name| host.container(name).pid()).collect();
    assert_eq!(again, pids, "a second call starts nothing twice");
    let ended = host.container("no-running").inspect()["State"].take();
    assert_eq!(ended["Status"], "exited");
    assert_eq!(ended["ExitCode"], 137);
    assert_eq!(ended["Error"], "the host went down while it ran");
    host.minirun("inspect removes-itself").fails();
    let all = host.minirun("ps -aq").succeeds();
    host.removes(&all.stdout().replace('\n', " "));
    host.finish();
}

#[test]
fn what_a_user_stops_after_the_boot_stays_stopped() {
    let host = TestHost::create();
    idles(&host, "web1", "always");
    host.reboots();
    host.minirun("system boot").succeeds().stdout_is("web1");
    host.minirun("stop -t 0 web1").succeeds();
    host.minirun("system boot").succeeds().stdout_is("");
    host.reboots();
    host.minirun("system boot").succeeds().stdout_is("web1");
    host.removes("web1");
    host.finish();
}

#[test]
fn commands_before_the_boot_command_change_nothing_of_it() {
    let host = TestHost::create();
    idles(&host, "web1", "on-failure");
    idles(&host, "web2", "always");
    host.reboots();
    host.minirun("ps -a")
        .succeeds()
        .stdout_contains("Exited (137)");
    host.minirun("inspect web1 web2").succeeds();
    assert_eq!(running(&host), [""; 0]);
    host.minirun("start web2").succeeds();
    let pid = host.container("web2").pid();
    host.minirun("system boot").succeeds().stdout_is("web1");
    assert_eq!(host.container("web2").pid(), pid);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_container_that_waited_for_its_next_run_is_started_after_the_boot() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "echo run; test -e /later || exit 1; exec sleep 1000";
    for policy in ["on-failure", "always"] {
        let words = [
            "run",
            "-d",
            "--name",
            policy,
            "--restart",
            policy,
            "busybox",
            "sh",
            "-c",
            script,
        ];
        host.minirun(words).succeeds();
        host.awaits_runs(&host.container(policy).log_file(), 5);
        host.awaits_status(policy, "restarting");
    }
    host.reboots();
    host.minirun("system boot")
        .succeeds()
        .stdout_is("on-failure\nalways");
    host.removes("on-failure always");
    host.finish();
}

#[test]
fn networks_links_and_ports_come_back_and_targets_before_those_who_need_them() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    host.network("lan", "--ipv6");
    let policy = "--restart unless-stopped";
    host.serves("old", policy, 80);
    host.serves("target", "", 80);
    host.serves("source", &format!("{policy} --link target:web"), 80);
    host.idles("inside", &format!("{policy} --network container:source"));
    // A link means a name, so the target may be younger than the source.
    host.removes("target");
    host.serves("target", &format!("{policy} -p 8080:80"), 80);
    host.serves("lan1", &format!("{policy} --network lan"), 80);
    let lan = host.container("lan1").addresses_on("lan");
    let address = host.container("target").address();
    host.reboots();
    let order = host.minirun("system boot").succeeds();
    let order: Vec<&str> = order.stdout().lines().collect();
    assert_eq!(order, ["old", "target", "source", "inside", "lan1"]);
    let target = host.container("target");
    assert_eq!(target.address(), address);
    target.awaits_tcp(80);
    host.neighbour()
        .inside(|| http_get(PUBLISHED, "/"))
        .expect("it is published again");
    let open = SocketAddrV4::new(address, 80);
    let reach = |name: &str, patience| {
        let container = host.container(name);
        container.inside(|| tcp_connect(open, patience))
    };
    assert_eq!(reach("source", LONG_WAIT), Reach::Open);
    assert_eq!(reach("inside", LONG_WAIT), Reach::Open);
    assert_ne!(
        reach("old", LONG_WAIT / 10),
        Reach::Open,
        "networks are as closed as before"
    );
    assert_eq!(host.container("lan1").addresses_on("lan"), lan);
    host.removes("inside source target old lan1");
    host.removes_networks("lan");
    host.minirun("network update bridge --icc=true").succeeds();
    host.finish();
}

#[test]
fn one_that_cannot_start_keeps_no_other_from_it_and_is_tried_again() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    idles(&host, "web1", "always");
    host.minirun("run -d --name lost --restart always busybox sleep 1000")
        .succeeds();
    idles(&host, "web2", "always");
    idles(&host, "damaged", "always");
    let log = host.container("lost").log_file();
    let directory = log.strip_suffix("/log").expect("it lies beside");
    let record_of_damaged = host
        .container("damaged")
        .log_file()
        .replace("/log", "/container.json");
    let record = host.read_file(&record_of_damaged);
    host.reboots();
    // Its program is hidden by a directory.
    let hidden = format!("{directory}/upper/bin/sleep");
    host.command("mkdir", ["-p", &hidden]).succeeds();
    host.write_file(&record_of_damaged, "{");
    host.minirun("system boot")
        .fails_with(1)
        .stdout_is("web1\nweb2")
        .stderr_contains("error: `lost`: ")
        .stderr_contains("container.json");
    host.write_file(&record_of_damaged, &record);
    let restarts = || host.container("lost").inspect()["RestartCount"].as_u64() > Some(0);
    while !restarts() {
        std::thread::yield_now();
    }
    host.command("rmdir", &hidden).succeeds();
    host.awaits_status("lost", "running");
    host.removes("web1 web2 lost damaged");
    host.finish();
}

#[test]
fn a_shutdown_asks_every_container_to_end_and_the_boot_brings_back_those_with_a_policy() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script =
        "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 1000 & wait $!; done";
    for (name, policy) in [
        ("a1", "always"),
        ("b1", "unless-stopped"),
        ("c1", "on-failure"),
        ("d1", "no"),
    ] {
        let words = [
            "run",
            "-d",
            "--name",
            name,
            "--restart",
            policy,
            "busybox",
            "sh",
            "-c",
            script,
        ];
        host.minirun(words).succeeds();
        host.container(name).awaits_log("ready\n");
    }
    idles(&host, "stopped", "unless-stopped");
    host.minirun("stop -t 0 stopped").succeeds();
    host.minirun("system stop")
        .succeeds()
        .stdout_is("a1\nb1\nc1\nd1");
    host.awaits_rest();
    for name in ["a1", "b1", "c1", "d1"] {
        host.minirun(["logs", name])
            .succeeds()
            .stdout_is("ready\nasked");
    }
    // As `systemctl restart` does it: in the same boot.
    host.minirun("system boot")
        .succeeds()
        .stdout_is("a1\nb1\nc1");
    host.minirun("system stop")
        .succeeds()
        .stdout_is("a1\nb1\nc1");
    // A guardian may take a moment to see that its work is done.
    host.awaits_rest();
    host.comes_up_again();
    host.minirun("system boot")
        .succeeds()
        .stdout_is("a1\nb1\nc1");
    host.removes("a1 b1 c1 d1 stopped");
    host.finish();
}
