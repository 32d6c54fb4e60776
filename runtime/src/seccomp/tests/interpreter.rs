//! Classic BPF as far as filters use it, checked as strictly as the kernel does.

use crate::seccomp::compiler::MOST_INSTRUCTIONS;
use crate::seccomp::instruction::*;

/// A system call as the kernel shows it to a filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) audit: u32,
    pub(super) arguments: [u64; 6],
}

impl Call {
    /// A word of `struct seccomp_data`.
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.audit,
            16..64 => {
                let argument = self.arguments[(offset as usize - 16) / 8];
                (argument >> (8 * (offset % 8))) as u32
            }
            _ => panic!("nothing that a filter may ask for lies at {offset}"),
        }
    }
}

/// What a filter returns for a call. Panics where the kernel would have refused the filter.
pub(super) fn answer(program: &[Instruction], call: Call) -> u32 {
    assert!(!program.is_empty() && program.len() <= MOST_INSTRUCTIONS);
    let (mut loaded, mut kept, mut at) = (0_u32, 0_u32, 0);
    loop {
        let instruction = program[at];
        let operand = instruction.operand;
        let jump = |is_true: bool| match is_true {
            true => usize::from(instruction.jump_true),
            false => usize::from(instruction.jump_false),
        };
        at += 1;
        match instruction.code {
            LOAD => loaded = call.word(operand),
            LOAD_NUMBER => loaded = operand,
            KEEP => kept = loaded,
            AND => loaded &= operand,
            SHIFT => loaded = loaded.checked_shl(kept).expect("a shift by less than 32"),
            JUMP => at += operand as usize,
            IS_EQUAL => at += jump(loaded == operand),
            IS_MORE => at += jump(loaded > operand),
            IS_NOT_LESS => at += jump(loaded >= operand),
            HAS_BITS => at += jump(loaded & operand != 0),
            RETURN => return operand,
            code => panic!("no filter has an instruction {code:#x}"),
        }
    }
}
