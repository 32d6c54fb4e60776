//! `--since` and `--until`: a moment, or a time span before now.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minirun_runtime::moment::{MomentError, parse_moment};
use std::str::FromStr;

/// A moment, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Moment, MomentError> {
        parse_moment(text, (Timestamp::now(), &TimeZone::system())).map(Moment)
    }
}
