//! `minirun stop`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, Found, print};
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::signal::StopSignal;
use minirun_runtime::stop::StopOptions;
use minirun_runtime::stop_timeout::StopTimeout;
use std::process::ExitCode;

/// Options of `minirun stop`.
#[derive(Debug, Args)]
pub struct Stop {
    #[command(flatten)]
    how: HowToStop,
    /// Containers
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

/// The options that `stop` and `restart` share.
#[derive(Debug, Args)]
pub struct HowToStop {
    /// Signal that asks the program to end [default: the container's]
    #[arg(short, long, value_name = "SIGNAL")]
    signal: Option<StopSignal>,
    /// Seconds to wait before killing, -1 to wait for ever [default: the container's]
    #[arg(
        short,
        long,
        visible_alias = "timeout",
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    time: Option<StopTimeout>,
}

impl HowToStop {
    /// What these options say.
    pub fn options(&self) -> StopOptions {
        StopOptions {
            signal: self.signal,
            timeout: self.time,
            ..StopOptions::default()
        }
    }
}

impl RunCommand for Stop {
    const ABOUT: &'static str = "Ask containers to end, then kill them";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let found = Found::among(&runtime, &self.containers);
        let mut names = found.names.iter();
        let mut printed = Ok(());
        let mut code = found.code;
        let options = self.how.options();
        runtime.stop_all(&found.containers, &options, &mut |stopped| {
            let name = names.next().copied().unwrap_or_default();
            match stopped {
                Ok(()) if printed.is_ok() => printed = print(&format!("{name}\n")),
                Ok(()) => {}
                Err(error) => code = Failure::from(error).show(),
            }
        })?;
        printed.map(|()| code)
    }
}
