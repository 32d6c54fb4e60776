//! From a policy to instructions.
//!
//! # Theory of operation
//!
//! 1. A program begins with the way by which a call came into the kernel: each has its own section, any other way kills.
//! 2. A section is a list of segments of numbers that are answered alike (`table.rs`), searched by halves: what the kernel
//!    spends on installing a filter and on each call grows with the instructions on the way, not with the calls named.
//! 3. A filter can only jump forwards. So instructions are made from the last to the first (`backwards.rs`): wherever one
//!    leads to is there already, and one answer serves all that lead to it as long as it is in reach.
//! 4. The kernel shows arguments as two halves, which are compared one after the other.

use super::action::Action;
use super::architecture::Architecture;
use super::backwards::{Backwards, Place};
use super::condition::{Comparison, Condition};
use super::instruction::{
    AND, HAS_BITS, IS_EQUAL, IS_MORE, IS_NOT_LESS, Instruction, KEEP, LOAD, LOAD_NUMBER, SHIFT,
};
use super::policy::Policy;
use super::table::{Segment, Verdict, segments};

/// The longest filter that the kernel takes (`BPF_MAXINSNS`).
pub const MOST_INSTRUCTIONS: usize = 4096;

/// Where things lie in what the kernel shows (`struct seccomp_data`).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// A policy that makes more instructions than the kernel takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the rules make {0} instructions, and the kernel takes {MOST_INSTRUCTIONS}: use fewer conditions"
)]
pub struct TooLong(pub usize);

/// The instructions that answer every call as the policy says.
///
/// # Errors
/// When they are too many.
pub fn compile(policy: &Policy) -> Result<Vec<Instruction>, TooLong> {
    let mut program = Backwards::default();
    let mut audits: Vec<u32> = policy.architectures.iter().map(|one| one.audit()).collect();
    audits.sort_unstable();
    audits.dedup();
    let mut sections = Vec::new();
    for audit in audits {
        let search = program.search(&segments(policy, audit), Width::of(audit));
        sections.push((audit, program.load(NUMBER, search)));
    }
    // The native way, whose number is the highest, is asked about first.
    let mut next = program.answer(Action::KillProcess);
    for (audit, section) in sections {
        next = program.ask((IS_EQUAL, audit), section, next);
    }
    program.load(ARCHITECTURE, next);
    let program = program.finish();
    if program.len() > MOST_INSTRUCTIONS {
        return Err(TooLong(program.len()));
    }
    Ok(program)
}

impl Backwards {
    /// Finds the segment of the number that is loaded. There is always at least one.
    fn search(&mut self, segments: &[Segment], width: Width) -> Place {
        let (lower, upper) = segments.split_at(segments.len() / 2);
        let (Some(first), false) = (upper.first(), lower.is_empty()) else {
            return match upper.first() {
                Some(only) => self.verdict(&only.verdict, width),
                None => self.answer(Action::KillProcess),
            };
        };
        let above = self.search(upper, width);
        let below = self.search(lower, width);
        self.ask((IS_NOT_LESS, first.start), above, below)
    }

    fn verdict(&mut self, verdict: &Verdict, width: Width) -> Place {
        let mut next = self.answer(verdict.otherwise);
        for (conditions, action) in verdict.cases.iter().rev() {
            let mut holds = self.answer(*action);
            for condition in conditions.iter().rev() {
                let argument = Argument::of(*condition, width);
                holds = self.condition((argument, condition.comparison), holds, next);
            }
            next = holds;
        }
        next
    }

    fn condition(
        &mut self,
        (argument, comparison): (Argument, Comparison),
        holds: Place,
        fails: Place,
    ) -> Place {
        match comparison {
            Comparison::Equal(value) => self.equal(argument, value, (holds, fails)),
            Comparison::NotEqual(value) => self.equal(argument, value, (fails, holds)),
            Comparison::Greater(value) => self.more((argument, IS_MORE), value, (holds, fails)),
            Comparison::LessOrEqual(value) => self.more((argument, IS_MORE), value, (fails, holds)),
            Comparison::GreaterOrEqual(value) => {
                self.more((argument, IS_NOT_LESS), value, (holds, fails))
            }
            Comparison::Less(value) => self.more((argument, IS_NOT_LESS), value, (fails, holds)),
            Comparison::MaskedEqual { mask, value } => {
                self.masked(argument, (mask, value), (holds, fails))
            }
            Comparison::Among(numbers) => self.among(argument, numbers.bits(), (holds, fails)),
        }
    }

    fn equal(&mut self, argument: Argument, value: u64, (yes, no): (Place, Place)) -> Place {
        let lower = self.ask((IS_EQUAL, low(value)), yes, no);
        let lower = self.load(argument.low, lower);
        self.upper_is(argument, high(value), (lower, no))
    }

    /// What the upper half is. That of a 32-bit program's argument is nothing: what the kernel shows there, it does not use.
    fn upper_is(&mut self, argument: Argument, value: u32, (yes, no): (Place, Place)) -> Place {
        match argument.high {
            Some(offset) => {
                let question = self.ask((IS_EQUAL, value), yes, no);
                self.load(offset, question)
            }
            None if value == 0 => yes,
            None => no,
        }
    }

    /// With `IS_MORE` or `IS_NOT_LESS` for the lower half; of the upper one only what is equal leaves it open.
    fn more(
        &mut self,
        (argument, code): (Argument, u16),
        value: u64,
        (yes, no): (Place, Place),
    ) -> Place {
        let lower = self.ask((code, low(value)), yes, no);
        let lower = self.load(argument.low, lower);
        let Some(offset) = argument.high else {
            return self.upper_is(argument, high(value), (lower, no));
        };
        let equal = self.ask((IS_EQUAL, high(value)), lower, no);
        let more = self.ask((IS_MORE, high(value)), yes, equal);
        self.load(offset, more)
    }

    fn masked(
        &mut self,
        argument: Argument,
        (mask, value): (u64, u64),
        (yes, no): (Place, Place),
    ) -> Place {
        let lower = self.ask((IS_EQUAL, low(value)), yes, no);
        let lower = self.apply(AND, low(mask), lower);
        let lower = self.load(argument.low, lower);
        let Some(offset) = argument.high.filter(|_| high(mask) != 0) else {
            return if high(value) == 0 { lower } else { no };
        };
        let upper = self.ask((IS_EQUAL, high(value)), lower, no);
        let upper = self.apply(AND, high(mask), upper);
        self.load(offset, upper)
    }

    /// The number becomes a bit, which is looked for in one of two words.
    fn among(&mut self, argument: Argument, set: u64, (yes, no): (Place, Place)) -> Place {
        let upper = self.word(high(set), (yes, no));
        let upper = self.apply(AND, 31, upper);
        let lower = self.word(low(set), (yes, no));
        let which = self.ask((IS_NOT_LESS, 32), upper, lower);
        let small = self.ask((IS_NOT_LESS, 64), no, which);
        let small = self.load(argument.low, small);
        self.upper_is(argument, 0, (small, no))
    }

    fn word(&mut self, set: u32, (yes, no): (Place, Place)) -> Place {
        let found = self.ask((HAS_BITS, set), yes, no);
        let bit = self.apply(SHIFT, 0, found);
        let one = self.apply(LOAD_NUMBER, 1, bit);
        self.apply(KEEP, 0, one)
    }

    fn load(&mut self, offset: u32, next: Place) -> Place {
        self.apply(LOAD, offset, next)
    }
}

/// How much of an argument counts.
#[derive(Clone, Copy)]
enum Width {
    /// All 64 bits.
    Whole,
    /// The lower 32. A 64-bit program that comes the way of 32-bit programs (`int 0x80`) can put anything into the others, and
    /// would get past a comparison with them.
    Lower,
}

impl Width {
    fn of(audit: u32) -> Width {
        let narrow = [Architecture::X86, Architecture::Arm];
        match narrow.iter().any(|one| one.audit() == audit) {
            true => Width::Lower,
            false => Width::Whole,
        }
    }
}

/// Where the halves of an argument lie.
#[derive(Clone, Copy)]
struct Argument {
    low: u32,
    /// None if it does not count.
    high: Option<u32>,
}

impl Argument {
    fn of(condition: Condition, width: Width) -> Argument {
        let start = ARGUMENTS + 8 * condition.argument.get() as u32;
        let (low, high) = match cfg!(target_endian = "little") {
            true => (start, start + 4),
            false => (start + 4, start),
        };
        let high = match width {
            Width::Whole => Some(high),
            Width::Lower => None,
        };
        Argument { low, high }
    }
}

fn low(value: u64) -> u32 {
    value as u32
}

fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
