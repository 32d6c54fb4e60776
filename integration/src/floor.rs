//! The floor under `minirun run --rm IMAGE true` on a bridge: the same kernel work, with no parsing, state, policy or firewall.
//!
//! Theory of operation
//! 1. The parent makes the directories of an overlay and the child, in six new namespaces, by one clone3.
//! 2. The child mounts its root file system, proc, sys and dev, and turns the root; it says so and waits.
//! 3. Meanwhile the parent makes the veth pair on the bridge, its peer born in the child's network, and configures the peer.
//! 4. The parent opens the gate, the child becomes the program, the parent waits for its end and removes the directories; the dying
//!    network namespace takes the veth pair along.
//!
//! Everything that the child needs is prepared before it exists; between clone3 and execve it makes system calls only.

use std::ffi::{CStr, CString, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process;
use std::ptr;

use crate::floor_network::{self, Wire};

/// What the floor is to run.
#[derive(Debug, Clone)]
pub struct FloorRun {
    /// Name of an existing bridge.
    pub bridge: String,
    /// Directory that is the lower layer of the root file system.
    pub lower: PathBuf,
    /// Address of the container and the length of its prefix.
    pub address: (Ipv4Addr, u8),
    /// Address of the bridge.
    pub gateway: Ipv4Addr,
    /// Path of the program in the container, and its arguments.
    pub command: Vec<OsString>,
}

/// Runs it and gives the program's exit code, 128 and the signal for one that was killed. The calling process must have one thread.
///
/// # Errors
///
/// The system call that failed.
pub fn run(floor: &FloorRun) -> io::Result<i32> {
    let scratch = Scratch::create()?;
    let (mut ready, child_ready) = io::pipe()?;
    let (child_gate, mut gate) = io::pipe()?;
    let child = Child::prepare(floor, &scratch, (child_ready.into(), child_gate.into()))?;
    let pid = clone_into_six_namespaces()?;
    if pid == 0 {
        child.become_program();
    }
    drop(child);
    floor_network::connect(&Wire {
        bridge: &floor.bridge,
        pid,
        address: floor.address,
        gateway: floor.gateway,
    })?;
    ready.read_exact(&mut [0])?;
    gate.write_all(&[1])?;
    wait_for(pid)
}

/// The directories of the overlay; removed when dropped.
struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    fn create() -> io::Result<Self> {
        let directory = PathBuf::from(format!("/run/floor.{}", process::id()));
        fs::create_dir(&directory)?;
        for part in ["upper", "work", "merged"] {
            fs::create_dir(directory.join(part))?;
        }
        Ok(Self { directory })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).ok();
    }
}

/// What the child does, in order, with every string made beforehand.
struct Child {
    merged: CString,
    overlay: CString,
    arguments: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
    ready: OwnedFd,
    gate: OwnedFd,
}

struct Mount {
    kind: &'static CStr,
    target: &'static CStr,
    flags: libc::c_ulong,
    data: &'static CStr,
}

const PROTECTED: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;

/// Mounted in this order below the new root; the directories are made as needed.
const MOUNTS: [Mount; 6] = [
    Mount {
        kind: c"proc",
        target: c"proc",
        flags: PROTECTED,
        data: c"",
    },
    Mount {
        kind: c"tmpfs",
        target: c"dev",
        flags: libc::MS_NOSUID,
        data: c"mode=755,size=64k",
    },
    Mount {
        kind: c"devpts",
        target: c"dev/pts",
        flags: libc::MS_NOSUID | libc::MS_NOEXEC,
        data: c"newinstance,ptmxmode=0666,mode=0620",
    },
    Mount {
        kind: c"tmpfs",
        target: c"dev/shm",
        flags: libc::MS_NOSUID | libc::MS_NODEV,
        data: c"size=64m",
    },
    Mount {
        kind: c"mqueue",
        target: c"dev/mqueue",
        flags: PROTECTED,
        data: c"",
    },
    Mount {
        kind: c"sysfs",
        target: c"sys",
        flags: PROTECTED | libc::MS_RDONLY,
        data: c"",
    },
];

/// Path, major and minor number.
const DEVICES: [(&CStr, u32, u32); 6] = [
    (c"dev/null", 1, 3),
    (c"dev/zero", 1, 5),
    (c"dev/full", 1, 7),
    (c"dev/random", 1, 8),
    (c"dev/urandom", 1, 9),
    (c"dev/tty", 5, 0),
];

impl Child {
    fn prepare(
        floor: &FloorRun,
        scratch: &Scratch,
        (ready, gate): (OwnedFd, OwnedFd),
    ) -> io::Result<Self> {
        let top = scratch.directory.display();
        let lower = floor.lower.display();
        let overlay = format!("lowerdir={lower},upperdir={top}/upper,workdir={top}/work");
        let to_c = |bytes: Vec<u8>| CString::new(bytes).map_err(io::Error::from);
        let arguments: Vec<_> = floor
            .command
            .iter()
            .map(|word| to_c(word.clone().into_vec()))
            .collect::<io::Result<_>>()?;
        if arguments.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the floor needs a program to run",
            ));
        }
        let pointers = arguments
            .iter()
            .map(|argument| argument.as_ptr())
            .chain([ptr::null()])
            .collect();
        let merged = to_c(
            Path::new(&scratch.directory)
                .join("merged")
                .into_os_string()
                .into_vec(),
        )?;
        Ok(Self {
            merged,
            overlay: to_c(overlay.into_bytes())?,
            arguments,
            pointers,
            ready,
            gate,
        })
    }

    /// Never returns: it is the program, or exits with 125 (no root file system) or 127 (no program).
    fn become_program(&self) -> ! {
        if self.enter_root().is_none() || self.wait_at_gate().is_none() {
            // SAFETY: ends the process without running anything of the parent's that was copied with its memory.
            unsafe { libc::_exit(125) };
        }
        // SAFETY: the pointers are to strings owned by this value and end with a null pointer; the environment is an empty list.
        unsafe {
            libc::execve(
                self.arguments[0].as_ptr(),
                self.pointers.as_ptr(),
                [ptr::null()].as_ptr(),
            );
            libc::_exit(127)
        }
    }

    fn enter_root(&self) -> Option<()> {
        // SAFETY: every pointer is to a terminated string that outlives the calls, or null where the call allows it.
        unsafe {
            let recursive = libc::MS_REC | libc::MS_PRIVATE;
            done(libc::mount(
                ptr::null(),
                c"/".as_ptr(),
                ptr::null(),
                recursive,
                ptr::null(),
            ))?;
            let data = self.overlay.as_ptr().cast();
            done(libc::mount(
                c"overlay".as_ptr(),
                self.merged.as_ptr(),
                c"overlay".as_ptr(),
                0,
                data,
            ))?;
            done(libc::chdir(self.merged.as_ptr()))?;
            for one in MOUNTS {
                // The lower layer may have it already.
                libc::mkdir(one.target.as_ptr(), 0o755);
                let data = one.data.as_ptr().cast();
                done(libc::mount(
                    one.kind.as_ptr(),
                    one.target.as_ptr(),
                    one.kind.as_ptr(),
                    one.flags,
                    data,
                ))?;
            }
            for (path, major, minor) in DEVICES {
                done(libc::mknod(
                    path.as_ptr(),
                    libc::S_IFCHR | 0o666,
                    libc::makedev(major, minor),
                ))?;
            }
            let result = libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr());
            done(i32::try_from(result).ok()?)?;
            done(libc::umount2(c".".as_ptr(), libc::MNT_DETACH))?;
            done(libc::chdir(c"/".as_ptr()))?;
            done(libc::sethostname(c"floor".as_ptr(), 5))
        }
    }

    fn wait_at_gate(&self) -> Option<()> {
        let mut byte = 1u8;
        // SAFETY: both calls are given one byte that lives through them.
        unsafe {
            let said = libc::write(self.ready.as_raw_fd(), (&raw const byte).cast(), 1);
            let heard = libc::read(self.gate.as_raw_fd(), (&raw mut byte).cast(), 1);
            (said == 1 && heard == 1).then_some(())
        }
    }
}

fn done(result: i32) -> Option<()> {
    (result == 0).then_some(())
}

/// Returns 0 in the child, its process number in the parent.
fn clone_into_six_namespaces() -> io::Result<i32> {
    let flags = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWCGROUP;
    // The first version of the kernel's structure: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
    let arguments: [u64; 8] = [
        u64::from(flags.cast_unsigned()),
        0,
        0,
        0,
        u64::from(libc::SIGCHLD.cast_unsigned()),
        0,
        0,
        0,
    ];
    // SAFETY: the kernel reads as many bytes as it is told to; without CLONE_VM the child has its own copy of all memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            arguments.as_ptr(),
            size_of_val(&arguments),
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    i32::try_from(result).map_err(io::Error::other)
}

fn wait_for(pid: i32) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: the pointer is to an integer that lives through the call.
    if unsafe { libc::waitpid(pid, &raw mut status, 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    })
}
