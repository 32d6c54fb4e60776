//! `minirun exec`.

use super::attached_options::{DetachOptions, check_input};
use super::container_options::environment;
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::relay::{self, HeldSignals, ProgramStreams, SignalProxy, Source, window};
use clap::Args;
use minirun_bridge::environment::EnvironmentEntry;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::exec::ExecRequest;
use minirun_runtime::security::Privilege;
use minirun_runtime::streams::Attachment;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `minirun exec`.
#[derive(Debug, Args)]
pub struct Exec {
    /// Do not wait for the program to end
    #[arg(short, long)]
    detach: bool,
    /// Pass on your input
    #[arg(short, long)]
    interactive: bool,
    /// Give the program a terminal of its own
    #[arg(short, long)]
    tty: bool,
    #[command(flatten)]
    keys: DetachOptions,
    /// Set a variable, or pass one on from your environment
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<EnvironmentEntry>,
    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Directory to start in
    #[arg(short, long, value_name = "DIRECTORY")]
    workdir: Option<String>,
    /// Give the program all capabilities
    #[arg(long)]
    privileged: bool,
    /// User to run as
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// Program and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

impl RunCommand for Exec {
    const ABOUT: &'static str = "Execute a program in a running container";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let own = |error: RuntimeError| Failure::of_program(&error);
        let runtime = context.runtime().map_err(own)?;
        let config = runtime.resolve(&self.container).map_err(own)?;
        let attachment = match (self.detach, self.interactive) {
            (true, _) => Attachment::Detached,
            (false, false) => Attachment::Output,
            (false, true) => Attachment::OutputAndInput,
        };
        check_input(attachment, self.tty)?;
        let request = ExecRequest {
            environment: environment(&self.env_file, &self.env)?,
            command: self.command,
            working_directory: self.workdir,
            user: self.user,
            terminal: self.tty,
            privilege: match self.privileged {
                true => Privilege::Privileged,
                false => Privilege::Ordinary,
            },
            window: window(),
        };
        let signals = match attachment {
            Attachment::Detached => None,
            Attachment::Output | Attachment::OutputAndInput => {
                Some(HeldSignals::hold(ProgramStreams::of(self.tty))?)
            }
        };
        let executed = runtime.exec(&config, &request, attachment).map_err(own)?;
        match (executed.streams, signals) {
            (Some(streams), Some(signals)) => {
                let source =
                    Source::process(&runtime, &config, (executed.process, executed.execution));
                let manners = self.keys.manners(SignalProxy::Program);
                relay::relay(streams, source, (signals, manners), &mut |_| ())
            }
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}
