//! `--cgroup-parent`: control groups below one that somebody else may have limited.

use minirun_integration::{ControlGroups, TestHost};
use std::fs;

/// Removes what stays of a parent, in every hierarchy.
fn removes_parent(host: &TestHost, name: &str) {
    let script = "find /sys/fs/cgroup -depth -type d -path \"*/$1*\" -exec rmdir {} +";
    host.command("sh", ["-c", script, "sh", name]).succeeds();
}

#[test]
fn a_container_lies_below_the_group_that_is_named_for_it() {
    for kind in [
        ControlGroups::Unified,
        ControlGroups::WithControllers,
        ControlGroups::Old,
    ] {
        if !kind.are_there() {
            continue;
        }
        let host = TestHost::with(kind);
        host.imports_busybox(&[]);
        let limits = match kind {
            ControlGroups::Unified => "",
            _ => "-m 64m --cpuset-cpus 0",
        };
        let options = format!("{limits} --cgroup-parent /sandboxes/judge");
        let container = host.runs_script("web1", &options, "sleep 1000");
        host.minirun("pause web1").succeeds();
        host.minirun("unpause web1").succeeds();
        let groups = fs::read_to_string(format!("/proc/{}/cgroup", container.pid()));
        let groups = groups.expect("it runs");
        let id = container.inspect()["Id"].take();
        let place = format!("/sandboxes/judge/{}", id.as_str().unwrap_or_default());
        assert!(
            groups.lines().any(|line| line.ends_with(&place)),
            "{groups}"
        );
        assert_eq!(
            container.inspect()["HostConfig"]["CgroupParent"],
            "/sandboxes/judge"
        );
        host.minirun("exec web1 true").succeeds();
        host.removes("web1");
        let left = "find /sys/fs/cgroup -type d -path '*/sandboxes/judge/*'";
        host.command("sh", ["-c", left]).succeeds().stdout_is("");
        let stays = "find /sys/fs/cgroup -type d -name judge | grep -c judge";
        host.command("sh", ["-c", stays]).succeeds();
        removes_parent(&host, "sandboxes");
        host.finish();
    }
}

#[test]
fn what_is_no_place_for_groups_is_refused() {
    let host = TestHost::with_busybox();
    for (parent, problem) in [
        ("../up", "`../up` has `..` in it"),
        ("/a/../../b", "has `..` in it"),
        ("/", "`/` is not the path of a control group"),
        (
            "user.slice",
            "write the path of a control group, such as `/user.slice`",
        ),
    ] {
        host.minirun(format!("run --rm --cgroup-parent {parent} busybox true"))
            .fails_with(125)
            .stderr_contains(problem);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}
