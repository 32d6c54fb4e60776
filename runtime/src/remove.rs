//! Removing containers, and images that none uses.

use crate::config::{ContainerConfig, NetworkMode};
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::image::{ImageId, Removed};
use crate::runtime::Runtime;
use minirun_netns::{Explain, Explanation, Narrator};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// What to do with a container that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Leave it alone.
    No,
    /// Kill it first.
    Yes,
}

impl Runtime {
    /// Removes a container with everything it wrote.
    ///
    /// # Errors
    /// [`RuntimeError::StillRunning`] unless forced.
    pub fn remove(
        &self,
        config: &ContainerConfig,
        force: Force,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        let runs = matches!(
            self.paths(&config.id).container_state()?,
            ContainerState::Running(_)
        );
        if runs {
            if force == Force::No {
                return Err(RuntimeError::StillRunning(config.name.clone()));
            }
            let ending = self.ending(config)?;
            self.kill(config)?;
            ending.wait(None)?;
            narrator.tell(&Told {
                sentence: format!(
                    "kill `{}` and wait until its monitor has taken the network down",
                    config.name
                ),
                command: format!(
                    "minirun kill {} && minirun wait {}",
                    config.name, config.name
                ),
            });
        }
        let Some(lock) = self.lock_if_present(&config.id)? else {
            return Ok(());
        };
        self.repair_locked(config, &lock)?;
        if matches!(
            self.paths(&config.id).container_state()?,
            ContainerState::Running(_)
        ) {
            return Err(RuntimeError::StillRunning(config.name.clone()));
        }
        self.delete(config, narrator)
    }

    /// Deletes a container that does not run; the caller holds its lock.
    pub(crate) fn delete(
        &self,
        config: &ContainerConfig,
        narrator: &mut dyn Narrator,
    ) -> Result<(), RuntimeError> {
        if config.network.mode == NetworkMode::Bridge
            && let Some(network) = self.networks.load(&Default::default())?
        {
            self.networks.forget(&network, &config.id)?;
        }
        let paths = self.paths(&config.id);
        // The record first: what is left when this is interrupted is then seen to be half removed.
        remove_file(paths.record())?;
        self.release_name(&config.name, &config.id);
        fs::remove_dir_all(&paths.root)
            .map_err(|error| RuntimeError::file("remove", &paths.root, error))?;
        narrator.tell(&Told {
            sentence: format!(
                "remove the files of `{}` and give its name and address back",
                config.name
            ),
            command: format!("rm -r {}", paths.root.display()),
        });
        Ok(())
    }

    /// Takes a name from an image, and removes the image with its last one.
    ///
    /// # Errors
    /// When a container was made from it, or there is no such image.
    pub fn remove_image(&self, image: &str) -> Result<Removed, RuntimeError> {
        let containers = self.all()?;
        let user_of = |id: &ImageId| {
            containers
                .iter()
                .find(|container| container.image_id == *id)
                .map(|container| container.name.to_string())
        };
        Ok(self.images.remove(image, user_of)?)
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
struct Told {
    sentence: String,
    command: String,
}

impl Explain for Told {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: self.sentence.clone(),
            command: self.command.clone(),
        }
    }
}
