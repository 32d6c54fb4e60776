//! Whole frames, sent and received by tests.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;
use std::os::fd::AsFd;

/// How long a test waits for what must come.
const PATIENCE: i64 = 10;
/// How long nothing comes where nothing is to be expected any more.
const MOMENT: Duration = Duration::from_millis(20);

/// A socket for whole frames of one interface; it hears what comes in by it.
pub(crate) struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Opens one in the network namespace of the calling thread.
    pub(crate) fn open(interface: &str) -> PacketSocket {
        let all = (libc::ETH_P_ALL as u16).to_be();
        // SAFETY: socket(2) has no memory to get wrong.
        let raw = unsafe {
            libc::socket(
                libc::AF_PACKET,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC,
                i32::from(all),
            )
        };
        assert!(raw >= 0, "{}", io::Error::last_os_error());
        // SAFETY: the descriptor was just opened, and nobody else has it.
        let socket = unsafe { OwnedFd::from_raw_fd(raw) };
        let name = CString::new(interface).expect("a name");
        // SAFETY: sockaddr_ll is plain numbers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = all;
        // SAFETY: the name ends with zero and lives during the call.
        address.sll_ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) } as i32;
        // SAFETY: pointer and length are those of `address`, which lives during the call.
        let bound = unsafe {
            libc::bind(
                socket.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_ll>() as u32,
            )
        };
        assert_eq!(bound, 0, "{}", io::Error::last_os_error());
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(PATIENCE, 0))
            .expect("a timeout");
        PacketSocket(socket)
    }

    /// Sends a frame.
    pub(crate) fn send(&self, frame: &[u8]) {
        let sent = nix::unistd::write(&self.0, frame).expect("the frame is sent");
        assert_eq!(sent, frame.len());
    }

    /// The next frame that came in.
    pub(crate) fn receive(&self) -> Vec<u8> {
        let mut buffer = vec![0; 65536];
        let length = nix::unistd::read(&self.0, &mut buffer).expect("a frame comes");
        buffer.truncate(length);
        buffer
    }

    /// Whether a frame comes in soon, if something is done for it.
    pub(crate) fn receives_within_a_moment(&self, cause: impl FnOnce(), frame: &[u8]) -> bool {
        cause();
        let timeout = PollTimeout::try_from(MOMENT).expect("a short time");
        loop {
            let mut sockets = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            if poll(&mut sockets, timeout).expect("the socket is open") == 0 {
                return false;
            }
            if self.receive() == frame {
                return true;
            }
        }
    }
}
