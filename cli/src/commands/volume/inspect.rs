//! `minirun volume inspect`.

use crate::commands::inspect::print_found;
use crate::failure::Failure;
use crate::show::volume;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun volume inspect`.
#[derive(Debug, Args)]
pub struct VolumeInspect {
    /// Volumes
    #[arg(value_name = "VOLUME", required = true)]
    volumes: Vec<String>,
}

impl VolumeInspect {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let store = runtime.volumes();
        print_found(&self.volumes, |name| {
            let volume = runtime.resolve_volume(name)?;
            Ok(volume::inspect(&volume, &store.data(&volume.name)))
        })
    }
}
