//! Killing is certain, whatever the processes of a container do.

use minirun_integration::{ControlGroups, TestHost};
use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

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

/// Makes a group in the group of a container, as one that was given its part of the hierarchy could, moves its first process
/// there and makes it stand still.
fn hides_in_frozen_group(host: &TestHost, name: &str) -> String {
    // Version 1 makes the group of the freezer with the first pause.
    host.minirun(format!("pause {name}")).succeeds();
    host.minirun(format!("unpause {name}")).succeeds();
    let list = host.control_path(name, ("freezer.state", "cgroup.freeze"));
    let group = Path::new(&list)
        .parent()
        .expect("it is in a group")
        .to_owned();
    let pid = host.container(name).pid();
    host.inside(|| {
        let deep = group.join("one/two");
        fs::create_dir_all(&deep).expect("groups can be made");
        fs::write(deep.join("cgroup.procs"), pid.to_string()).expect("it can be moved");
        let (file, word) = match deep.join("freezer.state").exists() {
            true => ("freezer.state", "FROZEN"),
            false => ("cgroup.freeze", "1"),
        };
        fs::write(deep.join(file), word).expect("it can be frozen");
    });
    group.display().to_string()
}

#[test]
fn a_fork_bomb_ends_with_its_container() {
    for kind in [ControlGroups::WithControllers, ControlGroups::Old] {
        if !kind.are_there() {
            continue;
        }
        let host = TestHost::with(kind);
        host.imports_busybox(&[]);
        // What multiplies leaves somebody behind each time, so that there are always some to kill.
        let bomb = "bomb() { sleep 1000 & bomb | bomb & }; (bomb) 2>/dev/null & exec sleep 1000";
        host.runs_script("bomb", "--pids-limit 40", bomb);
        let deadline = Instant::now() + Duration::from_secs(20);
        while host.control("bomb", ("pids.events", "pids.events")) == "max 0" {
            assert!(Instant::now() < deadline, "the limit was never met");
            std::thread::yield_now();
        }
        host.removes("bomb");
        host.finish();
    }
}

#[test]
fn what_is_stopped_and_what_has_left_its_session_ends_with_its_container() {
    for host in hosts() {
        let script = "sleep 1000 & kill -STOP $!; setsid sleep 1000 & setsid sh -c 'sleep 1000 &' & \
                      kill -STOP -1; sleep 1000";
        host.runs_script("web1", "--init", script);
        host.minirun("kill web1").succeeds();
        host.minirun("wait web1").succeeds().stdout_is("137");
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn a_process_that_hides_in_a_frozen_group_of_its_own_is_killed() {
    for host in hosts() {
        host.runs_script("web1", "", "sleep 1000");
        let group = hides_in_frozen_group(&host, "web1");
        host.removes("web1");
        assert!(!host.inside(|| Path::new(&group).exists()), "{group}");
        host.finish();
    }
}

#[test]
fn groups_of_a_container_whose_monitor_was_killed_are_removed_with_those_in_them() {
    for host in hosts() {
        host.runs_script("web1", "", "sleep 1000");
        let group = hides_in_frozen_group(&host, "web1");
        let monitor = host.container("web1").process().parent();
        monitor.signal(Signal::SIGKILL);
        assert!(monitor.ends_within(Duration::from_secs(10)));
        host.minirun("ps -a --format {{.State}}")
            .succeeds()
            .stdout_is("exited");
        assert!(!host.inside(|| Path::new(&group).exists()), "{group}");
        // Since Linux 6.14, nothing that is born into a group that was killed once lives.
        host.minirun("start web1").succeeds();
        assert_eq!(host.container("web1").inspect()["State"]["Running"], true);
        host.removes("web1");
        host.finish();
    }
}
