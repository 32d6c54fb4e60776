//! The AppArmor profile of a container.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Privilege;

/// The name of the profile that is ours.
pub const OUR_PROFILE: &str = "minirun-default";

/// As much as the kernel takes in one write.
const LONGEST_NAME: usize = 4000;

/// The profile a container runs under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppArmorChoice {
    /// Ours, where the host has AppArmor.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// One that the host has loaded, by its name.
    Profile(ProfileName),
}

/// The name of a profile, which is one word of a line that the kernel reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileName(String);

/// A word that is the name of no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid name `{0}` of an AppArmor profile: write one word without spaces")]
pub struct ProfileNameError(String);

impl AppArmorChoice {
    /// The choice after `--privileged` is considered, which means none unless a profile is named.
    pub fn under(&self, privilege: Privilege) -> AppArmorChoice {
        match (self, privilege) {
            (AppArmorChoice::Default, Privilege::Privileged) => AppArmorChoice::Unconfined,
            _ => self.clone(),
        }
    }
}

impl FromStr for AppArmorChoice {
    type Err = ProfileNameError;

    fn from_str(text: &str) -> Result<AppArmorChoice, ProfileNameError> {
        match text {
            "unconfined" => Ok(AppArmorChoice::Unconfined),
            name => name.parse().map(AppArmorChoice::Profile),
        }
    }
}

impl ProfileName {
    /// That of the profile that is ours.
    pub fn ours() -> ProfileName {
        ProfileName(OUR_PROFILE.to_owned())
    }
}

impl FromStr for ProfileName {
    type Err = ProfileNameError;

    fn from_str(text: &str) -> Result<ProfileName, ProfileNameError> {
        let is_word = |byte: u8| byte.is_ascii_graphic() || !byte.is_ascii();
        match !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(is_word) {
            true => Ok(ProfileName(text.to_owned())),
            false => Err(ProfileNameError(text.to_owned())),
        }
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

minirun_bridge::serde_as_string!(ProfileName);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_one_word() {
        for text in ["", "two words", "a\nb", "a\tb", "a\0b", "\u{7f}"] {
            assert!(text.parse::<ProfileName>().is_err(), "{text:?}");
        }
        let named: AppArmorChoice = "/usr/bin/mine//child".parse().unwrap();
        assert_eq!(
            named,
            AppArmorChoice::Profile("/usr/bin/mine//child".parse().unwrap())
        );
        assert_eq!("unconfined".parse(), Ok(AppArmorChoice::Unconfined));
    }

    #[test]
    fn a_privileged_container_has_only_a_profile_that_is_named() {
        let named = AppArmorChoice::Profile("mine".parse().unwrap());
        let privileged = |choice: &AppArmorChoice| choice.under(Privilege::Privileged);
        assert_eq!(
            privileged(&AppArmorChoice::Default),
            AppArmorChoice::Unconfined
        );
        assert_eq!(privileged(&named), named);
        let usual = AppArmorChoice::Default.under(Privilege::Ordinary);
        assert_eq!(usual, AppArmorChoice::Default);
    }

    proptest! {
        #[test]
        fn a_name_never_ends_the_line_that_it_is_written_in(text in any::<String>()) {
            if let Ok(name) = text.parse::<ProfileName>() {
                let line = format!("exec {name}");
                prop_assert_eq!(line.split([' ', '\n', '\0']).count(), 2);
            }
        }
    }
}
