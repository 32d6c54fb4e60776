//! `minirun profile show`.

use crate::context::print;
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::profile::{ProfileWord, find};
use minirun_runtime::runtime::Directories;
use std::process::ExitCode;

/// Options of `minirun profile show`.
#[derive(Debug, Args)]
pub struct ProfileShow {
    /// Names of profiles, or files
    #[arg(value_name = "NAME|FILE", required = true)]
    profiles: Vec<ProfileWord>,
}

impl ProfileShow {
    pub(super) fn run(self, directories: &Directories) -> Result<ExitCode, Failure> {
        for word in &self.profiles {
            let profile = find(directories, word).map_err(Failure::new)?;
            print(&profile.text)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
