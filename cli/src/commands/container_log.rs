//! The options of `run` and `create` about output.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::log_options::{LogOption, LogOptions};

/// What becomes of a container's output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct ContainerLog {
    /// Where output is kept: `json-file` or `none`
    #[arg(long, value_name = "DRIVER")]
    log_driver: Option<String>,
    /// How much is kept: `max-size=20m` for a file and `max-file=5` of them are the default
    #[arg(long, value_name = "KEY=VALUE")]
    log_opt: Vec<LogOption>,
}

impl ContainerLog {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let log = LogOptions::from_words(self.log_driver.as_deref(), &self.log_opt)
            .map_err(Failure::own)?;
        Ok(CreateRequest { log, ..request })
    }
}
