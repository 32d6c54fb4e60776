//! Limits of single processes, met by running into them, and the number of all.

use minirun_integration::{ControlGroups, TestHost};
use std::fs;

const SHOW: &str =
    "grep -E 'open files|core file|stack' /proc/self/limits | sed 's/   */ /g; s/ $//'";

const SHOWN: &str = "Max stack size 65536 unlimited bytes
Max core file size 0 0 bytes
Max open files 100 200 files";

#[test]
fn every_process_of_a_container_has_its_limits() {
    let host = TestHost::with_busybox();
    for first in ["", "--init"] {
        let limits = "--ulimit nofile=100:200 --ulimit core=0 --ulimit stack=65536:-1";
        host.runs_script(
            "web1",
            &format!("{first} {limits}"),
            &format!("{SHOW}; sleep 1000"),
        );
        host.minirun(["exec", "web1", "sh", "-c", SHOW])
            .succeeds()
            .stdout_is(SHOWN);
        let pid = host.container("web1").pid();
        let text = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it runs");
        let files = text.lines().find(|line| line.starts_with("Max open files"));
        let words: Vec<&str> = files.unwrap_or_default().split_whitespace().collect();
        assert_eq!(words[3..5], ["100", "200"]);
        let config = host.container("web1").inspect()["HostConfig"].take();
        assert_eq!(config["Ulimits"][1]["Name"], "nofile");
        assert_eq!(config["Ulimits"][1]["Hard"], 200);
        assert_eq!(config["Ulimits"][2]["Hard"], -1);
        host.removes("web1");
    }
    host.finish();
}

#[test]
fn a_process_that_runs_into_a_limit_is_refused_or_killed() {
    let host = TestHost::with_busybox();
    host.in_busybox("--ulimit nofile=9", "exec 8</dev/null && echo opened")
        .succeeds()
        .stdout_is("opened");
    host.in_busybox("--ulimit nofile=9", "exec 9</dev/null && echo opened")
        .fails()
        .stdout_lacks("opened");
    // Killed by SIGXFSZ (25) and SIGXCPU (24).
    let write =
        "dd if=/dev/zero of=/tmp/file bs=4096 count=1 2>/dev/null; echo $?; stat -c %s /tmp/file";
    host.in_busybox("--ulimit fsize=1024", write)
        .succeeds()
        .stdout_contains("1024");
    host.in_busybox("--ulimit cpu=1:2", "sh -c 'while :; do :; done'; echo $?")
        .stdout_contains("152");
    host.in_busybox("-u alice --ulimit nproc=1", "(true); echo forked")
        .fails()
        .stdout_lacks("forked");
    host.in_busybox("--ulimit stack=262144", "ulimit -s")
        .succeeds()
        .stdout_is("256");
    host.finish();
}

#[test]
fn limits_that_no_process_can_have_are_refused_before_anything_is_made() {
    let host = TestHost::with_busybox();
    for (ulimit, problem) in [
        ("nofile", "`nofile` is not a limit: write NAME=SOFT[:HARD]"),
        (
            "files=3",
            "there is no limit `files`: those there are are `as`, `core`",
        ),
        ("nofile=many", "`many` is not a value of a limit"),
        ("nofile=6:5", "the soft limit is above the hard one"),
        (
            "nofile=-1",
            "is more open files than this host lets any process have",
        ),
    ] {
        host.minirun(format!("run --name web1 --ulimit {ulimit} busybox true"))
            .fails_with(125)
            .stderr_contains(problem);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn a_container_that_could_have_no_more_processes_says_so() {
    for kind in [ControlGroups::WithControllers, ControlGroups::Old] {
        if !kind.are_there() {
            continue;
        }
        let host = TestHost::with(kind);
        host.imports_busybox(&[]);
        let script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done";
        let words = ["run", "--rm", "--name", "bomb", "--pids-limit", "5"];
        let words = [&words[..], &["busybox", "sh", "-c", script]].concat();
        host.minirun(words.as_slice()).fails().stderr_contains(
            "warning: container `bomb` reached its limit of 5 processes and threads",
        );
        host.in_busybox("--pids-limit 5", "true")
            .succeeds()
            .stderr_is("");
        host.finish();
    }
}
