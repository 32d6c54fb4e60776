//! Mount options that are put together in the child, where nothing may be allocated.

use std::ffi::CStr;

use nix::errno::Errno;

/// As much as mount(2) takes.
const CAPACITY: usize = 4096;

/// Room for the options of one mount.
pub(super) struct OptionBuffer {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl OptionBuffer {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }

    /// The options with `mode=` in front; a mode that is among them is stronger, because the kernel goes by the last one.
    pub(super) fn with_mode(&mut self, options: &CStr, mode: libc::mode_t) -> Result<&CStr, Errno> {
        self.push(b"mode=")?;
        for shift in [9, 6, 3, 0] {
            self.push(&[b'0' + (mode >> shift & 7) as u8])?;
        }
        if !options.is_empty() {
            self.push(b",")?;
            self.push(options.to_bytes())?;
        }
        CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Errno::ENAMETOOLONG)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let end = self.length + bytes.len();
        let room = self.bytes.get_mut(self.length..end);
        room.ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_stands_in_front_of_the_other_options() {
        let mode = libc::S_IFDIR | 0o1777;
        let mut buffer = OptionBuffer::new();
        assert_eq!(buffer.with_mode(c"size=1m", mode), Ok(c"mode=1777,size=1m"));
        assert_eq!(OptionBuffer::new().with_mode(c"", 0o750), Ok(c"mode=0750"));
    }

    #[test]
    fn options_that_do_not_fit_are_refused() {
        let long = std::ffi::CString::new("x".repeat(CAPACITY)).unwrap();
        let refused = OptionBuffer::new().with_mode(&long, 0).map(drop);
        assert_eq!(refused, Err(Errno::ENAMETOOLONG));
    }
}
