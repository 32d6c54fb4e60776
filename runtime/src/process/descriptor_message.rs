//! Eight bytes and an open descriptor, sent through a socket to another process (`SCM_RIGHTS` of unix(7)).

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// How long the text of a message is.
const LENGTH: usize = 8;

/// As many bytes as the control message around one descriptor takes.
// SAFETY: the macro only computes a length.
const CONTROL_LENGTH: usize = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) } as usize;

/// Room for one control message, aligned as its header is.
#[repr(C)]
union ControlBuffer {
    bytes: [u8; CONTROL_LENGTH],
    header: libc::cmsghdr,
}

/// Sends a text with a descriptor, of which the receiver gets a copy. May be called in a child: no allocation.
pub(super) fn send(
    socket: RawFd,
    mut text: [u8; LENGTH],
    descriptor: BorrowedFd<'_>,
) -> Result<(), Errno> {
    let mut part = part(&mut text);
    let mut control = empty_control();
    let message = message(&mut part, &mut control);
    // SAFETY: the message has a control buffer with room for one header and one descriptor, so the header and the data
    // behind it lie in that buffer, which is aligned as a header.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as usize;
        libc::CMSG_DATA(header)
            .cast::<RawFd>()
            .write_unaligned(descriptor.as_raw_fd());
    }
    // SAFETY: everything that the message points to is on our stack.
    let result = unsafe { libc::sendmsg(socket, &raw const message, libc::MSG_NOSIGNAL) };
    Errno::result(result).map(drop)
}

/// Waits for a text: how long it is (0 when the other end is closed), what it says, and the descriptor that came along.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
) -> Result<(usize, [u8; LENGTH], Option<OwnedFd>), Errno> {
    let mut text = [0; LENGTH];
    let mut part = part(&mut text);
    let mut control = empty_control();
    let mut message = message(&mut part, &mut control);
    let length = loop {
        // SAFETY: everything that the message points to is on our stack.
        let result =
            unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        match Errno::result(result) {
            Err(Errno::EINTR) => continue,
            other => break other? as usize,
        }
    };
    let descriptor = received_descriptor(&message);
    Ok((length, text, descriptor))
}

/// The descriptor in a message that the kernel has just filled in.
fn received_descriptor(message: &libc::msghdr) -> Option<OwnedFd> {
    // SAFETY: the message's control buffer is the caller's, and the kernel has set its length to what it wrote there. A
    // header that says SCM_RIGHTS has at least one descriptor behind it, which was opened for us and nobody else knows
    // of.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(message).as_ref()?;
        let rights = (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        rights.then(|| {
            let descriptor = libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned();
            OwnedFd::from_raw_fd(descriptor)
        })
    }
}

fn part(text: &mut [u8; LENGTH]) -> libc::iovec {
    libc::iovec {
        iov_base: text.as_mut_ptr().cast(),
        iov_len: text.len(),
    }
}

fn empty_control() -> ControlBuffer {
    ControlBuffer {
        bytes: [0; CONTROL_LENGTH],
    }
}

/// A message of one part and one control message, which the caller must keep where they are as long as it is used.
fn message(part: &mut libc::iovec, control: &mut ControlBuffer) -> libc::msghdr {
    // SAFETY: msghdr is plain data, for which all zeroes is a value.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut *control).cast();
    message.msg_controllen = size_of::<ControlBuffer>();
    message
}
