//! The options of `run` and `create` that are written behind `--security-opt`.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::security::app_armor::AppArmorChoice;
use minirun_runtime::security::seccomp_choice::SeccompChoice;
use minirun_runtime::security::system_paths::SystemPaths;
use std::str::FromStr;

/// What the kernel refuses a container.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct ContainerSecurity {
    /// Security option: `no-new-privileges`, `seccomp=FILE|unconfined|default`, `apparmor=PROFILE|unconfined`,
    /// `systempaths=unconfined` or `label=disable`
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<SecurityOption>,
}

impl ContainerSecurity {
    /// The request with what these options say; the last word on a subject counts.
    pub fn fill(&self, mut request: CreateRequest) -> Result<CreateRequest, Failure> {
        for option in &self.security_opt {
            match option {
                SecurityOption::NewPrivileges { allowed } => request.no_new_privileges = !allowed,
                SecurityOption::AppArmor(choice) => request.security.app_armor = choice.clone(),
                SecurityOption::SystemPathsUnconfined => {
                    request.security.system_paths = SystemPaths::Unconfined;
                }
                SecurityOption::NoLabel | SecurityOption::Seccomp(_) => {}
            }
        }
        if let Some(word) = self.seccomp() {
            request.security.seccomp = SeccompChoice::of_word(word)
                .map_err(|error| Failure::of_program(&RuntimeError::from(error)))?;
        }
        Ok(request)
    }

    /// The last word is the one that counts.
    fn seccomp(&self) -> Option<&str> {
        let mut words = self.security_opt.iter().filter_map(|option| match option {
            SecurityOption::Seccomp(word) => Some(word.as_str()),
            _ => None,
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
    AppArmor(AppArmorChoice),
    SystemPathsUnconfined,
    /// There are no labels anyhow.
    NoLabel,
    /// A file, or what else may stand behind `seccomp=`.
    Seccomp(String),
}

impl FromStr for SecurityOption {
    type Err = String;

    fn from_str(text: &str) -> Result<SecurityOption, String> {
        let (subject, value) = match text.split_once(['=', ':']) {
            Some((subject, value)) => (subject, Some(value)),
            None => (text, None),
        };
        match (subject, value) {
            ("no-new-privileges", None | Some("true")) => {
                Ok(SecurityOption::NewPrivileges { allowed: false })
            }
            ("no-new-privileges", Some("false")) => {
                Ok(SecurityOption::NewPrivileges { allowed: true })
            }
            ("seccomp", Some(word)) if !word.is_empty() => Ok(SecurityOption::Seccomp(word.into())),
            ("seccomp", _) => Err(format!("`{text}` names no profile: write `seccomp=FILE`")),
            ("apparmor", Some(name)) => name
                .parse()
                .map(SecurityOption::AppArmor)
                .map_err(|error| format!("{error}")),
            ("systempaths", Some("unconfined")) => Ok(SecurityOption::SystemPathsUnconfined),
            ("label", Some("disable")) => Ok(SecurityOption::NoLabel),
            ("label", Some(_)) => Err(format!(
                "no security option `{text}`: minirun gives no SELinux labels, so there is only `label=disable`"
            )),
            _ => Err(format!(
                "unknown security option `{text}`: use `no-new-privileges`, `seccomp=FILE`, `apparmor=PROFILE`, \
                 `systempaths=unconfined` or `label=disable`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_signs_stand_between_a_subject_and_its_value() {
        for text in [
            "no-new-privileges",
            "no-new-privileges=true",
            "no-new-privileges:true",
        ] {
            let expected = SecurityOption::NewPrivileges { allowed: false };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        let profile = Ok(SecurityOption::AppArmor("a:b".parse().unwrap()));
        assert_eq!("apparmor=a:b".parse(), profile);
        assert_eq!("apparmor:a:b".parse(), profile);
        assert_eq!("label:disable".parse(), Ok(SecurityOption::NoLabel));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for (text, part) in [
            ("label=type:container_t", "only `label=disable`"),
            ("apparmor=", "AppArmor"),
            ("apparmor", "unknown"),
            ("systempaths=confined", "unknown"),
            ("no-new-privileges=perhaps", "unknown"),
            ("", "unknown"),
        ] {
            let error = text.parse::<SecurityOption>().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
