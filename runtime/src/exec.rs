//! Executing one more program in a running container.

use crate::cgroup::Cgroup;
use crate::config::ContainerConfig;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::link_environment::running_link_environment;
use crate::monitor::CGROUP_PARENT;
use crate::process::{ChildStdio, ExecPlan, RunningProcess, Sealed, spawn_exec};
use crate::runtime::Runtime;
use crate::spec::{SpecInputs, build_spec};
use crate::start::{AttachedStreams, Attachment};
use crate::user::{UserRequest, resolve_user};
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::id::ContainerId;
use oci_spec::runtime::Process;
use std::fs::File;
use std::io::pipe;
use std::os::fd::AsFd;

/// What to execute, and how it differs from the container's own program.
#[derive(Debug, Clone, Default)]
pub struct ExecRequest {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables besides the container's.
    pub environment: Vec<EnvironmentVariable>,
    /// Another working directory.
    pub working_directory: Option<String>,
    /// Another user.
    pub user: Option<String>,
}

/// A program that was executed in a container.
#[derive(Debug)]
pub struct Executed {
    /// What its events are known by.
    pub execution: String,
    /// The process. It does not end with the caller.
    pub process: RunningProcess,
    /// Its streams, unless it was started detached.
    pub streams: Option<AttachedStreams>,
}

impl Runtime {
    /// Executes a program in a running container. Its links are those that hold now; one that does not never hinders it.
    /// The program may be the caller's own executable, hence the proof that it is out of the container's reach.
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`]; exit code 127 or 126 when there is no such program or it cannot be executed.
    pub fn exec(
        &self,
        config: &ContainerConfig,
        request: &ExecRequest,
        attachment: Attachment,
        _sealed: &Sealed,
    ) -> Result<Executed, RuntimeError> {
        let not_running = || RuntimeError::NotRunning(config.name.clone());
        let init = self.init_of(&config.id).ok_or_else(not_running)?;
        // From here on the descriptor says who is meant: the number can pass to another process at any time.
        let init = init.open().ok_or_else(not_running)?;
        let cgroup = Cgroup::open(CGROUP_PARENT, &config.id)?;
        let plan = ExecPlan::prepare(&self.exec_process(config, request)?)?;
        let execution = ContainerId::random()?.to_string();
        let tell = |action| {
            let event = Event::container(config, action).with("execID", &execution);
            self.tell_event(event.about(request.command.join(" ")));
        };
        tell(Action::ExecCreate);
        let fail = |error| RuntimeError::system("make pipes", error);
        let null = File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .map_err(|error| RuntimeError::file("open", "/dev/null".as_ref(), error))?;
        if attachment == Attachment::Detached {
            let null = null.as_fd();
            let stdio = ChildStdio {
                stdin: null,
                stdout: null,
                stderr: null,
            };
            let mut held = spawn_exec(init.as_fd(), &plan, stdio, cgroup.as_ref().map(Cgroup::fd))?;
            held.wait_root_ready()?;
            let process = held.release()?;
            tell(Action::ExecStart);
            return Ok(Executed {
                execution,
                process,
                streams: None,
            });
        }
        let (stdout, its_stdout) = pipe().map_err(fail)?;
        let (stderr, its_stderr) = pipe().map_err(fail)?;
        let (its_stdin, stdin) = match attachment {
            Attachment::OutputAndInput => {
                let (reader, writer) = pipe().map_err(fail)?;
                (Some(reader), Some(writer))
            }
            Attachment::Output | Attachment::Detached => (None, None),
        };
        let stdio = ChildStdio {
            stdin: its_stdin.as_ref().map_or(null.as_fd(), AsFd::as_fd),
            stdout: its_stdout.as_fd(),
            stderr: its_stderr.as_fd(),
        };
        let mut held = spawn_exec(init.as_fd(), &plan, stdio, cgroup.as_ref().map(Cgroup::fd))?;
        held.wait_root_ready()?;
        let process = held.release()?;
        tell(Action::ExecStart);
        Ok(Executed {
            execution,
            process,
            streams: Some(AttachedStreams {
                stdin,
                stdout,
                stderr,
            }),
        })
    }

    /// The container's process with what differs laid over it.
    fn exec_process(
        &self,
        config: &ContainerConfig,
        request: &ExecRequest,
    ) -> Result<Process, RuntimeError> {
        let mut like = config.clone();
        like.process.entrypoint.clear();
        like.process.command = request.command.clone();
        if let Some(directory) = &request.working_directory {
            like.process.working_directory = directory.clone();
        }
        if let Some(user) = &request.user {
            like.process.user = user.clone();
        }
        like.process.environment.retain(|variable| {
            !request
                .environment
                .iter()
                .any(|other| other.name == variable.name)
        });
        like.process
            .environment
            .extend(request.environment.iter().cloned());
        let paths = self.paths(&config.id);
        let mut searched = vec![paths.root.join("upper")];
        searched.extend(self.images.image(&config.image_id)?.layers);
        let user: UserRequest = like.process.user.parse()?;
        let spec = build_spec(&SpecInputs {
            config: &like,
            directory: &paths.root,
            etc_files: &paths.root,
            link_environment: &running_link_environment(self, config)?,
            user: &resolve_user(&user, &searched)?,
            cgroup_path: None,
        })?;
        Ok(spec.process().clone().unwrap_or_default())
    }
}
