//! What `--egress` says: everything, nothing, or a list.

use super::{Destination, EgressError};
use crate::serde_as_string::serde_as_string;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// What may be reached; displayed and saved as `any`, `none`, or a list with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowed {
    /// Everything.
    #[default]
    Everything,
    /// This and no more.
    Only(BTreeSet<Allowance>),
}

/// One entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowance {
    /// Names of others may be asked for.
    Names,
    /// Connections to somewhere.
    To(Destination),
}

/// The words for everything.
const EVERYTHING: [&str; 2] = ["any", "all"];
/// The word for nothing.
const NOTHING: &str = "none";
/// The word for names.
const NAMES: &str = "dns";

impl FromStr for Allowed {
    type Err = EgressError;

    fn from_str(text: &str) -> Result<Allowed, EgressError> {
        let words: Vec<&str> = text.split(',').collect();
        match words.as_slice() {
            [word] if EVERYTHING.contains(word) => return Ok(Allowed::Everything),
            [NOTHING] => return Ok(Allowed::Only(BTreeSet::new())),
            _ => {}
        }
        let alone = |word: &&&str| **word == NOTHING || EVERYTHING.contains(*word);
        if let Some(word) = words.iter().find(alone) {
            return Err(EgressError::NotAlone((*word).into()));
        }
        let allowances: Result<BTreeSet<Allowance>, EgressError> =
            words.into_iter().map(str::parse).collect();
        Ok(Allowed::Only(allowances?))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Everything => formatter.write_str(EVERYTHING[0]),
            Allowed::Only(allowances) => write_list(formatter, allowances),
        }
    }
}

/// Writes a list with commas, or the word for nothing.
pub(super) fn write_list<T: fmt::Display>(
    formatter: &mut fmt::Formatter<'_>,
    entries: &BTreeSet<T>,
) -> fmt::Result {
    if entries.is_empty() {
        return formatter.write_str(NOTHING);
    }
    for (place, entry) in entries.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(formatter, "{comma}{entry}")?;
    }
    Ok(())
}

impl FromStr for Allowance {
    type Err = EgressError;

    fn from_str(word: &str) -> Result<Allowance, EgressError> {
        match word {
            "" => Err(EgressError::Empty),
            NAMES => Ok(Allowance::Names),
            word => word.parse().map(Allowance::To),
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowance::Names => formatter.write_str(NAMES),
            Allowance::To(destination) => destination.fmt(formatter),
        }
    }
}

serde_as_string!(Allowed);
