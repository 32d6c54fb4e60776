//! `minirun volume create`.

use crate::commands::label::{Label, labels};
use crate::context::print;
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use minirun_runtime::storage::VolumeName;
use std::process::ExitCode;

/// Options of `minirun volume create`.
#[derive(Debug, Args)]
pub struct VolumeCreate {
    /// Driver, which is `local`
    #[arg(short, long, value_name = "DRIVER", value_parser = driver)]
    driver: Option<String>,
    /// Note something on the volume
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<Label>,
    /// Name of the volume [default: 64 random digits]
    #[arg(value_name = "NAME")]
    name: Option<VolumeName>,
}

impl VolumeCreate {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let name = runtime.create_volume(self.name, labels(&self.label))?;
        print(&format!("{name}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn driver(text: &str) -> Result<String, String> {
    match text {
        "local" => Ok(text.to_owned()),
        _ => Err(format!(
            "there is no volume driver `{text}`; the only one is `local`"
        )),
    }
}
