//! Exporting a container: its root file system as an archive, without what is mounted in it.

use std::io::Write;

use super::container_root::ContainerRoot;
use super::copy::pack;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::image::entry_path::EntryPath;
use crate::image::walk::Walk;
use crate::process::RootView;
use crate::runtime::Runtime;

impl Runtime {
    /// Writes a container's root file system as a tar archive: the image with the container's changes, and nothing of volumes.
    ///
    /// # Errors
    /// [`FilesError`](super::FilesError).
    pub fn export(
        &self,
        config: &ContainerConfig,
        output: &mut dyn Write,
    ) -> Result<(), RuntimeError> {
        let container = ContainerRoot::open(self, config, RootView::Alone)?;
        let ContainerRoot {
            ground,
            lock: _lock,
        } = container;
        let users = ground.users();
        let walk = Walk::of(ground.into_root(), EntryPath::root()).with_users(users);
        pack(walk, output)?;
        self.tell_event(Event::container(config, Action::Export));
        Ok(())
    }
}
