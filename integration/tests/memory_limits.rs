//! Running out of memory: told apart from a kill, and the rules for when memory is scarce.

use minirun_integration::{ControlGroups, TestHost};
use std::fs;

/// Hosts with each kind of controllers that the machine has.
fn hosts() -> Vec<TestHost> {
    let kinds = [ControlGroups::WithControllers, ControlGroups::Old];
    let there = kinds.into_iter().filter(|kind| kind.are_there());
    there
        .map(|kind| {
            let host = TestHost::with(kind);
            host.imports_busybox(&[]);
            host
        })
        .collect()
}

const HOG: &str = "dd if=/dev/zero of=/dev/null bs=96M count=1";

#[test]
fn a_container_that_is_out_of_memory_says_so() {
    for host in hosts() {
        host.minirun(format!(
            "run --name hog -m 32m --memory-swap 32m busybox {HOG}"
        ))
        .fails_with(137)
        .stderr_is("warning: container `hog` was killed: out of memory (its limit is 32m)");
        assert_eq!(host.container("hog").inspect()["State"]["OOMKilled"], true);
        host.removes("hog");
        host.finish();
    }
}

#[test]
fn a_child_that_is_killed_for_want_of_memory_is_told_while_the_program_goes_on() {
    for host in hosts() {
        let script = format!("{HOG} 2>/dev/null; exit 3");
        let words = ["run", "--name", "web1", "-m", "32m", "--memory-swap", "32m"];
        let words = [&words[..], &["busybox", "sh", "-c", &script]].concat();
        host.minirun(words.as_slice())
            .fails_with(3)
            .stderr_contains("a process of container `web1` was killed: out of memory");
        let state = host.container("web1").inspect()["State"].take();
        assert_eq!(state["OOMKilled"], true);
        assert_eq!(state["ExitCode"], 3);
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn an_ordinary_kill_is_no_want_of_memory() {
    for host in hosts() {
        let mut run = host.spawn_minirun([
            "run",
            "--name",
            "web1",
            "-m",
            "32m",
            "busybox",
            "sh",
            "-c",
            "echo ready; sleep 1000",
        ]);
        run.read_until("ready");
        host.minirun("kill web1").succeeds();
        run.finish().fails_with(137).stderr_is("");
        assert_eq!(
            host.container("web1").inspect()["State"]["OOMKilled"],
            false
        );
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn rules_for_scarce_memory_are_kept_or_refused_with_the_reason() {
    for host in hosts() {
        let controllers = ["/sys/fs/cgroup/cgroup.controllers"];
        let is_two = host.inside(|| {
            controllers
                .iter()
                .any(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("memory")))
        });
        if is_two {
            for option in ["--memory-swappiness 10", "--oom-kill-disable"] {
                let name = option.split(' ').next().unwrap_or_default();
                host.minirun(format!("run --rm -m 32m {option} busybox true"))
                    .fails_with(125)
                    .stderr_contains(&format!(
                        "`{name}` cannot be kept: only version 1 of control groups has it"
                    ));
            }
        } else {
            let options = "-m 32m --memory-swappiness 10 --oom-kill-disable";
            host.runs_script("web1", options, "sleep 1000");
            let control = |file| host.control("web1", (file, file));
            assert_eq!(control("memory.swappiness"), "10");
            assert!(control("memory.oom_control").contains("oom_kill_disable 1"));
            let config = host.container("web1").inspect()["HostConfig"].take();
            assert_eq!(config["MemorySwappiness"], 10);
            assert_eq!(config["OomKillDisable"], true);
            host.removes("web1");
        }
        host.minirun("run --rm --oom-kill-disable busybox true")
            .fails_with(125)
            .stderr_contains("`--oom-kill-disable` needs `--memory`");
        host.minirun("ps -aq").succeeds().stdout_is("");
        host.finish();
    }
}

#[test]
fn a_score_is_that_of_every_process_of_a_container() {
    let host = TestHost::with_busybox();
    for options in ["--oom-score-adj 300", "--init --oom-score-adj 300"] {
        host.runs_script("web1", options, "sleep 1000");
        let pid = host.container("web1").pid();
        let score = fs::read_to_string(format!("/proc/{pid}/oom_score_adj"));
        assert_eq!(score.expect("it runs"), "300\n");
        host.minirun("exec web1 cat /proc/self/oom_score_adj /proc/1/oom_score_adj")
            .succeeds()
            .stdout_is("300\n300");
        host.removes("web1");
    }
    host.minirun("run --rm --oom-score-adj 1001 busybox true")
        .fails_with(125)
        .stderr_contains("`1001` is not a score");
    host.finish();
}
