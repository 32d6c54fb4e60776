//! The tour in README.md is true: every command in it is run, in order, and prints what stands below it.

use std::fs;
use std::path::Path;

use minirun_integration::TestHost;
use minirun_integration::console::{self, Exchange};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
}

/// Runs one command as a reader would, in the directory where the archive is, and compares what it prints.
#[track_caller]
fn holds(host: &TestHost, directory: &str, exchange: &Exchange) {
    let script = format!("cd {directory}; exec 2>&1; {}", exchange.command);
    let finished = host.command("sh", ["-c", &script]);
    let printed: Vec<_> = finished.stdout().lines().collect();
    assert!(
        console::matches(&exchange.expected, &printed),
        "README.md:{}\n$ {}\n---- expected\n{}\n---- printed (exit code {:?})\n{}",
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

#[test]
fn the_tour_does_what_it_says() {
    let exchanges = console::exchanges(&readme()).expect("the blocks of README.md are well formed");
    assert!(
        !exchanges.is_empty(),
        "README.md should have blocks of the kind `console`"
    );
    let host = TestHost::create();
    let directory = host.makes_busybox_root();
    for exchange in &exchanges {
        holds(&host, &directory, exchange);
        wait_for_servers(&host);
    }
    host.finish();
}
