//! The options of `run` and `create` about namespaces.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::security::Security;
use minirun_runtime::security::user_namespace::UserNamespaceChoice;

/// Which namespaces a container has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerNamespaces {
    /// Users of the container: `auto` gives it users of its own, so that root inside is nobody on the host; `host`
    #[arg(long, value_name = "MODE", default_value_t)]
    userns: UserNamespaceChoice,
}

impl ContainerNamespaces {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            security: Security {
                user_namespace: self.userns,
                ..request.security
            },
            ..request
        })
    }
}
