//! Whether a record is still the one that was seen.
//!
//! A record is never written to: who changes it puts another file in its place ([`minirun_bridge::atomic_file`]). So one look
//! at the file tells what would otherwise take reading and understanding it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What tells the file of a record from whatever replaces it. The number alone would not, because it is given again when the file is
/// gone; the time of the change tells the two apart then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordStamp {
    device: u64,
    number: u64,
    changed: (i64, i64),
}

impl RecordStamp {
    /// That of the record which is there now; none if it cannot be looked at.
    pub(crate) fn of(record: &Path) -> Option<RecordStamp> {
        let found = fs::symlink_metadata(record).ok()?;
        Some(RecordStamp {
            device: found.dev(),
            number: found.ino(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minirun_bridge::atomic_file::write_json;

    #[test]
    fn a_record_is_the_same_until_another_is_put_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("container.json");
        assert_eq!(RecordStamp::of(&path), None);
        write_json(&path, &1).unwrap();
        let seen = RecordStamp::of(&path);
        assert!(seen.is_some());
        assert_eq!(RecordStamp::of(&path), seen);
        // With the old one still there, the new one cannot have its number.
        let _kept = fs::File::open(&path).unwrap();
        write_json(&path, &1).unwrap();
        assert_ne!(RecordStamp::of(&path), seen);
    }
}
