//! Giving a container another name. Links follow it: they are bound by name, and the name of their target changes with it.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::store::ContainerLock;
use minirun_bridge::amend::retarget;
use minirun_bridge::atomic_file;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use minirun_netns::Silent;

impl Runtime {
    /// Renames a container, running or not.
    ///
    /// # Errors
    /// [`RuntimeError::NameTaken`]; else that of the step that failed.
    pub fn rename(
        &self,
        container: &ContainerConfig,
        new: ContainerName,
    ) -> Result<(), RuntimeError> {
        if container.name == new {
            return Err(RuntimeError::SameName(new));
        }
        let lock = self.lock_with_name(&container.id, &new)?;
        let mut config = self.current_record(&container.id)?;
        self.finish_change_locked(&config, &lock)?;
        let old = std::mem::replace(&mut config.name, new.clone());
        self.begin_change(&config.id, Some(&old))?;
        if let Err(error) = atomic_file::write_json(&self.paths(&config.id).record(), &config) {
            self.end_change(&config.id);
            self.release_name(&new, &config.id);
            return Err(error.into());
        }
        self.follow_rename(&config, &old)?;
        // One container's lock at a time, so that two commands never wait for each other.
        drop(lock);
        self.retarget_links((&old, &new), Patience::Waiting)?;
        self.end_change(&config.id);
        Ok(())
    }

    /// Takes a name for a container, and then its lock. In this order, since whoever has the name may have to be waited for.
    fn lock_with_name(
        &self,
        id: &ContainerId,
        name: &ContainerName,
    ) -> Result<ContainerLock, RuntimeError> {
        loop {
            self.claim_some_name(Some(name.clone()), id)?;
            let lock = self.lock(id)?;
            // Until the record says the same, others may take the name for a leftover.
            if self.id_of(name)? == Some(*id) {
                return Ok(lock);
            }
        }
    }

    /// Lets everybody know a container by its new name, which its record has already.
    pub(crate) fn follow_rename(
        &self,
        config: &ContainerConfig,
        old: &ContainerName,
    ) -> Result<(), RuntimeError> {
        for network in self.networks.networks_of(&config.id)? {
            self.networks.rename((&network, &config.id), &config.name)?;
        }
        self.release_name(old, &config.id);
        Ok(())
    }

    /// Lets links to the old name lead to the new one. Says whether that was done for all of them: whoever holds a lock must
    /// not wait for those that others are at work on.
    pub(crate) fn retarget_links(
        &self,
        (old, new): (&ContainerName, &ContainerName),
        patience: Patience,
    ) -> Result<bool, RuntimeError> {
        let is_linked = |config: &ContainerConfig| {
            let mut links = config.network.links.iter();
            links.any(|link| link.target == *old)
        };
        let mut complete = true;
        for source in self.all()?.into_iter().filter(is_linked) {
            let lock = match patience {
                Patience::Waiting => self.lock_if_present(&source.id)?,
                Patience::None => self.try_lock(&source.id)?,
            };
            let Some(mut config) = self.read(&source.id)? else {
                continue;
            };
            if lock.is_none() {
                complete = false;
                continue;
            }
            retarget(&mut config.network.links, old, new);
            atomic_file::write_json(&self.paths(&config.id).record(), &config)?;
            // Those that ran have been told; this is for one that has just started.
            self.settle_links(&config, &mut Silent)?;
        }
        Ok(complete)
    }
}

/// Whether to wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until they are done.
    Waiting,
    /// Not at all.
    None,
}
