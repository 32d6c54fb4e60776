//! The options of `run` and `create` about health checks.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::health::{HealthOptions, HealthTime, HealthWanted};

/// The options that say how health is checked.
const CHECKS: [&str; 6] = [
    "health_cmd",
    "health_interval",
    "health_timeout",
    "health_start_period",
    "health_start_interval",
    "health_retries",
];

/// How a container's health is checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Health")]
pub struct ContainerHealth {
    /// Line for the container's shell that exits with 0 if all is well
    #[arg(long, value_name = "COMMAND")]
    health_cmd: Option<String>,
    /// Time between two checks [default: the image's, else 30s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    health_interval: Option<HealthTime>,
    /// Time that one check may take [default: the image's, else 30s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    health_timeout: Option<HealthTime>,
    /// Time after the start in which a failed check does not count [default: the image's, else 0s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    health_start_period: Option<HealthTime>,
    /// Time between two checks in that period [default: the image's, else 5s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    health_start_interval: Option<HealthTime>,
    /// Failed checks in a row that make the container unhealthy [default: the image's, else 3]
    #[arg(long, value_name = "NUMBER")]
    health_retries: Option<u32>,
    /// Do not check health, whatever the image says
    #[arg(long, conflicts_with_all = CHECKS)]
    no_healthcheck: bool,
}

impl ContainerHealth {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let health = match self.no_healthcheck {
            true => HealthWanted::Unchecked,
            false => HealthWanted::Checked(HealthOptions {
                // As with Docker, an empty line says nothing.
                command: self.health_cmd.clone().filter(|line| !line.is_empty()),
                interval: self.health_interval.unwrap_or_default(),
                timeout: self.health_timeout.unwrap_or_default(),
                start_period: self.health_start_period.unwrap_or_default(),
                start_interval: self.health_start_interval.unwrap_or_default(),
                retries: self.health_retries.unwrap_or_default(),
            }),
        };
        Ok(CreateRequest { health, ..request })
    }
}
