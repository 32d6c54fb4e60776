//! How much a volume holds.

use std::fs::File;

use super::store::VolumeStore;
use crate::byte_size::ByteSize;
use crate::error::RuntimeError;
use crate::storage::VolumeName;
use crate::tree_size::size_below;

impl VolumeStore {
    /// How many bytes the files of a volume have, each counted once however many names it has. A container may change the volume
    /// meanwhile: what is gone when it is looked at does not count, and no link leads out.
    ///
    /// # Errors
    /// When the volume itself cannot be read.
    pub fn size(&self, name: &VolumeName) -> Result<ByteSize, RuntimeError> {
        let data = self.data(name);
        let root = File::open(&data).map_err(|error| RuntimeError::file("read", &data, error))?;
        Ok(ByteSize::from_bytes(size_below(&root.into())))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_count_once_and_links_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let store = VolumeStore::open(directory.path());
        let name: VolumeName = "db".parse().unwrap();
        let data = store.data(&name);
        fs::create_dir_all(data.join("sub")).unwrap();
        fs::write(data.join("sub/a"), [0; 1000]).unwrap();
        fs::hard_link(data.join("sub/a"), data.join("b")).unwrap();
        fs::write(directory.path().join("outside"), [0; 5000]).unwrap();
        symlink(directory.path(), data.join("out")).unwrap();
        assert_eq!(store.size(&name).unwrap().bytes(), 1000);
    }
}
