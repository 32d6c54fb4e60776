//! Turns the entries of a tree into a tar archive, in a stream and with no more memory than the names of hard links take.
//!
//! Headers are of POSIX's kind. What does not fit into one, long names and targets, fractions of seconds, extended attributes,
//! stands in an extended header in front of it, as GNU tar, bsdtar and Docker read it. Owners are numbers only.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;

use tar::{EntryType, Header};

use super::pax::Records;
use crate::image::TreeError;
use crate::image::attributes::Attributes;
use crate::image::entry_path::EntryPath;
use crate::image::receive::{Content, Device, DeviceKind, Receive, Source};

/// The size of everything in an archive is a multiple of this.
const BLOCK: u64 = 512;
/// How long a name or target may be to stand in the header itself.
const LONGEST_NAME: usize = 100;
const BUFFER: usize = 128 * 1024;

/// An archive in the making.
pub(super) struct Packer<W> {
    output: W,
    buffer: Vec<u8>,
}

impl<W: Write> Packer<W> {
    /// Begins an archive.
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            buffer: vec![0; BUFFER],
        }
    }

    /// Marks the end of the archive.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.output.write_all(&[0; 2 * BLOCK as usize])?;
        self.output.flush()
    }

    /// Writes an entry's headers.
    fn header(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        entry: Entry<'_>,
    ) -> Result<(), TreeError> {
        let mut name = path.as_bytes().to_vec();
        if entry.kind == EntryType::Directory {
            name.extend(if name.is_empty() { &b"./"[..] } else { b"/" });
        }
        let mut header = Header::new_ustar();
        let mut records = Records::default();
        header.set_entry_type(entry.kind);
        header.set_mode(attributes.mode);
        header.set_uid(u64::from(attributes.owner));
        header.set_gid(u64::from(attributes.group));
        header.set_size(entry.size);
        set_time(&mut header, &mut records, attributes);
        if let Some(device) = entry.device {
            set_device(&mut header, device).map_err(cannot_write(path))?;
        }
        if let Some(old) = header.as_ustar_mut() {
            set_name(&mut old.name, &name, (b"path", &mut records));
            set_name(&mut old.linkname, entry.target, (b"linkpath", &mut records));
        }
        for (name, value) in &attributes.extended {
            records.add(&[b"SCHILY.xattr.", name.to_bytes()].concat(), value);
        }
        header.set_cksum();
        self.records(&records)
            .and_then(|()| self.output.write_all(header.as_bytes()))
            .map_err(cannot_write(path))
    }

    fn records(&mut self, records: &Records) -> io::Result<()> {
        let Some(bytes) = records.bytes() else {
            return Ok(());
        };
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        header.set_path("PaxHeaders/entry")?;
        header.set_cksum();
        self.output.write_all(header.as_bytes())?;
        self.output.write_all(bytes)?;
        self.pad(bytes.len() as u64)
    }

    /// Fills the last block up.
    fn pad(&mut self, length: u64) -> io::Result<()> {
        let rest = length.next_multiple_of(BLOCK) - length;
        self.output.write_all(&[0; BLOCK as usize][..rest as usize])
    }

    /// Writes exactly as many bytes as the header says: zeros for what is missing of a file that became shorter.
    fn content(
        &mut self,
        path: &EntryPath,
        (reader, length): (&mut dyn Read, u64),
    ) -> Result<(), TreeError> {
        let mut left = length;
        while left > 0 {
            let room = self.buffer.len().min(left as usize);
            let count = match reader.read(&mut self.buffer[..room]) {
                Ok(0) => {
                    self.buffer[..room].fill(0);
                    room
                }
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(TreeError::Read {
                        path: path.to_string(),
                        source,
                    });
                }
            };
            let piece = &self.buffer[..count];
            self.output.write_all(piece).map_err(cannot_write(path))?;
            left -= count as u64;
        }
        self.pad(length).map_err(cannot_write(path))
    }
}

/// What distinguishes an entry from others with the same attributes.
struct Entry<'a> {
    kind: EntryType,
    size: u64,
    target: &'a [u8],
    device: Option<Device>,
}

impl Entry<'_> {
    const fn of(kind: EntryType) -> Self {
        Self {
            kind,
            size: 0,
            target: b"",
            device: None,
        }
    }
}

impl<W: Write> Receive for Packer<W> {
    fn directory(&mut self, path: EntryPath, attributes: Attributes) -> Result<(), TreeError> {
        self.header(&path, &attributes, Entry::of(EntryType::Directory))
    }

    fn file(
        &mut self,
        path: &EntryPath,
        attributes: &Attributes,
        content: Content<'_>,
    ) -> Result<u64, TreeError> {
        let length = content.length;
        let entry = Entry {
            size: length,
            ..Entry::of(EntryType::Regular)
        };
        self.header(path, attributes, entry)?;
        let reader: &mut dyn Read = match content.source {
            Source::Archive(reader) => reader,
            Source::File(file) => file,
        };
        self.content(path, (reader, length))?;
        Ok(length)
    }

    fn symbolic_link(
        &mut self,
        path: &EntryPath,
        target: &OsStr,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let entry = Entry {
            target: target.as_bytes(),
            ..Entry::of(EntryType::Symlink)
        };
        self.header(path, attributes, entry)
    }

    fn hard_link(
        &mut self,
        path: &EntryPath,
        target: &EntryPath,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let entry = Entry {
            target: target.as_bytes(),
            ..Entry::of(EntryType::Link)
        };
        self.header(path, attributes, entry)
    }

    fn fifo(&mut self, path: &EntryPath, attributes: &Attributes) -> Result<(), TreeError> {
        self.header(path, attributes, Entry::of(EntryType::Fifo))
    }

    fn device(
        &mut self,
        path: &EntryPath,
        device: Device,
        attributes: &Attributes,
    ) -> Result<(), TreeError> {
        let kind = match device.kind {
            DeviceKind::Character => EntryType::Char,
            DeviceKind::Block => EntryType::Block,
        };
        let entry = Entry {
            device: Some(device),
            ..Entry::of(kind)
        };
        self.header(path, attributes, entry)
    }
}

/// Whole seconds since the epoch fit into the header, everything else does not.
fn set_time(header: &mut Header, records: &mut Records, attributes: &Attributes) {
    let (seconds, nanoseconds) = (attributes.modified.tv_sec(), attributes.modified.tv_nsec());
    header.set_mtime(u64::try_from(seconds).unwrap_or(0));
    if seconds < 0 || nanoseconds != 0 {
        records.add(b"mtime", decimal(seconds, nanoseconds).as_bytes());
    }
}

/// A moment as a decimal number of seconds. The kernel's nanoseconds always count forwards.
fn decimal(seconds: i64, nanoseconds: i64) -> String {
    match seconds < 0 && nanoseconds > 0 {
        true => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds),
        false => format!("{seconds}.{nanoseconds:09}"),
    }
}

fn set_device(header: &mut Header, device: Device) -> io::Result<()> {
    header.set_device_major(libc::major(device.number))?;
    header.set_device_minor(libc::minor(device.number))
}

/// Writes a name into its field of the header, and into the records if it is too long for that.
fn set_name(field: &mut [u8; LONGEST_NAME], name: &[u8], (key, records): (&[u8], &mut Records)) {
    let length = name.len().min(LONGEST_NAME);
    field[..length].copy_from_slice(&name[..length]);
    if name.len() > LONGEST_NAME {
        records.add(key, name);
    }
}

fn cannot_write(path: &EntryPath) -> impl Fn(io::Error) -> TreeError {
    move |source| TreeError::Write {
        path: path.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::time::TimeSpec;

    use super::*;

    #[test]
    fn moments_are_decimal_numbers() {
        assert_eq!(decimal(12, 5), "12.000000005");
        assert_eq!(decimal(-2, 750_000_000), "-1.250000000");
        assert_eq!(decimal(-1, 250_000_000), "-0.750000000");
        assert_eq!(decimal(-3, 0), "-3.000000000");
    }

    #[test]
    fn long_names_targets_and_attributes_come_back() {
        let path = EntryPath::parse("long/".repeat(50).as_bytes()).unwrap();
        let target = "t".repeat(3000);
        let attributes = Attributes {
            mode: 0o4755,
            owner: 3_000_000_000,
            group: 7,
            modified: TimeSpec::new(-5, 250_000_000),
            extended: vec![(c"user.note".to_owned(), b"a=b\0c".to_vec())],
        };
        let mut bytes = Vec::new();
        let mut packer = Packer::new(&mut bytes);
        packer
            .symbolic_link(&path, OsStr::new(&target), &attributes)
            .unwrap();
        packer.finish().unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(*entry.path_bytes(), *path.as_bytes());
        assert_eq!(*entry.link_name_bytes().unwrap(), *target.as_bytes());
        let read = crate::image::entry_attributes::attributes_of(&mut entry, &path).unwrap();
        assert_eq!(read, attributes);
    }

    #[test]
    fn a_file_that_became_shorter_is_filled_up_with_zeros() {
        let path = EntryPath::parse(b"file").unwrap();
        let mut bytes = Vec::new();
        let mut packer = Packer::new(&mut bytes);
        let content = Content {
            length: 700,
            source: Source::Archive(&mut &b"short"[..]),
        };
        packer
            .file(&path, &Attributes::of_nobody(), content)
            .unwrap();
        packer.finish().unwrap();
        assert_eq!(bytes.len(), 512 + 1024 + 1024);
        assert_eq!(&bytes[512..517], b"short");
        assert!(bytes[517..512 + 1024].iter().all(|byte| *byte == 0));
    }
}
