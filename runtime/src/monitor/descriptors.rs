//! Closing what a fork has inherited.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Points the three standard streams at `/dev/null` and closes every other descriptor that is not in `kept`.
///
/// Whoever started the command may wait for the end of a pipe of theirs that the command inherited; a monitor that kept
/// it open would make them wait as long as the container runs.
pub(super) fn keep_only(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    for standard in 0..=2 {
        // SAFETY: dup2(2) takes two integers; the first is an open descriptor.
        if unsafe { libc::dup2(null.as_raw_fd(), standard) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let mut numbers: Vec<u32> = kept
        .iter()
        .filter_map(|descriptor| u32::try_from(descriptor.as_raw_fd()).ok())
        .chain(u32::try_from(null.as_raw_fd()))
        .collect();
    numbers.sort_unstable();
    let mut first = 3;
    for number in numbers {
        if number > first {
            close_range(first, number - 1)?;
        }
        first = first.max(number + 1);
    }
    close_range(first, u32::MAX)
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: this runs in a fork that uses nothing it inherited but the descriptors its caller excludes from the range;
    // closing others cannot be observed by safe code of this process.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
