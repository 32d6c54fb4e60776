//! What README.md and the files in docs/ show is true: every command is run, in order, and prints what stands below it.

use std::fs;
use std::path::Path;

use minirun_integration::TestHost;
use minirun_integration::console::{self, Exchange};

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

/// A reader takes longer to type the next command than a server takes to begin listening; this test waits for it instead.
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
        wait_for_servers(&host);
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
