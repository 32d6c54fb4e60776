//! `minirun network reload`.

use crate::failure::Failure;
use crate::narration::Narration;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network reload`.
#[derive(Debug, Args)]
pub struct NetworkReload {
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
}

impl NetworkReload {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        runtime.reload_networks(&mut Narration::new(self.explain))?;
        Ok(ExitCode::SUCCESS)
    }
}
