//! One instruction of classic BPF, the language that the kernel takes filters in, and how a file spells it.

/// An instruction, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many instructions are left out if it is true.
    pub jump_true: u8,
    /// How many are if it is not.
    pub jump_false: u8,
    /// What it does it with.
    pub operand: u32,
}

/// Loads a word of what the kernel shows.
pub const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
/// Loads a number.
pub const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_IMM) as u16;
/// Keeps what was loaded as the other operand.
pub const KEEP: u16 = (libc::BPF_MISC | libc::BPF_TAX) as u16;
/// Leaves the bits that the operand has.
pub const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
/// Moves the bits up by what was kept.
pub const SHIFT: u16 = (libc::BPF_ALU | libc::BPF_LSH | libc::BPF_X) as u16;
/// Leaves out instructions whatever is loaded.
pub const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
/// Asks whether it is the operand.
pub const IS_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
/// Asks whether it is more.
pub const IS_MORE: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
/// Asks whether it is not less.
pub const IS_NOT_LESS: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
/// Asks whether it has any of these bits.
pub const HAS_BITS: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
/// Answers.
pub const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// The length of a line: `code true false operand`, each as many hexadecimal digits as it has room for, and its end.
pub const LINE: usize = 4 + 1 + 2 + 1 + 2 + 1 + 8 + 1;

impl Instruction {
    /// As a line without its end.
    pub fn line(self) -> String {
        format!(
            "{:04x} {:02x} {:02x} {:08x}",
            self.code, self.jump_true, self.jump_false, self.operand
        )
    }

    /// What a line of a text says, counted from 0; nothing if it does not say it exactly as [`Instruction::line`] does.
    pub const fn in_line(text: &[u8], line: usize) -> Option<Instruction> {
        let start = line * LINE;
        if text.len() < start + LINE || text[start + LINE - 1] != b'\n' {
            return None;
        }
        if text[start + 4] != b' ' || text[start + 7] != b' ' || text[start + 10] != b' ' {
            return None;
        }
        let (Some(code), Some(jump_true), Some(jump_false), Some(operand)) = (
            digits(text, start, 4),
            digits(text, start + 5, 2),
            digits(text, start + 8, 2),
            digits(text, start + 11, 8),
        ) else {
            return None;
        };
        Some(Instruction {
            code: code as u16,
            jump_true: jump_true as u8,
            jump_false: jump_false as u8,
            operand,
        })
    }
}

const fn digits(text: &[u8], start: usize, count: usize) -> Option<u32> {
    let mut number = 0;
    let mut place = start;
    while place < start + count {
        let digit = match text[place] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number = number << 4 | digit as u32;
        place += 1;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_was_made_of() {
        let instruction = Instruction {
            code: LOAD,
            jump_true: 1,
            jump_false: 255,
            operand: 0xdead_beef,
        };
        let line = instruction.line() + "\n";
        assert_eq!(line, "0020 01 ff deadbeef\n");
        let text = line.repeat(2);
        assert_eq!(Instruction::in_line(text.as_bytes(), 1), Some(instruction));
        assert_eq!(Instruction::in_line(text.as_bytes(), 2), None);
        for wrong in [
            "0020 01 ff deadbeeg\n",
            "0020 01 ff deadbeef ",
            "0020 01 FF deadbeef\n",
            "0020_01 ff deadbeef\n",
        ] {
            assert_eq!(Instruction::in_line(wrong.as_bytes(), 0), None, "{wrong}");
        }
    }
}
