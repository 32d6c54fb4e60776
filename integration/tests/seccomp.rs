//! Which system calls the programs of a container may make: by default those that Docker lets them make, else those of a
//! profile.

use std::env;
use std::fs;

use minirun_integration::health::OFTEN;
use minirun_integration::{DockerEngine, TestHost};
use serde_json::json;

/// Makes every system call, or the one that its words name, and says how it was answered.
const PROBE: &str = env!("CARGO_BIN_EXE_system_calls");

/// What shows whether a process is under a filter: 2 if so, 0 if not.
const STATE: &str = "grep ^Seccomp: /proc/self/status";

/// Where these tests keep profiles.
const PROFILE: &str = "/run/profile.json";

/// Where the probe is: beside the test where both were brought to another machine.
fn probe() -> String {
    let test = env::current_exe().expect("a test is a program");
    let beside = test.with_file_name("system_calls");
    match beside.exists() {
        true => beside.to_string_lossy().into_owned(),
        false => PROBE.to_owned(),
    }
}

/// What the probe writes in a new container.
#[track_caller]
fn answers(host: &TestHost, options: &str, words: &str) -> String {
    let volume = format!("{}:/probe:ro", probe());
    let mut line = vec!["run", "--rm", "-v", &volume];
    line.extend(options.split_whitespace());
    line.extend(["demo", "/probe"]);
    line.extend(words.split_whitespace());
    host.minirun(line.as_slice()).succeeds().stdout().to_owned()
}

/// What it writes in a container of Docker's.
#[track_caller]
fn dockers_answers(engine: &DockerEngine<'_>, words: &str) -> String {
    let volume = format!("{}:/probe:ro", probe());
    let mut line = vec!["run", "--rm", "-v", &volume, "busybox", "/probe"];
    line.extend(words.split_whitespace());
    engine
        .docker(line.as_slice())
        .succeeds()
        .stdout()
        .to_owned()
}

#[track_caller]
fn writes_profile(host: &TestHost, text: &str) {
    host.inside(|| fs::write(PROFILE, text))
        .expect("the host's /run is its own");
}

/// The calls that two containers were answered differently: `WAY NUMBER THEIRS OURS`.
fn differences(theirs: &str, ours: &str) -> Vec<String> {
    assert_eq!(theirs.lines().count(), ours.lines().count());
    let pairs = theirs.lines().zip(ours.lines());
    let different = pairs.filter(|(theirs, ours)| theirs != ours);
    different
        .map(|(theirs, ours)| {
            let mut words = ours.splitn(3, ' ');
            let call = [words.next(), words.next()].map(Option::unwrap_or_default);
            let answer = words.next().unwrap_or_default();
            assert!(theirs.starts_with(&call.join(" ")), "{theirs}, {ours}");
            format!("{theirs} {answer}")
        })
        .collect()
}

/// Docker 20.10, as Debian has it, is older than the policy that minirun follows. What has changed since, by error number:
/// 1 is a refusal, 38 says that there is no such call, and anything else is the kernel's own answer to useless arguments.
const SINCE_DOCKER_20_10: &[(&str, &str)] = &[
    (
        "closed: sockets of any family, here -1 (moby#29076, moby#44562, moby#52494)",
        "64 41 22 1, 32 359 22 1, x32 41 38 1",
    ),
    (
        "closed: io_uring (moby#46762)",
        "64 425 14 1, 64 426 22 1, 64 427 22 1, 32 425 14 1, 32 426 22 1, 32 427 22 1, x32 425 38 1, x32 426 38 1, \
         x32 427 38 1",
    ),
    (
        "open to all: name_to_handle_at",
        "64 303 1 22, 32 341 1 22, x32 303 1 38",
    ),
    (
        "open to all: process_vm_readv, process_vm_writev",
        "64 310 1 22, 64 311 1 22, 32 347 1 22, 32 348 1 22, x32 539 1 38, x32 540 1 38",
    ),
    (
        "open: memory protection keys",
        "64 329 1 22, 64 330 1 22, 64 331 1 22, 32 380 1 22, 32 381 1 22, 32 382 1 22, x32 329 1 38, x32 330 1 38, \
         x32 331 1 38",
    ),
    (
        "known now, and closed: set_mempolicy_home_node, the calls of security modules",
        "64 450 38 1, 64 459 38 1, 64 460 38 1, 64 461 38 1, 32 450 38 1, 32 459 38 1, 32 460 38 1, 32 461 38 1",
    ),
    (
        "known now, and open: cachestat, fchmodat2, futexes, statmount, listmount, mseal, extended attributes by descriptor",
        "64 451 38 9, 64 452 38 22, 64 454 38 22, 64 455 38 22, 64 456 38 22, 64 457 38 22, 64 458 38 22, 64 462 38 22, \
         64 463 38 7, 64 464 38 7, 64 465 38 22, 64 466 38 22, 32 451 38 9, 32 452 38 22, 32 454 38 22, 32 455 38 22, \
         32 456 38 22, 32 457 38 22, 32 458 38 22, 32 462 38 22, 32 463 38 7, 32 464 38 7, 32 465 38 22, 32 466 38 22",
    ),
    (
        "open to x32, which the kernel does not have: the same, and map_shadow_stack",
        "x32 451 1 38, x32 452 1 38, x32 453 1 38, x32 454 1 38, x32 455 1 38, x32 456 1 38, x32 457 1 38, x32 458 1 38, \
         x32 462 1 38, x32 463 1 38, x32 464 1 38, x32 465 1 38, x32 466 1 38",
    ),
    (
        "all 64 bits of an argument count for x32, which the kernel takes, too: personality",
        "x32 135 38 1",
    ),
];

#[test]
fn every_system_call_is_answered_as_in_a_container_of_docker() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    let theirs = dockers_answers(&engine, "");
    let ours = answers(&host, "", "");
    assert!(ours.lines().count() > 1600, "{ours}");
    let mut expected: Vec<String> = SINCE_DOCKER_20_10
        .iter()
        .flat_map(|(_, calls)| calls.split(", ").map(str::to_owned))
        .collect();
    let mut found = differences(&theirs, &ours);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    engine.stop();
    host.finish();
}

#[test]
fn arguments_are_looked_at_as_docker_does_on_every_way_into_the_kernel() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    for call in [
        "64 135 0",
        "64 135 8",
        "64 135 131072",
        "64 135 131080",
        "64 135 4294967295",
        "64 135 1",
        "64 135 262144",
        "32 136 -1",
        "32 136 4194304",
        // CLONE_FS goes with none of these namespaces, so nothing is made where the filter lets it pass.
        "64 56 131584",
        "64 56 268435968",
        "32 120 131584",
        "32 120 268435968",
        "64 272 268435456",
        "32 310 268435456",
        // clone3, whose flags no filter can see.
        "64 435 0 0",
        "32 435 0 0",
        // The type is none, so no family is looked up.
        "64 41 1 -1",
        "64 41 2 -1",
        "64 41 16 -1",
        "32 359 2 -1",
    ] {
        assert_eq!(
            answers(&host, "", call),
            dockers_answers(&engine, call),
            "{call}"
        );
    }
    engine.stop();
    host.finish();
}

#[test]
fn sockets_past_the_network_of_the_container_cannot_be_had() {
    let host = TestHost::create();
    // AF_ALG and AF_VSOCK; with upper halves that a 32-bit call does not have; and families that are open.
    for (call, answer) in [
        ("64 41 38 -1", "1"),
        ("64 41 40 -1", "1"),
        ("32 359 40 -1", "1"),
        ("32 359 4294967336 -1", "1"),
        ("64 41 45 -1", "22"),
        ("32 359 16 -1", "22"),
    ] {
        let line = answers(&host, "", call);
        assert!(line.ends_with(&format!(" {answer}\n")), "{call}: {line}");
    }
    host.finish();
}

#[test]
fn what_docker_lets_a_process_hold_is_what_it_holds_here() {
    let host = TestHost::with_busybox();
    let engine = DockerEngine::start(&host);
    let script = "grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status";
    let theirs = engine.docker(["run", "--rm", "busybox", "sh", "-c", script]);
    let theirs = theirs.succeeds().stdout().to_owned();
    host.in_busybox("", script)
        .succeeds()
        .stdout_is(theirs.trim_end());
    assert!(theirs.contains("Seccomp:\t2\n"), "{theirs}");
    engine.stop();
    host.finish();
}

#[test]
fn everything_that_runs_in_a_container_is_under_its_filter() {
    let host = TestHost::with_busybox();
    for options in [
        "",
        "-u alice",
        "--init",
        "--init -u alice",
        "--security-opt no-new-privileges",
        "--init -u alice --security-opt no-new-privileges",
        "--security-opt seccomp=default",
    ] {
        host.in_busybox(options, &format!("{STATE} && ! unshare -U true"))
            .succeeds()
            .stdout_is("Seccomp:\t2")
            .stderr_contains("Operation not permitted");
    }
    let container = host.runs_script("web1", "--init", "sleep 1000");
    assert!(container.process().status().contains("Seccomp:\t2\n"));
    host.minirun(["exec", "web1", "sh", "-c", STATE])
        .succeeds()
        .stdout_is("Seccomp:\t2");
    host.minirun(["exec", "-u", "alice", "web1", "unshare", "-U", "true"])
        .fails()
        .stderr_contains("Operation not permitted");
    let check = format!("{STATE} | grep -q 2");
    let checked = host.checks("web2", (OFTEN, &check));
    checked.awaits_health_status("healthy");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn who_is_unconfined_is_under_none() {
    let host = TestHost::with_busybox();
    host.in_busybox("--security-opt seccomp=unconfined", STATE)
        .succeeds()
        .stdout_is("Seccomp:\t0");
    host.minirun("create --name web1 --security-opt seccomp=unconfined busybox")
        .succeeds();
    let security = &host.container("web1").inspect()["HostConfig"]["SecurityOpt"];
    assert_eq!(*security, json!(["seccomp=unconfined"]));
    host.removes("web1");
    host.finish();
}

#[test]
fn a_profile_is_kept_with_its_container() {
    let host = TestHost::with_busybox();
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}"#;
    writes_profile(&host, &profile.replace(',', " ,\n "));
    let options = format!("--security-opt seccomp={PROFILE}");
    host.runs_script("web1", &options, "mkdir /x; sleep 1000");
    host.inside(|| fs::remove_file(PROFILE))
        .expect("it was there");
    for _ in 0..2 {
        host.minirun("exec web1 mkdir /y")
            .fails()
            .stderr_contains("No space left on device");
        host.minirun("restart -t 0 web1").succeeds();
    }
    let security = &host.container("web1").inspect()["HostConfig"]["SecurityOpt"];
    assert_eq!(*security, json!([format!("seccomp={profile}")]));
    host.removes("web1");
    host.finish();
}

/// What has to be permitted for a program to be run at all, and what `true` of the image needs. Each start has to do with it.
const STRICT: &str = r#"{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": [
    "setgroups", "setresgid", "setresuid", "capset", "prctl", "poll", "execve", "execveat", "access", "arch_prctl", "brk",
    "close", "exit_group", "fstat", "getcwd", "getpid", "getrandom", "mmap", "mprotect", "munmap", "newfstatat", "openat", "pread64",
    "prlimit64", "read", "readlink", "readlinkat", "rseq", "set_robust_list", "set_tid_address", "sigaltstack",
    "geteuid", "getgid", "getegid", "setuid", "setgid",
    "rt_sigaction", "rt_sigprocmask", "sched_getaffinity", "gettid", "tgkill", "getuid", "write"]}]}"#;

#[test]
fn a_strict_profile_kills_who_leaves_it() {
    let host = TestHost::with_busybox();
    writes_profile(&host, STRICT);
    for options in ["", "--security-opt no-new-privileges", "-u alice"] {
        let mut line = vec!["run", "--rm", "--security-opt", "seccomp=/run/profile.json"];
        line.extend(options.split_whitespace());
        line.push("busybox");
        let with = |words: &[&'static str]| [line.as_slice(), words].concat();
        host.minirun(with(&["echo", "alive"]).as_slice())
            .succeeds()
            .stdout_is("alive");
        // Killed by SIGSYS.
        host.minirun(with(&["mkdir", "/tmp/x"]).as_slice())
            .exits_with(128 + 31);
    }
    host.finish();
}

#[test]
fn a_profile_that_is_none_is_refused_and_leaves_nothing() {
    let host = TestHost::with_busybox();
    let refused = |text: &str, message: &str| {
        writes_profile(&host, text);
        host.minirun("create --security-opt seccomp=/run/profile.json busybox")
            .fails_with(125)
            .stderr_contains(message);
    };
    refused(
        "",
        "invalid seccomp profile `/run/profile.json`: EOF while parsing",
    );
    refused(
        r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_NOTIFY"}]}"#,
        "invalid seccomp profile `/run/profile.json`: entry 1 of `syscalls` asks another program for the answer",
    );
    // The exit code of a program is never that of a refusal.
    host.minirun("run --security-opt seccomp=/nowhere busybox false")
        .fails_with(125)
        .stderr_contains("cannot read the seccomp profile `/nowhere`: No such file or directory")
        .stderr_contains("`seccomp=unconfined`");
    host.minirun("create --security-opt seccomp= busybox")
        .fails_with(125)
        .stderr_contains("`seccomp=` names no profile: write `seccomp=FILE`");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn names_that_are_no_system_calls_are_warned_of() {
    let host = TestHost::with_busybox();
    writes_profile(
        &host,
        r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["raed", "read"], "action": "SCMP_ACT_LOG"}]}"#,
    );
    host.minirun("run --rm --security-opt seccomp=/run/profile.json busybox true")
        .succeeds()
        .stderr_contains(
            "the seccomp profile names system calls that do not exist here, and has no effect on them: raed",
        );
    host.finish();
}
