//! `--volumes-from CONTAINER[:ro|rw]`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::mount::Access;

/// A container whose volumes and binds another is to have as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumesFrom {
    /// The container, as typed.
    pub container: String,
    /// Whether what can be written there can be written here; none means as it is there.
    pub access: Option<Access>,
}

/// Why the text names no container.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VolumesFromError {
    /// There is no name.
    #[error("`{0}` names no container: write CONTAINER, CONTAINER:ro or CONTAINER:rw")]
    Empty(String),
    /// What follows the name is neither `ro` nor `rw`.
    #[error("`{1}` of `{0}` is neither `ro` nor `rw`")]
    Access(String, String),
}

impl FromStr for VolumesFrom {
    type Err = VolumesFromError;

    fn from_str(text: &str) -> Result<Self, VolumesFromError> {
        let (container, word) = text.split_once(':').unwrap_or((text, "z"));
        if container.is_empty() {
            return Err(VolumesFromError::Empty(text.to_owned()));
        }
        let access = match word {
            "z" | "Z" => None,
            "ro" => Some(Access::ReadOnly),
            "rw" => Some(Access::ReadWrite),
            _ => return Err(VolumesFromError::Access(text.to_owned(), word.to_owned())),
        };
        Ok(Self {
            container: container.to_owned(),
            access,
        })
    }
}

impl fmt::Display for VolumesFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.container)?;
        match self.access {
            None => Ok(()),
            Some(Access::ReadOnly) => formatter.write_str(":ro"),
            Some(Access::ReadWrite) => formatter.write_str(":rw"),
        }
    }
}

minirun_bridge::serde_as_string!(VolumesFrom);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_may_say_how_its_volumes_are_mounted() {
        for (text, access) in [
            ("web", None),
            ("web:ro", Some(Access::ReadOnly)),
            ("web:rw", Some(Access::ReadWrite)),
        ] {
            let from: VolumesFrom = text.parse().unwrap();
            assert_eq!((from.container.as_str(), from.access), ("web", access));
            assert_eq!(from.to_string(), text);
        }
        assert!("".parse::<VolumesFrom>().is_err());
        assert!(":ro".parse::<VolumesFrom>().is_err());
        assert!("web:always".parse::<VolumesFrom>().is_err());
    }
}
