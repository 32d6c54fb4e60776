//! `minirun volume inspect`.

use crate::commands::inspect::print_as;
use crate::commands::inspect_format::InspectFormat;
use crate::failure::Failure;
use crate::show::volume;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun volume inspect`.
#[derive(Debug, Args)]
pub struct VolumeInspect {
    /// How to show them: `json`, or a template such as `{{.Mountpoint}}`
    #[arg(short, long, value_name = "json|TEMPLATE")]
    format: Option<InspectFormat>,
    /// Volumes
    #[arg(value_name = "VOLUME", required = true)]
    volumes: Vec<String>,
}

impl VolumeInspect {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let store = runtime.volumes();
        print_as(&self.volumes, self.format.as_ref(), |name| {
            let volume = runtime.resolve_volume(name)?;
            Ok(volume::inspect(&volume, &store.data(&volume.name)))
        })
    }
}
