//! What happens to containers, images, networks and volumes, told to whoever listens.
//!
//! Theory of operation
//!
//! 1. There is no daemon that could tell anybody. Whoever does something appends one line to a file (`journal`), which dies
//!    with the boot: `STATE/events`. A line is JSON in Docker's keys ([`event`]).
//! 2. When that file has grown large, it becomes `STATE/events.1` in place of the one before, and a new one is begun. So there are
//!    two generations at most.
//! 3. Whoever listens reads both and waits for more with inotify(7) ([`follow`]). It keeps its generation open: when that has
//!    been renamed, nobody writes to it any more, and what is left of it is read before the next one is.
//!
//! Telling is one line at the place of the deed: `self.tell_event(Event::container(&config, Action::Pause))`. It never fails
//! and waits for nobody but another line.

mod action;
pub mod event;
mod filter;
pub mod follow;
mod journal;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use event::{Event, EventKind};
pub use filter::EventFilter;
pub use follow::EventQuery;

use crate::config::ContainerConfig;
use crate::container_state::ExitRecord;
use crate::image::Removed;
use crate::runtime::Runtime;
use crate::storage::{Access, MountKind};
use journal::Journal;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::NetworkName;

impl Runtime {
    /// Tells whoever listens that something has happened. That it cannot be told keeps nothing from happening.
    pub fn tell_event(&self, event: Event) {
        let _ = self.journal().append(event);
    }

    /// Tells that a container was connected to a network or taken off it. Of a network that is gone nothing can be told.
    pub(crate) fn tell_membership(
        &self,
        network: &NetworkName,
        container: &ContainerId,
        action: Action,
    ) {
        if let Ok(Some(network)) = self.networks.load(network) {
            self.tell_event(Event::membership(&network, container, action));
        }
    }

    /// Tells that a container's program runs, and that its volumes are mounted for it.
    pub(crate) fn tell_start(&self, config: &ContainerConfig) {
        for mount in &config.storage.mounts {
            if let MountKind::Volume(volume) = &mount.kind {
                let event = Event::volume(volume.name.as_str(), Action::Mount)
                    .with("container", config.id)
                    .with("destination", &mount.destination)
                    .with("propagation", "")
                    .with("read/write", mount.access == Access::ReadWrite);
                self.tell_event(event);
            }
        }
        self.tell_event(Event::container(config, Action::Start));
    }

    /// Tells that a container's program has ended, under the name that the record has, and that its volumes are not
    /// mounted any more.
    pub(crate) fn tell_death(&self, config: &ContainerConfig, end: &ExitRecord) {
        if end.oom_killed {
            self.tell_event(Event::container(config, Action::Oom));
        }
        let duration = end.finished.duration_since(end.started);
        let died = Event::container(config, Action::Die)
            .with("execDuration", duration.as_secs())
            .with("exitCode", end.exit_code);
        self.tell_event(match end.timed_out() {
            true => died.with("timedOut", true),
            false => died,
        });
        for volume in config.storage.volumes() {
            let event = Event::volume(volume.name.as_str(), Action::Unmount);
            self.tell_event(event.with("container", config.id));
        }
    }

    /// Tells of a signal. This is done before it is sent, so that nobody hears of what it does first.
    pub(crate) fn tell_signal(&self, config: &ContainerConfig, number: i32) {
        self.tell_event(Event::container(config, Action::Kill).with("signal", number));
    }

    /// Tells that a program which was executed in a container has ended.
    pub fn tell_exec_end(&self, config: &ContainerConfig, execution: &str, exit_code: i32) {
        let event = Event::container(config, Action::ExecDie)
            .with("execID", execution)
            .with("exitCode", exit_code);
        self.tell_event(event);
    }

    /// Tells that a program which was executed in a container is left alone and goes on.
    pub fn tell_exec_detached(&self, config: &ContainerConfig, execution: &str) {
        let event = Event::container(config, Action::ExecDetach);
        self.tell_event(event.with("execID", execution));
    }

    /// Tells which names and images are gone.
    pub(crate) fn tell_removed(&self, removed: &Removed) {
        for _ in &removed.untagged {
            self.tell_event(Event::image(&removed.image, removed.image, Action::Untag));
        }
        if let Some(id) = &removed.deleted {
            self.tell_event(Event::image(id, id, Action::Delete));
        }
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::of(&self.directories.state)
    }
}
