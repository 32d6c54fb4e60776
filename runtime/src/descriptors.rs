//! Messages between a command and a monitor that bring open descriptors along (`SCM_RIGHTS` of unix(7)).

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// As many as any message has.
const MOST: usize = 3;

/// Sends a text and descriptors, of which the receiver gets copies.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    (text, descriptors): (&[u8], &[BorrowedFd<'_>]),
    flags: MsgFlags,
) -> io::Result<()> {
    let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let rights = if numbers.is_empty() { &[][..] } else { &rights };
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(text)],
        rights,
        flags,
        None,
    )?;
    Ok(())
}

/// Waits for a text of a socket that keeps messages apart, and leaves it there; says how long it is.
pub(crate) fn waiting(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let flags = libc::MSG_PEEK | libc::MSG_TRUNC;
    // SAFETY: the kernel is told that there is no room, so it writes nothing.
    let length = unsafe { libc::recv(socket.as_raw_fd(), std::ptr::null_mut(), 0, flags) };
    Ok(Errno::result(length)?.unsigned_abs())
}

/// Waits for a text; says how long it is, and what came with it.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    text: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = nix::cmsg_space!([RawFd; MOST]);
    let mut parts = [IoSliceMut::new(text)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            descriptors.extend(numbers.into_iter().map(|number| {
                // SAFETY: the kernel has just opened this descriptor for us and nobody else knows of it.
                unsafe { OwnedFd::from_raw_fd(number) }
            }));
        }
    }
    Ok((message.bytes, descriptors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write, pipe};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn descriptors_come_with_the_text_they_were_sent_with() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let (reader, mut writer) = pipe().expect("a pipe");
        let flags = MsgFlags::empty();
        send(
            ours.as_fd(),
            (b"a", &[reader.as_fd(), writer.as_fd()]),
            flags,
        )
        .expect("sent");
        send(ours.as_fd(), (b"b", &[]), flags).expect("sent");
        let mut text = [0; 1];
        let (length, descriptors) = receive(theirs.as_fd(), &mut text).expect("received");
        assert_eq!((length, text, descriptors.len()), (1, *b"a", 2));
        writer.write_all(b"x").expect("somebody reads");
        let mut files = descriptors.into_iter().map(File::from);
        let mut byte = [0; 1];
        let mut copy = files.next().expect("the reader");
        copy.read_exact(&mut byte).expect("readable");
        assert_eq!(byte, *b"x");
        let (length, descriptors) = receive(theirs.as_fd(), &mut text).expect("received");
        assert_eq!((length, text, descriptors.len()), (1, *b"b", 0));
        drop(ours);
        assert_eq!(receive(theirs.as_fd(), &mut text).expect("the end").0, 0);
    }
}
