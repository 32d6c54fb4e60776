//! Saves a value as the text it displays, so that records and people see the same form.

use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Implements `Serialize` through `Display` and `Deserialize` through `FromStr` for each named type.
#[macro_export]
macro_rules! serde_as_string {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::serde_as_string::from_text(deserializer)
            }
        }
    )+};
}

pub(crate) use serde_as_string;

/// Reads a value from its text, of which no copy is made where the whole record is in memory.
///
/// # Errors
///
/// The deserializer's, and what is wrong with the text.
pub fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(TextVisitor(PhantomData))
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::id::ContainerId;

    #[test]
    fn a_text_is_read_with_and_without_escapes_in_it() {
        let text = "ab".repeat(32);
        let id: ContainerId = text.parse().unwrap();
        let escaped = format!("\"\\u0061{}\"", &text[1..]);
        assert_eq!(serde_json::from_str::<ContainerId>(&escaped).unwrap(), id);
        assert_eq!(
            serde_json::from_value::<ContainerId>(text.into()).unwrap(),
            id
        );
    }

    #[test]
    fn what_is_no_text_is_told() {
        let error = serde_json::from_str::<ContainerId>("7").unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid type: integer `7`, expected a string at line 1 column 1"
        );
    }
}
