//! `update`: limits that change while a container runs, and while it does not.

use minirun_integration::{ControlGroups, TestHost};

const LIMIT: (&str, &str) = ("memory.limit_in_bytes", "memory.max");
const PIDS: (&str, &str) = ("pids.max", "pids.max");

const M: u64 = 1 << 20;

fn host() -> TestHost {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    host
}

#[test]
fn a_limit_moves_up_and_down_while_the_container_runs() {
    let host = host();
    host.idles("web1", "-m 64m --memory-swap 64m");
    // Up, above what memory and swap together may be now; and down again below it.
    for (memory, swap) in [(256, 300), (32, 32), (128, 512)] {
        host.minirun(format!("update -m {memory}m --memory-swap {swap}m web1"))
            .succeeds()
            .stdout_is("web1");
        assert_eq!(host.control("web1", LIMIT), (memory * M).to_string());
        let config = host.container("web1").inspect()["HostConfig"].take();
        assert_eq!(config["Memory"], memory * M);
        assert_eq!(config["MemorySwap"], swap * M);
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_without_limits_is_given_some_with_all_its_processes() {
    let host = host();
    let script = "sleep 1000 & sleep 1000 & echo ready; wait";
    let container = host.runs_script("web1", "", script);
    // The shell runs when the command is back, but may not have begun anything yet.
    container.awaits_log("ready");
    host.minirun("exec -d web1 sleep 2000").succeeds();
    host.minirun("update --pids-limit 9 --cpuset-cpus 0 --cpus 0.5 -m 64m web1")
        .succeeds();
    assert_eq!(host.control("web1", PIDS), "9");
    assert_eq!(host.control("web1", ("pids.current", "pids.current")), "4");
    for process in ["1", "self"] {
        host.minirun([
            "exec",
            "web1",
            "grep",
            "Cpus_allowed_list",
            &format!("/proc/{process}/status"),
        ])
        .succeeds()
        .stdout_is("Cpus_allowed_list:\t0");
    }
    assert_eq!(host.control("web1", LIMIT), (64 * M).to_string());
    let script = "dd if=/dev/zero of=/dev/null bs=160M count=1 2>/dev/null; echo $?";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("137");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_limit_can_be_taken_away() {
    let host = host();
    host.idles("web1", "-m 64m --pids-limit 9 --cpuset-cpus 0 --cpus 0.5");
    host.minirun([
        "update",
        "-m",
        "0",
        "--pids-limit",
        "-1",
        "--cpuset-cpus",
        "",
        "--cpus",
        "0",
        "web1",
    ])
    .succeeds();
    assert_eq!(host.control("web1", PIDS), "max");
    let limit = host.control("web1", LIMIT);
    assert!(
        limit == "max" || limit.parse::<u64>().is_ok_and(|bytes| bytes > 1 << 60),
        "{limit}"
    );
    let quota = host.control("web1", ("cpu.cfs_quota_us", "cpu.max"));
    assert!(quota == "-1" || quota.starts_with("max "), "{quota}");
    let config = host.container("web1").inspect()["HostConfig"].take();
    assert_eq!(config["Memory"], 0);
    assert_eq!(config["PidsLimit"], serde_json::Value::Null);
    host.removes("web1");
    host.finish();
}

#[test]
fn what_is_refused_leaves_every_limit_as_it_was() {
    let host = host();
    // What is in a file system of memory cannot be given up. It is written in pieces, because a process that holds all of it as
    // well, and is slow to end, would take more than the limit together with the file.
    host.runs_script(
        "web1",
        "-m 128m --memory-swap 128m --pids-limit 20",
        "dd if=/dev/zero of=/dev/shm/held bs=1M count=48 2>/dev/null; sleep 1000",
    );
    let held = || {
        host.minirun("exec web1 stat -c %s /dev/shm/held")
            .stdout()
            .trim()
            .to_owned()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while held() != (48 * M).to_string() {
        assert!(
            std::time::Instant::now() < deadline,
            "nothing is held: {}",
            held()
        );
    }
    host.minirun("update --pids-limit 30 --cpu-shares 77 -m 16m --memory-swap 16m web1")
        .fails_with(1)
        .stderr_contains("memory cannot be limited to 16m: the container uses");
    assert_eq!(host.control("web1", LIMIT), (128 * M).to_string());
    assert_eq!(host.control("web1", PIDS), "20");
    for contradiction in [
        "-m 200m --memory-swap 150m",
        "--cpuset-cpus 4000",
        "--memory-reservation 500m",
    ] {
        host.minirun(format!("update --pids-limit 30 {contradiction} web1"))
            .fails_with(1);
    }
    assert_eq!(host.control("web1", PIDS), "20");
    let config = host.container("web1").inspect()["HostConfig"].take();
    assert_eq!(config["Memory"], 128 * M);
    assert_eq!(config["PidsLimit"], 20);
    assert_eq!(config["CpuShares"], 0);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_stopped_container_starts_with_what_it_was_given_meanwhile() {
    let host = host();
    host.minirun("create --name web1 demo sleep infinity")
        .succeeds();
    host.minirun("update --pids-limit 9 web1").succeeds();
    host.minirun("start web1").succeeds();
    assert_eq!(host.control("web1", PIDS), "9");
    host.removes("web1");
    host.finish();
}

#[test]
fn several_are_changed_and_one_that_is_not_there_keeps_none_from_it() {
    let host = host();
    host.idles("web1", "");
    host.idles("web2", "");
    host.minirun("update --pids-limit 9 web1 nobody web2")
        .fails_with(1)
        .stdout_is("web1\nweb2")
        .stderr_contains("no container is called `nobody`");
    assert_eq!(host.control("web1", PIDS), "9");
    assert_eq!(host.control("web2", PIDS), "9");
    host.minirun("update web1")
        .fails_with(1)
        .stderr_is("error: nothing is to be changed\nhint: name a limit, such as `--memory 512m`, or a policy, such as `--restart no`");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_change_that_was_killed_half_way_is_undone_by_the_next_command() {
    let host = host();
    let container = host.idles("web1", "--pids-limit 9");
    let id = container.inspect()["Id"].as_str().unwrap().to_owned();
    // What a command leaves that was killed between the kernel's files and the record.
    let path = host.control_path("web1", PIDS);
    host.inside(|| std::fs::write(&path, "30").unwrap());
    host.write_file(&format!("/var/lib/minirun/containers/{id}/changing"), "");
    host.minirun("ps -q").succeeds();
    assert_eq!(host.control("web1", PIDS), "9");
    host.removes("web1");
    host.finish();
}
