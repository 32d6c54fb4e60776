//! `stats`: what containers use, against what the kernel counts.

use minirun_integration::{ControlGroups, TestHost};
use nix::sys::signal::Signal;
use serde_json::Value;

/// One row of `stats`, as an object.
fn row(host: &TestHost, name: &str) -> Value {
    host.minirun(["stats", "--no-stream", "--format", "json", name])
        .succeeds()
        .json()
}

fn percent(value: &Value) -> f64 {
    let text = value.as_str().expect("a text");
    text.trim_end_matches('%').parse().expect("a number")
}

#[test]
fn a_table_is_printed_once_without_a_stream() {
    let host = TestHost::create();
    host.idles("web1", "");
    host.minirun("create --name web2 demo true").succeeds();
    let listed = host.minirun("stats --no-stream").succeeds();
    let lines: Vec<_> = listed.stdout().lines().collect();
    assert_eq!(lines.len(), 2, "{}", listed.stdout());
    let heading: Vec<_> = lines[0]
        .split("  ")
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(
        heading,
        [
            "CONTAINER ID",
            "NAME",
            "CPU %",
            "MEM USAGE / LIMIT",
            "MEM %",
            "NET I/O",
            "BLOCK I/O",
            "PIDS"
        ]
    );
    let id = host.container("web1").inspect()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        lines[1].starts_with(&format!("{}   web1 ", &id[..12])),
        "{}",
        lines[1]
    );
    assert!(lines[1].ends_with(" 1"), "{}", lines[1]);
    let all = host
        .minirun("stats --no-stream --all --no-trunc")
        .succeeds();
    let rows: Vec<_> = all.stdout().lines().skip(1).collect();
    assert_eq!(rows.len(), 2);
    assert!(
        rows[0].contains(" web2 ") && rows[0].contains("0B / 0B"),
        "{}",
        rows[0]
    );
    assert!(rows[1].starts_with(&id), "{}", rows[1]);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_busy_container_is_told_from_an_idle_one() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.runs_script("busy", "", "while :; do :; done");
    host.idles("idle", "");
    let (busy, idle) = (
        percent(&row(&host, "busy")["CPUPerc"]),
        percent(&row(&host, "idle")["CPUPerc"]),
    );
    assert!(busy > 5.0 && busy < 120.0, "{busy}");
    assert!(idle < 5.0, "{idle}");
    host.removes("busy idle");
    host.finish();
}

#[test]
fn memory_and_processes_are_counted_with_controllers_and_without() {
    let kinds = [
        ControlGroups::Unified,
        ControlGroups::WithControllers,
        ControlGroups::Old,
    ];
    for kind in kinds.into_iter().filter(|kind| kind.are_there()) {
        let host = TestHost::with(kind);
        host.imports_busybox(&[]);
        let options = match kind {
            ControlGroups::Unified => vec![],
            _ => vec!["-m", "256m", "--pids-limit", "50"],
        };
        let words = [
            &["run", "-d", "--name", "web1"][..],
            &options,
            // The writing dd holds its buffer until somebody reads; nobody does.
            &[
                "busybox",
                "sh",
                "-c",
                "mkfifo /tmp/f; dd if=/dev/zero bs=64M count=1 | sleep 1000",
            ],
        ]
        .concat();
        host.minirun(words.as_slice()).succeeds();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let row = row(&host, "web1");
            let usage = row["MemUsage"].as_str().unwrap().to_owned();
            let (used, limit) = usage.split_once(" / ").unwrap();
            if kind != ControlGroups::Unified {
                assert_eq!(limit, "256MiB");
            }
            let used = used
                .strip_suffix("MiB")
                .and_then(|text| text.parse::<f64>().ok());
            if used.is_some_and(|used| (60.0..100.0).contains(&used)) && row["PIDs"] == "3" {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{kind:?}: {row}");
        }
        host.removes("web1");
        host.finish();
    }
}

#[test]
fn traffic_is_counted_in_both_directions() {
    let host = TestHost::create();
    let web1 = host.serves("web1", "", 80);
    for _ in 0..3 {
        host.command(
            "wget",
            ["-q", "-O", "-", &format!("http://{}/", web1.address())],
        )
        .succeeds();
    }
    let text = row(&host, "web1")["NetIO"].as_str().unwrap().to_owned();
    let (received, sent) = text.split_once(" / ").unwrap();
    assert!(received != "0B" && sent != "0B", "{text}");
    host.removes("web1");
    host.finish();
}

#[test]
fn rows_follow_a_template_and_a_wrong_one_is_refused_at_once() {
    let host = TestHost::create();
    host.idles("web1", "");
    host.minirun(["stats", "--no-stream", "--format", "{{.Name}}={{.PIDs}}"])
        .succeeds()
        .stdout_is("web1=1");
    host.minirun(["stats", "--format", "{{.Colour}}"])
        .fails_with(1)
        .stderr_contains("no field `Colour`");
    host.minirun("stats --no-stream nobody")
        .fails_with(1)
        .stderr_contains("no container is called `nobody`");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_stream_shows_who_comes_and_goes_until_it_is_interrupted() {
    let host = TestHost::create();
    host.idles("web1", "");
    let mut stream = host.spawn_minirun(["stats", "--format", "{{.Name}}"]);
    stream.read_until("web1\n");
    host.idles("web2", "");
    stream.read_until("web2\nweb1\n");
    host.removes("web1");
    stream.read_until("web2\nweb2\n");
    stream.signal(Signal::SIGINT);
    assert_eq!(stream.finish().code(), None);
    host.removes("web2");
    host.finish();
}

#[test]
fn the_stream_of_named_containers_ends_with_the_last_of_them() {
    let host = TestHost::create();
    host.idles("web1", "");
    let mut stream = host.spawn_minirun(["stats", "--format", "{{.Name}}", "web1"]);
    stream.read_until("web1\n");
    host.removes("web1");
    stream.finish().succeeds();
    host.finish();
}

#[test]
fn on_a_terminal_it_is_redrawn_in_place() {
    let host = TestHost::create();
    host.idles("web1", "");
    let mut terminal = host.minirun_at_terminal(["stats", "--format", "{{.Name}}"]);
    let before = terminal.shows("\x1b[2J\x1b[Hweb1\x1b[K");
    assert_eq!(before, "");
    // However long it takes, a second time comes, and the screen is not cleared for that.
    let between = terminal.shows("\x1b[Hweb1");
    assert!(!between.contains("\x1b[2J"), "{between:?}");
    terminal.process().signal(Signal::SIGINT);
    terminal
        .finish()
        .is_killed_by(Signal::SIGINT as i32)
        .stdout_lacks("\x1b[2J");
    host.removes("web1");
    host.finish();
}
