//! Several containers stopped, removed and waited for at once.

use std::time::{Duration, Instant};

use minirun_integration::TestHost;

/// A program that does not mind being asked to end.
const STUBBORN: &str = "trap '' TERM; echo ready; while :; do sleep 1000 & wait $!; done";

#[track_caller]
fn starts(host: &TestHost, names: &[&str], script: &str) {
    host.imports_busybox(&[]);
    for name in names {
        host.minirun(["run", "-d", "--name", name, "busybox", "sh", "-c", script])
            .succeeds();
        host.container(name).awaits_log("ready\n");
    }
}

#[test]
fn many_that_do_not_obey_take_as_long_as_one() {
    let host = TestHost::create();
    let names = ["a1", "b1", "c1", "d1", "e1", "f1"];
    starts(&host, &names, STUBBORN);
    let begun = Instant::now();
    host.minirun("stop -t 2 f1 e1 d1 c1 b1 a1")
        .succeeds()
        .stdout_is("f1\ne1\nd1\nc1\nb1\na1");
    let passed = begun.elapsed();
    assert!(passed >= Duration::from_secs(2), "{passed:?}");
    // Six times two seconds would be twelve; everything below that was at the same time, however slow the host is.
    assert!(
        passed < Duration::from_secs(12),
        "one after the other: {passed:?}"
    );
    for name in names {
        assert_eq!(host.container(name).exit_code(), 137);
    }
    host.removes(&names.join(" "));
    host.finish();
}

#[test]
fn each_has_its_own_signal_and_time_and_is_told_in_the_order_typed() {
    let host = TestHost::create();
    let script = "trap 'exit 4' USR1; trap 'exit 5' TERM; echo ready; while :; do sleep 1000 & wait $!; done";
    host.imports_busybox(&[]);
    for (name, options) in [
        ("slow", "--stop-timeout 1 --stop-signal WINCH"),
        ("quick", "--stop-timeout 60 --stop-signal USR1"),
        ("usual", "--stop-timeout -1"),
    ] {
        let mut words = vec!["run", "-d", "--name", name];
        words.extend(options.split(' '));
        words.extend(["busybox", "sh", "-c", script]);
        host.minirun(words.as_slice()).succeeds();
        host.container(name).awaits_log("ready\n");
    }
    assert_eq!(
        host.container("usual").inspect()["Config"]["StopTimeout"],
        -1
    );
    host.minirun("stop slow quick nosuch usual")
        .fails_with(1)
        .stdout_is("slow\nquick\nusual")
        .stderr_contains("`nosuch`");
    for (name, code) in [("slow", 137), ("quick", 4), ("usual", 5)] {
        assert_eq!(host.container(name).exit_code(), code, "{name}");
    }
    host.minirun("start slow quick usual").succeeds();
    for name in ["slow", "quick", "usual"] {
        host.container(name).awaits_log("ready\nready\n");
    }
    host.minirun("stop --signal USR1 --timeout 60 slow quick usual")
        .succeeds();
    for name in ["slow", "quick", "usual"] {
        assert_eq!(host.container(name).exit_code(), 4, "{name}");
    }
    host.minirun("start usual").succeeds();
    host.container("usual").awaits_log("ready\nready\nready\n");
    host.minirun("restart -s USR1 -t 60 usual")
        .succeeds()
        .stdout_is("usual");
    host.container("usual")
        .awaits_log("ready\nready\nready\nready\n");
    for (option, word) in [("-s", "NOSUCH"), ("-t", "soon"), ("-t", "1.5")] {
        host.minirun(["stop", option, word, "usual"])
            .fails_with(125)
            .stderr_contains(word);
    }
    host.removes("slow quick usual");
    host.finish();
}

#[test]
fn without_a_limit_a_container_is_waited_for() {
    let host = TestHost::create();
    starts(&host, &["a1"], STUBBORN);
    let stopping = host.spawn_minirun("stop -t -1 a1");
    stopping.process().awaits_open_file("pidfd");
    assert!(!stopping.process().ends_within(Duration::from_millis(300)));
    host.minirun("kill a1").succeeds();
    stopping.finish().succeeds().stdout_is("a1");
    host.removes("a1");
    host.finish();
}

#[test]
fn waiting_for_many_prints_each_code_in_order_also_of_those_that_are_gone() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    for (name, code) in [("a1", "3"), ("b1", "4"), ("c1", "5")] {
        let script =
            format!("trap 'exit {code}' USR1; echo ready; while :; do sleep 1000 & wait $!; done");
        let words = [
            "run", "-d", "--rm", "--name", name, "busybox", "sh", "-c", &script,
        ];
        host.minirun(words).succeeds();
        host.container(name).awaits_log("ready\n");
    }
    let waiting = host.spawn_minirun("wait a1 b1 c1");
    // One of each.
    while waiting_for(waiting.process().pid()) < 3 {
        std::thread::yield_now();
    }
    // The third may be that of a look before the record of the end is opened; it sleeps when it has all records.
    waiting.process().awaits_sleep();
    for name in ["c1", "b1", "a1"] {
        host.minirun(["kill", "-s", "USR1", name]).succeeds();
    }
    waiting.finish().succeeds().stdout_is("3\n4\n5");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

/// For how many other processes a process waits.
fn waiting_for(pid: i32) -> usize {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    open.filter(|entry| {
        std::fs::read_link(entry.path())
            .is_ok_and(|target| target.to_string_lossy().contains("pidfd"))
    })
    .count()
}

#[test]
fn many_are_removed_by_force_in_the_order_typed() {
    let host = TestHost::create();
    for name in ["a1", "b1", "c1"] {
        host.idles(name, "--restart always");
    }
    host.minirun("rm -f c1 nosuch a1 b1")
        .succeeds()
        .stdout_is("c1\na1\nb1");
    host.finish();
}
