//! `minirun volume rm`.

use crate::context::print;
use crate::failure::{Failure, complain};
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::volumes::VolumeError;
use std::process::ExitCode;

/// Options of `minirun volume rm`.
#[derive(Debug, Args)]
pub struct VolumeRemove {
    /// Do not mind volumes that do not exist
    #[arg(short, long)]
    force: bool,
    /// Volumes
    #[arg(value_name = "VOLUME", required = true)]
    volumes: Vec<String>,
}

impl VolumeRemove {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let mut code = ExitCode::SUCCESS;
        for name in &self.volumes {
            let removed = runtime
                .resolve_volume(name)
                .and_then(|volume| runtime.remove_volume(&volume.name));
            match removed {
                Ok(()) => print(&format!("{name}\n"))?,
                // What is not there needs no removing; but a misspelt name should be seen.
                Err(error @ RuntimeError::Volume(VolumeError::Unknown(_))) if self.force => {
                    complain("warning", &error.to_string());
                }
                Err(error) => code = Failure::from(error).show(),
            }
        }
        Ok(code)
    }
}
