//! Hands the entries of a tar archive to whoever makes something of them.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use tar::{Archive, Entry, EntryType};

use super::allowance::{Allowance, Bounded, Unread};
use super::attributes::Attributes;
use super::digest::HashingReader;
use super::entry_attributes::attributes_of;
use super::entry_path::EntryPath;
use super::receive::{Content, Device, DeviceKind, Receive, Source};
use super::tree_error::TreeError;

/// How long an entry's headers may be together. The longest path and all extended attributes of a file fit in a fraction of it.
const LONGEST_HEADERS: u64 = 1024 * 1024;

/// Unpacks an uncompressed archive up to its end mark. Bytes behind the mark are left in the reader.
///
/// # Errors
/// [`TreeError`]; whatever was unpacked until then stays in the tree, which is the caller's to throw away.
pub(crate) fn unpack<R: Read>(
    reader: &mut HashingReader<R>,
    receiver: &mut impl Receive,
) -> Result<(), TreeError> {
    let mut progress = Progress::default();
    let outcome = unpack_entries(&mut *reader, receiver, &mut progress);
    match outcome {
        Err(TreeError::Archive { source }) => Err(progress.explain(source, reader.ended())),
        Err(error) => Err(error),
        // Only an archive that was cut off between two entries ends without its mark.
        Ok(()) if reader.ended() && progress.entries > 0 => Err(progress.truncated()),
        Ok(()) if progress.entries == 0 => Err(TreeError::Empty),
        Ok(()) => Ok(()),
    }
}

/// How far an archive was read, for those who have to be told that it went no further.
#[derive(Default)]
struct Progress {
    entries: u64,
    path: String,
    inside: bool,
}

impl Progress {
    fn truncated(&self) -> TreeError {
        let place = match (self.entries, self.inside) {
            (0, _) => "in front of its first entry".to_owned(),
            (_, true) => format!("in the middle of `{}`", self.path),
            (_, false) => format!("behind `{}`, without the mark of its end", self.path),
        };
        TreeError::Truncated { place }
    }

    fn too_long(&self) -> TreeError {
        let place = match self.entries {
            0 => "in front of its first entry".to_owned(),
            _ => format!("behind `{}`", self.path),
        };
        TreeError::LongHeader { place }
    }

    fn explain(&self, source: io::Error, ended: bool) -> TreeError {
        if ended || source.kind() == io::ErrorKind::UnexpectedEof {
            return match (self.entries, ended) {
                (0, true) => TreeError::NotAnArchive,
                _ => self.truncated(),
            };
        }
        // The archive library's own complaints are of no particular kind, those of file systems and decompressors are.
        match (self.entries, source.kind()) {
            (0, io::ErrorKind::Other) => TreeError::NotAnArchive,
            _ => TreeError::Archive { source },
        }
    }
}

fn unpack_entries(
    reader: impl Read,
    receiver: &mut impl Receive,
    progress: &mut Progress,
) -> Result<(), TreeError> {
    let unreadable = |source| TreeError::Archive { source };
    let allowance = Allowance::unbounded();
    let mut archive = Archive::new(Bounded::new(reader, &allowance));
    let mut entries = archive.entries().map_err(unreadable)?;
    loop {
        // All that is read here is kept in memory: nothing of the entry before it is left.
        let next = allowance.within(LONGEST_HEADERS, || entries.next().transpose());
        let mut entry = match next {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(Unread::TooLong) => return Err(progress.too_long()),
            Err(Unread::Failed(source)) => return Err(unreadable(source)),
        };
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            skip_rest(&mut entry)?;
            continue;
        }
        let path = EntryPath::parse(&entry.path_bytes())?;
        progress.entries += 1;
        progress.inside = true;
        progress.path = path.to_string();
        unpack_entry(&mut entry, path, receiver)?;
        skip_rest(&mut entry)?;
        // The padding up to the next header is still unread, but nothing of the entry is.
        progress.inside = false;
    }
}

/// Reads what an entry holds besides what was taken of it: some archives repeat a file's content with each of its hard links.
fn skip_rest(entry: &mut Entry<'_, impl Read>) -> Result<(), TreeError> {
    io::copy(entry, &mut io::sink())
        .map(drop)
        .map_err(|source| TreeError::Archive { source })
}

fn unpack_entry(
    entry: &mut Entry<'_, impl Read>,
    path: EntryPath,
    receiver: &mut impl Receive,
) -> Result<(), TreeError> {
    let attributes = attributes_of(entry, &path)?;
    match entry.header().entry_type() {
        EntryType::Directory => receiver.directory(path, attributes),
        // Archives from before 1988 have no kind for directories but a slash behind their names.
        EntryType::Regular if entry.path_bytes().ends_with(b"/") => {
            receiver.directory(path, attributes)
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            unpack_file(entry, &path, &attributes, receiver)
        }
        EntryType::Symlink => {
            let target = target_of(entry, &path)?;
            receiver.symbolic_link(&path, OsStr::from_bytes(&target), &attributes)
        }
        EntryType::Link => {
            let target = EntryPath::parse(&target_of(entry, &path)?)?;
            receiver.hard_link(&path, &target, &attributes)
        }
        EntryType::Fifo => receiver.fifo(&path, &attributes),
        EntryType::Char => {
            receiver.device(&path, device_of(entry, DeviceKind::Character), &attributes)
        }
        EntryType::Block => {
            receiver.device(&path, device_of(entry, DeviceKind::Block), &attributes)
        }
        other => Err(TreeError::Kind {
            path: path.to_string(),
            kind: char::from(other.as_byte()),
        }),
    }
}

fn unpack_file(
    entry: &mut Entry<'_, impl Read>,
    path: &EntryPath,
    attributes: &Attributes,
    receiver: &mut impl Receive,
) -> Result<(), TreeError> {
    let expected = entry.size();
    let content = Content {
        length: expected,
        source: Source::Archive(entry),
    };
    let length = receiver.file(path, attributes, content)?;
    match length == expected {
        true => Ok(()),
        false => Err(TreeError::Archive {
            source: io::ErrorKind::UnexpectedEof.into(),
        }),
    }
}

fn target_of(entry: &Entry<'_, impl Read>, path: &EntryPath) -> Result<Vec<u8>, TreeError> {
    match entry.link_name_bytes() {
        Some(target) if !target.is_empty() => Ok(target.into_owned()),
        _ => Err(TreeError::NoTarget {
            path: path.to_string(),
        }),
    }
}

/// Some archives leave the numbers out. It is a device all the same, and nobody makes one of an archive's.
fn device_of(entry: &Entry<'_, impl Read>, kind: DeviceKind) -> Device {
    let header = entry.header();
    let major = header.device_major().ok().flatten().unwrap_or(0);
    let minor = header.device_minor().ok().flatten().unwrap_or(0);
    Device {
        kind,
        number: libc::makedev(major, minor),
    }
}
