//! The options of `run` and `create` that are written behind `--security-opt`.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::security::seccomp_choice::SeccompChoice;
use std::str::FromStr;

/// What the kernel refuses a container.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerSecurity {
    /// Security option: `no-new-privileges`, `seccomp=FILE`, `seccomp=unconfined` or `seccomp=default`
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<SecurityOption>,
}

impl ContainerSecurity {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let mut security = request.security;
        if let Some(word) = self.seccomp() {
            security.seccomp = SeccompChoice::of_word(word).map_err(RuntimeError::from)?;
        }
        Ok(CreateRequest {
            no_new_privileges: self
                .security_opt
                .contains(&SecurityOption::NewPrivileges { allowed: false }),
            security,
            ..request
        })
    }

    /// The last word is the one that counts.
    fn seccomp(&self) -> Option<&str> {
        let mut words = self.security_opt.iter().filter_map(|option| match option {
            SecurityOption::Seccomp(word) => Some(word.as_str()),
            SecurityOption::NewPrivileges { .. } => None,
        });
        words.next_back()
    }
}

/// `--security-opt`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SecurityOption {
    NewPrivileges {
        allowed: bool,
    },
    /// A file, or what else may stand behind `seccomp=`.
    Seccomp(String),
}

impl FromStr for SecurityOption {
    type Err = String;

    fn from_str(text: &str) -> Result<SecurityOption, String> {
        if let Some(word) = text
            .strip_prefix("seccomp=")
            .or_else(|| text.strip_prefix("seccomp:"))
        {
            return match word {
                "" => Err("`seccomp=` names no profile: write `seccomp=FILE`".into()),
                word => Ok(SecurityOption::Seccomp(word.to_owned())),
            };
        }
        match text {
            "no-new-privileges" | "no-new-privileges=true" | "no-new-privileges:true" => {
                Ok(SecurityOption::NewPrivileges { allowed: false })
            }
            "no-new-privileges=false" | "no-new-privileges:false" => {
                Ok(SecurityOption::NewPrivileges { allowed: true })
            }
            other => Err(format!(
                "unknown security option `{other}`: use `no-new-privileges` or `seccomp=FILE`"
            )),
        }
    }
}
