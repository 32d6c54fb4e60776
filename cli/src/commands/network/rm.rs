//! `minirun network rm`.

use crate::context::print;
use crate::failure::{Failure, complain};
use clap::Args;
use minirun_bridge::error::NetworkError;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::remove::Force;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network rm`.
#[derive(Debug, Args)]
pub struct NetworkRemove {
    /// Disconnect containers first, and do not mind networks that do not exist
    #[arg(short, long)]
    force: bool,
    /// Networks
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
}

impl NetworkRemove {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let force = if self.force { Force::Yes } else { Force::No };
        let mut code = ExitCode::SUCCESS;
        for name in &self.networks {
            let removed = runtime
                .resolve_network(name)
                .and_then(|name| runtime.remove_network(&name, force));
            match removed {
                Ok(()) => print(&format!("{name}\n"))?,
                // What is not there needs no removing; but a misspelt name should be seen.
                Err(error @ RuntimeError::Network(NetworkError::UnknownNetwork(_)))
                    if self.force =>
                {
                    complain("warning", &error.to_string());
                }
                Err(error) => code = Failure::from(error).show(),
            }
        }
        Ok(code)
    }
}
