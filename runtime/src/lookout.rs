//! Looking at many containers, one after the other, with as few and as cheap system calls as there can be.
//!
//! The directories that theirs are in are held open, so that the kernel looks for a file among its neighbours and not from the root.

use crate::cgroup::freezer::HeldGroups;
use crate::container_state::{
    CHANGING, ContainerState, EXIT, End, RECORD, RUNNING, RunningRecord, parse_exit,
};
use crate::error::RuntimeError;
use crate::judgement::{StateRecords, judge, judge_with};
use crate::outline::ContainerOutline;
use crate::process_identity::ProcessIdentity;
use crate::runtime::Runtime;
use crate::vital_sign;
use minirun_bridge::held_directory::HeldDirectory;
use minirun_bridge::id::ContainerId;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Who looks at many containers.
pub(crate) struct Lookout {
    /// What outlives a boot, of all containers.
    lasting: HeldDirectory,
    /// What dies with it.
    passing: HeldDirectory,
    processes: HeldDirectory,
    groups: HeldGroups,
}

impl Lookout {
    pub(crate) fn of(runtime: &Runtime) -> Result<Lookout, RuntimeError> {
        let hold = |path: PathBuf| {
            HeldDirectory::open(path.clone())
                .map_err(|error| RuntimeError::file("open", &path, error))
        };
        Ok(Lookout {
            lasting: hold(runtime.containers())?,
            passing: hold(runtime.states())?,
            processes: hold("/proc".into())?,
            groups: HeldGroups::default(),
        })
    }

    /// Whether a command is changing a container, or was killed while it did.
    pub(crate) fn is_changing(&self, id: &ContainerId) -> bool {
        self.lasting.has(&entry(id, CHANGING))
    }

    /// What a listing shows of the record; none if there is no such container.
    pub(crate) fn outline(
        &mut self,
        id: &ContainerId,
    ) -> Result<Option<ContainerOutline>, RuntimeError> {
        Ok(self.lasting.read_json(&entry(id, RECORD))?)
    }

    /// Whether there is a record.
    pub(crate) fn has_record(&self, id: &ContainerId) -> bool {
        self.lasting.has(&entry(id, RECORD))
    }

    /// What state a container is in.
    pub(crate) fn state(&mut self, id: &ContainerId) -> Result<ContainerState, RuntimeError> {
        judge(&mut Subject {
            lookout: self,
            id,
            exit_file: None,
        })
    }

    /// The same; none if the calling process is on record as its monitor. That one holds the record of the end open, and by opening
    /// and closing it once more would take back the sign that it lives.
    pub(crate) fn state_of_another(
        &mut self,
        id: &ContainerId,
    ) -> Result<Option<ContainerState>, RuntimeError> {
        let mut subject = Subject {
            lookout: self,
            id,
            exit_file: None,
        };
        let running = subject.running()?;
        match &running {
            Some(record) if record.monitor.is_this_process() => Ok(None),
            _ => judge_with(running, &mut subject).map(Some),
        }
    }

    /// Whether a process exists and has not ended.
    pub(crate) fn is_alive(&mut self, process: &ProcessIdentity) -> bool {
        let stat = self.processes.read(&format!("{}/stat", process.pid));
        stat.is_ok_and(|stat| process.is_alive_in(stat))
    }

    /// Whether a container in this state was left by its monitor, or by the guardian that is to make the next one.
    pub(crate) fn is_left_alone(&mut self, state: &ContainerState) -> bool {
        match state {
            ContainerState::Abandoned(_) => true,
            ContainerState::Running(record) => match &record.guardian {
                Some(guardian) => !self.is_alive(guardian),
                None => false,
            },
            _ => false,
        }
    }

    /// Whether a container is paused; one that does not run is not.
    pub(crate) fn is_paused(&mut self, outline: &ContainerOutline) -> Result<bool, RuntimeError> {
        Ok(self.groups.is_frozen(outline.group())?)
    }
}

impl Runtime {
    /// What listings show of the records of all containers, oldest first. Those that are being removed are left out.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn outlines(&self) -> Result<Vec<ContainerOutline>, RuntimeError> {
        self.outlines_of(|_, _| Ok(true))
    }

    /// The same for those that run.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn running_outlines(&self) -> Result<Vec<ContainerOutline>, RuntimeError> {
        self.outlines_of(|lookout, outline| {
            let state = lookout.state(&outline.id)?;
            Ok(matches!(state, ContainerState::Running(_)))
        })
    }

    fn outlines_of(
        &self,
        mut is_meant: impl FnMut(&mut Lookout, &ContainerOutline) -> Result<bool, RuntimeError>,
    ) -> Result<Vec<ContainerOutline>, RuntimeError> {
        let mut lookout = Lookout::of(self)?;
        let mut outlines = Vec::new();
        for id in self.ids()? {
            if let Some(outline) = lookout.outline(&id)?
                && is_meant(&mut lookout, &outline)?
            {
                outlines.push(outline);
            }
        }
        outlines.sort_by_cached_key(|outline| (outline.created, outline.id));
        Ok(outlines)
    }
}

/// A container that is looked at.
struct Subject<'a> {
    lookout: &'a mut Lookout,
    id: &'a ContainerId,
    /// The record of the end, which its monitor gives its sign with.
    exit_file: Option<File>,
}

impl StateRecords for Subject<'_> {
    fn running(&mut self) -> Result<Option<RunningRecord>, RuntimeError> {
        Ok(self.lookout.passing.read_json(&entry(self.id, RUNNING))?)
    }

    fn end(&mut self) -> Result<End, RuntimeError> {
        let (directory, name) = (&mut self.lookout.lasting, entry(self.id, EXIT));
        let outcome = directory.open_file(&name).and_then(|file| {
            let end = parse_exit(directory.read_rest(&file)?)?;
            Ok((file, end))
        });
        match outcome {
            Ok((file, end)) => {
                self.exit_file = Some(file);
                Ok(end.map_or(End::Missing, End::Recorded))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(End::NeverBegun),
            Err(error) => Err(RuntimeError::file("read", &directory.path_of(&name), error)),
        }
    }

    fn is_alive(&mut self, process: &ProcessIdentity) -> bool {
        let exit_file = self.exit_file.as_ref();
        exit_file.is_some_and(|file| vital_sign::is_given(file, process))
            || self.lookout.is_alive(process)
    }
}

/// A file in the directory of a container.
fn entry(id: &ContainerId, file: &str) -> String {
    [&id.to_string(), "/", file].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restart_policy::Restarts;
    use jiff::Timestamp;
    use minirun_bridge::atomic_file;
    use nix::libc;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};
    use std::fs;
    use std::path::Path;

    /// Who looks at the containers in two directories of `root`.
    fn lookout_at(root: &Path) -> Lookout {
        let hold = |path: PathBuf| HeldDirectory::open(path).unwrap();
        Lookout {
            lasting: hold(root.join("lasting")),
            passing: hold(root.join("passing")),
            processes: hold("/proc".into()),
            groups: HeldGroups::default(),
        }
    }

    fn record(monitor: ProcessIdentity) -> RunningRecord {
        RunningRecord {
            monitor,
            init: None,
            started: Timestamp::UNIX_EPOCH,
            guardian: None,
            restarts: Restarts::default(),
            restarting: None,
        }
    }

    /// Whether somebody else sees the sign that a process gives with the file.
    fn is_seen_by_a_child(path: &Path, process: &ProcessIdentity) -> bool {
        // SAFETY: the child asks the kernel, for which it allocates at most, as the C library allows after a fork, and ends at once.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let is_given =
                    File::open(path).is_ok_and(|file| vital_sign::is_given(&file, process));
                // SAFETY: _exit(2) ends the process at once.
                unsafe { libc::_exit(i32::from(!is_given)) }
            }
            ForkResult::Parent { child } => {
                waitpid(child, None).unwrap() == WaitStatus::Exited(child, 0)
            }
        }
    }

    /// Regression test: a monitor that looked at all containers because a network was full took back its own sign.
    #[test]
    fn a_monitor_that_looks_at_all_others_keeps_the_sign_that_it_lives() {
        let directory = tempfile::tempdir().unwrap();
        let id = ContainerId::random().unwrap();
        let [lasting, passing] = ["lasting", "passing"].map(|kind| {
            let path = directory.path().join(kind).join(id.to_string());
            fs::create_dir_all(&path).unwrap();
            path
        });
        let this = ProcessIdentity::of(std::process::id() as i32).unwrap();
        let exit = lasting.join(EXIT);
        let file = File::create_new(&exit).unwrap();
        vital_sign::give(&file, &this);
        atomic_file::replace_json(&passing.join(RUNNING), &record(this.clone())).unwrap();
        let mut lookout = lookout_at(directory.path());
        assert_eq!(lookout.state_of_another(&id).unwrap(), None);
        assert!(is_seen_by_a_child(&exit, &this));

        let ended = ProcessIdentity {
            pid: i32::MAX,
            ..this
        };
        atomic_file::replace_json(&passing.join(RUNNING), &record(ended.clone())).unwrap();
        assert_eq!(
            lookout.state_of_another(&id).unwrap(),
            Some(ContainerState::Abandoned(Some(record(ended))))
        );
    }
}
