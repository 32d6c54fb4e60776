//! What an argument of a system call has to be.

/// A demand on one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which argument.
    pub argument: ArgumentIndex,
    /// What it is compared with.
    pub comparison: Comparison,
}

/// One of the six arguments of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgumentIndex(u8);

/// How an argument is compared. Numbers are without a sign, as the kernel shows them to a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is this.
    Equal(u64),
    /// It is not this.
    NotEqual(u64),
    /// It is less.
    Less(u64),
    /// It is not more.
    LessOrEqual(u64),
    /// It is more.
    Greater(u64),
    /// It is not less.
    GreaterOrEqual(u64),
    /// What is left of it behind the mask is this.
    MaskedEqual {
        /// The bits that count.
        mask: u64,
        /// What they have to be.
        value: u64,
    },
    /// It is one of a few small numbers.
    Among(SmallNumbers),
}

/// A set of numbers below 64, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmallNumbers(u64);

impl ArgumentIndex {
    /// The first argument.
    pub const FIRST: ArgumentIndex = ArgumentIndex(0);
    /// The second.
    pub const SECOND: ArgumentIndex = ArgumentIndex(1);

    /// Counted from 0; there are six.
    pub fn new(index: u64) -> Option<ArgumentIndex> {
        u8::try_from(index)
            .ok()
            .filter(|index| *index < 6)
            .map(ArgumentIndex)
    }

    /// Counted from 0.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl SmallNumbers {
    /// Those in the ranges, each with its ends. What is not below 64 is left out.
    pub fn in_ranges(ranges: &[(u64, u64)]) -> SmallNumbers {
        let bits = (0..64).filter(|number| {
            ranges
                .iter()
                .any(|(first, last)| (first..=last).contains(&number))
        });
        SmallNumbers(bits.fold(0, |set, number| set | 1 << number))
    }

    /// One bit each.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl Comparison {
    /// Whether an argument is as it has to be.
    pub fn holds(self, argument: u64) -> bool {
        match self {
            Comparison::Equal(value) => argument == value,
            Comparison::NotEqual(value) => argument != value,
            Comparison::Less(value) => argument < value,
            Comparison::LessOrEqual(value) => argument <= value,
            Comparison::Greater(value) => argument > value,
            Comparison::GreaterOrEqual(value) => argument >= value,
            Comparison::MaskedEqual { mask, value } => argument & mask == value,
            Comparison::Among(SmallNumbers(bits)) => argument < 64 && bits & (1 << argument) != 0,
        }
    }
}
