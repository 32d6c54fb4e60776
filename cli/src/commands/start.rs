//! `minirun start`.

use super::attached_options::{DetachOptions, StatusOptions};
use crate::command_line::Run as RunCommand;
use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::narration::{narration, tell, tell_with};
use crate::relay::{self, HeldSignals, ProgramStreams, SignalProxy, Source, window};
use crate::status_lines::StatusLines;
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::report::Report;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::start::StartOptions;
use minirun_runtime::streams::Attachment;
use std::process::ExitCode;

/// Options of `minirun start`.
#[derive(Debug, Args)]
pub struct Start {
    /// Show the program's output and pass on its exit code
    #[arg(short, long)]
    attach: bool,
    /// Pass on your input, too, if the container was made with `-i`
    #[arg(short, long)]
    interactive: bool,
    #[command(flatten)]
    detach: DetachOptions,
    #[command(flatten)]
    status: StatusOptions,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Start {
    const ABOUT: &'static str = "Start containers";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let mut status = self.status.open()?;
        let runtime = context.runtime()?;
        if self.attach || self.interactive {
            let outcome = self.attached(&runtime, &mut status);
            return outcome.inspect_err(|failure| status.failed(failure));
        }
        if status.are_wanted() {
            return Err(Failure::own(
                "`--status-fd` tells how a container ends: say `-a` as well",
            ));
        }
        let options = StartOptions {
            attachment: Attachment::Detached,
            narration: narration(self.explain),
            window: window(),
        };
        for_each(&runtime, &self.containers, |config| {
            match runtime.start(config, options, &mut tell) {
                Ok(_) | Err(RuntimeError::AlreadyRunning(_)) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}

impl Start {
    fn attached(&self, runtime: &Runtime, status: &mut StatusLines) -> Result<ExitCode, Failure> {
        let [container] = self.containers.as_slice() else {
            return Err(Failure::own("only one container can be attached at a time"));
        };
        let own = |error: RuntimeError| Failure::of_program(&error);
        let config = runtime.resolve(container).map_err(own)?;
        let options = StartOptions {
            attachment: if self.interactive {
                Attachment::OutputAndInput
            } else {
                Attachment::Output
            },
            narration: narration(self.explain),
            window: window(),
        };
        // As with `attach`: a terminal that is closed does not end what goes on without it.
        let proxy = SignalProxy::of(!config.process.terminal);
        let signals = HeldSignals::hold(ProgramStreams::of(config.process.terminal))?;
        let mut told = |report: &Report| tell_with(status, &config, report);
        let started = runtime.start(&config, options, &mut told).map_err(own)?;
        let streams = started
            .streams
            .ok_or_else(|| Failure::own("the container has no streams"))?;
        let source = Source::monitor(runtime, &config, started.reports);
        let manners = self.detach.manners(proxy);
        relay::relay(streams, source, (signals, manners), &mut told)
    }
}
