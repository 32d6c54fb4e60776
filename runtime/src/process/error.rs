//! What can go wrong between a Spec and a running program.

use std::path::PathBuf;

use minirun_netns::NetnsError;
use nix::errno::Errno;
use thiserror::Error;

use super::exit::Exit;

/// A process that could not be prepared, started or waited for.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// A word would be cut short by the kernel.
    #[error("the {what} `{value}` holds a NUL byte; remove it")]
    NulByte {
        /// Which word it is.
        what: &'static str,
        /// The word.
        value: String,
    },
    /// The Spec lacks a part without which nothing can be started.
    #[error("the container's specification has no `{part}`")]
    Incomplete {
        /// The missing part, as config.json spells it.
        part: &'static str,
    },
    /// A limit of the process itself cannot be set.
    #[error("{what} cannot be set: {errno}")]
    Limit {
        /// The option.
        what: String,
        /// What the kernel said.
        errno: Errno,
    },
    /// The process has no command line.
    #[error(
        "no command given; name one after the image, or use an image that has an entry point or a command"
    )]
    EmptyCommand,
    /// A path inside the container is not absolute.
    #[error("the {what} `{}` is not an absolute path", path.display())]
    RelativePath {
        /// What the path is for.
        what: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A capability that the `caps` crate does not know.
    #[error("unknown capability `{name}`")]
    UnknownCapability {
        /// The name, with `CAP_`.
        name: String,
    },
    /// A namespace is asked for that this runtime does not make.
    #[error(
        "a `{kind}` namespace cannot be had here; only new mnt, pid, uts, ipc, cgroup, net and user namespaces are made"
    )]
    UnsupportedNamespace {
        /// The kind, as config.json spells it.
        kind: String,
    },
    /// Each source whose mounts pass both ways takes a descriptor.
    #[error("more than {most} shared mounts; use `rslave` or `rprivate` for some of them")]
    TooManyShared {
        /// How many there may be.
        most: usize,
    },
    /// The file system is not given as a layered root.
    #[error("the root file system has no layers")]
    NoLayers,
    /// The mount options of the root file system do not fit in one page.
    #[error(
        "the mount options of {layers} layers take {length} bytes, but the kernel takes {limit}; use an image with fewer layers"
    )]
    TooManyLayers {
        /// How many layers there are.
        layers: usize,
        /// The bytes they would take.
        length: usize,
        /// The bytes there are.
        limit: usize,
    },
    /// The socket pair between parent and child failed.
    #[error("cannot {action} the gate of the container's process: {}", errno.desc())]
    Gate {
        /// What was tried: `make`, `open` …
        action: &'static str,
        /// Why it failed.
        errno: Errno,
    },
    /// The child could not be made.
    #[error("cannot create the process in its namespaces: {}", errno.desc())]
    Clone {
        /// Why `clone3` failed.
        errno: Errno,
    },
    /// The user namespace could not be made.
    #[error("cannot make a user namespace: {}", errno.desc())]
    UserNamespace {
        /// Why `clone3` failed.
        errno: Errno,
    },
    /// The kernel does not let the container have its users.
    #[error("cannot give the container the 65536 users and groups from {first} on: {}", errno.desc())]
    IdMapping {
        /// The first of them.
        first: u32,
        /// Why it failed.
        errno: Errno,
    },
    /// A user or group has a number that is not among those of the container.
    #[error("there is no user or group {id} in a user namespace of its own, only 0 to {most}")]
    UnmappedId {
        /// The number.
        id: u32,
        /// The highest there is.
        most: u32,
    },
    /// A file system cannot show its files under other numbers.
    #[error("cannot show `{directory}` with the users of the container: {}", reason_of_shift(*errno))]
    Shift {
        /// What should be shown.
        directory: String,
        /// What the kernel does not like about it.
        errno: Errno,
    },
    /// A network namespace could not be opened or entered.
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// The namespace file of the child could not be opened.
    #[error("cannot open `{}`: {}", path.display(), errno.desc())]
    OpenNamespace {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        errno: Errno,
    },
    /// The container to execute in could not be found or entered.
    #[error("cannot enter the namespaces of the container: {}", errno.desc())]
    Enter {
        /// Why it failed.
        errno: Errno,
    },
    /// The program of the caller could not be put where a container cannot write to it.
    #[error("cannot seal minirun's own executable: {}", errno.desc())]
    Seal {
        /// Why it failed.
        errno: Errno,
    },
    /// The process cannot start in the directory that it should. Exit code 127 if that is missing, else 126.
    #[error("cannot start in the working directory `{directory}`: {}", errno.desc())]
    WorkingDirectory {
        /// The directory in the container.
        directory: String,
        /// What the kernel does not like about it.
        errno: Errno,
    },
    /// The container has no place for a terminal.
    #[error("cannot make a terminal in the container: {}", errno.desc())]
    Terminal {
        /// Why it failed.
        errno: Errno,
    },
    /// Something could not be mounted.
    #[error("cannot mount `{origin}` on `{target}`: {}", reason(*errno))]
    Mount {
        /// What was to be mounted: a path of the host, or a kind of file system.
        origin: String,
        /// The path in the container.
        target: String,
        /// What the kernel does not like about it.
        errno: Errno,
    },
    /// A step of the child failed.
    #[error("cannot complete the step `{sentence}`: {}", errno.desc())]
    Step {
        /// What the step does.
        sentence: String,
        /// Why it failed.
        errno: Errno,
    },
    /// The child ended before its program ran.
    #[error("the process {exit} before its command ran")]
    Died {
        /// How it ended.
        exit: Exit,
    },
    /// The command is in none of the places where it was looked for. Exit code 127.
    #[error("command `{command}` not found in the container")]
    CommandNotFound {
        /// The first word of the command line.
        command: String,
    },
    /// The command is there, but the kernel does not run it. Exit code 126.
    #[error("command `{command}` cannot be executed: {}", errno.desc())]
    CommandNotExecutable {
        /// The first word of the command line.
        command: String,
        /// Why the kernel refused.
        errno: Errno,
    },
    /// The end of the process could not be waited for.
    #[error("cannot wait for process {pid}: {}", errno.desc())]
    Wait {
        /// The process, as the caller counts.
        pid: i32,
        /// Why it failed.
        errno: Errno,
    },
    /// A signal could not be sent.
    #[error("cannot send signal {signal} to process {pid}: {}", errno.desc())]
    Signal {
        /// The process, as the caller counts.
        pid: i32,
        /// The number of the signal.
        signal: i32,
        /// Why it failed.
        errno: Errno,
    },
}

/// Why a mount failed. Of what leads out of its place the kernel says no more than that.
fn reason(errno: Errno) -> &'static str {
    match errno {
        Errno::EXDEV => {
            "a symbolic link on the way leads to the root directory, into /proc, or out of the volume"
        }
        errno => errno.desc(),
    }
}

/// Why files cannot be shown under other numbers. The kernel says no more than that it is not possible.
fn reason_of_shift(errno: Errno) -> &'static str {
    match errno {
        Errno::EINVAL | Errno::EOPNOTSUPP => "its file system has no idmapped mounts",
        Errno::EPERM => "it is an idmapped mount already",
        errno => errno.desc(),
    }
}

impl ProcessError {
    pub(super) fn gate(action: &'static str, errno: Errno) -> Self {
        Self::Gate { action, errno }
    }

    /// The exit code that Docker's users expect for this error: 127 not found, 126 not executable, 125 anything else.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::CommandNotFound { .. }
            | Self::WorkingDirectory {
                errno: Errno::ENOENT,
                ..
            } => 127,
            Self::CommandNotExecutable { .. } | Self::WorkingDirectory { .. } => 126,
            _ => 125,
        }
    }

    /// What the reader can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CommandNotFound { .. } => {
                "check the spelling, the image's PATH, and that a script's interpreter exists in the image"
            }
            Self::CommandNotExecutable {
                errno: Errno::EACCES,
                ..
            } => "the file must be a program with its execute bit set (chmod +x), not a directory",
            Self::CommandNotExecutable {
                errno: Errno::ENOEXEC,
                ..
            } => "the file is made for another architecture, or is a script without a `#!` line",
            Self::CommandNotExecutable {
                errno: Errno::E2BIG,
                ..
            } => {
                "the arguments and variables together are too long; a link adds four variables for every port that its target exposes"
            }
            Self::Clone {
                errno: Errno::EPERM,
            }
            | Self::Enter {
                errno: Errno::EPERM,
            }
            | Self::Seal {
                errno: Errno::EPERM,
            } => "run minirun as root",
            Self::Enter {
                errno: Errno::ESRCH,
            } => {
                "start the container again if it has ended; one that goes on has lost its first thread, and with it the way in"
            }
            Self::Step {
                errno: Errno::ELOOP,
                ..
            }
            | Self::Mount {
                errno: Errno::ELOOP,
                ..
            } => "the image has a symbolic link where a directory must be",
            error => error.place_hint()?,
        };
        Some(hint.to_owned())
    }

    /// What to do about places in the container that are not as they should be.
    fn place_hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::WorkingDirectory {
                errno: Errno::ENOENT,
                ..
            } => "make the directory in the container first, or choose another with `-w`",
            Self::WorkingDirectory {
                errno: Errno::ENOTDIR,
                ..
            } => "something that is no directory is in the way; choose another with `-w`",
            Self::WorkingDirectory {
                errno: Errno::EXDEV,
                ..
            } => "it leads out of the container; choose another with `-w`",
            Self::Terminal {
                errno: Errno::ENOSPC,
            } => "the host has no more terminals: end some programs that have one",
            Self::Terminal { .. } => {
                "it is made in the container's `/dev/pts`, which must be the file system (devpts) that was mounted there"
            }
            Self::Mount {
                errno: Errno::ENOTDIR,
                ..
            } => "a directory can only be mounted on a directory, and a file on a file",
            Self::Mount {
                errno: Errno::EROFS,
                ..
            } => {
                "the destination has to be made, and lies in something that is read-only: make it there first"
            }
            error => error.users_hint()?,
        })
    }

    /// What to do where a container cannot have users of its own.
    fn users_hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UserNamespace {
                errno: Errno::ENOSPC,
            } => "the host allows no more of them: raise `user.max_user_namespaces` with `sysctl`",
            Self::UserNamespace { .. } | Self::IdMapping { .. } => {
                "run minirun as root of the host, with a kernel that has user namespaces, or use `--userns host`"
            }
            Self::UnmappedId { .. } => "choose another user with `-u`, or use `--userns host`",
            Self::Shift { .. } => {
                "ext4, xfs and btrfs have them, and tmpfs since Linux 6.3: keep it on one of these, or use `--userns host`"
            }
            _ => return None,
        })
    }
}
