//! The steps of a child between its birth and its program, as data.
//!
//! Paths inside the container are relative to its root without a leading slash, so that before `PivotRoot` they cannot
//! name anything of the host by accident. How each step is done is told in `child.rs`, how it is said in
//! `explanation.rs`.

use std::ffi::CString;

use super::app_armor::Confinement;
use super::init::Init;
use super::mount_options::BindAttributes;
use super::overlay::OverlayMount;
use super::program::Program;
use super::system_call::Depth;
use crate::seccomp::filter::Filter;

/// One thing that a child does before its program runs.
#[derive(Debug)]
pub enum InitStep {
    /// Gives every signal its default meaning and blocks none.
    ResetSignals {
        /// Those that the parent may ignore, one bit each; bit 0 is signal 1.
        ignored: u64,
    },
    /// Leaves the terminal and the process group of the parent.
    NewSession,
    /// Leaves the keyring of the parent's session.
    NewKeyring,
    /// Asks the kernel for a SIGKILL when the parent dies, and stops if it is dead already.
    DieWithParent,
    /// Gives up what protection from the kernel's out-of-memory killer the parent has.
    DropMemoryProtection,
    /// Closes this process to the eyes of others until its program runs.
    HideFromOthers,
    /// Sets which permission bits new files lack.
    SetUmask {
        /// The bits.
        mask: libc::mode_t,
    },
    /// Takes hold of a part of the host's file system whose mounts shall pass both ways, while that is still possible.
    HoldSource(HeldSource),
    /// Keeps mounts of this namespace from reaching the host.
    SetPropagation {
        /// `MS_PRIVATE` or `MS_SLAVE`, with `MS_REC`.
        flags: libc::c_ulong,
    },
    /// Makes what this process creates belong to this user and group, without losing capabilities.
    CreateFilesAs {
        /// Both numbers: the container's root.
        id: u32,
    },
    /// Covers a directory with itself, such that its files are shown with the users of the container.
    ShiftDirectory {
        /// The directory on the host.
        path: CString,
    },
    /// Takes such covers off, and keeps the root that was mounted under one of them.
    UncoverDirectories {
        /// The directories on the host.
        paths: Vec<CString>,
        /// Where the root is mounted.
        root: CString,
    },
    /// Enters the container's user namespace, as its root.
    EnterUserNamespace,
    /// Mounts the layers of the image.
    MountOverlay(OverlayMount),
    /// Takes the mounted directory as the root that all later paths start from.
    EnterRoot {
        /// The directory on the host.
        path: CString,
    },
    /// Mounts a file system of the kernel's making.
    MountFileSystem(FileSystemMount),
    /// Shows a file or directory of the host in the container.
    BindMount(BindMount),
    /// Makes a device node.
    MakeDevice(Device),
    /// Lets a device node be opened, if it is there, although others beside it are not.
    AllowDevice(Device),
    /// Makes a symbolic link, unless something is there.
    MakeSymbolicLink {
        /// What the link says.
        target: CString,
        /// Where the link is.
        path: CString,
    },
    /// Makes the new root the root and drops the host's.
    PivotRoot,
    /// Makes the directory the program starts in, if it is missing.
    MakeWorkingDirectory {
        /// The directory.
        path: CString,
    },
    /// Makes the root file system refuse writes.
    MakeRootReadOnly,
    /// Names the machine.
    SetHostname {
        /// The name.
        name: CString,
    },
    /// Writes a kernel parameter of the container's namespaces.
    WriteSysctl {
        /// The file below /proc: `sys/…`.
        path: CString,
        /// What is written.
        value: CString,
    },
    /// Lets interfaces that come into the network namespace have no IPv6, as far as the kernel lets us, and tells the parent
    /// whether that is so now.
    SwitchIpv6Off,
    /// Lets interfaces that come from now on have what they would have had.
    RestoreIpv6,
    /// Makes a part of /proc or /sys refuse writes; skipped if it is not there.
    MakePathReadOnly {
        /// The path.
        path: CString,
    },
    /// Hides a part of /proc or /sys; skipped if it is not there.
    MaskPath {
        /// The path.
        path: CString,
    },
    /// Makes a terminal in the container, takes it as the standard streams, and hands its other end to the parent.
    TakeTerminal(TerminalRequest),
    /// Tells the parent that the root is ready, and waits for its word.
    WaitAtGate,
    /// Lets the user of the container open its standard streams by name, where they are pipes.
    GiveStandardStreams {
        /// The user.
        uid: libc::uid_t,
    },
    /// Marks every descriptor but the standard streams to close when the program starts.
    CloseOnExec,
    /// Goes to the directory the program starts in, and checks that it is inside the container.
    ChangeDirectory {
        /// The absolute path.
        path: CString,
    },
    /// Has the program run under a profile of AppArmor.
    ConfineByAppArmor {
        /// What the kernel is told: a word and the name of the profile.
        order: CString,
        /// When it begins to hold.
        confinement: Confinement,
    },
    /// Gives up capabilities for good, for every program that will ever run in the container.
    LimitCapabilities {
        /// The capabilities that stay, one bit each.
        kept: u64,
    },
    /// Takes on the user and the groups, without losing capabilities yet.
    BecomeUser(Identity),
    /// Sets what the process itself may do.
    SetCapabilities(CapabilitySets),
    /// Keeps programs from gaining privileges by set-user-id bits and file capabilities.
    SetNoNewPrivileges,
    /// Lets the kernel answer system calls as a policy says, for every program that will ever run in the container.
    FilterSystemCalls(Filter),
    /// Makes a child that becomes the program, and stays before it.
    StandBefore(Init),
    /// Replaces the process by the program.
    Execute(Program),
}

/// A file system of the kernel's making, such as proc or tmpfs.
#[derive(Debug)]
pub struct FileSystemMount {
    pub(super) source: CString,
    pub(super) kind: CString,
    pub(super) target: CString,
    /// `MS_…` flags.
    pub(super) flags: libc::c_ulong,
    /// The words for the file system; may be empty.
    pub(super) data: CString,
    /// All words, as the Spec has them.
    pub(super) words: String,
}

impl FileSystemMount {
    /// Whether it is the /proc of the container.
    pub(super) fn is_proc(&self) -> bool {
        self.kind.as_bytes() == b"proc" && self.target.as_bytes() == b"proc"
    }
}

/// A file or directory of the host, shown in the container.
#[derive(Debug)]
pub struct BindMount {
    pub(super) source: BindSource,
    pub(super) target: CString,
    pub(super) depth: Depth,
    pub(super) attributes: BindAttributes,
    /// The place of the source among those that are held; none if it is opened when it is mounted.
    pub(super) held: Option<usize>,
    pub(super) owners: Owners,
}

/// Whose the files of a mount are shown to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Owners {
    /// Whose they are on disk.
    #[default]
    AsOnDisk,
    /// The container's users of the same numbers.
    Shifted,
}

/// Where a bind mount comes from.
#[derive(Debug)]
pub struct BindSource {
    /// The path on the host.
    pub(super) path: CString,
    /// A path below it that containers can write to, and that nothing may lead out of.
    pub(super) below: Option<CString>,
}

/// A source of a bind mount that is opened before the container's mounts are cut off from the host's.
#[derive(Debug)]
pub struct HeldSource {
    /// The path on the host.
    pub(super) path: CString,
    pub(super) depth: Depth,
    /// Its place among those that are held.
    pub(super) place: usize,
}

/// A device node.
#[derive(Clone, Debug)]
pub struct Device {
    pub(super) path: CString,
    /// The kind and the permission bits.
    pub(super) mode: libc::mode_t,
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) uid: libc::uid_t,
    pub(super) gid: libc::gid_t,
}

/// A terminal for a process.
#[derive(Debug, PartialEq, Eq)]
pub struct TerminalRequest {
    pub(super) rows: libc::c_ushort,
    pub(super) columns: libc::c_ushort,
    /// Whose it is.
    pub(super) uid: libc::uid_t,
    pub(super) console: Console,
}

/// Whether a terminal is `/dev/console`, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Console {
    /// It is, as the terminal of the container's first process.
    Shown,
    /// It is not: another may be.
    Left,
}

/// Who a process is.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    pub(super) uid: libc::uid_t,
    pub(super) gid: libc::gid_t,
    pub(super) additional_gids: Vec<libc::gid_t>,
}

/// What a process may do: one bit for each capability, numbered as the kernel does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySets {
    pub(super) effective: u64,
    pub(super) permitted: u64,
    pub(super) inheritable: u64,
    pub(super) ambient: u64,
}
