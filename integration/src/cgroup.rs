//! The control group that holds everything a test host runs.
//!
//! The host sees it as its whole `/sys/fs/cgroup`, so containers land below it by themselves; the commands that the harness starts,
//! and the monitors those leave behind, are put into its child `commands`. That makes three questions exact which a scan of
//! `/proc` would only guess at: what is still running, when the last of it has ended, and how to kill all of it.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::mount::{MntFlags, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::controllers::{ControlGroups, OldGroups, collect, delegate};
use crate::filesystem;

const MOUNT_POINT: &str = "/sys/fs/cgroup";
const COMMANDS: &str = "commands";

/// A control group (version 2) named after this process and a number.
#[derive(Debug)]
pub struct HostCgroup {
    name: String,
    parent: OwnedFd,
    directory: OwnedFd,
    commands: OwnedFd,
    old: OldGroups,
}

impl HostCgroup {
    /// Makes the control group and shows it below `/sys/fs/cgroup` of the calling thread's mount namespace.
    pub fn create(kind: ControlGroups) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "minirun-test-{}-{}",
            process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let all = format!("{}/cgroup", filesystem::HARNESS_DIRECTORY);
        filesystem::attach_plain("cgroup2", &all);
        let own = Path::new(&all).join(&name);
        fs::create_dir(&own)
            .unwrap_or_else(|error| panic!("cannot make the control group `{name}`: {error}"));
        let old = show(kind, &own);
        fs::create_dir(own.join(COMMANDS)).expect("cannot make the control group of the commands");
        let open = |path: &Path| -> OwnedFd {
            File::open(path)
                .expect("the control group was just made")
                .into()
        };
        let cgroup = Self {
            name,
            parent: open(Path::new(&all)),
            directory: open(&own),
            commands: File::options()
                .write(true)
                .open(own.join(COMMANDS).join("cgroup.procs"))
                .expect("the control group was just made")
                .into(),
            old,
        };
        umount2(all.as_str(), MntFlags::MNT_DETACH)
            .expect("cannot detach the machine's control groups");
        cgroup
    }

    /// The list to which a process writes `0` to join the commands of this host.
    pub fn commands(&self) -> &OwnedFd {
        &self.commands
    }

    /// Its name within [`HostCgroup::parent`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory that it lies in, which the host itself cannot see.
    pub fn parent(&self) -> &OwnedFd {
        &self.parent
    }

    /// Every process (not threads) in this control group or below it.
    pub fn processes(&self) -> Vec<i32> {
        let list = |directory: &PathBuf| {
            fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default()
        };
        let mut directories = self.below();
        directories.push(self.path());
        directories
            .iter()
            .flat_map(|directory| {
                list(directory)
                    .lines()
                    .filter_map(|line| line.parse().ok())
                    // One that has just ended has no number any more, and 0 would mean whoever asks.
                    .filter(|pid| *pid != 0)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Paths, relative to this control group and deepest first, of those that programs made in it.
    pub fn made_by_programs(&self) -> Vec<PathBuf> {
        let top = self.path();
        let relative = |path: PathBuf| {
            path.strip_prefix(&top)
                .map(Path::to_path_buf)
                .unwrap_or(path)
        };
        self.below()
            .into_iter()
            .map(relative)
            .filter(|path| path != Path::new(COMMANDS))
            .chain(self.old.made_by_programs())
            .collect()
    }

    /// Kills every process in this control group; they may take a moment to be gone.
    pub fn kill(&self) {
        // A control group that is already gone has nothing to be killed.
        fs::write(self.path().join("cgroup.kill"), "1").ok();
        self.old.thaw();
    }

    /// Waits until no process is left in it. Says whether that happened within `patience`.
    pub fn wait_until_empty(&self, patience: Duration) -> bool {
        let Ok(mut events) = File::open(self.path().join("cgroup.events")) else {
            return true;
        };
        let milliseconds = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        loop {
            let mut text = String::new();
            if events
                .rewind()
                .and_then(|()| events.read_to_string(&mut text))
                .is_err()
                || text.contains("populated 0")
            {
                return true;
            }
            // The kernel raises the priority event on this file whenever its text has changed since it was read.
            let mut waiting = [PollFd::new(events.as_fd(), PollFlags::POLLPRI)];
            match poll(&mut waiting, milliseconds) {
                Ok(0) => return false,
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(error) => panic!("cannot wait for the control group: {error}"),
            }
        }
    }

    /// Removes it with everything below. It must be empty.
    pub fn remove(&self) {
        for directory in self.below() {
            fs::remove_dir(directory).ok();
        }
        self.old.remove();
        unlinkat(&self.parent, self.name.as_str(), UnlinkatFlags::RemoveDir).ok();
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.directory.as_raw_fd()))
    }

    fn below(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.path(), &mut found);
        found
    }
}

/// Shows the group `own`, and those of the controllers, as a host of that kind does.
fn show(kind: ControlGroups, own: &Path) -> OldGroups {
    let name = own.file_name().unwrap_or_default().to_string_lossy();
    if kind == ControlGroups::Unified || !OldGroups::are_there() {
        assert!(
            kind != ControlGroups::Old,
            "this machine has no control groups of version 1"
        );
        if kind == ControlGroups::WithControllers {
            own.parent().into_iter().for_each(delegate);
        }
        filesystem::bind(own, MOUNT_POINT);
        return OldGroups::default();
    }
    filesystem::attach_plain("tmpfs", MOUNT_POINT);
    if kind == ControlGroups::WithControllers {
        let unified = format!("{MOUNT_POINT}/unified");
        filesystem::make_directory(&unified);
        filesystem::bind(own, &unified);
    }
    OldGroups::create(&name, MOUNT_POINT)
}
