//! Repairing what a killed monitor left behind: the next command that meets it finishes its work.

use crate::cgroup::oom_killed;
use crate::config::ContainerConfig;
use crate::container_state::{
    ContainerState, End, EndCause, ExitRecord, RunningRecord, read_end, write_exit,
};
use crate::error::RuntimeError;
use crate::lookout::Lookout;
use crate::monitor::{Afterwards, take_down};
use crate::process_identity::{ProcessIdentity, boot_id};
use crate::runtime::Runtime;
use crate::store::{ContainerLock, ids_in};
use crate::tree_removal::remove_tree;
use jiff::Timestamp;
use minirun_bridge::closed_port::LastConnections;
use minirun_bridge::id::ContainerId;
use minirun_bridge::name::ContainerName;
use minirun_bridge::reload;
use minirun_netns::Silent;
use nix::libc::SIGKILL;
use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

/// How long the kernel may take to end a killed process.
const PATIENCE: Duration = Duration::from_secs(5);

/// The exit code of a container whose monitor was killed: the kernel killed it with SIGKILL (9).
pub(crate) const KILLED: i32 = 128 + SIGKILL;

impl Runtime {
    /// Finishes the work of every monitor that was killed, and removes what commands that were killed left half made. What
    /// others are working on is left to them. What cannot be mended is told, and keeps nothing else from being mended.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn sweep(&self) -> Result<Vec<RuntimeError>, RuntimeError> {
        let mut failures = Vec::new();
        let mut lookout = Lookout::of(self)?;
        for id in ids_in(&self.states())? {
            match lookout.state_of_another(&id) {
                Ok(Some(state)) if lookout.is_left_alone(&state) => {
                    failures.extend(self.sweep_monitor(&id).err());
                }
                Ok(_) => {}
                Err(error) => failures.push(error),
            }
        }
        self.sweep_containers(&lookout, &mut failures)?;
        self.sweep_surroundings(&mut failures)?;
        Ok(failures)
    }

    /// The same for the containers that a command names, and for what is around all of them: what was left of others is met by
    /// whoever names those, or looks at all.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn sweep_named(&self, references: &[String]) -> Result<Vec<RuntimeError>, RuntimeError> {
        let mut failures = Vec::new();
        for reference in references {
            // One that cannot be found is told of when the command looks for it.
            if let Ok(config) = self.find(reference) {
                failures.extend(self.sweep_monitor(&config.id).err());
                failures.extend(self.finish_change(&config.id).err());
            }
        }
        self.sweep_surroundings(&mut failures)?;
        Ok(failures)
    }

    /// The same for what is around containers: volumes, networks and rules.
    pub(crate) fn sweep_surroundings(
        &self,
        failures: &mut Vec<RuntimeError>,
    ) -> Result<(), RuntimeError> {
        failures.extend(self.volumes().sweep().err());
        failures.extend(self.networks.finish_removals().err().map(Into::into));
        for network in self.networks.networks()? {
            let finished = self.networks.finish_interrupted(&network.name);
            failures.extend(finished.err().map(Into::into));
        }
        failures.extend(reload::ensure_rules(&self.networks).err().map(Into::into));
        Ok(())
    }

    /// Finishes the work of a container's monitor, if that was killed and nobody is at it, and that of its guardian.
    pub(crate) fn sweep_monitor(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let is_dead = |guardian: &ProcessIdentity| !guardian.is_alive();
        match self.paths(id).container_state()? {
            ContainerState::Abandoned(_) => match (self.read(id)?, self.try_lock(id)?) {
                (Some(config), Some(lock)) => self.resume_locked(&config, &lock),
                (None, _) => {
                    self.paths(id).remove_running();
                    Ok(())
                }
                (Some(_), None) => Ok(()),
            },
            ContainerState::Running(record) if record.guardian.as_ref().is_some_and(is_dead) => {
                match (self.read(id)?, self.try_lock(id)?) {
                    (Some(config), Some(lock)) => self.guard_locked(&config, &lock),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Waits until nobody works on a container, and repairs it if it is abandoned.
    pub(crate) fn settle(&self, config: &ContainerConfig) -> Result<(), RuntimeError> {
        match self.lock_if_present(&config.id)? {
            Some(lock) => self.resume_locked(config, &lock),
            None => Ok(()),
        }
    }

    /// Repairs a container that is abandoned, whatever its restart policy says; the caller holds its lock.
    pub(crate) fn repair_locked(
        &self,
        config: &ContainerConfig,
        _lock: &ContainerLock,
    ) -> Result<(), RuntimeError> {
        let paths = self.paths(&config.id);
        let record = match paths.container_state()? {
            ContainerState::Abandoned(record) => record,
            // Its monitor was killed when nothing but this was left to do.
            ContainerState::Exited(_) if config.auto_remove => {
                return match self.read(&config.id)? {
                    Some(current) => self.delete(&current, &mut Silent),
                    None => Ok(()),
                };
            }
            _ => return Ok(()),
        };
        self.end_abandoned(config, record.as_ref())?;
        let current = self.read(&config.id)?;
        let config = current.as_ref().unwrap_or(config);
        let failures = take_down(
            self,
            (config, LastConnections::MayBeOpen, Afterwards::Ended),
            &mut Silent,
        );
        match failures.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Ends what is left of an abandoned container, and records that it ended. A monitor that was killed while it took the
    /// container down has recorded that already.
    pub(crate) fn end_abandoned(
        &self,
        config: &ContainerConfig,
        record: Option<&RunningRecord>,
    ) -> Result<ExitRecord, RuntimeError> {
        let paths = self.paths(&config.id);
        if let Some(record) = record {
            self.let_go_on(config)?;
            end_init(record)?;
        }
        if let End::Recorded(exit) = read_end(&paths.exit())? {
            return Ok(exit);
        }
        let exit = ExitRecord {
            oom_killed: oom_killed(config.group()).unwrap_or_default(),
            ..lost_end(record)
        };
        write_exit(&paths.open_exit()?, &exit)
            .map_err(|error| RuntimeError::file("write", &paths.exit(), error))?;
        let current = self.read(&config.id).ok().flatten();
        self.tell_death(current.as_ref().unwrap_or(config), &exit);
        Ok(exit)
    }

    /// Gives a name back that belongs to no container, because the command that made, renamed or removed it was killed. The
    /// caller holds no container's lock but that of one nobody knows yet.
    pub(crate) fn release_orphaned_name(&self, name: &ContainerName) -> Result<(), RuntimeError> {
        let _names = self.lock_names()?;
        let Some(id) = self.id_of(name)? else {
            return Ok(());
        };
        // Whoever is just making the container holds its lock.
        let _lock = self.lock_if_present(&id)?;
        let is_its_name = match self.read(&id)? {
            // A name that it has just lost is its own until no link leads to it any more.
            Some(config) => {
                let old_names = self.old_names(&id)?.unwrap_or_default();
                config.name == *name || old_names.contains(name)
            }
            None => false,
        };
        if !is_its_name {
            self.release_name(name, &id);
        }
        Ok(())
    }

    /// Changes that were interrupted are finished. Directories without a record were being made, or being removed, by a command
    /// that was killed.
    fn sweep_containers(
        &self,
        lookout: &Lookout,
        failures: &mut Vec<RuntimeError>,
    ) -> Result<(), RuntimeError> {
        for id in ids_in(&self.containers())? {
            let swept = match lookout.has_record(&id) {
                true if lookout.is_changing(&id) => self.finish_change(&id),
                true => Ok(()),
                false => self.sweep_half_made(&id),
            };
            failures.extend(swept.err());
        }
        Ok(())
    }

    /// Gives back the names of a container whose record is gone, and whose lock the caller holds. Which they are is not known.
    fn release_unrecorded_names(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let failed = |error| RuntimeError::file("read", &self.names(), error);
        let target = id.to_string();
        let names = match fs::read_dir(self.names()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            names => names.map_err(failed)?,
        };
        for entry in names {
            let path = entry.map_err(failed)?.path();
            if fs::read_link(&path).is_ok_and(|found| found.as_os_str() == target.as_str()) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    pub(crate) fn sweep_half_made(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        let paths = self.paths(id);
        let Some(_lock) = self.try_lock(id)? else {
            return Ok(());
        };
        if !paths.record().exists() {
            self.release_unrecorded_ids(id);
            self.release_unrecorded_names(id)?;
            remove_tree(&paths.root)
                .map_err(|error| RuntimeError::file("remove", &paths.root, error))?;
        }
        Ok(())
    }
}

/// The end of a container that nobody saw end.
fn lost_end(record: Option<&RunningRecord>) -> ExitRecord {
    if let Some(between) = record.and_then(|record| record.restarting.clone()) {
        return between.last;
    }
    let now = Timestamp::now();
    let (cause, reason) = match record {
        Some(record) if record.monitor.boot == boot_id() => {
            (EndCause::MonitorLost, "its monitor was killed")
        }
        _ => (EndCause::HostDown, "the host went down while it ran"),
    };
    ExitRecord {
        started: record.map_or(now, |record| record.started),
        finished: now,
        exit_code: KILLED,
        error: Some(reason.into()),
        cause,
        restarts: record.map_or(0, |record| record.restarts.count),
        boot: record.map_or_else(String::new, |record| record.monitor.boot.clone()),
        oom_killed: false,
        signal: None,
        usage: None,
    }
}

/// Ends the first process of a container whose monitor is gone, and all others of its namespace with it.
fn end_init(record: &RunningRecord) -> Result<(), RuntimeError> {
    let Some(process) = record.init.as_ref().and_then(|init| init.open()) else {
        return Ok(());
    };
    // It may have ended since; then there is nothing to wait for either.
    let _ = process.signal(SIGKILL);
    process
        .wait(Some(PATIENCE))
        .map(drop)
        .map_err(|error| RuntimeError::system("wait for a container to end", error))
}
