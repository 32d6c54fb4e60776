//! The files of a test host: the machine's own, with everything that minirun or its tools write to replaced.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::mount::{MsFlags, mount};

use crate::binary;

/// Where the harness keeps what it needs inside a host; part of the host's `/run`, so it dies with the host.
pub const HARNESS_DIRECTORY: &str = "/run/test-host";

/// Where the program under test, and the demo image's `wget`, are found by name.
pub const PROGRAM_DIRECTORY: &str = "/run/test-host/bin";

/// Where the whole hierarchies of the machine's controllers are, for who removes what is left of a host in them.
pub const CONTROLLER_DIRECTORY: &str = "/run/test-host/controllers";

/// Names the directory, on a disk and not below `/run`, that holds what hosts have in `/var/lib`; it is thrown away with the machine.
const DISK_VARIABLE: &str = "MINIRUN_TEST_DISK";

/// How many hosts have files on that disk, so that each has a place of its own.
static HOSTS: AtomicU32 = AtomicU32::new(0);

/// Makes the calling thread's new mount namespace the host's: own `/run`, `/var/lib`, `/etc` (a layer over the machine's) and `/sys`.
pub fn furnish() {
    attach(None, "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None);
    attach(
        Some("tmpfs"),
        "/run",
        Some("tmpfs"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        Some("mode=755"),
    );
    furnish_var_lib();
    for part in ["bin", "etc", "work", "cgroup"] {
        make_directory(&format!("{HARNESS_DIRECTORY}/{part}"));
    }
    lay_over_etc();
    // Where the kernel has AppArmor, a host shows its policy, as every system does.
    let confines = fs::read_to_string("/sys/module/apparmor/parameters/enabled")
        .is_ok_and(|text| text.trim() == "Y");
    // A new sysfs shows the network devices of the namespace that mounted it.
    attach(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), None);
    if confines {
        attach_plain("securityfs", "/sys/kernel/security");
    }
    place_programs();
}

/// Devices must work below `/var/lib`, where the root file systems of containers are.
///
/// Files in memory have no idmapped mounts before Linux 6.3, so a machine with an older kernel may name a disk that has.
fn furnish_var_lib() {
    let Some(disk) = env::var_os(DISK_VARIABLE) else {
        return attach(
            Some("tmpfs"),
            "/var/lib",
            Some("tmpfs"),
            MsFlags::MS_NOSUID,
            Some("mode=755"),
        );
    };
    let number = HOSTS.fetch_add(1, Ordering::Relaxed);
    let directory = Path::new(&disk).join(format!("{}-{number}", process::id()));
    fs::create_dir(&directory)
        .unwrap_or_else(|error| panic!("cannot make `{}`: {error}", directory.display()));
    bind(&directory, "/var/lib");
}

/// Bind-mounts `source` on `target` within the calling thread's mount namespace.
pub fn bind(source: &Path, target: &str) {
    mount(
        Some(source),
        target,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .unwrap_or_else(|error| panic!("cannot bind `{}` on `{target}`: {error}", source.display()));
}

/// Mounts a file system of the given kind, without options.
pub fn attach_plain(kind: &str, target: &str) {
    attach(Some(kind), target, Some(kind), MsFlags::empty(), None);
}

/// Mounts a file system of the given kind with options.
pub fn attach_with(kind: &str, target: &str, options: &str) {
    attach(
        Some(kind),
        target,
        Some(kind),
        MsFlags::empty(),
        Some(options),
    );
}

fn attach(
    source: Option<&str>,
    target: &str,
    kind: Option<&str>,
    flags: MsFlags,
    data: Option<&str>,
) {
    mount(source, target, kind, flags, data).unwrap_or_else(|error| {
        panic!(
            "cannot mount {} on `{target}`: {error}",
            kind.unwrap_or("privately")
        )
    });
}

/// Makes a directory and those above it.
pub fn make_directory(path: &str) {
    fs::create_dir_all(path).unwrap_or_else(|error| panic!("cannot make `{path}`: {error}"));
}

/// The names that a host resolves must not depend on the machine, so its two name files are its own.
fn lay_over_etc() {
    let layers =
        format!("lowerdir=/etc,upperdir={HARNESS_DIRECTORY}/etc,workdir={HARNESS_DIRECTORY}/work");
    attach(
        Some("overlay"),
        "/etc",
        Some("overlay"),
        MsFlags::empty(),
        Some(&layers),
    );
    for (path, text) in [
        ("/etc/resolv.conf", "nameserver 192.0.2.53\n"),
        ("/etc/hosts", "127.0.0.1\tlocalhost\n"),
    ] {
        // Where it is a symbolic link, writing through it would end in a directory that the host does not have.
        fs::remove_file(path).ok();
        fs::write(path, text).unwrap_or_else(|error| panic!("cannot write `{path}`: {error}"));
    }
    // A configuration of the machine's own minirun must not be seen.
    fs::remove_dir_all("/etc/minirun").ok();
    make_directory("/etc/minirun");
}

/// Tests of the harness itself need no program, so a missing one is complained about only when it is run.
fn place_programs() {
    let Some(program) = binary::find() else {
        return;
    };
    let target = format!("{PROGRAM_DIRECTORY}/minirun");
    fs::File::create(&target).unwrap_or_else(|error| panic!("cannot make `{target}`: {error}"));
    bind(&program, &target);
    // The program plays wget under that name; hosts and neighbours without a wget use it for requests that people can read.
    symlink("minirun", format!("{PROGRAM_DIRECTORY}/wget")).expect("cannot name the guest program");
}
