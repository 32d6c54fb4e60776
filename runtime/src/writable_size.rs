//! How much a container has written.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

impl Runtime {
    /// The size of all files in a container's writable layer, in bytes. What vanishes meanwhile is left out.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn writable_size(&self, config: &ContainerConfig) -> Result<u64, RuntimeError> {
        size_below(&self.paths(&config.id).root.join("upper"))
    }
}

/// Files of several names count once.
fn size_below(top: &Path) -> Result<u64, RuntimeError> {
    let mut seen = BTreeSet::new();
    let mut size: u64 = 0;
    let mut directories = vec![top.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let fail = |error| RuntimeError::file("list", &directory, error);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(fail(error)),
        };
        for entry in entries {
            let entry = entry.map_err(fail)?;
            // Of the entry itself: what a symbolic link of a container leads to is not the container's.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if seen.insert((metadata.dev(), metadata.ino())) {
                size = size.saturating_add(metadata.len());
            }
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_count_once_and_links_do_not_lead_out() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("in")).unwrap();
        fs::write(top.path().join("in/a"), [0; 100]).unwrap();
        fs::hard_link(top.path().join("in/a"), top.path().join("b")).unwrap();
        symlink("/usr", top.path().join("c")).unwrap();
        assert_eq!(size_below(top.path()).unwrap(), 104);
        assert_eq!(size_below(&top.path().join("nothing")).unwrap(), 0);
    }
}
