//! The log of a container: what was written, where, and when.

use minirun_integration::{Finished, TestHost};
use serde_json::Value;

/// Runs a line of shell under the name `job`; its exit code does not matter.
#[track_caller]
fn run_job(host: &TestHost, script: &str) -> Finished {
    host.imports_busybox(&[]);
    host.minirun(["run", "--name", "job", "busybox", "sh", "-c", script])
}

/// The container's log file, entry by entry.
#[track_caller]
fn entries(host: &TestHost) -> Vec<Value> {
    let id = host.container("job").inspect()["Id"]
        .as_str()
        .expect("it has an id")
        .to_owned();
    let text = host.read_file(&format!("/var/lib/minirun/containers/{id}/log"));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect()
}

#[test]
fn standard_output_and_standard_error_are_kept_apart() {
    let host = TestHost::create();
    run_job(&host, "echo out; echo err >&2; echo more")
        .succeeds()
        .stdout_is("out\nmore")
        .stderr_is("err");
    host.minirun("logs job")
        .succeeds()
        .stdout_is("out\nmore")
        .stderr_is("err");
    let mut streams: Vec<_> = entries(&host)
        .iter()
        .map(|entry| format!("{} {}", entry["stream"], entry["log"]))
        .collect();
    streams.sort();
    assert_eq!(
        streams,
        [
            r#""stderr" "err\n""#,
            r#""stdout" "more\n""#,
            r#""stdout" "out\n""#
        ]
    );
    host.removes("job");
    host.finish();
}

#[test]
fn the_last_lines_can_be_asked_for() {
    let host = TestHost::create();
    run_job(&host, "for n in 1 2 3 4 5; do echo $n; done").succeeds();
    for (tail, expected) in [
        ("2", "4\n5"),
        ("0", ""),
        ("9", "1\n2\n3\n4\n5"),
        ("all", "1\n2\n3\n4\n5"),
    ] {
        host.minirun(["logs", "--tail", tail, "job"])
            .succeeds()
            .stdout_is(expected);
        host.minirun(["logs", "-n", tail, "job"])
            .succeeds()
            .stdout_is(expected);
    }
    host.minirun("logs --tail many job")
        .fails_with(125)
        .stderr_contains("`all`");
    host.removes("job");
    host.finish();
}

#[test]
fn every_line_has_the_time_it_was_written() {
    let host = TestHost::create();
    run_job(&host, "echo one").succeeds();
    let shown = host.minirun("logs -t job").succeeds();
    let (time, text) = shown.line().split_once(' ').expect("a time and a line");
    assert_eq!(text, "one");
    assert_eq!(time.len(), "2026-01-02T03:04:05.000000006Z".len(), "{time}");
    assert!(time.ends_with('Z') && time.contains('T'), "{time}");
    host.removes("job");
    host.finish();
}

#[test]
fn lines_since_a_moment_can_be_asked_for() {
    let host = TestHost::create();
    run_job(&host, "echo one; echo two; echo three").succeeds();
    let times: Vec<_> = entries(&host)
        .iter()
        .map(|entry| entry["time"].as_str().expect("a time").to_owned())
        .collect();
    let last = &times[2];
    let since = host
        .minirun(["logs", "-t", "--since", last, "job"])
        .succeeds();
    // Lines that were read at once have the same time.
    let expected = times.iter().filter(|time| *time == last).count();
    assert_eq!(
        since.stdout().lines().count(),
        expected,
        "{times:?}\n{}",
        since.stdout()
    );
    since.stdout_contains("three");
    for (since, expected) in [
        ("10m", "one\ntwo\nthree"),
        ("2000-01-02T03:04:05Z", "one\ntwo\nthree"),
        ("2999-01-02T03:04:05Z", ""),
    ] {
        host.minirun(["logs", "--since", since, "job"])
            .succeeds()
            .stdout_is(expected);
    }
    host.minirun("logs --since yesterday job")
        .fails_with(125)
        .stderr_contains("invalid time `yesterday`");
    host.removes("job");
    host.finish();
}

#[test]
fn lines_until_a_moment_can_be_asked_for() {
    let host = TestHost::create();
    run_job(&host, "echo one; echo two").succeeds();
    let time = entries(&host)[0]["time"]
        .as_str()
        .expect("a time")
        .to_owned();
    let until = host.minirun(["logs", "--until", &time, "job"]).succeeds();
    until.stdout_contains("one");
    for (until, expected) in [("10m", ""), ("2999-01-02", "one\ntwo"), ("0", "")] {
        host.minirun(["logs", "--until", until, "--details", "job"])
            .succeeds()
            .stdout_is(expected);
    }
    host.removes("job");
    host.finish();
}

#[test]
fn following_ends_at_the_moment_that_was_asked_for() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let words = [
        "run",
        "-d",
        "--name",
        "job",
        "busybox",
        "sh",
        "-c",
        "echo one; exec sleep 1000",
    ];
    host.minirun(words).succeeds();
    host.container("job").awaits_log("one\n");
    host.minirun("logs -f --until 0s job")
        .succeeds()
        .stdout_is("one");
    host.minirun("logs -f --until 10m job")
        .succeeds()
        .stdout_is("");
    host.removes("job");
    host.finish();
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let words = [
        "run",
        "-d",
        "--name",
        "job",
        "busybox",
        "sh",
        "-c",
        "echo one; exec sleep 1000",
    ];
    host.minirun(words).succeeds();
    host.command("sh", ["-c", "minirun logs -f job | grep -m 1 one"])
        .succeeds()
        .stdout_is("one");
    host.removes("job");
    host.finish();
}

#[test]
fn a_damaged_log_is_read_as_far_as_it_can_be() {
    let host = TestHost::create();
    run_job(&host, "echo one").succeeds();
    let log = host.container("job").inspect()["LogPath"]
        .as_str()
        .expect("a log")
        .to_owned();
    let damage = format!(
        "head -c 30000000 /dev/zero >>{log}; echo >>{log}; echo '{{\"log\":\"torn' >>{log}; head -c 1000 /dev/urandom | tr -d '\\n' >>{log}"
    );
    host.command("sh", ["-c", &damage]).succeeds();
    for command in ["logs job", "logs -f job", "logs --tail 5 job"] {
        let shown = host.minirun(command).succeeds().stdout_is("one");
        let warning = "warning: left out 2 damaged lines of the log";
        shown.stderr_is(warning);
    }
    host.minirun("start -a job").succeeds().stdout_is("one");
    host.minirun("logs job").succeeds().stdout_is("one\none");
    host.removes("job");
    host.finish();
}

#[test]
fn following_ends_when_the_container_does() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script =
        "trap 'echo last; exit 0' USR1; echo first; while :; do sleep 1000 & wait $!; done";
    host.runs_script("job", "", script);
    let mut following = host.spawn_minirun("logs -f job");
    following.read_until("first\n");
    host.minirun("kill -s USR1 job").succeeds();
    following.finish().succeeds().stdout_is("first\nlast");
    host.minirun("logs -f job")
        .succeeds()
        .stdout_is("first\nlast");
    host.removes("job");
    host.finish();
}

#[test]
fn a_line_without_an_end_is_not_lost() {
    let host = TestHost::create();
    run_job(&host, "printf 'one\\ntwo'").succeeds();
    host.command("sh", ["-c", "minirun logs job | od -An -c"])
        .succeeds()
        .stdout_is("   o   n   e  \\n   t   w   o");
    host.removes("job");
    host.finish();
}

#[test]
fn bytes_that_are_no_text_come_back_byte_for_byte() {
    let host = TestHost::create();
    let script = "printf '\\377\\000\\200 \\303\\n\\251\\n'";
    let _ = run_job(&host, script);
    host.command("sh", ["-c", "minirun logs job | od -An -tx1"])
        .succeeds()
        .stdout_is(" ff 00 80 20 c3 0a a9 0a");
    assert_eq!(entries(&host).len(), 2);
    host.removes("job");
    host.finish();
}

#[test]
fn much_output_is_whole() {
    let host = TestHost::create();
    let script = "seq 1 20000; head -c 300000 /dev/zero | tr '\\0' x";
    let shown = run_job(&host, script).succeeds();
    let logged = host.minirun("logs job").succeeds();
    assert_eq!(shown.stdout().len(), 108_894 + 300_000);
    assert!(shown.stdout() == logged.stdout(), "the log differs");
    host.removes("job");
    host.finish();
}

#[test]
fn a_restarted_container_goes_on_with_its_log() {
    let host = TestHost::create();
    run_job(&host, "echo again").succeeds();
    host.minirun("start -a job").succeeds();
    host.minirun("logs job")
        .succeeds()
        .stdout_is("again\nagain");
    host.removes("job");
    host.finish();
}

#[test]
fn a_container_that_never_ran_has_an_empty_log() {
    let host = TestHost::create();
    host.minirun("create --name job demo true").succeeds();
    host.minirun("logs job").succeeds().stdout_is("");
    host.minirun("logs -f job").succeeds().stdout_is("");
    host.removes("job");
    host.finish();
}

#[test]
fn whoever_stops_reading_stops_nothing() {
    let host = TestHost::create();
    let shown = "minirun run --name job demo httpd --help | true; minirun logs job | true";
    host.command("sh", ["-c", shown]).succeeds();
    host.removes("job");
    host.finish();
}
