//! How much a container has written.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::tree_size::size_below;
use std::fs::File;

impl Runtime {
    /// The size of all files in a container's writable layer, in bytes. What vanishes meanwhile is left out.
    ///
    /// # Errors
    /// When the layer cannot be read.
    pub fn writable_size(&self, config: &ContainerConfig) -> Result<u64, RuntimeError> {
        let upper = self.paths(&config.id).root.join("upper");
        let top = File::open(&upper).map_err(|error| RuntimeError::file("list", &upper, error))?;
        Ok(size_below(&top.into()))
    }
}
