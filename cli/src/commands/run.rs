//! `minirun run`: create, start, and stay until the program ends, unless detached.

use super::attached_options::{DetachOptions, ProxyOptions, StatusOptions, check_input};
use super::container_options::ContainerOptions;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, complain};
use crate::narration::{narration, tell_with};
use crate::relay::{self, HeldSignals, ProgramStreams, Source, window};
use crate::status_lines::StatusLines;
use clap::Args;
use minirun_netns::Silent;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::create::Created;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::remove::Force;
use minirun_runtime::report::Report;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::start::StartOptions;
use minirun_runtime::streams::Attachment;
use std::process::ExitCode;

/// Options of `minirun run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Run in the background and print the container's id
    #[arg(short, long, help_heading = "Container")]
    detach: bool,
    /// Tell every step, with the command a person would type for it
    #[arg(long, help_heading = "Container")]
    explain: bool,
    #[command(flatten, next_help_heading = "Container")]
    keys: DetachOptions,
    #[command(flatten, next_help_heading = "Container")]
    proxy: ProxyOptions,
    #[command(flatten, next_help_heading = "Container")]
    status: StatusOptions,
    #[command(flatten)]
    container: ContainerOptions,
}

impl RunCommand for Run {
    const ABOUT: &'static str = "Create a container and start it";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let mut status = self.status.open()?;
        let outcome = self.run_told(context, &mut status);
        outcome.inspect_err(|failure| status.failed(failure))
    }
}

impl Run {
    fn run_told(self, context: &Context, status: &mut StatusLines) -> Result<ExitCode, Failure> {
        let own = |error: RuntimeError| Failure::of_program(&error);
        let runtime = context.runtime().map_err(own)?;
        let attachment = match (self.detach, self.container.interactive) {
            (true, _) => Attachment::Detached,
            (false, false) => Attachment::Output,
            (false, true) => Attachment::OutputAndInput,
        };
        let options = StartOptions {
            attachment,
            narration: narration(self.explain),
            window: window(),
        };
        let terminal = self.container.terminal.tty;
        check_input(attachment, terminal)?;
        let signals = match attachment {
            Attachment::Detached => None,
            Attachment::Output | Attachment::OutputAndInput => {
                Some(HeldSignals::hold(ProgramStreams::of(terminal))?)
            }
        };
        let hold = runtime.hold_new_containers().map_err(own)?;
        let request = self.container.request()?;
        let forerunner = runtime.forerunner_for(&request, context.forerunner.take());
        let Created { config, lock, .. } = self.container.create_as(request, &runtime)?;
        status.created(&config);
        let mut told = |report: &Report| tell_with(status, &config, report);
        let begun = (&config, lock);
        let started = runtime.start_created(begun, forerunner, options, &mut told);
        drop(hold);
        let started = match started {
            Ok(started) => started,
            Err(error) => {
                discard(&runtime, &config);
                self.container.remove_id_file();
                return Err(own(error));
            }
        };
        let (Some(streams), Some(signals)) = (started.streams, signals) else {
            print(&format!("{}\n", config.id))?;
            return Ok(ExitCode::SUCCESS);
        };
        let source = Source::monitor(&runtime, &config, started.reports);
        let manners = self.keys.manners(self.proxy.proxy());
        relay::relay(streams, source, (signals, manners), &mut told)
    }
}

/// A container that could not be started is of no use to whoever asked to run it.
fn discard(runtime: &Runtime, config: &ContainerConfig) {
    if let Err(error) = runtime.remove(config, Force::Yes, &mut Silent) {
        let what = format!("`{}` could not be removed: {error}", config.name);
        complain("warning", &what);
    }
}
