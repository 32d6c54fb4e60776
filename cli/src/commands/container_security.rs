//! The options of `run` and `create` that are written behind `--security-opt`.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use std::str::FromStr;

/// What the kernel refuses a container.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerSecurity {
    /// Security option: `no-new-privileges`
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<SecurityOption>,
}

impl ContainerSecurity {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        Ok(CreateRequest {
            no_new_privileges: self
                .security_opt
                .contains(&SecurityOption::NewPrivileges { allowed: false }),
            ..request
        })
    }
}

/// `--security-opt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecurityOption {
    NewPrivileges { allowed: bool },
}

impl FromStr for SecurityOption {
    type Err = String;

    fn from_str(text: &str) -> Result<SecurityOption, String> {
        match text {
            "no-new-privileges" | "no-new-privileges=true" | "no-new-privileges:true" => {
                Ok(SecurityOption::NewPrivileges { allowed: false })
            }
            "no-new-privileges=false" | "no-new-privileges:false" => {
                Ok(SecurityOption::NewPrivileges { allowed: true })
            }
            other => Err(format!(
                "unknown security option `{other}`: use `no-new-privileges`"
            )),
        }
    }
}
