//! Links as people write them, `--link NAME[:ALIAS]`, and as they are once the target is known.

use std::fmt;
use std::str::FromStr;

use crate::name::{Alias, ContainerName, NameError};
use crate::serde_as_string::serde_as_string;

/// A link as it was typed: the target is a name, an id or the beginning of one, and not yet looked up.
/// Displayed and saved as `target` or `target:alias`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkRequest {
    /// The container to link to, as typed, without a leading `/`.
    pub target: String,
    /// The name the target shall have; none means the target's own name.
    pub alias: Option<Alias>,
}

/// A link whose target is known by name. Displayed and saved as `target:alias`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// The container that the link leads to.
    pub target: ContainerName,
    /// The name it has inside the container that links to it.
    pub alias: Alias,
}

/// A text that is not a link, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid link `{text}`: {problem}")]
pub struct LinkError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: LinkProblem,
}

/// What is wrong with a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkProblem {
    /// No container is named.
    #[error("no container; write NAME:ALIAS, such as `web1:web`")]
    NoTarget,
    /// A `:` with nothing after it.
    #[error("no alias after the `:`; write NAME:ALIAS, such as `web1:web`, or the name alone")]
    NoAlias,
    /// More than one `:`.
    #[error("more than one `:`; write NAME:ALIAS, such as `web1:web`")]
    TooManyParts,
    /// The target can be neither a name nor an id.
    #[error("`{0}` cannot be the name or id of a container; write NAME:ALIAS, such as `web1:web`")]
    Target(String),
    /// The name is not fit to be one.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl LinkRequest {
    /// The link this request stands for, once its target was found to be the container `name`.
    pub fn resolve(self, name: ContainerName) -> Link {
        let alias = self.alias.unwrap_or_else(|| Alias::from(&name));
        Link {
            target: name,
            alias,
        }
    }
}

impl fmt::Display for LinkRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.target)?;
        match &self.alias {
            Some(alias) => write!(formatter, ":{alias}"),
            None => Ok(()),
        }
    }
}

impl FromStr for LinkRequest {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (target, alias) = split(text).map_err(|problem| refuse(text, problem))?;
        Ok(Self {
            target: target.to_owned(),
            alias,
        })
    }
}

impl Link {
    /// The link as Docker's `inspect` lists it for the container `source`: `/web1:/web2/web`.
    pub fn inspect_form(&self, source: &ContainerName) -> String {
        format!("/{}:/{source}/{}", self.target, self.alias)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.target, self.alias)
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let request: LinkRequest = text.parse()?;
        let name = request
            .target
            .parse()
            .map_err(|error: NameError| refuse(text, error.into()))?;
        Ok(request.resolve(name))
    }
}

serde_as_string!(LinkRequest, Link);

/// The target without its slash, and the alias. `/web1:/web2/web`, which `inspect` prints, keeps only the last part.
fn split(text: &str) -> Result<(&str, Option<Alias>), LinkProblem> {
    let (target, alias) = match text.split_once(':') {
        Some((_, alias)) if alias.contains(':') => return Err(LinkProblem::TooManyParts),
        Some((target, alias)) => (target, Some(alias)),
        None => (text, None),
    };
    let target = target.strip_prefix('/').unwrap_or(target);
    if target.is_empty() {
        return Err(LinkProblem::NoTarget);
    }
    // One digit can be the beginning of an id, so the least that is asked of a target is what an alias must be.
    if target.starts_with('/') || target.parse::<Alias>().is_err() {
        return Err(LinkProblem::Target(target.to_owned()));
    }
    Ok((target, alias.map(parse_alias).transpose()?))
}

fn parse_alias(text: &str) -> Result<Alias, LinkProblem> {
    let name = match text.strip_prefix('/') {
        Some(path) => path.rsplit_once('/').map_or(path, |(_, last)| last),
        None => text,
    };
    if name.is_empty() {
        return Err(LinkProblem::NoAlias);
    }
    Ok(name.parse()?)
}

fn refuse(text: &str, problem: LinkProblem) -> LinkError {
    LinkError {
        text: text.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<LinkRequest>().unwrap_err().to_string()
    }

    fn shown(text: &str) -> String {
        text.parse::<LinkRequest>().unwrap().to_string()
    }

    #[test]
    fn a_link_names_a_target_and_perhaps_an_alias() {
        assert_eq!(shown("web1"), "web1");
        assert_eq!(shown("web1:web"), "web1:web");
        assert_eq!(shown("/web1:/mysql"), "web1:mysql");
        assert_eq!(shown("4f:web"), "4f:web");
    }

    #[test]
    fn a_link_without_an_alias_uses_the_name_that_was_found() {
        let request: LinkRequest = "4f3a".parse().unwrap();
        assert_eq!(
            request.resolve("web1".parse().unwrap()).to_string(),
            "web1:web1"
        );
    }

    #[test]
    fn the_form_that_inspect_prints_is_read_back() {
        let link: Link = "foo:bar".parse().unwrap();
        let printed = link.inspect_form(&"c1".parse().unwrap());
        assert_eq!(printed, "/foo:/c1/bar");
        assert_eq!(printed.parse::<Link>().unwrap(), link);
    }

    #[test]
    fn what_is_wrong_with_a_link_is_said() {
        assert_eq!(
            refusal(""),
            "invalid link ``: no container; write NAME:ALIAS, such as `web1:web`"
        );
        assert!(refusal(":web").contains("no container"));
        assert!(refusal("web1:").contains("no alias after the `:`"));
        assert!(refusal("/web1:/web2/").contains("no alias after the `:`"));
        assert!(refusal("a:b:c").contains("more than one `:`"));
        assert!(refusal("we b").contains("`we b` cannot be the name or id of a container"));
        assert!(refusal("//web1").contains("cannot be the name"));
        assert!(refusal("web1:a/b").contains("invalid alias `a/b`: `/` is not allowed"));
    }

    #[test]
    fn links_are_saved_as_text() {
        let link: Link = "web1:web".parse().unwrap();
        assert_eq!(serde_json::to_string(&link).unwrap(), "\"web1:web\"");
        assert!(serde_json::from_str::<Link>("\"w:web\"").is_err());
    }

    proptest! {
        #[test]
        fn every_request_survives_display_and_parse(text in "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,9}(:[a-z0-9][a-z_.-]{0,9})?") {
            prop_assert_eq!(shown(&text), text);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[a-z:/]{0,12}") {
            let _ = text.parse::<LinkRequest>();
            let _ = near.parse::<LinkRequest>();
            let _ = near.parse::<Link>();
        }
    }
}
