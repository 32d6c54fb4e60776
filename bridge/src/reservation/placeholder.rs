//! A socket that holds a host port and never answers on it.
//!
//! # Theory of operation
//!
//! 1. The filter is attached before the socket is bound, so there is no moment in which a packet could be queued.
//! 2. TCP and SCTP listen, because a port that is only bound can still be taken by a program that sets `SO_REUSEADDR`
//!    too. `SO_REUSEADDR` itself is needed for connections of an earlier owner that linger in TIME_WAIT.
//! 3. An IPv6 socket is kept from IPv4 (`IPV6_V6ONLY`), whatever the host's default is, so that `0.0.0.0` and `::` are two
//!    reservations that do not get in each other's way.
//! 4. UDP does without `SO_REUSEADDR`, which would let two sockets share the port.

use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, listen,
    setsockopt, socket, sockopt,
};

use super::error::PlaceholderStep;
use crate::port::Protocol;

/// Holds `address` for `protocol` in the network namespace of the calling thread until the socket is closed, which
/// `exec` does too. What arrives on it is dropped unseen: a connection attempt gets no answer.
pub(crate) fn bind_placeholder(
    address: SocketAddr,
    protocol: Protocol,
) -> Result<OwnedFd, (PlaceholderStep, Errno)> {
    let at = |step| move |errno| (step, errno);
    let (kind, number) = match protocol {
        Protocol::Tcp => (SockType::Stream, SockProtocol::Tcp),
        Protocol::Sctp => (SockType::Stream, SockProtocol::Sctp),
        Protocol::Udp => (SockType::Datagram, SockProtocol::Udp),
    };
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, number)
        .map_err(at(PlaceholderStep::Create))?;
    drop_everything(&socket).map_err(at(PlaceholderStep::Filter))?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true).map_err(at(PlaceholderStep::Restrict))?;
    }
    if kind == SockType::Stream {
        setsockopt(&socket, sockopt::ReuseAddr, &true).map_err(at(PlaceholderStep::Reuse))?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address)).map_err(at(PlaceholderStep::Bind))?;
    if kind == SockType::Stream {
        Backlog::new(1)
            .and_then(|backlog| listen(&socket, backlog))
            .map_err(at(PlaceholderStep::Listen))?;
    }
    Ok(socket)
}

/// Attaches the classic BPF program `ret 0`, which keeps zero bytes of every packet: none arrives.
fn drop_everything(socket: &impl AsFd) -> Result<(), Errno> {
    // `BPF_RET | BPF_K` is an u32 in the libc crate and an u16 in the instruction; both constants are below 16.
    let mut program = [libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: 0,
    }];
    let filter = libc::sock_fprog {
        len: 1,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` is a valid `sock_fprog` whose pointer and length describe `program`; both live until the call
    // returns, and the kernel copies them. The size passed is the size of what the pointer points to.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const filter).cast(),
            mem::size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    Errno::result(result).map(drop)
}
