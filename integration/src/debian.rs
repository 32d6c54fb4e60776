//! An image with a Debian userland and real servers, from Debian's own packages.

use std::path::Path;

use crate::finished::Finished;
use crate::host::TestHost;

/// What `integration/debian-userland` makes, below the directory for the temporary files of tests.
const ARCHIVE: &str = "debian-userland.tar.zst";

impl TestHost {
    /// Imports the userland as the image `debian`. `directory` is the caller's `CARGO_TARGET_TMPDIR`.
    ///
    /// # Panics
    ///
    /// If it was not assembled.
    #[track_caller]
    pub fn imports_debian(&self, directory: &str) -> Finished {
        let archive = Path::new(directory).join(ARCHIVE);
        assert!(
            archive.exists(),
            "please run `integration/debian-userland {}` first",
            archive.display()
        );
        let archive = archive.to_str().expect("the path is text");
        self.minirun(["import", archive, "debian"]).succeeds()
    }
}
