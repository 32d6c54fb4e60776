//! Taking a link away.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use minirun_bridge::atomic_file;
use minirun_bridge::name::Alias;
use minirun_netns::Narrator;

impl Runtime {
    /// Takes one link of a container away, at once if it runs.
    ///
    /// # Errors
    /// [`RuntimeError::UnknownLink`].
    pub fn remove_link(
        &self,
        source: &ContainerConfig,
        alias: &Alias,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let lock = self.lock(&source.id)?;
        let mut config = self.current_record(&source.id)?;
        self.finish_change_locked(&config, &lock)?;
        let count = config.network.links.len();
        config.network.links.retain(|link| link.alias != *alias);
        if config.network.links.len() == count {
            return Err(RuntimeError::UnknownLink {
                container: config.name,
                alias: alias.clone(),
            });
        }
        self.begin_change(&config.id)?;
        atomic_file::write_json(&self.paths(&config.id).record(), &config)?;
        self.settle_links(&config, narrator)?;
        self.end_change(&config.id);
        Ok(())
    }
}
