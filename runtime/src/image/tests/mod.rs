//! Imports into stores of their own, with archives made entry by entry.

mod directory;
mod malicious;
mod names;
mod round_trip;

use std::fs;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::*;

/// A store in a directory of its own, beside a file that no import may touch.
struct Place {
    directory: TempDir,
    store: ImageStore,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("outside"), "untouched").unwrap();
        let store = ImageStore::open(directory.path().join("images"));
        Self { directory, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn import(&self, archive: &[u8]) -> Result<Image, ImageError> {
        self.import_as(archive, "test", &[])
    }

    fn import_as(&self, archive: &[u8], name: &str, changes: &[&str]) -> Result<Image, ImageError> {
        let source = ImportSource::Tar(Box::new(Cursor::new(archive.to_owned())));
        let changes: Vec<Change> = changes.iter().map(|text| text.parse().unwrap()).collect();
        import(&self.store, source, &name.parse().unwrap(), &changes)
    }

    fn import_directory(&self, path: &Path) -> Result<Image, ImageError> {
        let source = ImportSource::Directory(path.to_owned());
        import(&self.store, source, &"test".parse().unwrap(), &[])
    }

    /// The archive is refused, and then nothing is in the store and nothing beside it was touched.
    fn refuses(&self, archive: &[u8]) -> TreeError {
        let error = self.import(archive).unwrap_err();
        self.assert_empty();
        match error {
            ImageError::Import { source, .. } => source,
            other => panic!("{other}"),
        }
    }

    fn assert_empty(&self) {
        for name in ["layers", "records", "names", "tmp"] {
            let left: Vec<_> = fs::read_dir(self.path("images").join(name))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
        self.assert_untouched();
    }

    fn assert_untouched(&self) {
        let outside = fs::read_to_string(self.path("outside")).unwrap();
        assert_eq!(outside, "untouched");
        let mut beside: Vec<_> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        beside.sort();
        assert_eq!(beside, ["images", "outside"]);
    }
}

/// Makes archives whose entries may be as bad as they like: names are written into the header without being checked.
struct Archive {
    builder: Builder<Vec<u8>>,
}

impl Archive {
    fn new() -> Self {
        Self {
            builder: Builder::new(Vec::new()),
        }
    }

    fn entry(mut self, kind: EntryType, path: &str, target: &str, content: &[u8]) -> Self {
        let header = header(kind, path, target, content.len() as u64);
        self.builder.append(&header, content).unwrap();
        self
    }

    fn file(self, path: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, path, "", content.as_bytes())
    }

    fn directory(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path, "", b"")
    }

    fn symbolic_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, b"")
    }

    fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, target, b"")
    }

    fn with_header(mut self, change: impl FnOnce(&mut Header)) -> Self {
        let mut header = header(EntryType::Regular, "changed", "", 0);
        change(&mut header);
        header.set_cksum();
        self.builder.append(&header, io::empty()).unwrap();
        self
    }

    fn extension(mut self, key: &str, value: &[u8]) -> Self {
        self.builder.append_pax_extensions([(key, value)]).unwrap();
        self
    }

    fn finish(self) -> Vec<u8> {
        self.builder.into_inner().unwrap()
    }

    /// The archive with something of any length in the place of the mark of its end.
    fn finish_with(self, rest: impl Read + 'static) -> Box<dyn Read> {
        let mut whole = self.finish();
        whole.truncate(whole.len() - 1024);
        Box::new(Cursor::new(whole).chain(rest))
    }
}

fn header(kind: EntryType, path: &str, target: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..path.len()].copy_from_slice(path.as_bytes());
    gnu.linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory {
        0o755
    } else {
        0o644
    });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_000_000_000);
    header.set_size(size);
    header.set_cksum();
    header
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast())
        .read_to_end(&mut compressed)
        .unwrap();
    compressed
}
