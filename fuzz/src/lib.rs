//! What the targets share.

/// What the command line makes of values, which is part of a program and of no library.
#[path = "../../cli/src/output/mod.rs"]
pub mod output;

/// What the programs of the built-in image read.
#[path = "../../cli/src/guest/http.rs"]
pub mod http;

use std::fmt::{Debug, Display};
use std::str::FromStr;

/// Expects that whatever a text means is shown as a text that means the same.
///
/// # Panics
/// If it does not.
pub fn shows_itself<T>(text: &str)
where
    T: FromStr + Display + PartialEq + Debug,
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(value) => {
            let shown = value.to_string();
            match shown.parse::<T>() {
                Ok(again) => assert_eq!(value, again, "{text:?} is shown as {shown:?}"),
                Err(error) => panic!("{text:?} is shown as {shown:?}: {error}"),
            }
        }
        Err(error) => drop(error.to_string()),
    }
}
