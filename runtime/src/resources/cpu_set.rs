//! A list of processors, or of memory nodes, by number: `0-2,4`.

use super::error::ResourcesError;
use super::limit::Limit;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The highest number that is read; no kernel is built for more.
const HIGHEST: u32 = 8191;

/// Some processors, or memory nodes; at least one. Its text is the shortest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CpuSet {
    /// First and last of each run, in order, with a gap between two runs.
    runs: Vec<(u32, u32)>,
}

impl CpuSet {
    /// Only this one.
    pub fn only(number: u32) -> CpuSet {
        CpuSet {
            runs: vec![(number, number)],
        }
    }

    /// Reads a limit: no text is none, since `0` is a processor.
    ///
    /// # Errors
    /// When it is no list of numbers.
    pub fn parse_limit(text: &str) -> Result<Limit<CpuSet>, ResourcesError> {
        match text {
            "" => Ok(Limit::Unlimited),
            text => text.parse().map(Limit::To),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let length = |(first, last): &(u32, u32)| (last - first) as usize + 1;
        self.runs.iter().map(length).sum()
    }

    /// Whether all of them are among the others.
    pub fn is_within(&self, others: &CpuSet) -> bool {
        self.runs.iter().all(|(first, last)| {
            let mut runs = others.runs.iter();
            runs.any(|(other_first, other_last)| other_first <= first && last <= other_last)
        })
    }
}

impl FromStr for CpuSet {
    type Err = ResourcesError;

    fn from_str(text: &str) -> Result<CpuSet, ResourcesError> {
        let malformed = || ResourcesError::CpuSet(text.to_owned());
        let mut all = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first = number(first).ok_or_else(malformed)?;
            let last = number(last).ok_or_else(malformed)?;
            if first > last {
                return Err(malformed());
            }
            all.push((first, last));
        }
        all.sort_unstable();
        Ok(CpuSet { runs: joined(&all) })
    }
}

impl TryFrom<String> for CpuSet {
    type Error = ResourcesError;

    fn try_from(text: String) -> Result<CpuSet, ResourcesError> {
        text.parse()
    }
}

impl From<CpuSet> for String {
    fn from(set: CpuSet) -> String {
        set.to_string()
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match first == last {
                true => write!(formatter, "{comma}{first}")?,
                false => write!(formatter, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok()?;
    (is_number && number <= HIGHEST).then_some(number)
}

/// Runs that overlap or touch become one; they come sorted.
fn joined(sorted: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (first, last) in sorted {
        match runs.last_mut() {
            Some(run) if *first <= run.1 + 1 => run.1 = run.1.max(*last),
            _ => runs.push((*first, *last)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(text: &str) -> CpuSet {
        text.parse().unwrap()
    }

    #[test]
    fn lists_are_read_and_written_in_the_shortest_way() {
        for (text, written, count) in [
            ("0", "0", 1),
            ("0-2,4", "0-2,4", 4),
            ("4,0,1,2", "0-2,4", 4),
            ("0-3,2-5", "0-5", 6),
            ("1-1", "1", 1),
            ("007", "7", 1),
        ] {
            assert_eq!(set(text).to_string(), written);
            assert_eq!(set(text).count(), count);
        }
        for text in [
            "", ",", "1,", "-1", "2-1", "1-", "a", "1 2", "+1", "0-8192", "1-2-3", "0-9:2",
        ] {
            assert!(text.parse::<CpuSet>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_text_is_no_limit_and_zero_is_a_processor() {
        assert_eq!(CpuSet::parse_limit(""), Ok(Limit::Unlimited));
        assert_eq!(CpuSet::parse_limit("0"), Ok(Limit::To(CpuSet::only(0))));
        assert!(CpuSet::parse_limit("-1").is_err());
    }

    #[test]
    fn a_list_can_lie_within_another() {
        assert!(set("1,3").is_within(&set("0-3")));
        assert!(!set("1,4").is_within(&set("0-3")));
        assert!(!set("0-2").is_within(&set("0,2")));
    }

    proptest! {
        #[test]
        fn a_list_means_its_numbers(numbers in proptest::collection::btree_set(0..200_u32, 1..40)) {
            let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
            let read = set(&text.join(","));
            let expanded: BTreeSet<u32> = read.runs.iter().flat_map(|(a, b)| *a..=*b).collect();
            prop_assert_eq!(&expanded, &numbers);
            prop_assert_eq!(read.count(), numbers.len());
            prop_assert_eq!(set(&read.to_string()), read);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "([0-9,\\-]{0,30}|\\PC*)") {
            let _ = text.parse::<CpuSet>();
        }
    }
}
