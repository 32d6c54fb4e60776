//! Whatever happens to a container, its files and its volumes is told.

use minirun_integration::TestHost;
use minirun_integration::health::ONCE;

/// What was told of one kind of thing so far, oldest first, without what is the same in every run of a container.
fn told(host: &TestHost, kind: &str) -> Vec<String> {
    let words =
        format!("events --since 1h --until 0s --filter type={kind} --format {{{{.Action}}}}");
    let events = host.minirun(words).succeeds();
    events.stdout().lines().map(str::to_owned).collect()
}

#[test]
fn what_is_done_to_a_running_container_is_told_in_order() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name box -v data:/data busybox sleep 1000")
        .succeeds();
    for words in [
        "pause box",
        "unpause box",
        "update --restart on-failure box",
        "cp box:/etc/passwd /run/passwd",
        "cp /run/passwd box:/data/passwd",
        "export -o /run/box.tar box",
        "commit --pause=false box kept",
        "rename box crate",
        "kill --signal TERM crate",
        "stop --time 0 crate",
        "rm crate",
        "volume rm data",
        "rmi kept",
    ] {
        host.minirun(words).succeeds();
    }
    assert_eq!(
        told(&host, "container"),
        [
            "create", "start", "pause", "unpause", "update", "copy", "copy", "export", "commit",
            "rename", "kill", "kill", "kill", "die", "stop", "destroy"
        ]
    );
    assert_eq!(
        told(&host, "volume"),
        ["create", "mount", "unmount", "destroy"]
    );
    host.finish();
}

#[test]
fn health_and_executed_programs_are_told() {
    let host = TestHost::with_busybox();
    // Further checks would fail while the container dies, and three of them would be told.
    host.checks("box", (ONCE, "true"));
    host.spawn_minirun("events --since 1h --format {{.Action}}")
        .read_until("health_status: healthy");
    host.minirun("exec box true").succeeds();
    host.removes("box");
    let told = told(&host, "container");
    let words: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(
        words,
        [
            "create",
            "start",
            "health_status: healthy",
            "exec_create: true",
            "exec_start: true",
            "exec_die",
            "kill",
            "die",
            "destroy"
        ]
    );
    host.finish();
}
