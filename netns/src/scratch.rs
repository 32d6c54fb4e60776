//! Fresh namespaces for tests, so that no test touches the machine's own network.

use std::panic::resume_unwind;

use nix::sched::{CloneFlags, unshare};

use crate::namespace::Namespace;

/// Runs a test body on a thread of its own in a network namespace of its own; both are gone afterwards.
pub(crate) fn in_fresh_namespace<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("tests run as root");
            body()
        });
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A network namespace that nobody is in; it lives as long as the value.
pub(crate) fn fresh_namespace() -> Namespace {
    in_fresh_namespace(|| Namespace::current().expect("/proc is mounted"))
}

/// Runs commands with the shell in the network namespace of the calling thread, and gives what they print.
pub(crate) fn shell(commands: &str) -> String {
    let output = std::process::Command::new("sh")
        .args(["-euc", commands])
        .output()
        .expect("there is a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}\n{errors}");
    String::from_utf8(output.stdout).expect("commands print text")
}
