//! The options of `run` and `create` about the terminal.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;

/// How a container is connected with the user's terminal.
#[derive(Debug, Args)]
#[command(next_help_heading = "Container")]
pub struct ContainerTerminal {
    /// Give the program a terminal of its own
    #[arg(short, long)]
    pub tty: bool,
}

impl ContainerTerminal {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            terminal: self.tty,
            ..request
        })
    }
}
