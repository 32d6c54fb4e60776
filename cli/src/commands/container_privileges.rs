//! The options of `run` and `create` about the parts of root's power.

use super::switch::parse_switch;
use crate::failure::Failure;
use clap::{ArgAction, Args};
use minirun_runtime::create::CreateRequest;
use minirun_runtime::security::capability_change::CapabilityChange;
use minirun_runtime::security::capability_word::CapabilityWord;
use minirun_runtime::security::{Privilege, Security};

/// Which capabilities a container has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerPrivileges {
    /// Give the container a capability beside the usual ones, or `ALL`
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<CapabilityWord>,
    /// Take a capability from it, or `ALL` but those that are added
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<CapabilityWord>,
    /// Give it everything that root has: it is no sandbox then
    #[arg(
        long,
        value_name = "true|false",
        value_parser = parse_switch,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    privileged: bool,
}

impl ContainerPrivileges {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            security: Security {
                privilege: match self.privileged {
                    true => Privilege::Privileged,
                    false => Privilege::Ordinary,
                },
                capabilities: CapabilityChange::new(&self.cap_add, &self.cap_drop),
                ..request.security
            },
            ..request
        })
    }
}
