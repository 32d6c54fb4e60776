//! Executing one more program in a running container.

use crate::cgroup::{Cgroup, admit};
use crate::config::ContainerConfig;
use crate::devices::guard::GuardedDevices;
use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::host_security::HostSecurity;
use crate::link_environment::running_link_environment;
use crate::process::{ChildStdio, ExecPlan, HeldProcess, RunningProcess, spawn_exec};
use crate::runtime::Runtime;
use crate::security::Privilege;
use crate::security::capability_change::CapabilityChange;
use crate::security::capability_word::CapabilityWord;
use crate::spec::{SpecInputs, build_spec};
use crate::streams::{AttachedStreams, Attachment, ProgramEnds, input_pipe};
use crate::terminal::{Terminal, WindowSize};
use crate::user::{UserRequest, resolve_user};
use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::id::ContainerId;
use oci_spec::runtime::Process;
use std::io::pipe;
use std::os::fd::{AsFd, OwnedFd};

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
    /// Whether its standard streams are a terminal of its own.
    pub terminal: bool,
    /// Whether it has all capabilities.
    pub privilege: Privilege,
    /// How large the window of the caller is, if that is a terminal.
    pub window: Option<WindowSize>,
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
    ///
    /// # Errors
    /// [`RuntimeError::NotRunning`]; exit code 127 or 126 when there is no such program or it cannot be executed.
    pub fn exec(
        &self,
        config: &ContainerConfig,
        request: &ExecRequest,
        attachment: Attachment,
    ) -> Result<Executed, RuntimeError> {
        let (ends, pipes) = match (request.terminal, attachment) {
            (true, _) | (false, Attachment::Detached) => (ProgramEnds::nothing()?, None),
            (false, _) => pipes(attachment)?,
        };
        let execution = ContainerId::random()?.to_string();
        let tell = |action| {
            let event = Event::container(config, action).with("execID", &execution);
            self.tell_event(event.about(request.command.join(" ")));
        };
        let mut held = self.hold(config, request, ends.stdio())?;
        tell(Action::ExecCreate);
        drop(ends);
        let streams = match held.take_terminal() {
            Some(master) => self.connect_terminal(config, attachment, master)?,
            None => pipes,
        };
        let process = held.release()?;
        tell(Action::ExecStart);
        if attachment == Attachment::Detached {
            self.tell_exec_detached(config, &execution);
        }
        Ok(Executed {
            execution,
            process,
            streams,
        })
    }

    /// Executes a program with these streams.
    pub(crate) fn execute(
        &self,
        config: &ContainerConfig,
        request: &ExecRequest,
        stdio: ChildStdio<'_>,
    ) -> Result<RunningProcess, RuntimeError> {
        Ok(self.hold(config, request, stdio)?.release()?)
    }

    /// A process in the container that is about to execute the program.
    fn hold(
        &self,
        config: &ContainerConfig,
        request: &ExecRequest,
        stdio: ChildStdio<'_>,
    ) -> Result<HeldProcess, RuntimeError> {
        let not_running = || RuntimeError::NotRunning(config.name.clone());
        self.check_running(config, &self.paths(&config.id).container_state()?)?;
        let init = self.init_of(&config.id).ok_or_else(not_running)?;
        // From here on the descriptor says who is meant: the number can pass to another process at any time.
        let init = init.open().ok_or_else(not_running)?;
        if self.is_paused(config)? {
            return Err(RuntimeError::Paused(config.name.clone()));
        }
        let cgroup = Cgroup::open(config.group())?;
        let process = self.exec_process(config, request)?;
        let filter = self.seccomp_filter(config)?;
        let plan = ExecPlan::prepare(&process, filter, config.security.id_range)?;
        let mut held = spawn_exec(init.as_fd(), &plan, stdio, cgroup.as_ref().map(Cgroup::fd))?;
        held.wait_root_ready()?;
        admit(config.group(), held.pid())?;
        Ok(held)
    }

    /// The caller's ends of a terminal. If nobody is to look at it, it is left to the container's monitor.
    fn connect_terminal(
        &self,
        config: &ContainerConfig,
        attachment: Attachment,
        master: OwnedFd,
    ) -> Result<Option<AttachedStreams>, RuntimeError> {
        let fail = |error| RuntimeError::system("take the program's terminal", error);
        let terminal = Terminal::hold(master).map_err(fail)?;
        if attachment == Attachment::Detached {
            self.leave_terminal(config, terminal)?;
            return Ok(None);
        }
        let input = terminal.duplicate().map_err(fail)?;
        Ok(Some(AttachedStreams {
            stdin: Some(input).filter(|_| attachment == Attachment::OutputAndInput),
            stdout: terminal.duplicate().map_err(fail)?,
            stderr: None,
            terminal: Some(terminal),
        }))
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
        like.process.terminal = request.terminal;
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
        if request.privilege == Privilege::Privileged {
            like.security.capabilities = CapabilityChange::new(&[CapabilityWord::All], &[]);
        }
        let paths = self.paths(&config.id);
        let mut searched = vec![paths.root.join("upper")];
        searched.extend(self.images.image(&config.image_id)?.layers);
        let user: UserRequest = like.process.user.parse()?;
        let guard = self.device_guard(config)?;
        let spec = build_spec(&SpecInputs {
            config: &like,
            directory: &paths.root,
            etc_files: &paths.root,
            volumes: self.volumes().directory(),
            link_environment: &running_link_environment(self, config)?,
            user: &resolve_user(&user, &searched)?,
            host: &HostSecurity::examine(&like.security)?,
            cgroup_path: None,
            window: request.window,
            devices: &GuardedDevices::usual(guard),
        })?;
        Ok(spec.process().clone().unwrap_or_default())
    }
}

/// The pipes to a program: its ends and the caller's.
fn pipes(attachment: Attachment) -> Result<(ProgramEnds, Option<AttachedStreams>), RuntimeError> {
    let fail = |error| RuntimeError::system("make pipes", error);
    let mut ends = ProgramEnds::nothing()?;
    let (stdout, its_stdout) = pipe().map_err(fail)?;
    let (stderr, its_stderr) = pipe().map_err(fail)?;
    ends.stdout = its_stdout.into();
    ends.stderr = its_stderr.into();
    let mut stdin = None;
    if attachment == Attachment::OutputAndInput {
        let (its_stdin, writer) = input_pipe().map_err(fail)?;
        ends.stdin = its_stdin.into();
        stdin = Some(writer.into());
    }
    let streams = AttachedStreams {
        stdin,
        stdout: stdout.into(),
        stderr: Some(stderr.into()),
        terminal: None,
    };
    Ok((ends, Some(streams)))
}
