//! Logs of limited size: old files move and go, lines stay whole, and who reads or follows misses nothing that is there.

use std::time::Duration;

use minirun_integration::TestHost;
use nix::sys::signal::Signal;
use serde_json::Value;

/// A host on which a container `job` ran this line of shell with these options.
#[track_caller]
fn ran(options: &str, script: &str) -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let mut words = vec!["run", "--name", "job"];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sh", "-c", script]);
    host.minirun(words.as_slice()).succeeds();
    host
}

/// The directory of container `job`.
#[track_caller]
fn directory(host: &TestHost) -> String {
    let path = host.container("job").inspect()["LogPath"].take();
    let path = path.as_str().expect("it has a log").to_owned();
    path.strip_suffix("/log")
        .expect("that is its name")
        .to_owned()
}

/// The names and sizes of its log's files, in the order of the alphabet.
#[track_caller]
fn files(host: &TestHost) -> Vec<(String, u64)> {
    let directory = directory(host);
    let listed = host.command(
        "sh",
        ["-c", &format!("cd {directory} && stat -c '%n %s' log*")],
    );
    let listed = listed.succeeds();
    let pair = |line: &str| {
        let (name, size) = line.split_once(' ').expect("a name and a size");
        (name.to_owned(), size.parse().expect("a number"))
    };
    listed.stdout().lines().map(pair).collect()
}

/// The numbers from one to another, one a line.
fn numbers(first: u32, last: u32) -> String {
    (first..=last).map(|number| format!("{number}\n")).collect()
}

#[test]
fn files_keep_their_size_and_number_and_hold_the_newest_lines() {
    let host = ran("--log-opt max-size=10k --log-opt max-file=3", "seq 1 2000");
    let files = files(&host);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["log", "log.1", "log.2"]);
    for (name, size) in &files {
        assert!(*size <= 10 * 1024, "{name} has {size} bytes");
    }
    let shown = host.minirun("logs job").succeeds();
    let first: u32 = shown
        .stdout()
        .lines()
        .next()
        .expect("a line")
        .parse()
        .expect("a number");
    assert!((1500..1900).contains(&first), "{first}");
    assert_eq!(shown.stdout(), numbers(first, 2000));
    for lines in [1, 100, 150, 1999] {
        let expected = numbers(first.max(2001 - lines), 2000);
        let shown = host.minirun(format!("logs --tail {lines} job")).succeeds();
        assert_eq!(shown.stdout(), expected, "the last {lines}");
    }
    host.removes("job");
    host.finish();
}

#[test]
fn every_line_of_every_file_is_json_and_jq_reads_them() {
    let script = r#"for n in $(seq 100); do echo "say \"$n\"	\\ ü"; printf '\377\n' >&2; done"#;
    let host = ran("--log-opt max-size=2k --log-opt max-file=50", script);
    let directory = directory(&host);
    let all = host.command(
        "sh",
        [
            "-c",
            &format!("cat $(ls {directory}/log* | sort -t. -k2nr)"),
        ],
    );
    let all = all.succeeds();
    let mut counts = (0, 0);
    for line in all.stdout().lines() {
        let entry: Value = serde_json::from_str(line).expect("every line is JSON");
        match entry["stream"].as_str() {
            Some("stdout") => {
                counts.0 += 1;
                let expected = format!("say \"{}\"\t\\ ü\n", counts.0);
                assert_eq!(entry["log"], expected);
            }
            _ => {
                counts.1 += 1;
                assert_eq!(entry["base64"], "/wo=");
            }
        }
        let time = entry["time"].as_str().expect("a time");
        assert_eq!(time.len(), "2026-01-02T03:04:05.000000006Z".len(), "{time}");
    }
    assert_eq!(counts, (100, 100));
    let filter = "select(.stream == \"stdout\") | .log // (.base64 | @base64d)";
    let read = format!("cat $(ls {directory}/log* | sort -t. -k2nr) | jq -rj '{filter}'");
    let logged = host.minirun("logs job").succeeds();
    let read = host.command("sh", ["-c", &read]).succeeds();
    assert_eq!(read.stdout(), logged.stdout());
    host.removes("job");
    host.finish();
}

#[test]
fn who_follows_misses_and_repeats_nothing_while_files_move() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    // Room for everything, in many files.
    let script = "read go </tmp/gate; seq 1 20000; exec sleep 1000";
    let script = format!("mkfifo /tmp/gate; echo ready; {script}");
    host.runs_script(
        "job",
        "--log-opt max-size=20k --log-opt max-file=500",
        &script,
    );
    host.container("job").awaits_log("ready\n");
    let mut following = host.spawn_minirun("logs -f job");
    let mut from_now_on = host.spawn_minirun("logs -f --tail 0 job");
    following.read_until("ready\n");
    // When it waits with the log in hand, it has found the place from which on it reads.
    from_now_on.process().awaits_open_file("/log");
    from_now_on.process().awaits_sleep();
    host.minirun(["exec", "job", "sh", "-c", "echo go >/tmp/gate"])
        .succeeds();
    following.read_until("\n20000\n");
    from_now_on.read_until("\n20000\n");
    host.minirun("kill job").succeeds();
    let all = numbers(1, 20000);
    assert!(following.finish().succeeds().stdout() == format!("ready\n{all}"));
    assert!(from_now_on.finish().succeeds().stdout() == all);
    assert!(files(&host).len() > 50);
    host.removes("job");
    host.finish();
}

#[test]
fn a_monitor_that_is_killed_while_files_move_loses_nothing_that_is_kept() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    // So few in each round that all of them have room.
    let script = "n=0; while [ $n -lt 900 ]; do n=$((n + 1)); echo $n; done; exec sleep 1000";
    host.minirun([
        "create",
        "--name",
        "job",
        "--log-opt",
        "max-size=1k",
        "--log-opt",
        "max-file=400",
        "busybox",
        "sh",
        "-c",
        script,
    ])
    .succeeds();
    for round in 1..=5 {
        host.minirun("start job").succeeds();
        let first = host.container("job").process();
        let wanted = format!("\n{}\n", 150 * round);
        host.spawn_minirun("logs -f job").read_until(&wanted);
        first.parent().signal(Signal::SIGKILL);
        assert!(first.ends_within(Duration::from_secs(20)));
        let shown = host.minirun("logs job").succeeds();
        // Each round counts anew, and what it has counted is whole.
        let mut rounds = 0;
        let mut last = 0;
        for line in shown.stdout().lines() {
            let number: u32 = line.parse().expect("a number");
            assert!(number == last + 1 || number == 1, "{number} after {last}");
            rounds += u32::from(number == 1);
            last = number;
        }
        assert!(rounds <= round, "{rounds} rounds");
        assert!(last >= 1);
    }
    host.removes("job");
    host.finish();
}

#[test]
fn a_restarted_container_goes_on_with_its_files() {
    let host = ran("--log-opt max-size=2k --log-opt max-file=100", "seq 1 100");
    let before = files(&host).len();
    host.minirun("start -a job").succeeds();
    assert!(files(&host).len() > before);
    let shown = host.minirun("logs job").succeeds();
    assert_eq!(shown.stdout(), numbers(1, 100) + &numbers(1, 100));
    host.removes("job");
    host.finish();
}

#[test]
fn a_log_is_limited_unless_that_is_switched_off() {
    let host = TestHost::create();
    for (options, expected) in [
        (
            "",
            r#"{"Type":"json-file","Config":{"max-file":"5","max-size":"20m"}}"#,
        ),
        (
            "--log-opt max-size=10m",
            r#"{"Type":"json-file","Config":{"max-file":"5","max-size":"10m"}}"#,
        ),
        (
            "--log-opt max-size=1g --log-opt max-file=2",
            r#"{"Type":"json-file","Config":{"max-file":"2","max-size":"1g"}}"#,
        ),
        (
            "--log-opt max-size=-1",
            r#"{"Type":"json-file","Config":{"max-size":"-1"}}"#,
        ),
        ("--log-driver none", r#"{"Type":"none","Config":{}}"#),
    ] {
        host.minirun(format!("create --name job {options} demo true"))
            .succeeds();
        let shown = host.container("job").inspect();
        assert_eq!(shown["HostConfig"]["LogConfig"].to_string(), expected);
        assert_eq!(shown["LogPath"] == "", options.contains("none"));
        host.removes("job");
    }
    host.finish();
}

#[test]
fn a_container_without_a_log_shows_its_output_and_keeps_none() {
    let host = ran("--log-driver none", "echo hello");
    host.minirun("start -a job").succeeds().stdout_is("hello");
    for command in ["logs job", "logs -f job"] {
        host.minirun(command).fails_with(1).stderr_contains(
            "error: container `job` has no log: it was created with `--log-driver none`",
        );
    }
    host.command("find", ["/var/lib/minirun/containers", "-name", "log*"])
        .succeeds()
        .stdout_is("");
    host.removes("job");
    host.finish();
}

#[test]
fn drivers_and_options_that_are_not_there_are_refused() {
    let host = TestHost::create();
    for (options, expected) in [
        (
            "--log-driver syslog",
            "unknown log driver `syslog`: use `json-file` or `none`",
        ),
        (
            "--log-opt compress=true",
            "unknown log option `compress`: use `max-size`, `max-file` or `mode`",
        ),
        (
            "--log-opt max-file=3",
            "log option `max-file` needs `max-size`",
        ),
        (
            "--log-opt max-size=many",
            "invalid log option `max-size=many`",
        ),
        (
            "--log-driver none --log-opt max-size=1m",
            "log option `max-size` means nothing with log driver `none`",
        ),
        (
            "--log-opt mode=non-blocking",
            "log option `mode=non-blocking` is not supported",
        ),
        (
            "--log-opt max-size",
            "invalid log option `max-size`: write KEY=VALUE",
        ),
    ] {
        host.minirun(format!("run --name job {options} demo true"))
            .fails_with(125)
            .stderr_contains(expected);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}
