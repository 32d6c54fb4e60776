//! A program that is made from its last instruction to its first, so that every jump leads to what is there already.

use std::collections::BTreeMap;

use super::action::Action;
use super::instruction::{Instruction, JUMP, RETURN};

/// How far a question can lead. A little less than the kernel can, because a jump may be put in between.
const REACH: usize = 250;

/// An instruction that is there already, counted from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// What there is of a program.
#[derive(Debug, Default)]
pub(super) struct Backwards {
    reversed: Vec<Instruction>,
    /// The latest instruction for each answer.
    answers: BTreeMap<u32, Place>,
}

impl Backwards {
    /// An instruction that gives this answer. Another is made when the last may soon be out of reach.
    pub(super) fn answer(&mut self, action: Action) -> Place {
        let code = action.code();
        if let Some(place) = self.answers.get(&code)
            && self.distance(*place) < REACH / 2
        {
            return *place;
        }
        let place = self.push((RETURN, code), (0, 0));
        self.answers.insert(code, place);
        place
    }

    /// A question, and where either answer leads.
    pub(super) fn ask(&mut self, (code, operand): (u16, u32), yes: Place, no: Place) -> Place {
        let yes = self.in_reach(yes);
        let no = self.in_reach(no);
        let jumps = (self.distance(yes) as u8, self.distance(no) as u8);
        self.push((code, operand), jumps)
    }

    /// An instruction after which it goes on at `next`.
    pub(super) fn apply(&mut self, code: u16, operand: u32, next: Place) -> Place {
        if self.distance(next) > 0 {
            let distance = self.distance(next) as u32;
            self.push((JUMP, distance), (0, 0));
        }
        self.push((code, operand), (0, 0))
    }

    /// The program, whose first instruction is the last that was made.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }

    fn push(&mut self, (code, operand): (u16, u32), (jump_true, jump_false): (u8, u8)) -> Place {
        self.reversed.push(Instruction {
            code,
            jump_true,
            jump_false,
            operand,
        });
        Place(self.reversed.len() - 1)
    }

    /// How many instructions the next one would have to leave out to lead there.
    fn distance(&self, place: Place) -> usize {
        self.reversed.len() - 1 - place.0
    }

    /// The place, or a jump to it. The second jump of a question moves the first away by one, hence the reserve.
    fn in_reach(&mut self, place: Place) -> Place {
        let distance = self.distance(place);
        if distance <= REACH {
            return place;
        }
        self.push((JUMP, distance as u32), (0, 0))
    }
}
