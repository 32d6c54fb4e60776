//! A link by the name that its target has through it, `SOURCE/ALIAS`, as `ps --no-trunc` shows it.

use minirun_bridge::name::Alias;
use std::str::FromStr;

/// One link of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPath {
    /// The container that has the link, by name or id as typed.
    pub source: String,
    /// What it calls the target.
    pub alias: Alias,
}

impl FromStr for LinkPath {
    type Err = String;

    fn from_str(text: &str) -> Result<LinkPath, String> {
        let path = text.strip_prefix('/').unwrap_or(text);
        let (source, alias) = path
            .split_once('/')
            .filter(|(source, _)| !source.is_empty())
            .ok_or_else(|| {
                format!(
                    "`{text}` is not a link: write SOURCE/ALIAS, such as `web2/web`, where `web2` has the link"
                )
            })?;
        let alias = alias
            .parse()
            .map_err(|error: <Alias as FromStr>::Err| error.to_string())?;
        Ok(LinkPath {
            source: source.into(),
            alias,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_its_source_and_its_alias() {
        for text in ["web2/web", "/web2/web"] {
            let path: LinkPath = text.parse().unwrap();
            assert_eq!(
                (path.source.as_str(), path.alias.to_string()),
                ("web2", "web".into())
            );
        }
        for text in ["web2", "/web2", "//web", "web2/"] {
            assert!(text.parse::<LinkPath>().is_err(), "{text}");
        }
    }
}
