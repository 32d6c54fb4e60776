//! A root file system with busybox in it, and a Spec that runs a command there.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use oci_spec::runtime::Spec;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::*;

const BUSYBOX: &str = "/usr/bin/busybox";
const APPLETS: [&str; 14] = [
    "cat", "chmod", "grep", "hostname", "id", "kill", "ls", "mknod", "pwd", "sh", "sleep", "stat",
    "touch", "true",
];

/// What Docker allows by default.
pub(super) const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// Belongs to the thread that made it, which is in the fixture's mount namespace for the rest of its life.
pub(super) struct Fixture {
    directory: TempDir,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let path = CString::new(self.directory.path().as_os_str().as_bytes()).expect("a path");
        // SAFETY: the pointer names a C string; only this thread's namespace has the mount.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

impl Fixture {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // SAFETY: unshare touches no memory of ours.
        Errno::result(unsafe { libc::unshare(libc::CLONE_NEWNS) })
            .expect("a mount namespace, for which the tests must run as root");
        let flags = libc::MS_PRIVATE | libc::MS_REC;
        system_call::mount(c"none", c"/", c"", (flags, None)).expect("private mounts");
        let path = CString::new(directory.path().as_os_str().as_bytes()).expect("a path");
        system_call::mount(c"tmpfs", &path, c"tmpfs", (0, None)).expect("a tmpfs");
        let fixture = Self { directory };
        for name in [
            "layer/bin",
            "layer/etc",
            "upper",
            "work",
            "merged",
            "outside",
        ] {
            fs::create_dir_all(fixture.path(name)).expect("a directory");
        }
        fs::copy(BUSYBOX, fixture.path("layer/bin/busybox")).expect("busybox is installed");
        for applet in APPLETS {
            symlink("busybox", fixture.path("layer/bin").join(applet)).expect("a link");
        }
        fixture
    }

    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A word that is in the name of every path of this fixture and of no other.
    pub(super) fn directory_name(&self) -> String {
        let name = self.directory.path().file_name().expect("a name");
        name.to_string_lossy().into_owned()
    }

    pub(super) fn root(&self) -> OverlayRoot {
        OverlayRoot {
            layers: vec![self.path("layer")],
            upper: self.path("upper"),
            work: self.path("work"),
            merged: self.path("merged"),
        }
    }

    /// A cgroup directory of version 2 that no other test uses, mounted in this namespace only.
    pub(super) fn cgroup(&self) -> TestCgroup {
        let mount_point = self.path("cgroup");
        fs::create_dir(&mount_point).expect("a directory");
        let path = CString::new(mount_point.as_os_str().as_bytes()).expect("a path");
        system_call::mount(c"cgroup2", &path, c"cgroup2", (0, None)).expect("a cgroup2 mount");
        let name = format!("minirun-test-{}", self.directory_name().trim_matches('.'));
        let directory = mount_point.join(name);
        fs::create_dir(&directory).expect("a cgroup");
        TestCgroup { directory }
    }

    pub(super) fn spawn(
        &self,
        spec: &Value,
    ) -> Result<(HeldProcess, io::PipeReader), ProcessError> {
        self.spawn_plan(&self.plan(spec)?)
    }

    pub(super) fn plan(&self, spec: &Value) -> Result<InitPlan, ProcessError> {
        let spec: Spec = serde_json::from_value(spec.clone()).expect("a Spec");
        InitPlan::prepare(
            (&spec, None),
            &self.root(),
            (FirstProcess::Program, NewInterfaces::AsUsual),
            Path::new("/nowhere"),
        )
    }

    pub(super) fn spawn_plan(
        &self,
        plan: &InitPlan,
    ) -> Result<(HeldProcess, io::PipeReader), ProcessError> {
        let (output, input) = io::pipe().expect("a pipe");
        let nothing = File::open("/dev/null").expect("/dev/null");
        let stdio = stdio(&nothing, &input);
        Ok((spawn(plan, stdio, (None, None))?, output))
    }

    pub(super) fn start(
        &self,
        spec: &Value,
    ) -> Result<(RunningProcess, io::PipeReader), ProcessError> {
        let (held, output) = self.spawn(spec)?;
        Ok((held.release()?, output))
    }

    /// Runs a container to its end; returns how it ended, and what it wrote without the last line end.
    pub(super) fn run(&self, spec: &Value) -> Result<(Exit, String), ProcessError> {
        let (process, output) = self.start(spec)?;
        let text = read_all(output);
        Ok((process.wait()?, text))
    }

    /// Runs a script that must succeed, and returns what it wrote.
    pub(super) fn script(&self, script: &str) -> String {
        let (exit, text) = self.run(&spec_of_script(script)).expect("it runs");
        assert_eq!(exit, Exit::Code(0), "{text}");
        text
    }
}

/// A cgroup that goes away with the value.
pub(super) struct TestCgroup {
    pub(super) directory: PathBuf,
}

impl Drop for TestCgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}

pub(super) fn stdio<'a>(stdin: &'a File, output: &'a io::PipeWriter) -> ChildStdio<'a> {
    ChildStdio {
        stdin: stdin.as_fd(),
        stdout: output.as_fd(),
        stderr: output.as_fd(),
    }
}

pub(super) fn read_all(mut output: io::PipeReader) -> String {
    let mut text = String::new();
    output.read_to_string(&mut text).expect("readable output");
    text.trim_end().to_owned()
}

pub(super) fn spec_of_script(script: &str) -> Value {
    spec_of(&["sh", "-c", script])
}

/// A Spec as the runtime makes them, that runs these words as root.
pub(super) fn spec_of(arguments: &[&str]) -> Value {
    json!({
        "ociVersion": "1.2.0",
        "root": { "path": "merged", "readonly": false },
        "hostname": "fixture",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": arguments,
            "env": ["PATH=/usr/bin:/bin"],
            "cwd": "/",
            "capabilities": {
                "bounding": CAPABILITIES, "effective": CAPABILITIES, "permitted": CAPABILITIES,
            },
        },
        "mounts": [
            mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", &["nosuid", "nodev", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
            mount("/sys/fs/cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
            mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
            mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
        ],
        "linux": {
            "namespaces": [
                { "type": "mount" }, { "type": "pid" }, { "type": "uts" },
                { "type": "ipc" }, { "type": "cgroup" }, { "type": "network" },
            ],
            "maskedPaths": ["/proc/kcore", "/proc/acpi", "/proc/timer_list", "/proc/missing", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/proc/missing"],
        },
    })
}

fn mount(destination: &str, kind: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": kind, "source": kind, "options": options })
}

/// A mount entry that shows a path of the host.
pub(super) fn bind(source: &Path, destination: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": "bind", "source": source, "options": options })
}

pub(super) fn add_mount(spec: &mut Value, mount: Value) {
    let mounts = spec["mounts"].as_array_mut().expect("a list of mounts");
    mounts.push(mount);
}
