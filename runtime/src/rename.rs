//! Giving a container another name. Links follow it: they are bound by name, and the name of their target changes with it.

use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::outline::ContainerOutline;
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
        let old = std::mem::replace(&mut config.name, new.clone());
        self.begin_renaming(&config.id, &old)?;
        if let Err(error) = atomic_file::write_json(&self.paths(&config.id).record(), &config) {
            // The sign stays, and says nothing that is wrong: it is called so.
            self.release_name(&new, &config.id);
            return Err(error.into());
        }
        let event = Event::container(&config, Action::Rename);
        self.tell_event(event.with("oldName", format!("/{old}")));
        let mut busy = self.finish_change_locked(&config, &lock)?;
        drop(lock);
        // Those that others are at work on are waited for without the lock, so that two commands never wait for each other.
        while let Some(source) = busy.pop() {
            drop(self.lock_if_present(&source)?);
            let Some(lock) = self.lock_if_present(&config.id)? else {
                return Ok(());
            };
            busy = self.finish_change_locked(&self.current_record(&config.id)?, &lock)?;
        }
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

    /// Lets the networks know a container by the name that its record has.
    pub(crate) fn tell_name(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        for network in self.networks.networks_of(&config.id)? {
            self.networks.rename((&network, &config.id), &config.name)?;
        }
        Ok(())
    }

    /// Lets links to a name that a container had lead to its present one. Those whose containers others are at work on are the result: whoever
    /// holds a lock must not wait for them.
    pub(crate) fn retarget_links(
        &self,
        old: &ContainerName,
        target: &ContainerConfig,
    ) -> Result<Vec<ContainerId>, RuntimeError> {
        let is_linked = |outline: &ContainerOutline| {
            let mut links = outline.network.links.iter();
            links.any(|link| link.target == *old)
        };
        let mut busy = Vec::new();
        for source in self.outlines()?.into_iter().filter(is_linked) {
            let lock = self.try_lock(&source.id)?;
            let Some(mut config) = self.read(&source.id)? else {
                continue;
            };
            // Its own lock is the caller's.
            if lock.is_none() && source.id != target.id {
                busy.push(source.id);
                continue;
            }
            retarget(&mut config.network.links, old, &target.name);
            // Those that ran have been told; this is for one that has just started. The record comes last: as long as it says
            // the old name, this is done again.
            self.settle_links(&config, &mut Silent)?;
            atomic_file::write_json(&self.paths(&config.id).record(), &config)?;
        }
        Ok(busy)
    }
}
