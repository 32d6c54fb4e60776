//! `minirun network disconnect`.

use crate::failure::Failure;
use crate::narration::Narration;
use clap::Args;
use minirun_runtime::remove::Force;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network disconnect`.
#[derive(Debug, Args)]
pub struct NetworkDisconnect {
    /// Also where a part of it is gone already
    #[arg(short, long)]
    force: bool,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Network
    #[arg(value_name = "NETWORK")]
    network: String,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl NetworkDisconnect {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let force = if self.force { Force::Yes } else { Force::No };
        let network = runtime.resolve_network(&self.network)?;
        let container = runtime.resolve(&self.container)?;
        let mut narration = Narration::new(self.explain);
        runtime.disconnect(&container, &network, force, &mut narration)?;
        Ok(ExitCode::SUCCESS)
    }
}
