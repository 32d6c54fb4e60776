//! Raw Ethernet frames, which no IP rule sees.

use std::fs;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};

/// An EtherType that IEEE 802 sets aside for experiments; nothing else on the wire uses it.
const EXPERIMENTAL: u16 = 0x88b5;

/// A packet socket on one interface that sends and receives frames of the experimental type.
#[derive(Debug)]
pub struct EthernetSocket {
    socket: OwnedFd,
    own: [u8; 6],
}

impl EthernetSocket {
    /// Opens it on an interface of the calling thread's network.
    ///
    /// # Panics
    ///
    /// If there is no such interface.
    pub fn open(interface: &str) -> Self {
        let index = if_nametoindex(interface)
            .unwrap_or_else(|error| panic!("no interface `{interface}`: {error}"));
        let own = hardware_address(interface);
        let protocol = EXPERIMENTAL.to_be();
        // SAFETY: socket takes three integers and returns a new descriptor or -1.
        let descriptor = unsafe {
            libc::socket(
                libc::AF_PACKET,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC,
                i32::from(protocol),
            )
        };
        assert!(
            descriptor >= 0,
            "cannot make a packet socket: {}",
            io::Error::last_os_error()
        );
        // SAFETY: the descriptor was just returned by the kernel and belongs to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
        bind_to(
            &socket,
            i32::try_from(index).expect("interface numbers fit"),
            protocol,
        );
        Self { socket, own }
    }

    /// Sends one frame to a hardware address (six ones: everybody).
    ///
    /// # Panics
    ///
    /// If the kernel refuses to send it.
    pub fn send(&self, target: [u8; 6], payload: &[u8]) {
        self.send_as(self.own, target, payload);
    }

    /// Sends one frame under somebody's hardware address.
    ///
    /// # Panics
    ///
    /// If the kernel refuses to send it.
    pub fn send_as(&self, source: [u8; 6], target: [u8; 6], payload: &[u8]) {
        let frame = [&target[..], &source, &EXPERIMENTAL.to_be_bytes(), payload].concat();
        write(&self.socket, &frame).expect("cannot send a frame");
    }

    /// The payload of the next frame, with its padding, if one arrives within `patience`.
    ///
    /// # Panics
    ///
    /// If the interface goes away.
    pub fn receive(&self, patience: Duration) -> Option<Vec<u8>> {
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
        let ready = poll(
            &mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)],
            patience,
        )
        .expect("cannot wait for a frame");
        if ready == 0 {
            return None;
        }
        let mut frame = [0; 2048];
        let length = read(&self.socket, &mut frame).expect("cannot receive a frame");
        frame.get(14..length).map(<[u8]>::to_vec)
    }
}

/// The hardware address of an interface of the calling thread's network.
///
/// # Panics
///
/// If there is no such interface.
pub fn hardware_address(interface: &str) -> [u8; 6] {
    let own = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    assert!(
        own.contains(&format!("{interface}:")),
        "no interface `{interface}` among\n{own}"
    );
    let addresses = nix::ifaddrs::getifaddrs().expect("cannot list the interfaces");
    let mut of_interface = addresses
        .filter(|one| one.interface_name == interface)
        .filter_map(|one| one.address);
    of_interface
        .find_map(|address| {
            address
                .as_link_addr()
                .and_then(nix::sys::socket::LinkAddr::addr)
        })
        .unwrap_or_else(|| panic!("interface `{interface}` has no hardware address"))
}

fn bind_to(socket: &OwnedFd, index: i32, protocol: u16) {
    // SAFETY: all bytes zero is a valid value of this plain structure of integers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).expect("address families fit");
    address.sll_protocol = protocol;
    address.sll_ifindex = index;
    let length =
        libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).expect("a small structure");
    // SAFETY: the pointer is to a sockaddr_ll that lives through the call, and the length is its size.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    assert_eq!(
        result,
        0,
        "cannot bind a packet socket: {}",
        io::Error::last_os_error()
    );
}
