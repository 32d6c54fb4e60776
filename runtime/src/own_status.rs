//! What the kernel says of minirun itself: what it may do, and which signals it ignores.
//!
//! It is asked once. What is forked from this process inherits the answer, and with it nearly everything that the answer is about;
//! whoever changes something later knows what.

use std::fs;
use std::io;
use std::sync::OnceLock;

use nix::sys::signal::Signal;

/// Sets of one bit each, as in `/proc/self/status` (proc(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnStatus {
    /// The signals that are ignored; bit 0 is signal 1.
    pub(crate) ignored_signals: u64,
    /// The capabilities that may be made effective.
    pub(crate) permitted: u64,
    /// Those that a program may still gain.
    pub(crate) bounding: u64,
}

/// What a process begins to ignore when it becomes a monitor.
pub(crate) const IGNORED_BY_MONITOR: [Signal; 5] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGPIPE,
];

impl OwnStatus {
    /// The signals that this process may ignore by now, one bit each.
    pub(crate) fn may_ignore(self) -> u64 {
        let of_monitor = IGNORED_BY_MONITOR.iter();
        of_monitor.fold(self.ignored_signals, |set, signal| {
            set | 1 << (*signal as i32 - 1)
        })
    }

    /// That of the calling thread when it was asked for first.
    ///
    /// # Errors
    /// When `/proc` does not tell.
    pub(crate) fn get() -> io::Result<OwnStatus> {
        static ASKED: OnceLock<OwnStatus> = OnceLock::new();
        if let Some(status) = ASKED.get() {
            return Ok(*status);
        }
        // The name in it may have been cut in the middle of a character.
        let text = fs::read("/proc/thread-self/status")?;
        let status = parse(&String::from_utf8_lossy(&text)).ok_or(io::ErrorKind::InvalidData)?;
        Ok(*ASKED.get_or_init(|| status))
    }
}

fn parse(text: &str) -> Option<OwnStatus> {
    let set = |key: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(key))?;
        u64::from_str_radix(value.trim(), 16).ok()
    };
    Some(OwnStatus {
        ignored_signals: set("SigIgn:")?,
        permitted: set("CapPrm:")?,
        bounding: set("CapBnd:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_those_of_the_kernels_text() {
        let text = "Name:\tSigIgn:\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n\
                    CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapBnd:\t000001ffffffffff\n";
        assert_eq!(
            parse(text),
            Some(OwnStatus {
                ignored_signals: 1 << (libc::SIGPIPE - 1),
                permitted: 0xa804_25fb,
                bounding: 0x1ff_ffff_ffff,
            })
        );
        assert_eq!(parse("SigIgn:\t0\nCapPrm:\tx\nCapBnd:\t0\n"), None);
    }

    #[test]
    fn a_program_in_rust_ignores_that_nobody_reads() {
        let status = OwnStatus::get().expect("there is a /proc");
        assert_ne!(status.ignored_signals & 1 << (libc::SIGPIPE - 1), 0);
    }
}
