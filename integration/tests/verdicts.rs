//! `--status-fd`: how a container ended, for programs that judge others.

use minirun_integration::{ControlGroups, TestHost};
use serde_json::json;

/// A host with the controllers of the machine, and a shell.
fn host() -> TestHost {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    host
}

#[test]
fn the_ways_to_end_are_told_apart() {
    let host = host();
    let busy = "while :; do :; done";
    let bomb = "i=0; while [ $i -lt 20 ]; do sleep 1000 & i=$((i + 1)); done; exit 0";
    for (options, script, [code, signal, oom, timed_out]) in [
        (
            "",
            "exit 0",
            [json!(0), json!(null), json!(false), json!(false)],
        ),
        (
            "",
            "exit 42",
            [json!(42), json!(null), json!(false), json!(false)],
        ),
        // What a program says itself is no verdict.
        (
            "--timeout 1h",
            "exit 124",
            [json!(124), json!(null), json!(false), json!(false)],
        ),
        (
            "",
            "exit 137",
            [json!(137), json!(null), json!(false), json!(false)],
        ),
        (
            "--timeout 500ms",
            busy,
            [json!(124), json!(9), json!(false), json!(true)],
        ),
        (
            "-m 32m --memory-swap 32m",
            "exec dd if=/dev/zero of=/dev/null bs=96M",
            [json!(137), json!(9), json!(true), json!(false)],
        ),
        // The first process itself is not asked to end by signals of its own.
        (
            "--init",
            "kill -SEGV $$",
            [json!(139), json!(null), json!(false), json!(false)],
        ),
        (
            "--pids-limit 5",
            bomb,
            [json!(2), json!(null), json!(false), json!(false)],
        ),
        (
            "--log-opt max-size=4k --log-opt max-file=1",
            "yes | head -c 1000000; exit 3",
            [json!(3), json!(null), json!(false), json!(false)],
        ),
    ] {
        let verdict = host.judges(&format!("--rm {options}"), script);
        let end = verdict.end();
        let told = [&end["code"], &end["signal"], &end["oom"], &end["timed_out"]];
        assert_eq!(told, [&code, &signal, &oom, &timed_out], "{script}: {end}");
        assert_eq!(json!(verdict.finished.code()), code);
        assert_eq!(verdict.events(), ["created", "started", "exited"]);
        let refused = end["refused_processes"].as_u64().unwrap_or_default();
        assert_eq!(refused > 0, script == bomb, "{script}: {end}");
    }
    host.finish();
}

#[test]
fn a_container_that_somebody_kills_has_neither_run_out_of_time_nor_of_memory() {
    let host = host();
    let script = "minirun run --name web1 --status-fd 3 busybox sh -c 'echo ready; sleep 1000' \
                  3>/run/verdict";
    let mut running = host.place().program("sh", ["-c", script]).spawn();
    running.read_until("ready\n");
    host.minirun("kill web1").succeeds();
    running.finish().fails_with(137);
    let text = host.read_file("/run/verdict");
    let end: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(end["signal"], 9, "{end}");
    assert_eq!(
        (&end["oom"], &end["timed_out"]),
        (&json!(false), &json!(false))
    );
    host.removes("web1");
    host.command("rm", ["/run/verdict"]).succeeds();
    host.finish();
}

#[test]
fn times_and_memory_are_what_the_kernel_measured() {
    let work = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; dd if=/dev/zero of=/dev/null bs=24M count=1";
    for (kind, whose) in [
        (ControlGroups::WithControllers, "container"),
        (ControlGroups::Old, "container"),
        (ControlGroups::Unified, "process"),
    ] {
        if !kind.are_there() {
            continue;
        }
        let host = TestHost::with(kind);
        host.imports_busybox(&[]);
        let limit = match whose {
            "container" => "-m 64m",
            _ => "",
        };
        let verdict = host.judges(&format!("--name worker {limit}"), work);
        let end = verdict.end();
        let seconds = |key: &str| end[key].as_f64().expect("it is a number");
        let used = seconds("user_seconds") + seconds("system_seconds");
        assert!(seconds("user_seconds") > 0.01, "{end}");
        // Nothing in it runs at the same time, but its making counts as well.
        assert!(used <= seconds("wall_seconds") + 0.5, "{end}");
        let peak = end["peak_memory_bytes"].as_u64().expect("it is a number");
        assert!((24 << 20..=64 << 20).contains(&peak), "{end}");
        assert_eq!(end["peak_memory_of"], whose, "{end}");
        let usage = host.container("worker").inspect()["State"]["Usage"].take();
        assert_eq!(usage["PeakMemoryBytes"], end["peak_memory_bytes"]);
        assert_eq!(usage["WallSeconds"], end["wall_seconds"]);
        host.removes("worker");
        host.finish();
    }
}

#[test]
fn a_container_that_runs_in_the_background_is_told_to_have_started() {
    let host = host();
    let verdict = host.judges("-d --name web1", "sleep 1000");
    assert_eq!(verdict.events(), ["created", "started"]);
    let answer = host.container("web1").inspect();
    let started = &verdict.lines[1];
    assert_eq!(started["id"], answer["Id"]);
    assert_eq!(started["name"], "web1");
    assert_eq!(started["pid"], answer["State"]["Pid"]);
    assert_eq!(started["time"], answer["State"]["StartedAt"]);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_is_started_again_is_judged_as_well() {
    let host = host();
    host.minirun([
        "create",
        "--name",
        "web1",
        "--timeout",
        "200ms",
        "busybox",
        "sleep",
        "1000",
    ])
    .succeeds();
    let verdict = host.judges_command("start -a --status-fd 3 web1");
    assert_eq!(verdict.events(), ["started", "exited"]);
    assert_eq!(verdict.end()["timed_out"], true);
    assert_eq!(verdict.finished.code(), Some(124));
    host.minirun("start --status-fd 2 web1")
        .fails_with(125)
        .stderr_is("error: `--status-fd` tells how a container ends: say `-a` as well");
    host.removes("web1");
    host.finish();
}

#[test]
fn what_cannot_be_run_is_a_failure_with_its_code() {
    let host = host();
    let verdict = host.judges_command("run --rm --status-fd 3 busybox nonsense");
    assert_eq!(verdict.events(), ["created", "failed"]);
    let failed = &verdict.lines[1];
    assert_eq!(failed["code"], 127);
    assert_eq!(
        failed["error"],
        "command `nonsense` not found in the container"
    );
    let verdict = host.judges_command("run --rm --status-fd 3 nonsense");
    assert_eq!(verdict.events(), ["failed"]);
    assert_eq!(verdict.lines[0]["code"], 125);
    assert_eq!(verdict.finished.code(), Some(125));
    host.finish();
}

#[test]
fn the_descriptor_must_be_open_for_writing() {
    let host = TestHost::create();
    host.minirun("run --rm --status-fd 7 demo true")
        .fails_with(125)
        .stderr_is(
            "error: descriptor 7 of `--status-fd` is not open\n\
             hint: open it for writing, such as with `7>status` in a shell",
        );
    host.minirun("run --rm --status-fd x demo true")
        .fails_with(125)
        .stderr_is(
            "error: `x` is no descriptor: write the number of an open one, such as 3 (of `--status-fd <NUMBER>`)",
        );
    let script = "minirun run --rm --status-fd 7 demo true 7</etc/passwd";
    host.command("sh", ["-c", script])
        .fails_with(125)
        .stderr_contains("descriptor 7 of `--status-fd` is not open for writing");
    host.finish();
}

#[test]
fn neither_the_container_nor_its_monitor_has_the_descriptor() {
    let host = host();
    // `cat` ends when nobody holds the other end of its pipe any more.
    let script = "minirun run -d --restart always --name web1 --status-fd 7 demo sleep infinity \
                  7>&1 >/dev/null | cat >/run/lines; wc -l </run/lines; rm /run/lines";
    host.command("sh", ["-c", script]).succeeds().stdout_is("2");
    host.removes("web1");
    let script = "minirun run --rm --status-fd 7 busybox ls /proc/1/fd 7>/dev/null";
    let listed = host.command("sh", ["-c", script]).succeeds();
    // The last one is the directory that is listed.
    assert_eq!(
        listed.stdout().split_whitespace().collect::<Vec<_>>(),
        ["0", "1", "2", "3"]
    );
    host.finish();
}

#[test]
fn a_reader_that_goes_away_changes_nothing_else() {
    let host = host();
    let script = "(minirun run --rm --status-fd 3 busybox sh -c 'echo out; exit 4' \
                  3>&1 >/run/out 2>/run/err; echo $? >/run/code) | true; \
                  cat /run/code /run/out; rm /run/code /run/out /run/err";
    host.command("sh", ["-c", script])
        .succeeds()
        .stdout_is("4\nout");
    host.finish();
}
