//! The kernel's word that a network device has come or gone.
//!
//! The veth pair of a container that has ended goes with its network namespace, some milliseconds after the last process of it.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use crate::process::remaining;

/// Hears of every change of the devices in the network that the calling thread was in when it was opened.
#[derive(Debug)]
pub struct LinkNews {
    socket: OwnedFd,
}

impl LinkNews {
    /// Begins to listen. Look at the devices after this, so that no change falls between the look and the wait.
    pub fn listen() -> Self {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            flags,
            SockProtocol::NetlinkRoute,
        )
        .expect("cannot make a netlink socket");
        let groups = u32::try_from(libc::RTMGRP_LINK).expect("groups are bits");
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))
            .expect("cannot listen to changes of links");
        Self { socket }
    }

    /// Waits for a change that was not waited for yet, at most until `deadline`. Says whether there was one.
    pub fn wait(&self, deadline: Instant) -> bool {
        loop {
            let mut waiting = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            match poll(&mut waiting, remaining(deadline)) {
                Ok(0) => return false,
                Ok(_) => break,
                Err(nix::Error::EINTR) => {}
                Err(error) => panic!("cannot wait for changes of links: {error}"),
            }
        }
        // What exactly changed is seen by looking; a full buffer (ENOBUFS) is news as well.
        let mut message = [0; 8192];
        while matches!(
            recv(self.socket.as_raw_fd(), &mut message, MsgFlags::empty()),
            Ok(1..)
        ) {}
        true
    }
}
