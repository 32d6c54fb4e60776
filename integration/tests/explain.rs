//! `--explain`: every step is told on standard error, with the command a person would type; nothing else changes.

use minirun_integration::{ControlGroups, Finished, TestHost};

/// Expects each fragment in the explanation, in this order.
#[track_caller]
fn tells_in_order(finished: &Finished, fragments: &[&str]) {
    let mut rest = finished.stderr();
    for fragment in fragments {
        match rest.find(fragment) {
            Some(place) => rest = &rest[place + fragment.len()..],
            None => panic!(
                "`{fragment}` should come at its place in\n{}",
                finished.stderr()
            ),
        }
    }
}

#[test]
fn a_run_tells_how_the_container_is_made() {
    let host = TestHost::create();
    let told = host
        .minirun("run --rm --explain -p 8080:80 demo echo hello")
        .succeeds()
        .stdout_is("hello");
    tells_in_order(
        &told,
        &[
            "ip link add minirun0",
            "iptables",
            "peer name eth0",
            "pivot_root",
        ],
    );
    for step in told.stderr().lines().filter(|line| line.starts_with('[')) {
        assert!(step.contains(" ms] "), "{step}");
    }
    host.finish();
}

#[test]
fn limits_and_guards_are_told_as_well() {
    let host = TestHost::with(ControlGroups::WithControllers);
    let told = host
        .minirun(
            "run --rm --explain --network none -m 64m --pids-limit 9 --ulimit nofile=99 demo true",
        )
        .succeeds();
    tells_in_order(
        &told,
        &[
            "make the control group that all processes of the container are in",
            "$ mkdir -p /sys/fs/cgroup/",
            "which devices the container may use",
            "start a process in its own namespaces",
            "limit what the container may use",
            "echo 67108864 > /sys/fs/cgroup/",
            "echo 9 > /sys/fs/cgroup/",
            "let the kernel refuse dangerous system calls",
            "prlimit --pid PID --nofile=99:99",
            "become user 0",
        ],
    );
    host.finish();
}

#[test]
fn a_second_run_tells_only_what_it_does() {
    let host = TestHost::create();
    host.minirun("run --rm demo true").succeeds().stderr_is("");
    let told = host
        .minirun("run --rm --explain -p 8080:80 demo true")
        .succeeds()
        .stdout_is("");
    tells_in_order(&told, &["--dport 8080", "peer name eth0", "pivot_root"]);
    assert!(
        !told.stderr().contains("ip link add minirun0"),
        "the bridge is there already:\n{}",
        told.stderr()
    );
    host.finish();
}

#[test]
fn an_isolated_container_is_told_to_be_one() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    let told = host
        .minirun("run -d --name web1 --explain --expose 80 demo sleep infinity")
        .succeeds();
    assert_eq!(
        told.line().len(),
        64,
        "standard output is the id: {}",
        told.line()
    );
    tells_in_order(&told, &["peer name eth0", "isolated on"]);
    let linked = host
        .minirun("run --rm --explain --link web1:web demo true")
        .succeeds();
    tells_in_order(&linked, &["--dport 80"]);
    host.removes("web1");
    host.finish();
}

#[test]
fn removing_and_switching_are_told() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    let switched = host
        .minirun("network update bridge --icc=false --explain")
        .succeeds()
        .stdout_is("bridge");
    tells_in_order(&switched, &["isolated on"]);
    assert!(
        switched.stderr().contains("iptables"),
        "{}",
        switched.stderr()
    );
    let removed = host
        .minirun("rm -f --explain web1")
        .succeeds()
        .stdout_is("web1");
    tells_in_order(
        &removed,
        &[
            "kill -KILL",
            "forget the endpoint",
            "rm -r /var/lib/minirun",
        ],
    );
    host.finish();
}

#[test]
fn the_commands_that_are_told_do_what_minirun_did() {
    let host = TestHost::create();
    let told = host
        .minirun("run --rm --explain --name web1 demo true")
        .succeeds();
    let bridge = told
        .stderr()
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("$ "))
        .find(|command| command.starts_with("ip link add minirun0"))
        .expect("the command for the bridge is told")
        .to_owned();
    let describe = "ip -details link show minirun0 | tr -s ' ' '\\n' | grep -A1 -x -e mtu -e stp_state -e link/ether | grep -v -x -e --";
    let made = host.command("sh", ["-c", describe]).succeeds();
    host.command("ip", "link delete minirun0").succeeds();
    host.command("sh", ["-c", &bridge]).succeeds();
    host.command("sh", ["-c", describe])
        .succeeds()
        .stdout_is(made.stdout().trim_end());
    host.finish();
}

#[test]
fn a_start_that_fails_is_told_up_to_the_failure() {
    let host = TestHost::create();
    let told = host
        .minirun("run --rm --explain demo nosuch")
        .fails_with(127)
        .stderr_contains("error: command `nosuch` not found");
    tells_in_order(&told, &["peer name eth0", "error: "]);
    host.finish();
}
