//! Open network namespaces, and entering them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};

use crate::error::NetnsError;

/// Where the calling thread's network namespace is found.
const OWN: &str = "/proc/thread-self/ns/net";
/// `SIOCGSKNS` of `linux/sockios.h`: the network namespace that a socket belongs to, as a descriptor that is closed on exec.
const SIOCGSKNS: libc::c_ulong = 0x894c;

/// An open network namespace. It stays alive, with the links in it, at least as long as this value.
#[derive(Debug)]
pub struct Namespace {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Namespace {
    /// The network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// Fails when `/proc` cannot be read.
    pub fn current() -> Result<Namespace, NetnsError> {
        Namespace::open(OWN)
    }

    /// The network namespace of a process, by its number as this process's `/proc` shows it. If its first thread has ended while
    /// others go on, it is that of one of these: a thread that ends lets go of its namespaces at once.
    ///
    /// # Errors
    ///
    /// Fails when there is no such process or it may not be looked into.
    pub fn of_process(pid: i32) -> Result<Namespace, NetnsError> {
        let first = Namespace::open(format!("/proc/{pid}/ns/net"));
        match first {
            Err(NetnsError::OpenNamespace { ref cause, .. })
                if cause.kind() == io::ErrorKind::NotFound =>
            {
                of_some_thread(pid).map_or(first, Ok)
            }
            first => first,
        }
    }

    /// The network namespace that a file stands for: `/proc/PID/ns/net` or a file on which a namespace was mounted.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be opened, or is not a network namespace.
    pub fn open(path: impl AsRef<Path>) -> Result<Namespace, NetnsError> {
        let path = path.as_ref().to_path_buf();
        match File::open(&path) {
            Err(cause) => Err(NetnsError::OpenNamespace { path, cause }),
            Ok(file) if !is_network_namespace(&file) => {
                Err(NetnsError::NotANetworkNamespace { path })
            }
            Ok(file) => Ok(Namespace {
                descriptor: file.into(),
                path,
            }),
        }
    }

    /// The network namespace that was opened already.
    ///
    /// # Errors
    ///
    /// Fails when the descriptor is not one of a network namespace.
    pub fn of_descriptor(descriptor: OwnedFd) -> Result<Namespace, NetnsError> {
        let path = PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
        let file = File::from(descriptor);
        match is_network_namespace(&file) {
            true => Ok(Namespace {
                descriptor: file.into(),
                path,
            }),
            false => Err(NetnsError::NotANetworkNamespace { path }),
        }
    }

    /// The same namespace, with another path that leads to it.
    #[must_use]
    pub fn known_as(self, path: impl Into<PathBuf>) -> Namespace {
        Namespace {
            path: path.into(),
            ..self
        }
    }

    /// The same namespace, held once more.
    ///
    /// # Errors
    ///
    /// Fails when this process has no descriptors left.
    pub fn try_clone(&self) -> Result<Namespace, NetnsError> {
        let path = self.path.clone();
        match self.descriptor.try_clone() {
            Ok(descriptor) => Ok(Namespace { descriptor, path }),
            Err(cause) => Err(NetnsError::OpenNamespace { path, cause }),
        }
    }

    /// The path it was opened by, for messages and for commands that a reader may type.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on the calling thread inside this namespace and comes back to the namespace the thread was in before,
    /// also when `work` panics. Sockets made inside stay bound to this namespace; so is what `/proc/sys/net` shows.
    ///
    /// # Errors
    ///
    /// Fails when the namespace cannot be entered (then `work` did not run) or cannot be left (then it did, and the thread
    /// must not go on with network work).
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, NetnsError> {
        let home = WayHome(Some(home()?));
        self.enter().map_err(|cause| NetnsError::EnterNamespace {
            path: self.path.clone(),
            cause,
        })?;
        let value = work();
        home.go()?;
        Ok(value)
    }

    fn enter(&self) -> io::Result<()> {
        Ok(setns(&self.descriptor, CloneFlags::CLONE_NEWNET)?)
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Leads the thread back to where it came from, at the latest when dropped.
struct WayHome(Option<Namespace>);

impl WayHome {
    fn go(mut self) -> Result<(), NetnsError> {
        match self.0.take() {
            Some(home) => home
                .enter()
                .map_err(|cause| NetnsError::LeaveNamespace { cause }),
            None => Ok(()),
        }
    }
}

impl Drop for WayHome {
    fn drop(&mut self) {
        // There is still a way to go only while a panic unwinds or when entering failed. A thread that went on in a foreign
        // namespace would configure somebody else's network, so there is nothing better to do than to end.
        if self.0.take().is_some_and(|home| home.enter().is_err()) {
            std::process::abort();
        }
    }
}

/// The network namespace of the calling thread, asked of a socket: its file in /proc takes ten times as long to open.
fn home() -> Result<Namespace, NetnsError> {
    let socket = UnixDatagram::unbound().ok();
    match socket.and_then(|socket| namespace_of(&socket)) {
        Some(descriptor) => Ok(Namespace {
            descriptor,
            path: OWN.into(),
        }),
        // Whoever has no rights over the namespace gets it by its file all the same.
        None => Namespace::current(),
    }
}

/// That of the first thread which still has one.
fn of_some_thread(pid: i32) -> Option<Namespace> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    threads
        .flatten()
        .find_map(|thread| Namespace::open(thread.path().join("ns/net")).ok())
}

fn namespace_of(socket: &UnixDatagram) -> Option<OwnedFd> {
    // SAFETY: SIOCGSKNS takes no argument and writes no memory.
    let descriptor = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGSKNS) };
    // SAFETY: what the kernel gave is a new descriptor, which nobody else owns.
    (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn is_network_namespace(file: &File) -> bool {
    // SAFETY: NS_GET_NSTYPE takes no argument and writes no memory; on other files the ioctl fails with ENOTTY.
    let kind = unsafe { libc::ioctl(file.as_raw_fd(), libc::NS_GET_NSTYPE) };
    kind == libc::CLONE_NEWNET
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::{fresh_namespace, in_fresh_namespace};
    use nix::sched::unshare;
    use std::os::unix::fs::MetadataExt;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn inode() -> u64 {
        std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino()
    }

    #[test]
    fn work_runs_inside_and_the_thread_comes_back() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let before = inode();
            let inside = other.run(inode).unwrap();
            assert_ne!(inside, before);
            assert_eq!(inode(), before);
        });
    }

    #[test]
    fn the_thread_comes_back_when_the_work_panics() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let before = inode();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                other.run(|| std::panic::resume_unwind(Box::new("the work failed")))
            }));
            assert!(outcome.is_err());
            assert_eq!(inode(), before);
        });
    }

    #[test]
    fn going_in_and_out_leaves_no_descriptor_open() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            // A file table of its own, so that tests on other threads do not change the count.
            unshare(CloneFlags::CLONE_FILES).unwrap();
            let open = || std::fs::read_dir("/proc/thread-self/fd").unwrap().count();
            let before = open();
            other.run(|| ()).unwrap();
            assert_eq!(open(), before);
        });
    }

    #[test]
    fn a_process_is_found_by_its_number() {
        let pid = std::process::id() as i32;
        let own = Namespace::of_process(pid).unwrap();
        assert_eq!(own.path(), Path::new(&format!("/proc/{pid}/ns/net")));
    }

    #[test]
    fn a_missing_process_is_named_in_the_error() {
        let error = Namespace::of_process(i32::MAX).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        assert!(error.to_string().contains("`/proc/2147483647/ns/net`"));
        assert!(error.hint().is_some());
    }

    #[test]
    fn other_namespaces_and_other_files_are_refused() {
        for path in ["/proc/self/ns/mnt", "/dev/null"] {
            let error = Namespace::open(path).unwrap_err();
            assert!(
                matches!(error, NetnsError::NotANetworkNamespace { .. }),
                "{error}"
            );
        }
    }
}
