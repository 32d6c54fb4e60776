//! Making an image of a container: its image's layers, and on top of them what it has written.

use super::error::FilesError;
use super::freeze::Frozen;
use crate::cgroup::Cgroup;
use crate::config::ContainerConfig;
use crate::container_state::ContainerState;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::image::{
    Change, CommitRequest, Image, ImageConfig, ImageReference, apply, commit as commit_image,
};
use crate::runtime::Runtime;
use crate::signal::StopSignal;
use crate::store::ContainerLock;

/// How an image is made of a container.
#[derive(Debug, Clone)]
pub struct CommitOptions {
    /// Its name, if it is to have one.
    pub reference: Option<ImageReference>,
    /// Who made it.
    pub author: Option<String>,
    /// What is to be said about it.
    pub comment: Option<String>,
    /// What is to be other than in the container.
    pub changes: Vec<Change>,
    /// What a running container does meanwhile.
    pub meanwhile: WhileCommitting,
}

/// What a running container does while an image is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhileCommitting {
    /// It stands still, so that all files are of one moment.
    Paused,
    /// It goes on.
    Running,
}

impl Runtime {
    /// Makes an image of a container. Volumes and other mounts are not part of it.
    ///
    /// # Errors
    /// [`FilesError`], or those of the image store; nothing is kept then.
    pub fn commit(
        &self,
        config: &ContainerConfig,
        options: CommitOptions,
    ) -> Result<Image, RuntimeError> {
        let paths = self.paths(&config.id);
        let _still = self.hold_still(config, options.meanwhile)?;
        // It may have been changed while we waited.
        let config = self.current_record(&config.id)?;
        let parent = self.images.image(&config.image_id)?;
        let mut image_config = config_of(&config, &parent.config);
        apply(&mut image_config, &options.changes);
        let request = CommitRequest {
            parent: parent.id,
            upper: &paths.root.join("upper"),
            config: image_config,
            author: options.author,
            comment: options.comment,
            reference: options.reference.clone(),
        };
        // Whoever removes a container begins with its record, so as long as that is there, all files are.
        let image = commit_image(&self.images, request, || {
            self.current_record(&config.id).map(drop)
        })?;
        let named = options.reference.as_ref().map(ToString::to_string);
        let event = Event::container(&config, Action::Commit)
            .with("comment", image.comment.as_deref().unwrap_or_default())
            .with("imageID", image.id)
            .with("imageRef", named.as_deref().unwrap_or_default());
        self.tell_event(event);
        if let Some(name) = named {
            self.tell_event(Event::image(&image.id, name, Action::Tag));
        }
        Ok(image)
    }

    /// Keeps what the container has written as it is: one that does not run from being started, one that runs from going on.
    fn hold_still(
        &self,
        config: &ContainerConfig,
        meanwhile: WhileCommitting,
    ) -> Result<Still, RuntimeError> {
        loop {
            match self.paths(&config.id).container_state()? {
                ContainerState::Running(record) if record.init.is_some() => {
                    return match meanwhile {
                        WhileCommitting::Running => Ok(Still::NotAtAll),
                        WhileCommitting::Paused => Ok(Still::Frozen {
                            _container: freeze(config)?,
                        }),
                    };
                }
                // The lock is held until its program runs.
                ContainerState::Running(_) => self.settle(config)?,
                _ => {
                    let lock = self.lock(&config.id)?;
                    self.repair_locked(config, &lock)?;
                    // Somebody may have started it while we waited for the lock.
                    if !self.runs(config)? {
                        return Ok(Still::Locked { _lock: lock });
                    }
                }
            }
        }
    }
}

/// What keeps a container as it is.
enum Still {
    Locked { _lock: ContainerLock },
    Frozen { _container: Option<Frozen> },
    NotAtAll,
}

fn freeze(config: &ContainerConfig) -> Result<Option<Frozen>, RuntimeError> {
    let Some(cgroup) = Cgroup::open(config.group())? else {
        return Err(FilesError::NotPausable(config.name.clone()).into());
    };
    Frozen::freeze(&cgroup).map_err(|error| {
        RuntimeError::from(FilesError::Pause {
            container: config.name.clone(),
            error,
        })
    })
}

/// What the image says of containers: what this one was told, by its own image and by the user.
fn config_of(config: &ContainerConfig, parent: &ImageConfig) -> ImageConfig {
    let process = config.process.clone();
    let says_usual = config.stop_signal == StopSignal::default() && parent.stop_signal.is_none();
    ImageConfig {
        entrypoint: process.entrypoint,
        command: process.command,
        environment: process.environment,
        working_directory: process.working_directory,
        user: process.user,
        exposed: config.network.expose.clone(),
        labels: config.labels.clone(),
        stop_signal: (!says_usual).then_some(config.stop_signal),
        health: config.health.clone(),
        volumes: parent.volumes.clone(),
    }
}
