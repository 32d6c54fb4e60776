//! What README.md and the files in docs/ show is true: every command is run, in order, and prints what stands below it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use minirun_integration::TestHost;
use minirun_integration::console::{self, Exchange};
use minirun_integration::probe::LONG_WAIT;

fn text_of(document: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(document);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// Runs one command as a reader would, in the directory where the archive is, and compares what it prints.
#[track_caller]
fn holds((host, directory): (&TestHost, &str), document: &str, exchange: &Exchange) {
    let script = format!("cd {directory}; exec 2>&1; {}", exchange.command);
    let finished = host.command("sh", ["-c", &script]);
    let printed: Vec<_> = finished.stdout().lines().collect();
    assert!(
        console::matches(&exchange.expected, &printed),
        "{document}:{}\n$ {}\n---- expected\n{}\n---- printed (exit code {:?})\n{}",
        exchange.line,
        exchange.command,
        exchange.expected.join("\n"),
        finished.code(),
        finished.stdout()
    );
}

/// A reader takes longer to type the next command than anything takes that goes on behind the last one; this test waits for it
/// instead.
fn wait_until_ready(host: &TestHost, exchange: &Exchange) {
    wait_for_leaving(host);
    wait_for_servers(host);
    // A program that is going to be told to end says first that it listens to that.
    if exchange.command.contains("echo begun") {
        host.container("phoenix").awaits_log("begun");
    }
}

/// A container that removes itself is not listed any more when its command ends, but its monitor takes away its rules, and last
/// its directory, only then.
fn wait_for_leaving(host: &TestHost) {
    let directories = || {
        let found = host.inside(|| fs::read_dir("/var/lib/minirun/containers").ok());
        found.into_iter().flatten().count()
    };
    let listed = || host.minirun("ps -aq").succeeds().stdout().lines().count();
    let deadline = Instant::now() + LONG_WAIT;
    while directories() != listed() {
        assert!(
            Instant::now() < deadline,
            "a container should have removed itself"
        );
        std::thread::yield_now();
    }
}

/// Their containers run already, but they may not listen yet.
fn wait_for_servers(host: &TestHost) {
    let containers = host.minirun("ps --format json").succeeds();
    for line in containers.stdout().lines() {
        let container: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let text = |key: &str| container[key].as_str().unwrap_or_default().to_owned();
        if text("Command").contains("httpd -p 80") {
            let server = host.container(&text("Names"));
            server.awaits_tcp(80);
            server.awaits_log("listening on");
        }
    }
}

/// Runs everything in a document on a host of its own, at the end of which nothing may be left.
fn is_true(document: &str) {
    let exchanges = console::exchanges(&text_of(document))
        .unwrap_or_else(|problem| panic!("{document}: {problem}"));
    assert!(
        !exchanges.is_empty(),
        "{document} should have blocks of the kind `console`"
    );
    let host = TestHost::create();
    // A reader's name servers know at once that they do not know a name; those of this host would be silent.
    host.write_file("/etc/resolv.conf", "");
    let directory = host.makes_busybox_root();
    for exchange in &exchanges {
        holds((&host, &directory), document, exchange);
        wait_until_ready(&host, exchange);
    }
    host.finish();
}

#[test]
fn the_tour_does_what_it_says() {
    is_true("README.md");
}

#[test]
fn the_networking_reference_does_what_it_says() {
    is_true("docs/networking.md");
}

#[test]
fn the_container_reference_does_what_it_says() {
    is_true("docs/containers.md");
}

#[test]
fn the_sandbox_reference_does_what_it_says() {
    is_true("docs/sandboxes.md");
}

#[test]
fn the_performance_reference_does_what_it_says() {
    is_true("docs/performance.md");
}
