//! The network half of the floor: seven netlink messages, made by hand because nothing else may stand between them and the kernel.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};

/// One end on a bridge of the calling thread's network, the other as `eth0` in the network of a process.
pub struct Wire<'name> {
    /// Name of an existing bridge.
    pub bridge: &'name str,
    /// The process whose network gets the other end.
    pub pid: i32,
    /// Address of the other end and the length of its prefix.
    pub address: (Ipv4Addr, u8),
    /// Where its default route leads.
    pub gateway: Ipv4Addr,
}

const VETH_INFO_PEER: u16 = 1;
const CREATE: u16 = flag(libc::NLM_F_CREATE | libc::NLM_F_EXCL);
const UP: u32 = libc::IFF_UP.cast_unsigned();

/// Makes the pair and configures the far end; the calling thread visits the other network and comes back.
pub fn connect(wire: &Wire) -> io::Result<()> {
    let there = File::open(format!("/proc/{}/ns/net", wire.pid))?;
    let here = File::open("/proc/thread-self/ns/net")?;
    let bridge = if_nametoindex(wire.bridge)?;
    Socket::open()?.talk(&pair(&format!("floor{}", wire.pid), bridge, &there))?;
    setns(&there, CloneFlags::CLONE_NEWNET)?;
    let configured = configure_far_end(wire);
    setns(&here, CloneFlags::CLONE_NEWNET)?;
    configured
}

fn configure_far_end(wire: &Wire) -> io::Result<()> {
    let socket = Socket::open()?;
    let interface = if_nametoindex("eth0")?;
    socket.talk(&link_up(1))?;
    let (address, prefix_length) = wire.address;
    let mut message = Message::new(libc::RTM_NEWADDR, CREATE);
    message.put(&[libc::AF_INET as u8, prefix_length, 0, 0]);
    message.put(&interface.to_ne_bytes());
    message.attribute(libc::IFA_LOCAL, &address.octets());
    message.attribute(libc::IFA_ADDRESS, &address.octets());
    socket.talk(&message)?;
    socket.talk(&link_up(interface))?;
    let mut message = Message::new(libc::RTM_NEWROUTE, CREATE);
    message.put(&[
        libc::AF_INET as u8,
        0,
        0,
        0,
        libc::RT_TABLE_MAIN,
        libc::RTPROT_BOOT,
        libc::RT_SCOPE_UNIVERSE,
        libc::RTN_UNICAST,
    ]);
    message.put(&0u32.to_ne_bytes());
    message.attribute(libc::RTA_GATEWAY, &wire.gateway.octets());
    socket.talk(&message)
}

/// The near end is born up and on the bridge; the far end must not be up when it is born, or the kernel refuses to move it.
fn pair(name: &str, bridge: u32, namespace: &File) -> Message {
    let mut message = Message::new(libc::RTM_NEWLINK, CREATE);
    message.put(&link_header(0, UP));
    message.attribute(libc::IFLA_IFNAME, &terminated(name));
    message.attribute(libc::IFLA_MASTER, &bridge.to_ne_bytes());
    message.nest(libc::IFLA_LINKINFO, |message| {
        message.attribute(libc::IFLA_INFO_KIND, b"veth");
        message.nest(libc::IFLA_INFO_DATA, |message| {
            message.nest(VETH_INFO_PEER, |message| {
                message.put(&link_header(0, 0));
                message.attribute(libc::IFLA_IFNAME, &terminated("eth0"));
                message.attribute(libc::IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
            });
        });
    });
    message
}

fn link_up(index: u32) -> Message {
    let mut message = Message::new(libc::RTM_NEWLINK, 0);
    message.put(&link_header(index, UP));
    message
}

/// struct ifinfomsg: family, padding and type, index, flags, mask of the flags to change.
fn link_header(index: u32, flags: u32) -> [u8; 16] {
    let words = [0, index, flags, flags].map(u32::to_ne_bytes);
    let mut header = [0; 16];
    header.copy_from_slice(words.as_flattened());
    header
}

fn terminated(name: &str) -> Vec<u8> {
    [name.as_bytes(), &[0]].concat()
}

const fn flag(value: libc::c_int) -> u16 {
    value as u16
}

/// A netlink message under construction; its length field is filled in when it is sent.
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let flags = flags | flag(libc::NLM_F_REQUEST | libc::NLM_F_ACK);
        let mut message = Self {
            bytes: Vec::with_capacity(256),
        };
        message.put(&0u32.to_ne_bytes());
        message.put(&[kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
        message.put(&[0; 8]);
        message
    }

    /// Appends bytes and pads to four.
    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let start = self.bytes.len();
        self.put(&[0; 4]);
        self.bytes.extend_from_slice(value);
        self.close(start, kind);
        self.put(&[]);
    }

    fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.put(&[0; 4]);
        fill(self);
        self.close(start, kind);
    }

    fn close(&mut self, start: usize, kind: u16) {
        let length = (self.bytes.len() - start) as u16;
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
    }
}

/// A routing socket of the network in which it was opened.
struct Socket {
    descriptor: OwnedFd,
}

impl Socket {
    fn open() -> io::Result<Self> {
        // SAFETY: socket takes three integers and returns a new descriptor or -1.
        let descriptor = unsafe {
            libc::socket(
                libc::AF_NETLINK,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC,
                libc::NETLINK_ROUTE,
            )
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just returned by the kernel and belongs to nobody else.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Self { descriptor })
    }

    /// Sends the message and waits for its acknowledgement.
    fn talk(&self, message: &Message) -> io::Result<()> {
        let mut bytes = message.bytes.clone();
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        nix::unistd::write(&self.descriptor, &bytes)?;
        let mut answer = [0; 4096];
        let length = nix::unistd::read(&self.descriptor, &mut answer)?;
        // Behind the header of sixteen bytes an acknowledgement carries the error number, negative, or zero.
        match answer[..length]
            .get(16..20)
            .map(|number| i32::from_ne_bytes([number[0], number[1], number[2], number[3]]))
        {
            Some(0) => Ok(()),
            Some(number) => Err(io::Error::from_raw_os_error(-number)),
            None => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the kernel's answer is too short",
            )),
        }
    }
}
