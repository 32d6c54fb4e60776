//! `minirun attach`.

use super::attached_options::{DetachOptions, ProxyOptions, check_input};
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::narration::tell;
use crate::relay::{self, HeldSignals, ProgramStreams, SignalProxy, Source, window};
use clap::Args;
use minirun_runtime::streams::{AttachedStreams, Attachment};
use minirun_runtime::terminal::WindowSize;
use std::process::ExitCode;

/// Options of `minirun attach`.
#[derive(Debug, Args)]
pub struct Attach {
    /// Do not pass on your input
    #[arg(long)]
    no_stdin: bool,
    #[command(flatten)]
    detach: DetachOptions,
    #[command(flatten)]
    proxy: ProxyOptions,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl RunCommand for Attach {
    const ABOUT: &'static str = "Connect your terminal with the program of a running container";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let process = &config.process;
        let attachment = match self.no_stdin || !process.open_stdin {
            true => Attachment::Output,
            false => Attachment::OutputAndInput,
        };
        // A terminal that is closed, or a connection that breaks, shall not end what somebody attached to for a while.
        let proxy = match process.terminal {
            true => SignalProxy::Command,
            false => self.proxy.proxy(),
        };
        let signals = HeldSignals::hold(ProgramStreams::of(process.terminal))?;
        let attached = runtime.attach(&config, attachment)?;
        check_input(attachment, process.terminal)?;
        let streams = attached
            .streams
            .ok_or_else(|| Failure::new("the container has no streams"))?;
        ask_for_redrawing(&streams);
        let source = Source::monitor(&runtime, &config, attached.reports);
        let manners = self.detach.manners(proxy);
        relay::relay(streams, source, (signals, manners), &mut tell)
    }
}

/// A program draws its screen or its prompt anew when the window changes, and only then: so it is made a little larger, before
/// it gets its right size.
fn ask_for_redrawing(streams: &AttachedStreams) {
    if let (Some(terminal), Some(size)) = (&streams.terminal, window()) {
        let larger = WindowSize {
            rows: size.rows.saturating_add(1),
            columns: size.columns.saturating_add(1),
        };
        let _ = terminal.resize(larger);
    }
}
