//! A range of numbers of the host that are the users and groups of one container.

use serde::{Deserialize, Serialize};

/// As many numbers of the host, from `first` on, as there are usual users and groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdRange {
    first: u32,
}

impl IdRange {
    /// How many numbers there are: 0 to 65535 inside.
    pub const LENGTH: u32 = 65536;

    /// Whom everybody from outside the range is shown as inside.
    pub const NOBODY: u32 = 65534;

    /// The range from this number on; none if it does not fit into what the kernel counts.
    pub fn from(first: u32) -> Option<IdRange> {
        first
            .checked_add(IdRange::LENGTH)
            .map(|_| IdRange { first })
    }

    /// The number that root has outside.
    pub fn first(self) -> u32 {
        self.first
    }

    /// The highest number.
    pub fn last(self) -> u32 {
        self.first + (IdRange::LENGTH - 1)
    }

    /// What a number inside is outside; none if there is no such number inside.
    pub fn outside(self, inside: u32) -> Option<u32> {
        (inside < IdRange::LENGTH).then(|| self.first + inside)
    }

    /// What a number inside is outside, where nobody stands for those that are not there.
    pub fn outside_or_nobody(self, inside: u32) -> u32 {
        self.outside(inside).unwrap_or(self.first + IdRange::NOBODY)
    }

    /// What a number outside is inside.
    pub fn inside(self, outside: u32) -> u32 {
        match outside.checked_sub(self.first) {
            Some(inside) if inside < IdRange::LENGTH => inside,
            _ => IdRange::NOBODY,
        }
    }

    /// The mapping in the kernel's words: inside, outside, how many.
    pub fn mapping(self) -> String {
        format!("0 {} {}", self.first, IdRange::LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_inside_survives_the_way_out_and_back(first in 0..=u32::MAX - IdRange::LENGTH, inside in 0..IdRange::LENGTH) {
            let range = IdRange::from(first).unwrap();
            let outside = range.outside(inside).unwrap();
            prop_assert!((range.first()..=range.last()).contains(&outside));
            prop_assert_eq!(range.inside(outside), inside);
        }
    }

    #[test]
    fn who_is_not_of_the_range_is_nobody_inside() {
        let range = IdRange::from(100_000).unwrap();
        assert_eq!(range.inside(0), IdRange::NOBODY);
        assert_eq!(range.inside(range.last() + 1), IdRange::NOBODY);
        assert_eq!(range.outside(IdRange::LENGTH), None);
        assert_eq!(IdRange::from(u32::MAX), None);
        assert_eq!(range.mapping(), "0 100000 65536");
    }
}
