//! `minirun system stop`.

use super::Outcomes;
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun system stop`.
#[derive(Debug, Args)]
pub struct SystemStop {}

impl SystemStop {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let mut outcomes = Outcomes::new();
        runtime.stop_for_shutdown(&mut |name, stopped| outcomes.tell(name, stopped))?;
        outcomes.code()
    }
}
