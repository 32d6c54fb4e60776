//! The options of `run`, `create` and `update` about what a container may reach outside.

use crate::failure::Failure;
use clap::Args;
use minirun_bridge::egress::{Allowed, Denied, Egress, EgressError};
use minirun_runtime::create::CreateRequest;
use minirun_runtime::egress::EgressChange;
use std::str::FromStr;

/// What a container may open connections to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct ContainerEgress {
    /// Where it may open connections to beyond its networks and links, repeatable: `none`, or a list of networks, with ports or
    /// without, such as `192.0.2.0/24:443/tcp`, and `dns` for names [default: any]
    #[arg(long, value_name = "LIST")]
    egress: Vec<String>,
    /// Where it may not, whatever is allowed: a list of networks, and `private` for all that are not public [default: none]
    #[arg(long, value_name = "LIST")]
    egress_deny: Vec<String>,
}

impl ContainerEgress {
    /// The request with what these options say.
    ///
    /// # Errors
    /// When a word says no destination.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let EgressChange { allowed, denied } = self.change()?;
        Ok(CreateRequest {
            egress: Egress {
                allowed: allowed.unwrap_or_default(),
                denied: denied.unwrap_or_default(),
            },
            ..request
        })
    }

    /// What these options change.
    ///
    /// # Errors
    /// When a word says no destination.
    pub fn change(&self) -> Result<EgressChange, Failure> {
        Ok(EgressChange {
            allowed: together::<Allowed>("--egress", &self.egress)?,
            denied: together::<Denied>("--egress-deny", &self.egress_deny)?,
        })
    }
}

/// All lists of an option as one; none if it was not given.
fn together<T: FromStr<Err = EgressError>>(
    option: &str,
    lists: &[String],
) -> Result<Option<T>, Failure> {
    if lists.is_empty() {
        return Ok(None);
    }
    let parsed = lists.join(",").parse();
    parsed
        .map(Some)
        .map_err(|error| Failure::own(format!("{option}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};

    fn change(words: &[&str]) -> Result<EgressChange, Failure> {
        let command = ContainerEgress::augment_args(Command::new("run").no_binary_name(true));
        let matches = command.try_get_matches_from(words).unwrap();
        ContainerEgress::from_arg_matches(&matches)
            .unwrap()
            .change()
    }

    #[test]
    fn lists_are_one_list_however_they_are_given() {
        let apart = change(&["--egress", "192.0.2.1", "--egress", "dns"]).unwrap();
        let together = change(&["--egress", "dns,192.0.2.1"]).unwrap();
        assert_eq!(apart, together);
        assert_eq!(apart.allowed, "dns,192.0.2.1".parse().ok());
        assert_eq!(apart.denied, None);
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(change(&["--egress", "none", "--egress", "dns"]).is_err());
        assert!(change(&["--egress-deny", "somewhere"]).is_err());
    }
}
