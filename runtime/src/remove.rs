//! Removing containers, and images that none uses.

use crate::cgroup::clear;
use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::image::{ImageId, Removed};
use crate::last_place::LastAddresses;
use crate::lookout::Lookout;
use crate::project_quota::ProjectQuota;
use crate::runtime::Runtime;
use crate::tree_removal::remove_tree;
use minirun_netns::{Explain, Explanation, Narrator};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

/// How long killed processes may take to leave their control groups.
const PATIENCE: Duration = Duration::from_secs(5);

/// What to do with a container that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Leave it alone.
    No,
    /// Kill it first.
    Yes,
}

impl Runtime {
    /// Removes a container with everything it wrote. One that is gone already is no error.
    ///
    /// # Errors
    /// [`RuntimeError::StillRunning`] unless forced.
    pub fn remove(
        &self,
        config: &ContainerConfig,
        force: Force,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        loop {
            match self.paths(&config.id).container_state()? {
                state if !state.is_up() => {}
                ContainerState::Running(_) => match force {
                    Force::No => return Err(RuntimeError::StillRunning(config.name.clone())),
                    Force::Yes => self.kill_and_tell(config, narrator)?,
                },
                _ => match force {
                    Force::No => return Err(RuntimeError::IsRestarting(config.name.clone())),
                    Force::Yes => self.kill(config)?,
                },
            }
            let Some(lock) = self.lock_if_present(&config.id)? else {
                return Ok(());
            };
            self.repair_locked(config, &lock)?;
            // Somebody may have started it while we waited for the lock.
            if !self.paths(&config.id).container_state()?.is_up() {
                return match self.read(&config.id)? {
                    Some(current) => {
                        // A command that was killed while it created the container may have left groups.
                        clear(current.group(), PATIENCE)?;
                        self.delete(&current, narrator)
                    }
                    None => Ok(()),
                };
            }
        }
    }

    /// Whether a container runs, or is just being started.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn runs(&self, config: &ContainerConfig) -> Result<bool, RuntimeError> {
        let state = self.paths(&config.id).container_state()?;
        Ok(matches!(state, ContainerState::Running(_)))
    }

    /// Kills a container, waits until its monitor has taken it down, and tells what the monitor did: nobody hears that one.
    fn kill_and_tell(
        &self,
        config: &ContainerConfig,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let mut detachment = Vec::new();
        for network in self.networks.networks_of(&config.id)? {
            detachment.extend(self.networks.explain_detach(&network, &config.id)?);
        }
        let init = self.init_of(&config.id).map(|init| init.pid);
        let ending = self.ending(config)?;
        self.kill(config)?;
        ending.wait(None)?;
        narrator.tell(&Told(Explanation {
            sentence: format!(
                "kill the first process of `{}`, and all others of its namespace with it",
                config.name
            ),
            command: init.map_or_else(String::new, |pid| format!("kill -KILL {pid}")),
        }));
        for explanation in detachment {
            narrator.tell(&Told(explanation));
        }
        Ok(())
    }

    /// Deletes a container that does not run. The caller holds its lock, under which the record was read: its name and its
    /// networks are those of now.
    pub(crate) fn delete(
        &self,
        config: &ContainerConfig,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        let last = paths.read_last_place()?;
        let joined = config
            .network
            .memberships
            .iter()
            .map(|membership| &membership.network);
        // Those it was taken off by a command that was killed are among the last ones.
        let networks: BTreeSet<_> = joined.chain(last.addresses.keys()).collect();
        for network in networks {
            let addresses = last.addresses.get(network).map(LastAddresses::all);
            self.networks
                .forget(network, &config.id, &addresses.unwrap_or_default())?;
        }
        // The record first: what is left when this is interrupted is then seen to be half removed.
        remove_file(paths.record())?;
        // Before somebody else is created with its name.
        self.tell_event(Event::container(config, Action::Destroy));
        self.release_name(&config.name, &config.id);
        if let Some(users) = config.security.id_range {
            self.release_ids(users, &config.id);
        }
        if config.storage.size_limit.is_some()
            && let Ok(quota) = ProjectQuota::open(&self.containers())
        {
            quota.release(&paths.root.join("upper"));
        }
        match remove_tree(&paths.root) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(RuntimeError::file("remove", &paths.root, error));
            }
            _ => {}
        }
        if config.auto_remove {
            self.remove_anonymous_volumes(config);
        }
        narrator.tell(&Told(Explanation {
            sentence: format!(
                "remove the files of `{}` and give its name and address back",
                config.name
            ),
            command: format!("rm -r {}", paths.root.display()),
        }));
        Ok(())
    }

    /// Takes a name from an image, and removes the image with its last one.
    ///
    /// # Errors
    /// When a container was made from it, or there is no such image.
    pub fn remove_image(&self, image: &str) -> Result<Removed, RuntimeError> {
        self.wait_for_leaving()?;
        // Asked under the image store's lock, so that a container which is just being made is seen. A record that cannot be
        // read may be that of a user.
        let user_of = |id: &ImageId| match self.outlines() {
            Ok(containers) => containers
                .into_iter()
                .find(|container| container.image_id == *id)
                .map(|container| container.name.to_string()),
            Err(error) => Some(format!("of unknown name ({error})")),
        };
        let removed = self.images.remove(image, user_of)?;
        self.tell_removed(&removed);
        Ok(removed)
    }
}

impl Runtime {
    /// Waits for the containers that have ended and are just removing themselves.
    pub(crate) fn wait_for_leaving(&self) -> Result<(), RuntimeError> {
        let mut lookout = Lookout::of(self)?;
        for outline in self.outlines()? {
            if outline.auto_remove
                && outline.is_leaving(&lookout.state(&outline.id)?)
                && let Some(config) = self.read(&outline.id)?
            {
                self.settle(&config)?;
            }
        }
        Ok(())
    }
}

fn remove_file(path: PathBuf) -> Result<(), RuntimeError> {
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(RuntimeError::file("remove", &path, error))
        }
        _ => Ok(()),
    }
}

/// A step that is told and needs nothing else.
struct Told(Explanation);

impl Explain for Told {
    fn explain(&self) -> Explanation {
        self.0.clone()
    }
}
