//! `minirun system boot`.

use super::Outcomes;
use crate::failure::Failure;
use crate::narration::tell;
use clap::Args;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun system boot`.
#[derive(Debug, Args)]
pub struct SystemBoot {}

impl SystemBoot {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let mut outcomes = Outcomes::new();
        runtime.boot(&mut |name, started| outcomes.tell(name, started), &mut tell)?;
        outcomes.code()
    }
}
