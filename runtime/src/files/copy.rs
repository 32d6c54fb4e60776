//! Copying between a container and the host, in both directions.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufWriter, Read, Write};
use std::os::fd::OwnedFd;

use nix::sys::stat::{SFlag, fstat};
use nix::unistd::{getegid, geteuid};

use super::container_root::ContainerRoot;
use super::copy_path::{ContainerPath, CopyPath, HostPath};
use super::decide::{Placement, Refusal, SourceKind, TargetKind, decide};
use super::error::FilesError;
use super::ground::{EndLinks, Found, Ground};
use super::ownership::Ownership;
use super::pack::Packer;
use super::place::{Base, Placer};
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::image::TreeError;
use crate::image::compression::decompress;
use crate::image::copy::{identity, kind_of};
use crate::image::digest::HashingReader;
use crate::image::entry_path::EntryPath;
use crate::image::unpack::unpack;
use crate::image::walk::Walk;
use crate::process::RootView;
use crate::runtime::Runtime;
use crate::user_ids::IdRange;

/// How to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyOptions {
    /// Whose the copy is.
    pub ownership: CopyOwnership,
    /// What becomes of a symbolic link that is named as the source.
    pub follow: FollowLink,
}

/// Whose a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyOwnership {
    /// In a container root's, on the host the caller's.
    Usual,
    /// The same user's and group's as before, by number.
    Kept,
}

/// What becomes of a symbolic link that is named as the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowLink {
    /// It is copied.
    No,
    /// What it leads to is copied.
    Yes,
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many bytes of file content.
    pub size_bytes: u64,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it would be.
    pub path: String,
    /// What it is.
    pub kind: &'static str,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "left out `{}`: it is {}", self.path, self.kind)
    }
}

impl Runtime {
    /// Copies files of a container to the host. `told` hears of what is left out.
    ///
    /// # Errors
    /// [`FilesError`], with nothing touched if source and destination do not fit each other.
    pub fn copy_from_container(
        &self,
        config: &ContainerConfig,
        (source, target): (&ContainerPath, &HostPath),
        options: CopyOptions,
        told: &mut dyn FnMut(Skipped),
    ) -> Result<Copied, RuntimeError> {
        let container = ContainerRoot::open(self, config, RootView::Mounted)?;
        let ownership = match options.ownership {
            CopyOwnership::Kept => Ownership::Kept,
            CopyOwnership::Usual => Ownership::Caller {
                uid: geteuid().as_raw(),
                gid: getegid().as_raw(),
            },
        };
        let found = find(&container.ground, source.inner(), options.follow)?;
        let target = (&Ground::host()?, target.inner());
        let users = container.ground.users();
        let copied = copy((found, users), target, (ownership, told))?;
        self.tell_event(Event::container(config, Action::Copy));
        Ok(copied)
    }

    /// Copies files of the host to a container. `told` hears of what is left out.
    ///
    /// # Errors
    /// [`FilesError`], with nothing touched if source and destination do not fit each other.
    pub fn copy_to_container(
        &self,
        config: &ContainerConfig,
        (source, target): (&HostPath, &ContainerPath),
        options: CopyOptions,
        told: &mut dyn FnMut(Skipped),
    ) -> Result<Copied, RuntimeError> {
        let found = find(&Ground::host()?, source.inner(), options.follow)?;
        let container = ContainerRoot::open(self, config, RootView::Mounted)?;
        let ownership = in_container(options.ownership);
        let target = (&container.ground, target.inner());
        let copied = copy((found, None), target, (ownership, told))?;
        self.tell_event(Event::container(config, Action::Copy));
        Ok(copied)
    }

    /// Writes files of a container as a tar archive.
    ///
    /// # Errors
    /// [`FilesError`].
    pub fn pack_from_container(
        &self,
        config: &ContainerConfig,
        source: &ContainerPath,
        follow: FollowLink,
        output: &mut dyn Write,
    ) -> Result<(), RuntimeError> {
        let container = ContainerRoot::open(self, config, RootView::Mounted)?;
        let found = locate(&container.ground, source.inner(), follow)?;
        let called = match found.kind {
            SourceKind::Content => EntryPath::root(),
            SourceKind::Directory | SourceKind::Single => EntryPath::root().child(&found.name),
        };
        pack(
            Walk::of(found.location, called).with_users(container.ground.users()),
            output,
        )?;
        self.tell_event(Event::container(config, Action::Copy));
        Ok(())
    }

    /// Unpacks a tar archive in a directory of a container. `told` hears of what is left out.
    ///
    /// # Errors
    /// [`FilesError`]; what was unpacked until then stays.
    pub fn unpack_to_container(
        &self,
        config: &ContainerConfig,
        (input, target): (Box<dyn Read>, &ContainerPath),
        ownership: CopyOwnership,
        told: &mut dyn FnMut(Skipped),
    ) -> Result<Copied, RuntimeError> {
        let container = ContainerRoot::open(self, config, RootView::Mounted)?;
        let wanted = target.inner();
        let target = container.ground.find_target(wanted)?;
        let (path, side) = (wanted.typed.clone(), container.ground.side().clone());
        match target.kind {
            TargetKind::Directory => {}
            TargetKind::Missing => return Err(FilesError::MissingDirectory { path, side }.into()),
            TargetKind::Single => return Err(FilesError::NotADirectory { path, side }.into()),
        }
        let ContainerRoot {
            ground,
            lock: _lock,
        } = container;
        let users = ground.users();
        let base = Base::InContainer {
            root: ground.into_root(),
            path: target.path,
        };
        let placer = Placer::new(base, in_container(ownership), told)
            .for_users(users)
            .map_err(|error| RuntimeError::system("create files for the container", error))?;
        let size_bytes = unpack_all(input, placer).map_err(FilesError::Copy)?;
        self.tell_event(Event::container(config, Action::Copy));
        Ok(Copied { size_bytes })
    }
}

fn in_container(ownership: CopyOwnership) -> Ownership {
    match ownership {
        CopyOwnership::Usual => Ownership::Root,
        CopyOwnership::Kept => Ownership::Kept,
    }
}

/// Writes a whole archive.
pub(super) fn pack(walk: Walk, output: &mut dyn Write) -> Result<(), FilesError> {
    let mut packer = Packer::new(BufWriter::new(output));
    walk.through(&mut packer).map_err(FilesError::Pack)?;
    packer.finish().map_err(FilesError::Archive)
}

/// Reads to the very end, so that whoever writes the archive is not cut off.
fn unpack_all(input: Box<dyn Read>, mut placer: Placer<'_>) -> Result<u64, TreeError> {
    let mut reader = HashingReader::new(decompress(input)?);
    unpack(&mut reader, &mut placer)?;
    reader
        .drain()
        .map_err(|source| TreeError::Archive { source })?;
    placer.finish()
}

fn locate(ground: &Ground, path: &CopyPath, follow: FollowLink) -> Result<Found, FilesError> {
    let links = match follow {
        FollowLink::No => EndLinks::Meant,
        FollowLink::Yes => EndLinks::Followed,
    };
    ground.find(path, links)
}

/// As [`locate`], for what is to become files again: a device is none.
fn find(ground: &Ground, path: &CopyPath, follow: FollowLink) -> Result<Found, FilesError> {
    let found = locate(ground, path, follow)?;
    let kind = match kind_of(&found.status) {
        SFlag::S_IFCHR => "a character device",
        SFlag::S_IFBLK => "a block device",
        SFlag::S_IFSOCK => "a socket",
        _ => return Ok(found),
    };
    Err(FilesError::NotCopied {
        path: path.typed.clone(),
        kind,
    })
}

fn copy(
    (found, users): (Found, Option<IdRange>),
    (ground, path): (&Ground, &CopyPath),
    (ownership, told): (Ownership, &mut dyn FnMut(Skipped)),
) -> Result<Copied, FilesError> {
    let (base, called) = place(&found, ground, path)?;
    let base_identity = fstat(&base).map(|status| identity(&status));
    let mut placer = Placer::new(Base::Directory(base), ownership, told)
        .for_users(ground.users())
        .map_err(|error| FilesError::Unreachable {
            path: path.typed.clone(),
            side: ground.side().clone(),
            error,
        })?;
    let mut walk = Walk::of(found.location, called).with_users(users);
    if let (SourceKind::Directory | SourceKind::Content, Ok(base)) = (found.kind, base_identity) {
        walk = walk.avoiding(base);
    }
    walk.through(&mut placer)
        .and_then(|()| placer.finish())
        .map(|size_bytes| Copied { size_bytes })
        .map_err(FilesError::Copy)
}

/// Decides where a source goes: into which directory, and by which path below it.
fn place(
    found: &Found,
    ground: &Ground,
    path: &CopyPath,
) -> Result<(OwnedFd, EntryPath), FilesError> {
    let target = ground.find_target(path)?;
    let below = |name: &OsStr| EntryPath::root().child(name);
    match decide(found.kind, target.kind, path.end)
        .map_err(|refusal| refuse(refusal, ground, path))?
    {
        Placement::Under => Ok((ground.open_directory(path, &target)?, below(&found.name))),
        Placement::Into => Ok((ground.open_directory(path, &target)?, EntryPath::root())),
        Placement::As => {
            let (parent, name) = ground.open_parent(path, &target)?;
            Ok((parent, below(name)))
        }
    }
}

fn refuse(refusal: Refusal, ground: &Ground, path: &CopyPath) -> FilesError {
    let (path, side) = (path.typed.clone(), ground.side().clone());
    match refusal {
        Refusal::MissingDirectory => FilesError::MissingDirectory { path, side },
        Refusal::NotADirectory => FilesError::NotADirectory { path, side },
        Refusal::DirectoryOverFile => FilesError::DirectoryOverFile { path, side },
    }
}
