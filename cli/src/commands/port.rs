//! `minirun port`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::show::{place, ports};
use clap::Args;
use minirun_bridge::port::ExposedPort;
use minirun_runtime::error::RuntimeError;
use std::process::ExitCode;
use std::slice;

/// Options of `minirun port`.
#[derive(Debug, Args)]
pub struct PortCommand {
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// A port of the container
    #[arg(value_name = "PORT[/PROTOCOL]")]
    port: Option<ExposedPort>,
}

impl RunCommand for PortCommand {
    const ABOUT: &'static str = "Show the published ports of a container";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.asking_runtime_for(slice::from_ref(&self.container))?;
        let details = runtime.details(runtime.resolve(&self.container)?)?;
        let publications = place::publications(&details);
        let text = match self.port {
            None => ports::all(&publications),
            Some(port) => {
                ports::of(&publications, port).ok_or_else(|| RuntimeError::NotPublished {
                    container: details.config.name,
                    port: port.to_string(),
                })?
            }
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
