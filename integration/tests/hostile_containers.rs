//! Containers whose root does what it can to stay, to fill the host, or to act on the terminal of who looks at it.

use std::fs;

use minirun_integration::TestHost;
use minirun_integration::health::ONCE;

/// A program names itself, and `/proc/PID/stat` shows the name as it is.
#[test]
fn a_program_whose_name_is_no_text_can_be_entered_paused_copied_from_and_stopped() {
    let host = TestHost::with_busybox();
    let script = r#"printf '\377) S 1' >/proc/1/comm; echo ready; while :; do sleep 1000; done"#;
    host.runs_script("web1", "", script);
    let container = host.container("web1");
    container.awaits_log("ready\n");
    let stat = fs::read(format!("/proc/{}/stat", container.pid())).expect("it runs");
    assert!(std::str::from_utf8(&stat).is_err());
    host.minirun("exec web1 echo hi").succeeds().stdout_is("hi");
    host.minirun("cp web1:/etc/hostname -").succeeds();
    host.minirun("pause web1").succeeds();
    host.minirun("unpause web1").succeeds();
    host.minirun("stop -t 0 web1").succeeds();
    assert_eq!(container.status(), "exited");
    host.removes("web1");
    host.finish();
}

/// U+009B begins an escape sequence in many terminals, and JSON lets it stand; `inspect` shows what a health check writes.
#[test]
fn what_a_container_says_does_not_act_on_a_terminal_through_json() {
    let host = TestHost::with_busybox();
    let check = r"printf '\302\2332J\177\342\200\256'";
    let container = host.checks("web1", (ONCE, check));
    assert_eq!(
        container.only_health_result(),
        (0, "\u{9b}2J\u{7f}\u{202e}".to_owned())
    );
    host.minirun("inspect web1")
        .succeeds()
        .stdout_contains(r#""\u009b2J\u007f\u202e""#);
    host.removes("web1");
    host.finish();
}

/// Neither descriptors nor the stack are to limit what can be removed: a container moves trees into trees.
#[test]
fn trees_deeper_than_any_path_are_removed_with_their_container_and_volume() {
    let host = TestHost::with_busybox();
    let script = r#"
        part=; for level in $(seq 1000); do part=$part/d; done
        for place in /deep /volume/deep; do
            mkdir $place
            for round in $(seq 30); do
                mkdir -p $place-new$part && mv $place $place-new$part/x && mv $place-new $place || exit 1
            done
        done"#;
    host.minirun([
        "run",
        "--name",
        "web1",
        "-v",
        "db:/volume",
        "busybox",
        "sh",
        "-c",
        script,
    ])
    .succeeds();
    host.minirun("rm web1").succeeds();
    host.minirun("volume rm db").succeeds().stdout_is("db");
    let left = "ls -A /var/lib/minirun/containers /var/lib/minirun/volumes";
    host.command("sh", ["-c", left])
        .succeeds()
        .stdout_lacks("deep");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}
