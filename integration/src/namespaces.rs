//! A network namespace and the mount namespace it is looked at from.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

/// Open handles on a network and a mount namespace; both live at least as long as the handles.
#[derive(Debug)]
pub struct Namespaces {
    network: OwnedFd,
    mounts: OwnedFd,
}

impl Namespaces {
    /// Makes both namespaces new and runs `furnish` in them before anybody else can look.
    ///
    /// # Panics
    ///
    /// If the caller is not root, or the kernel refuses.
    pub fn create(furnish: impl FnOnce() + Send) -> Self {
        on_own_thread(|| {
            let flags = CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
            unshare(flags).expect("a test host needs root: cannot make its namespaces");
            furnish();
            Self::of_this_thread()
        })
    }

    /// A new network namespace that is looked at from the same mount namespace.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    pub fn create_network_beside(&self) -> Self {
        self.run(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("cannot make a network namespace");
            Self::of_this_thread()
        })
    }

    /// The network namespace of the process `pid`, looked at from this mount namespace.
    ///
    /// # Panics
    ///
    /// If the process is gone.
    pub fn with_network_of(&self, pid: i32) -> Self {
        let path = format!("/proc/{pid}/ns/net");
        let network =
            File::open(&path).unwrap_or_else(|error| panic!("cannot open `{path}`: {error}"));
        Self {
            network: network.into(),
            mounts: self.mounts.try_clone().expect("cannot duplicate a handle"),
        }
    }

    /// Runs `closure` on a thread of its own that has entered both namespaces, and gives back what it returned.
    ///
    /// Sockets, listeners and threads made by the closure stay in the namespace when it has returned.
    pub fn run<T: Send>(&self, closure: impl FnOnce() -> T + Send) -> T {
        on_own_thread(|| {
            // Entering a mount namespace is refused to a thread that shares its working directory with others.
            unshare(CloneFlags::CLONE_FS).expect("cannot take a working directory of its own");
            self.enter().expect("cannot enter the namespaces");
            closure()
        })
    }

    /// Moves the calling thread into both namespaces. It must not share its working directory with another thread.
    ///
    /// Only system calls are made, so this may be called between fork and exec.
    pub fn enter(&self) -> io::Result<()> {
        setns(&self.network, CloneFlags::CLONE_NEWNET)?;
        setns(&self.mounts, CloneFlags::CLONE_NEWNS)?;
        Ok(())
    }

    /// The network namespace, for handing it to another program by its number in `/proc/<pid>/fd`.
    pub fn network(&self) -> &OwnedFd {
        &self.network
    }

    fn of_this_thread() -> Self {
        let open = |kind: &str| -> OwnedFd {
            let path = format!("/proc/thread-self/ns/{kind}");
            File::open(&path)
                .unwrap_or_else(|error| panic!("cannot open `{path}`: {error}"))
                .into()
        };
        Self {
            network: open("net"),
            mounts: open("mnt"),
        }
    }
}

/// A namespace belongs to a thread, so every visit is made on one that ends afterwards; its panic becomes the caller's.
fn on_own_thread<T: Send>(closure: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        scope
            .spawn(closure)
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic))
    })
}
