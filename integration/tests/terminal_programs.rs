//! Terminals through programs that people use: `tmux`, `script`, and an editor that draws the whole screen.

use minirun_integration::{Finished, TestHost};
use std::time::{Duration, Instant};

/// How long something may take to be shown; far beyond what anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// A session of tmux with one window of 25 rows and 90 columns, in which this line of shell runs.
struct Tmux<'host>(&'host TestHost);

impl<'host> Tmux<'host> {
    #[track_caller]
    fn begin(host: &'host TestHost, line: &str) -> Self {
        let tmux = Self(host);
        tmux.does(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "90",
            "-y",
            "25",
            line,
        ]);
        tmux
    }

    #[track_caller]
    fn does(&self, words: &[&str]) -> Finished {
        let all = [&["-S", "/run/tmux"][..], words].concat();
        self.0.command("tmux", all.as_slice()).succeeds()
    }

    /// Waits until the window shows this.
    #[track_caller]
    fn shows(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.does(&["capture-pane", "-p"]);
            if screen.stdout().contains(text) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the window does not show `{text}`:\n{}",
                screen.stdout()
            );
        }
    }

    #[track_caller]
    fn types(&self, keys: &[&str]) {
        self.does(&[&["send-keys"][..], keys].concat());
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let end = ["-S", "/run/tmux", "kill-server"];
        let _ = self.0.command("tmux", end);
    }
}

#[test]
fn a_shell_and_an_editor_work_in_tmux_and_follow_its_window() {
    let host = host();
    let line = "minirun run --name web1 -it busybox sh; echo code $?; stty -a; exec sleep 1000";
    let tmux = Tmux::begin(&host, line);
    tmux.shows("/ #");
    tmux.types(&["stty size", "Enter"]);
    // What is typed before the prompt is there may mix with the terminal's answer to where its cursor is.
    tmux.shows("25 90\n/ #");
    tmux.does(&["resize-window", "-x", "70", "-y", "20"]);
    // Keys may overtake the news of the window, so the program asks until it has come.
    let ask = "clear; until stty size | grep ^20; do :; done";
    tmux.types(&[ask, "Enter"]);
    tmux.shows("20 70\n/ #");
    tmux.types(&["vi /tmp/letter", "Enter"]);
    tmux.shows("- /tmp/letter 1/1 100%");
    tmux.types(&["ihello"]);
    tmux.shows("hello\n~");
    tmux.types(&["Escape"]);
    tmux.shows("- /tmp/letter [Modified]");
    tmux.types(&[":wq", "Enter"]);
    tmux.shows("/ #");
    tmux.types(&["clear; cat /tmp/letter; echo $((40 + 2))", "Enter"]);
    tmux.shows("hello\n42");
    tmux.types(&["C-p", "C-q"]);
    tmux.shows("code 0");
    tmux.shows(" icanon");
    assert_eq!(host.container("web1").status(), "running");
    drop(tmux);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_window_that_is_closed_tells_the_program_that_was_run_in_it() {
    let host = host();
    let script = "trap 'exit 1' HUP; echo ready; while :; do sleep 1000 & wait; done";
    let line = format!("exec minirun run --rm --name web1 -it busybox sh -c \"{script}\"");
    let tmux = Tmux::begin(&host, &line);
    tmux.shows("ready");
    let program = host.container("web1").process();
    drop(tmux);
    assert!(program.ends_within(PATIENCE));
    host.finish();
}

#[test]
fn a_session_can_be_recorded_with_script() {
    let host = host();
    let words = ["-qec", "minirun run --rm -it busybox sh", "/run/record"];
    let recorded = host
        .place()
        .program("script", words)
        .input("tty; echo $((40 + 2)); exit 4\n")
        .run();
    recorded
        .fails_with(4)
        .stdout_contains("/dev/pts/0\r\n42\r\n");
    let record = host.read_file("/run/record");
    assert!(record.contains("/dev/pts/0\r\n42\r\n"), "{record}");
    host.finish();
}
