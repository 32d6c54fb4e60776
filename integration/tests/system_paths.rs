//! /proc, /sys and /dev of a container, under attack: by images, volumes and directories of the host that have something else where the
//! runtime writes, hides or protects.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use minirun_integration::{Finished, TestHost};

/// A host with a file that no container is to see or change, and a directory `/run/dev` for `-v /run/dev:/dev`.
fn host() -> TestHost {
    let host = TestHost::with_busybox();
    host.write_file("/run/secret", "of the host\n");
    host.inside(|| fs::create_dir("/run/dev").expect("a directory"));
    host
}

#[track_caller]
fn finish(host: TestHost) {
    assert_eq!(host.read_file("/run/secret"), "of the host\n");
    host.finish();
}

/// Runs a line of shell in a container whose /dev is the host's directory.
fn on_dev(host: &TestHost, options: &str, script: &str) -> Finished {
    host.in_busybox(&format!("-v /run/dev:/dev {options}"), script)
}

/// CVE-2023-27561, CVE-2023-28642: /proc and /sys of the image were links, so nothing of the real ones was protected.
#[test]
fn proc_and_sys_are_never_links() {
    let host = host();
    let root = format!("{}/root", host.makes_busybox_root());
    for name in ["proc", "sys"] {
        let place = Path::new(&root).join(name);
        host.inside(|| {
            fs::create_dir_all(Path::new(&root).join("tmp/elsewhere")).expect("a directory");
            fs::remove_dir(&place).expect("it was empty");
            symlink("/tmp/elsewhere", &place).expect("a link");
        });
        host.minirun(["import", &root, "evil"]).succeeds();
        host.minirun("run --rm evil true")
            .fails_with(125)
            .stderr_contains(&format!("`/{name}`"));
        host.inside(|| {
            fs::remove_file(&place).expect("the link");
            fs::create_dir(&place).expect("a directory");
        });
    }
    finish(host);
}

/// CVE-2019-16884, CVE-2023-28642, CVE-2025-52881: what lies over /proc receives what the runtime writes there, such as the
/// profile of AppArmor, or gives it the name of another file.
#[test]
fn nothing_can_be_mounted_over_proc() {
    let host = host();
    for destination in [
        "/proc",
        "/proc/self",
        "/proc/self/attr",
        "/proc/self/attr/exec",
        "/proc/thread-self/attr/apparmor/exec",
        "/proc/sys",
        "/proc/sys/kernel/core_pattern",
        "/proc/1",
        "/tmp/../proc",
    ] {
        for option in ["-v /run/dev:", "-v vol:", "--tmpfs "] {
            host.minirun(format!("run --rm {option}{destination} busybox true"))
                .fails_with(125)
                .stderr_contains("/proc");
        }
    }
    let archive = format!("{}/rootfs.tar", host.makes_busybox_root());
    let import = ["import", "-c", "VOLUME /proc", &archive, "evil"];
    // An image that asks for it is refused, now or when a container is to be made of it.
    if host.minirun(import).code() == Some(0) {
        host.minirun("run --rm evil true").fails_with(125);
    }
    host.minirun("volume ls -q").succeeds().stdout_is("");
    finish(host);
}

/// CVE-2025-31133: what hides a file was taken from the container's own /dev/null, which was a link to a file that it wanted to write.
#[test]
fn what_hides_a_file_is_the_real_null_device() {
    let host = host();
    let null = Path::new("/run/dev/null");
    let secret = "cat /proc/kcore /proc/keys /proc/interrupts /proc/timer_list 2>/dev/zero";
    for target in [
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/tmp",
    ] {
        host.inside(|| symlink(target, null).expect("a link"));
        on_dev(&host, "", secret).fails_with(125).stdout_is("");
        host.inside(|| fs::remove_file(null).expect("the link"));
    }
    host.write_file("/run/dev/null", "a file");
    on_dev(&host, "", secret).fails_with(125).stdout_is("");
    for (kind, number) in [("c", "1 5"), ("b", "1 3"), ("c", "1 8"), ("p", "")] {
        host.command(
            "sh",
            [
                "-c",
                &format!("rm /run/dev/null; mknod /run/dev/null {kind} {number}"),
            ],
        )
        .succeeds();
        on_dev(&host, "", secret).fails_with(125).stdout_is("");
    }
    host.command("sh", ["-c", "rm /run/dev/null; mknod /run/dev/null c 1 3"])
        .succeeds();
    on_dev(&host, "", secret).stdout_is("");
    finish(host);
}

/// CVE-2025-52565: the console was mounted over whatever /dev/console was, before anything was protected.
#[test]
fn the_console_lies_at_its_own_place_only() {
    let host = host();
    host.command(
        "sh",
        ["-c", "mknod /run/dev/null c 1 3; mkdir /run/dev/pts"],
    )
    .succeeds();
    let console = Path::new("/run/dev/console");
    for target in [
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/etc/passwd",
        "../../secret",
    ] {
        host.inside(|| symlink(target, console).expect("a link"));
        let arguments = "run --rm -t -v /run/dev:/dev busybox cat /proc/self/mountinfo";
        let finished = host.minirun_at_terminal(arguments).finish();
        assert_ne!(finished.code(), Some(0), "{target}");
        host.inside(|| fs::remove_file(console).expect("the link"));
    }
    let image = format!("{}/root", host.makes_busybox_root());
    host.inside(|| {
        symlink("/proc/sysrq-trigger", Path::new(&image).join("dev/console")).expect("a link");
    });
    host.minirun(["import", &image, "evil"]).succeeds();
    // /dev of the image is covered, and its links with it.
    let mounted = "run --rm -t evil sh -c";
    let mut words: Vec<&str> = mounted.split_whitespace().collect();
    words.push(
        "grep -c -e ' /proc/sysrq-trigger .*devpts' /proc/self/mountinfo; stat -c %F /dev/console",
    );
    let finished = host.minirun_at_terminal(words.as_slice()).finish();
    let lines: Vec<&str> = finished.stdout().lines().map(str::trim).collect();
    assert_eq!(lines, ["0", "character special file"]);
    finish(host);
}

/// What tells of other containers and of the machine as a whole: the newest of Docker's list.
#[test]
fn what_tells_of_others_is_hidden() {
    let host = host();
    let script = "for path in /proc/interrupts /proc/keys /proc/kcore /proc/timer_list /proc/sched_debug; do \
            [ ! -e $path ] || [ \"$(stat -c %t:%T $path)\" = 1:3 ] || echo $path; \
        done; \
        for path in /sys/firmware /sys/devices/virtual/powercap /sys/devices/system/cpu/cpu*/thermal_throttle; do \
            [ ! -d $path ] || [ -z \"$(ls -A $path)\" ] || echo $path; \
        done";
    host.in_busybox("", script).succeeds().stdout_is("");
    finish(host);
}
