//! Mounts that the host makes after a container has started, and what they let into it.

use std::fs;

use minirun_integration::{Container, TestHost};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

const CAP_MKNOD: u64 = 1 << 27;

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// Mounts a tmpfs on the host.
fn mounts_tmpfs(host: &TestHost, point: &str) {
    host.command("mkdir", ["-p", point]).succeeds();
    host.command("mount", ["-t", "tmpfs", "tmpfs", point])
        .succeeds();
}

/// Mounts a tmpfs in the mount namespace of a process; the calling thread stays there.
fn mounts_inside(pid: i32, target: &str) {
    let namespace = fs::File::open(format!("/proc/{pid}/ns/mnt")).unwrap();
    unshare(CloneFlags::CLONE_FS).unwrap();
    setns(&namespace, CloneFlags::CLONE_NEWNS).unwrap();
    let kind = Some("tmpfs");
    mount(kind, target, kind, MsFlags::empty(), None::<&str>).unwrap();
}

/// The capabilities that the container can ever have, as the kernel writes them.
fn bounding(container: &Container<'_>) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", container.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    u64::from_str_radix(line.expect("a line").trim(), 16).expect("a number")
}

#[test]
fn mounts_that_the_host_makes_later_come_in_where_that_is_asked_for() {
    let host = TestHost::create();
    mounts_tmpfs(&host, "/run/shared");
    host.command("mount", "--make-rshared /run/shared")
        .succeeds();
    host.command("mkdir", "/run/shared/later").succeeds();
    let private = host.idles("private", "-v /run/shared:/data");
    let slave = host.idles("slave", "-v /run/shared:/data:rslave");
    let shared = host.idles(
        "shared",
        "--mount type=bind,src=/run/shared,dst=/data,bind-propagation=rshared",
    );
    mounts_tmpfs(&host, "/run/shared/later");
    assert_eq!(private.mounted("/data/later"), None);
    assert_eq!(slave.mounted("/data").unwrap().propagation, ["master"]);
    assert!(slave.mounted("/data/later").is_some());
    assert_eq!(shared.mounted("/data").unwrap().propagation, ["shared"]);
    assert!(shared.mounted("/data/later").is_some());

    // The other way, as a program with more rights than a container's would do it.
    let mounted = |container: &Container<'_>, name: &str| {
        let pid = container.pid();
        host.command("mkdir", [format!("/run/shared/{name}").as_str()])
            .succeeds();
        let target = format!("/data/{name}");
        std::thread::spawn(move || mounts_inside(pid, &target))
            .join()
            .unwrap();
        let point = format!("/run/shared/{name}");
        let mounts = host.read_file("/proc/thread-self/mountinfo");
        mounts
            .lines()
            .any(|line| line.split(' ').nth(4) == Some(point.as_str()))
    };
    assert!(mounted(&shared, "out"), "it reaches the host");
    assert!(!mounted(&slave, "kept"), "it stays in the container");
    host.removes("private slave shared");
    host.finish();
}

#[test]
fn mounts_cannot_pass_a_private_mount_of_the_host() {
    let host = TestHost::create();
    mounts_tmpfs(&host, "/run/alone");
    host.command("mount", "--make-private /run/alone")
        .succeeds();
    for (word, hint) in [
        (
            "rslave",
            "share that mount first (`mount --make-rshared /run/alone`), or leave out `rslave`",
        ),
        (
            "shared",
            "share that mount first: `mount --make-rshared /run/alone`",
        ),
    ] {
        host.minirun(format!("run --rm -v /run/alone:/data:{word} demo true"))
            .fails_with(125)
            .stderr_is(&format!(
                "error: `/run/alone` cannot be mounted with `{word}`: it lies on a mount of the host (`/run/alone`) that is private\nhint: {hint}"
            ));
    }
    host.finish();
}

/// The control group guards the devices in them as well.
#[test]
fn a_container_that_mounts_come_into_can_open_no_other_devices_in_them() {
    let host = host_with_busybox();
    mounts_tmpfs(&host, "/run/shared");
    host.command("mount", "--make-rshared /run/shared")
        .succeeds();
    let usual = host.idles("usual", "-v /run/shared:/data");
    let slave = host.idles("slave", "-v /run/shared:/data:rslave");
    assert_ne!(bounding(&usual) & CAP_MKNOD, 0);
    assert_ne!(bounding(&slave) & CAP_MKNOD, 0);
    host.in_busybox(
        "-v /run/shared:/data:rslave",
        "mknod /data/null c 1 3 && echo x >/data/null && mknod /data/disk b 7 0 && cat /data/disk",
    )
    .fails_with(1)
    .stderr_is("cat: can't open '/data/disk': Operation not permitted");
    host.removes("usual slave");
    host.finish();
}
