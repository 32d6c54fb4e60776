//! Below which control group a container's own is made.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The group that holds all containers' groups unless another is named.
const OWN: &str = "minirun";

/// The longest name of a directory.
const LONGEST_NAME: usize = 255;

/// The path of a control group, from the root of each hierarchy, without a slash at either end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupParent {
    path: String,
    fate: ParentFate,
}

/// What becomes of a parent when the last container in it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentFate {
    /// It is minirun's own and goes, too.
    Goes,
    /// It is somebody's, who may have set limits for it.
    Stays,
}

/// Why no group can be made there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupParentError {
    /// It names nothing below the root.
    #[error("`{0}` is not the path of a control group: write one such as `/sandboxes`")]
    Malformed(String),
    /// It might lead out of where it is.
    #[error(
        "`{0}` has `..` in it: write the path of the control group from the root of the hierarchy"
    )]
    LeadsUp(String),
    /// Only systemd knows where the group of a slice is.
    #[error(
        "`{0}` is the name of a slice, which systemd would have to be asked for: write the path of a control group, such as `/{0}`"
    )]
    Slice(String),
}

impl GroupParent {
    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is the usual one, which nobody named.
    pub fn is_usual(&self) -> bool {
        self.path == OWN
    }

    pub(crate) fn fate(&self) -> ParentFate {
        self.fate
    }

    /// One that goes with its last group, under a name that no other test has.
    #[cfg(test)]
    pub(crate) fn for_a_test(name: String) -> GroupParent {
        GroupParent {
            path: name,
            fate: ParentFate::Goes,
        }
    }
}

impl Default for GroupParent {
    fn default() -> GroupParent {
        GroupParent {
            path: OWN.to_owned(),
            fate: ParentFate::Goes,
        }
    }
}

impl FromStr for GroupParent {
    type Err = GroupParentError;

    fn from_str(text: &str) -> Result<GroupParent, GroupParentError> {
        let names: Vec<&str> = text
            .split('/')
            .filter(|name| !matches!(*name, "" | "."))
            .collect();
        if names.contains(&"..") {
            return Err(GroupParentError::LeadsUp(text.to_owned()));
        }
        let is_name =
            |name: &&str| name.len() <= LONGEST_NAME && !name.chars().any(|one| one.is_control());
        if names.is_empty() || !names.iter().all(is_name) {
            return Err(GroupParentError::Malformed(text.to_owned()));
        }
        if text.ends_with(".slice") && !text.contains('/') {
            return Err(GroupParentError::Slice(text.to_owned()));
        }
        let path = names.join("/");
        Ok(match path.as_str() {
            OWN => GroupParent::default(),
            _ => GroupParent {
                path,
                fate: ParentFate::Stays,
            },
        })
    }
}

impl TryFrom<String> for GroupParent {
    type Error = GroupParentError;

    fn try_from(text: String) -> Result<GroupParent, GroupParentError> {
        text.parse()
    }
}

impl From<GroupParent> for String {
    fn from(parent: GroupParent) -> String {
        parent.to_string()
    }
}

impl fmt::Display for GroupParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<String, String> {
        let parent: Result<GroupParent, _> = text.parse();
        parent
            .map(|parent| parent.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_path_counts_from_the_root_of_the_hierarchy() {
        for (text, path) in [
            ("/sandboxes", "/sandboxes"),
            ("sandboxes/judge/", "/sandboxes/judge"),
            ("/a//./b", "/a/b"),
            ("/system.slice/judge.slice", "/system.slice/judge.slice"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(path));
        }
        assert!("minirun".parse::<GroupParent>().unwrap().is_usual());
        let named: GroupParent = "/a/minirun".parse().unwrap();
        assert_eq!(named.fate(), ParentFate::Stays);
    }

    #[test]
    fn what_is_no_path_of_a_group_is_refused() {
        for text in ["", "/", "a\nb", "..", "/a/../b", "user.slice"] {
            assert!(parsed(text).is_err(), "{text}");
        }
        let hint = parsed("user.slice").unwrap_err();
        assert!(hint.ends_with("such as `/user.slice`"), "{hint}");
    }

    proptest! {
        #[test]
        fn a_path_survives_being_written_and_read(text in "([a-z./]{0,20}|\\PC*)") {
            if let Ok(parent) = text.parse::<GroupParent>() {
                prop_assert!(!parent.path().split('/').any(|name| matches!(name, "" | "." | "..")));
                prop_assert_eq!(parent.to_string().parse(), Ok(parent));
            }
        }
    }
}
