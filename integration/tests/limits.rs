//! Limits of memory, processors and processes: met by running into them.

use std::time::{Duration, Instant};

use minirun_integration::{ControlGroups, TestHost};

/// A host with the controllers of the machine, and a shell.
fn host() -> TestHost {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    host
}

/// Runs a line of shell in a container that stays.
fn starts(host: &TestHost, name: &str, options: &str, script: &str) {
    let mut words = vec!["run", "-d", "--name", name];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sh", "-c", script]);
    host.minirun(words.as_slice()).succeeds();
}

#[test]
fn a_program_that_takes_more_memory_than_it_may_is_killed() {
    let host = host();
    // The buffer of dd is filled as a whole.
    let script = "dd if=/dev/zero of=/dev/null bs=96M count=1 2>/dev/null; echo $?";
    host.in_busybox("--memory 32m --memory-swap 32m", script)
        .succeeds()
        .stdout_is("137");
    host.in_busybox("--memory 256m", script)
        .succeeds()
        .stdout_is("0");
    host.finish();
}

#[test]
fn a_container_says_that_it_ended_for_want_of_memory() {
    for kind in [ControlGroups::WithControllers, ControlGroups::Old] {
        if !kind.are_there() {
            continue;
        }
        let host = TestHost::with(kind);
        host.imports_busybox(&[]);
        host.minirun(
            "run --name hog -m 32m --memory-swap 32m busybox dd if=/dev/zero of=/dev/null bs=96M",
        )
        .fails_with(137);
        let state = host.container("hog").inspect()["State"].take();
        assert_eq!(state["OOMKilled"], true, "{state}");
        host.minirun("update -m 256m --memory-swap 256m hog")
            .succeeds();
        starts(&host, "modest", "-m 32m", "exit 3");
        host.minirun("wait modest").succeeds().stdout_is("3");
        assert_eq!(
            host.container("modest").inspect()["State"]["OOMKilled"],
            false
        );
        host.removes("hog modest");
        host.finish();
    }
}

#[test]
fn a_container_whose_memory_is_limited_shows_the_limit_to_the_kernel() {
    let host = host();
    starts(
        &host,
        "web1",
        "-m 64m --memory-swap 96m --memory-reservation 48m",
        "sleep 1000",
    );
    let memory = |names| host.control("web1", names);
    assert_eq!(
        memory(("memory.limit_in_bytes", "memory.max")),
        (64 << 20).to_string()
    );
    assert_eq!(
        memory(("memory.soft_limit_in_bytes", "memory.low")),
        (48 << 20).to_string()
    );
    let swap = memory(("memory.memsw.limit_in_bytes", "memory.swap.max"));
    assert!(swap == (96 << 20).to_string() || swap == (32 << 20).to_string());
    let config = host.container("web1").inspect()["HostConfig"].take();
    assert_eq!(config["Memory"], 64 << 20);
    assert_eq!(config["MemorySwap"], 96 << 20);
    assert_eq!(config["MemoryReservation"], 48 << 20);
    host.removes("web1");
    host.finish();
}

#[test]
fn processes_stop_multiplying_at_their_limit() {
    let host = host();
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done 2>/dev/null; echo unreached";
    starts(
        &host,
        "bomb",
        "--pids-limit 5",
        &format!("({script}); sleep 1000"),
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    let full = || host.read_file(&host.control_path("bomb", ("pids.events", "pids.events")));
    while !full().contains("max ") || full().contains("max 0") {
        assert!(
            Instant::now() < deadline,
            "the limit was never met: {}",
            full()
        );
        std::thread::yield_now();
    }
    assert_eq!(host.control("bomb", ("pids.max", "pids.max")), "5");
    host.minirun("logs bomb")
        .succeeds()
        .stdout_lacks("unreached");
    host.removes("bomb");
    host.finish();
}

#[test]
fn a_container_runs_on_the_processors_it_may_use() {
    let host = host();
    let script = "grep -h _allowed_list /proc/self/status";
    host.in_busybox("--cpuset-cpus 0 --cpuset-mems 0", script)
        .succeeds()
        .stdout_is("Cpus_allowed_list:\t0\nMems_allowed_list:\t0");
    host.finish();
}

#[test]
fn a_busy_container_is_held_back_to_its_processor_time() {
    let host = host();
    starts(
        &host,
        "busy",
        "--cpus 0.1 --cpu-shares 512",
        "while :; do :; done",
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    let throttled = || {
        let text = host.control("busy", ("cpu.stat", "cpu.stat"));
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("nr_throttled "));
        line.and_then(|number| number.parse::<u64>().ok())
            .unwrap_or_default()
    };
    while throttled() < 3 {
        assert!(Instant::now() < deadline, "it is never held back");
        std::thread::yield_now();
    }
    let shares = host.control("busy", ("cpu.shares", "cpu.weight"));
    assert!(shares == "512" || shares == "20", "{shares}");
    let config = host.container("busy").inspect()["HostConfig"].take();
    assert_eq!(config["NanoCpus"], 100_000_000);
    assert_eq!(config["CpuShares"], 512);
    host.removes("busy");
    host.finish();
}

#[test]
fn what_is_executed_in_a_container_shares_its_limits() {
    let host = host();
    starts(
        &host,
        "web1",
        "-m 64m --pids-limit 20 --cpuset-cpus 0 --cpus 1",
        "sleep 1000",
    );
    host.minirun("exec web1 grep Cpus_allowed_list /proc/self/status")
        .succeeds()
        .stdout_is("Cpus_allowed_list:\t0");
    host.minirun("exec -d web1 sleep 2000").succeeds();
    for names in [
        ("memory.limit_in_bytes", "memory.max"),
        ("pids.max", "pids.max"),
        ("cpuset.cpus", "cpuset.cpus"),
        ("cpu.shares", "cpu.weight"),
    ] {
        let path = host.control_path("web1", names);
        let processes = path.replace(names.0, "cgroup.procs");
        let processes = processes.replace(names.1, "cgroup.procs");
        assert_eq!(host.read_file(&processes).lines().count(), 2, "{processes}");
    }
    let script = "dd if=/dev/zero of=/dev/null bs=160M count=1 2>/dev/null; echo $?";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("137");
    host.removes("web1");
    host.finish();
}

#[test]
fn limits_that_cannot_be_are_refused_before_anything_is_made() {
    let host = host();
    for (options, problem) in [
        ("-m 5m", "5m for `--memory` is too little: the least is 6m"),
        (
            "-m 64m --memory-swap 32m",
            "32m is less than the 64m of `--memory`",
        ),
        ("--memory-swap 64m", "`--memory-swap` needs `--memory`"),
        (
            "-m 64m --memory-reservation 65m",
            "more than the 64m of `--memory`",
        ),
        ("-m lots", "`lots` is not a size"),
        (
            "--cpus 4096",
            "`--cpus 4096` is out of range: this host has",
        ),
        ("--cpus 0.001", "the least is 0.01"),
        (
            "--cpus 1 --cpu-quota 5000",
            "`--cpus` and `--cpu-quota` cannot both be given",
        ),
        ("--cpu-period 10", "`10` is not a period"),
        (
            "--cpuset-cpus 4000",
            "`--cpuset-cpus 4000` names what this host does not have",
        ),
        ("--cpuset-cpus 2-1", "`2-1` is not a list of numbers"),
        ("--pids-limit -2", "`-2` is not a number of processes"),
    ] {
        host.minirun(format!("run --name web1 {options} busybox true"))
            .fails_with(125)
            .stderr_contains(problem);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn a_limit_that_this_host_cannot_keep_is_refused_and_not_dropped() {
    let host = TestHost::create();
    let controllers = host.read_file("/sys/fs/cgroup/cgroup.controllers");
    for (option, controller) in [
        ("--memory 64m", "memory"),
        ("--pids-limit 10", "pids"),
        ("--cpuset-cpus 0", "cpuset"),
        ("--cpu-shares 100", "cpu"),
    ] {
        if controllers.split_whitespace().any(|one| one == controller) {
            continue;
        }
        let name = option.split(' ').next().unwrap_or_default();
        host.minirun(format!("run --name web1 {option} demo true"))
            .fails_with(125)
            .stderr_contains(&format!(
                "`{name}` cannot be kept: this host has no control group controller `{controller}`"
            ));
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn a_monitor_that_is_killed_leaves_no_group_behind() {
    let host = host();
    starts(&host, "web1", "-m 64m --pids-limit 20", "sleep 1000");
    let path = host.control_path("web1", ("memory.limit_in_bytes", "memory.max"));
    let init = host.container("web1").process();
    init.parent().signal(nix::sys::signal::Signal::SIGKILL);
    assert!(init.ends_within(Duration::from_secs(10)));
    host.minirun("ps -a --format {{.State}}")
        .succeeds()
        .stdout_is("exited");
    assert!(!host.inside(|| std::path::Path::new(&path).exists()));
    host.removes("web1");
    host.finish();
}

#[test]
fn limits_hold_on_a_host_with_old_control_groups_alone() {
    if !ControlGroups::Old.are_there() {
        return;
    }
    let host = TestHost::with(ControlGroups::Old);
    host.imports_busybox(&[]);
    starts(
        &host,
        "web1",
        "-m 32m --memory-swap 32m --pids-limit 7",
        "sleep 1000",
    );
    host.minirun("exec -d web1 sleep 2000").succeeds();
    let script = "dd if=/dev/zero of=/dev/null bs=96M count=1 2>/dev/null; echo $?";
    host.minirun(["exec", "web1", "sh", "-c", script])
        .succeeds()
        .stdout_is("137");
    assert_eq!(host.control("web1", ("pids.current", "pids.current")), "2");
    host.removes("web1");
    host.finish();
}
