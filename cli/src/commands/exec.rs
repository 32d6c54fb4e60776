//! `minirun exec`.

use super::container_options::environment;
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::relay::{self, HeldSignals, Source};
use clap::Args;
use minirun_bridge::environment::EnvironmentEntry;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::exec::ExecRequest;
use minirun_runtime::process::Sealed;
use minirun_runtime::start::Attachment;
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
    /// Set a variable, or pass one on from your environment
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<EnvironmentEntry>,
    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Directory to start in
    #[arg(short, long, value_name = "DIRECTORY")]
    workdir: Option<String>,
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
        let sealed = Sealed::ensure().map_err(|error| own(error.into()))?;
        let config = runtime.resolve(&self.container).map_err(own)?;
        let attachment = match (self.detach, self.interactive) {
            (true, _) => Attachment::Detached,
            (false, false) => Attachment::Output,
            (false, true) => Attachment::OutputAndInput,
        };
        let request = ExecRequest {
            environment: environment(&self.env_file, &self.env)?,
            command: self.command,
            working_directory: self.workdir,
            user: self.user,
        };
        let signals = match attachment {
            Attachment::Detached => None,
            Attachment::Output | Attachment::OutputAndInput => Some(HeldSignals::hold()?),
        };
        let executed = runtime
            .exec(&config, &request, attachment, &sealed)
            .map_err(own)?;
        match (executed.streams, signals) {
            (Some(streams), Some(signals)) => {
                let source = Source::Process(executed.process);
                let code = relay::relay(streams, source, signals, &mut |_| ())?;
                runtime.tell_exec_end(&config, &executed.execution, code.into());
                Ok(ExitCode::from(code))
            }
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}
