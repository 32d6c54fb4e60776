//! What a filter answers to a call of which only the number is known.

use super::action::Action;
use super::architecture::Architecture;
use super::filter::Filter;
use super::instruction::*;

/// Where the number of a call lies in the kernel's `struct seccomp_data`.
const NUMBER: u32 = 0;
/// Where the way into the kernel does.
const AUDIT: u32 = 4;

impl Filter {
    /// Whether a program of this machine's own kind may make the system call of this number, and nobody takes note, whatever its
    /// arguments are. Says no where it depends on them. Can be called between clone and exec: it does not allocate.
    pub fn permits(&self, number: libc::c_long) -> bool {
        let answer = u32::try_from(number)
            .ok()
            .and_then(|number| answer(self.instructions(), number));
        answer == Some(Action::Allow.code())
    }
}

/// What is returned for a call of this number; nothing if that depends on anything else. It ends, because jumps lead forward only.
fn answer(program: &[Instruction], number: u32) -> Option<u32> {
    let (mut loaded, mut kept) = (None, None);
    let mut at = 0;
    loop {
        let instruction = program.get(at)?;
        let operand = instruction.operand;
        let jump = |is_true: bool| match is_true {
            true => usize::from(instruction.jump_true),
            false => usize::from(instruction.jump_false),
        };
        at += 1;
        match instruction.code {
            LOAD if operand == NUMBER => loaded = Some(number),
            LOAD if operand == AUDIT => loaded = Some(Architecture::NATIVE.audit()),
            LOAD => loaded = None,
            LOAD_NUMBER => loaded = Some(operand),
            KEEP => kept = loaded,
            AND => loaded = loaded.map(|loaded| loaded & operand),
            SHIFT => loaded = loaded?.checked_shl(kept?),
            JUMP => at = at.checked_add(operand as usize)?,
            IS_EQUAL => at += jump(loaded? == operand),
            IS_MORE => at += jump(loaded? > operand),
            IS_NOT_LESS => at += jump(loaded? >= operand),
            HAS_BITS => at += jump(loaded? & operand != 0),
            RETURN => return Some(operand),
            _ => return None,
        }
    }
}
