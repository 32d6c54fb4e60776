//! How people name an image: `[registry/]name[:tag]`.
//!
//! The grammar is Docker's, parsed by hand because a name is parsed on the way of every start and a general regular expression for it
//! takes longer to compile than a container takes to start.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::digest::is_lower_hexadecimal;

/// The tag that stands for none.
const DEFAULT_TAG: &str = "latest";
/// The longest tag Docker takes, in bytes.
const LONGEST_TAG: usize = 128;
/// The longest reference, in bytes: it must fit one file name.
const LONGEST_REFERENCE: usize = 255;

/// An image's name and tag, `busybox:latest`. The tag is `latest` where none was typed.
///
/// `docker.io/` and `library/` in front are left out, as Docker leaves them out of what it shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    name: String,
    tag: String,
}

impl ImageReference {
    /// The name without the tag, `busybox` or `localhost:5000/tools/busybox`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag, `latest` where none was typed.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// A name that is known to be good, with the tag `latest`.
    pub(super) fn latest(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tag: DEFAULT_TAG.to_owned(),
        }
    }

    /// The one file name that stands for this reference. No slash is left in it, and `%` is in no reference.
    pub(super) fn file_name(&self) -> String {
        self.to_string().replace('/', "%")
    }

    /// Reads a file name made by [`ImageReference::file_name`].
    pub(super) fn from_file_name(text: &str) -> Option<Self> {
        text.replace('%', "/").parse().ok()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.name, self.tag)
    }
}

/// The text does not name an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{reference}` is not an image name: {reason}")]
pub struct ReferenceError {
    reference: String,
    reason: &'static str,
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse(text).map_err(|reason| ReferenceError {
            reference: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<ImageReference, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.contains('@') {
        return Err("a digest behind `@` cannot be given; give the name or the image's id");
    }
    let (name, tag) = split_tag(text);
    check_tag(tag)?;
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    check_name(name)?;
    if name.len() + 1 + tag.len() > LONGEST_REFERENCE {
        return Err("it is longer than 255 bytes");
    }
    Ok(ImageReference {
        name: name.to_owned(),
        tag: tag.to_owned(),
    })
}

/// A colon begins a tag only in the last component: in an earlier one it begins a registry's port.
fn split_tag(text: &str) -> (&str, &str) {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (text, DEFAULT_TAG),
    }
}

fn check_tag(tag: &str) -> Result<(), &'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if tag.is_empty() {
        return Err("the tag behind `:` is empty");
    }
    if tag.len() > LONGEST_TAG {
        return Err("the tag is longer than 128 bytes");
    }
    let good = tag
        .bytes()
        .enumerate()
        .all(|(index, byte)| is_word(byte) || index > 0 && matches!(byte, b'.' | b'-'));
    match good {
        true => Ok(()),
        false => Err(
            "a tag holds letters, digits, `_`, `.` and `-`, and begins with none of the last two",
        ),
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() == 64 && name.bytes().all(is_lower_hexadecimal) {
        return Err("64 hexadecimal digits are an image's id");
    }
    // Whatever follows `sha256:` is looked up as an id, so an image of that name would never be found again.
    if name == "sha256" {
        return Err("`sha256:` is what an image's id begins with");
    }
    let path = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => {
            check_registry(first)?;
            rest
        }
        _ => name,
    };
    path.split('/').try_for_each(check_component)
}

/// The first component is a registry if it looks like a host: Docker's rule.
fn is_registry(component: &str) -> bool {
    component == "localhost" || component.contains(['.', ':'])
}

fn check_registry(registry: &str) -> Result<(), &'static str> {
    let (host, port) = registry.split_once(':').unwrap_or((registry, "0"));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !host.split('.').all(is_label) {
        return Err("the registry in front of the first `/` is not a host name");
    }
    if port.parse::<u16>().is_err() {
        return Err("the registry's port is not a number from 0 to 65535");
    }
    Ok(())
}

/// A component is runs of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn check_component(component: &str) -> Result<(), &'static str> {
    let is_run = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if component.is_empty() {
        return Err("a part between two `/` is empty");
    }
    if component.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("image names are lower case");
    }
    if component
        .bytes()
        .any(|byte| !is_run(byte) && !matches!(byte, b'.' | b'_' | b'-'))
    {
        return Err("a name holds lower-case letters, digits, `.`, `_`, `-` and `/` only");
    }
    let separators = component.split(|character: char| character.is_ascii_alphanumeric());
    let joined = separators
        .filter(|separator| !separator.is_empty())
        .all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        });
    let ends = component.bytes().next().is_some_and(is_run)
        && component.bytes().last().is_some_and(is_run);
    match joined && ends {
        true => Ok(()),
        false => Err(
            "each part begins and ends with a letter or digit, and is joined by one `.`, one or two `_`, or `-`",
        ),
    }
}

impl Serialize for ImageReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ImageReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<ImageReference>().unwrap().to_string()
    }

    #[test]
    fn a_missing_tag_is_latest() {
        assert_eq!(shown("busybox"), "busybox:latest");
        assert_eq!(shown("busybox:1.36"), "busybox:1.36");
        assert_eq!(shown("a/b_c/d__e/f--g.h:T_1"), "a/b_c/d__e/f--g.h:T_1");
    }

    #[test]
    fn a_port_of_a_registry_is_no_tag() {
        assert_eq!(shown("localhost:5000/tool"), "localhost:5000/tool:latest");
        assert_eq!(
            shown("r.example.org:5000/a/b:c"),
            "r.example.org:5000/a/b:c"
        );
    }

    #[test]
    fn the_library_prefix_is_left_out() {
        assert_eq!(shown("docker.io/library/busybox"), "busybox:latest");
        assert_eq!(shown("docker.io/someone/tool:2"), "someone/tool:2");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            ":tag",
            "Upper",
            "a//b",
            "a/",
            "/a",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a:",
            "a:-t",
            "a b",
            "a@sha256:12",
            "../a",
            "host..x/a",
            "localhost:x/a",
            "a:b:c",
            "é",
            "sha256",
            "docker.io/library/sha256:aa",
            &"a".repeat(64),
            &format!("a:{}", "t".repeat(129)),
            &"x".repeat(250),
        ] {
            assert!(bad.parse::<ImageReference>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_file_name_leads_back_to_its_reference(text in "([a-z0-9.]{1,8}(:[0-9]{1,5})?/)?[a-z0-9/_.-]{1,20}(:[A-Za-z0-9_.-]{1,9})?") {
            if let Ok(reference) = text.parse::<ImageReference>() {
                let file_name = reference.file_name();
                prop_assert!(!file_name.contains('/') && file_name != "." && file_name != "..");
                prop_assert_eq!(ImageReference::from_file_name(&file_name), Some(reference));
            }
        }
    }
}
