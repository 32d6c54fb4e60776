//! A filter of system calls, ready for the kernel.

use std::borrow::Cow;

use nix::errno::Errno;

use super::compiler::{TooLong, compile};
use super::instruction::{Instruction, LINE};
use super::policy::{FilterFlags, Policy};

/// Instructions, and how the kernel applies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    instructions: Cow<'static, [Instruction]>,
    flags: FilterFlags,
}

impl Filter {
    /// The filter that does what the policy says.
    ///
    /// # Errors
    /// When it would be longer than the kernel takes.
    pub fn compile(policy: &Policy) -> Result<Filter, TooLong> {
        Ok(Filter {
            instructions: compile(policy)?.into(),
            flags: policy.flags,
        })
    }

    /// One whose instructions are part of this program.
    pub(super) const fn fixed(instructions: &'static [Instruction], flags: FilterFlags) -> Filter {
        Filter {
            instructions: Cow::Borrowed(instructions),
            flags,
        }
    }

    /// Its instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// As a file: a line for the flags, and one for each instruction.
    pub fn text(&self) -> String {
        let mut text = format!("flags {:013x}\n", self.flags.bits());
        for instruction in &*self.instructions {
            text += &instruction.line();
            text.push('\n');
        }
        text
    }

    /// What such a file says; nothing if it is damaged.
    pub fn from_text(text: &str) -> Option<Filter> {
        let flags = text.get(..LINE)?;
        let flags = flags.strip_prefix("flags ")?.strip_suffix('\n')?;
        let flags = FilterFlags::from_bits(u32::from_str_radix(flags, 16).ok()?)?;
        if !text.len().is_multiple_of(LINE) || text.len() == LINE {
            return None;
        }
        let lines = 1..text.len() / LINE;
        let instructions: Option<Vec<Instruction>> = lines
            .map(|line| Instruction::in_line(text.as_bytes(), line))
            .collect();
        Some(Filter {
            instructions: instructions?.into(),
            flags,
        })
    }

    /// Puts the calling thread, and whatever it becomes or makes, under the filter for good. The kernel wants
    /// `CAP_SYS_ADMIN` or no new privileges for it. Can be called between clone and exec: it does not allocate.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn install(&self) -> Result<(), Errno> {
        let length = libc::c_ushort::try_from(self.instructions.len());
        let program = libc::sock_fprog {
            len: length.map_err(|_| Errno::EINVAL)?,
            filter: self.instructions.as_ptr().cast_mut().cast(),
        };
        // SAFETY: the program names instructions that are laid out as `struct sock_filter` and outlive the call, and
        // their number; the kernel only reads them.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                self.flags.bits(),
                &raw const program,
            )
        };
        Errno::result(result).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::default_policy::default_policy;

    #[test]
    fn a_file_says_what_it_was_made_of() {
        let policy = default_policy(u64::MAX);
        let filter = Filter::compile(&policy).expect("it is short enough");
        let text = filter.text();
        assert_eq!(Filter::from_text(&text), Some(filter));
        for damaged in [
            "",
            &text[..LINE],
            &text[..LINE + 5],
            &text[LINE..],
            &text.replacen("flags 0", "flags f", 1),
        ] {
            assert_eq!(Filter::from_text(damaged), None);
        }
    }
}
