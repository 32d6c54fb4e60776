//! What containers send to their DNS server, and what the servers answer that it asks: it never fails, and replies to what was asked.
//!
//! Everything happens in a network namespace of this process alone.

#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use libfuzzer_sys::fuzz_target;
use minirun_bridge::dns::{ADDRESS, Forwarding, Listeners, Names, Pointer, Server};
use minirun_netns::Netlink;
use minirun_netns::endpoint::bring_up_loopback;
use nix::sched::{CloneFlags, unshare};

/// Where the other server is.
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);

/// The longest datagram.
const LONGEST: usize = 4096;

/// One container, `web`.
struct OneContainer;

impl Names for OneContainer {
    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        (name == "web").then(|| {
            vec![
                Ipv4Addr::new(172, 17, 0, 2).into(),
                Ipv6Addr::LOCALHOST.into(),
            ]
        })
    }

    fn pointer(&self, address: IpAddr) -> Pointer {
        match address == Ipv4Addr::new(172, 17, 0, 2) {
            true => Pointer::Known("web.bridge".to_owned()),
            false => Pointer::Unknown,
        }
    }
}

fn have_own_network() {
    unshare(CloneFlags::CLONE_NEWNET).expect("a network of its own needs root");
    let mut netlink = Netlink::open().expect("a network can be spoken to");
    bring_up_loopback(&mut netlink).expect("a loopback interface can be set up");
}

fn socket(address: (Ipv4Addr, u16)) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("the address is free");
    socket
        .set_nonblocking(true)
        .expect("a socket can be switched");
    socket
}

fuzz_target!(init: have_own_network(), |input: (&[u8], &[u8])| {
    let (question, answer) = input;
    let question = &question[..question.len().min(LONGEST)];
    let listeners = Listeners::bind().expect("a port is free");
    let port = listeners.port().expect("a socket has a port");
    let forwarding = Forwarding::Listed(vec![OTHER.into()]);
    let mut server = Server::new(listeners, Box::new(OneContainer), forwarding, None).expect("sockets");
    let other = socket((OTHER, 53));
    let client = socket((Ipv4Addr::LOCALHOST, 0));
    client.send_to(question, (ADDRESS, port)).expect("loopback takes it");
    server.go_on();
    let mut buffer = [0; LONGEST];
    if let Ok((length, from)) = other.recv_from(&mut buffer) {
        // An answer that is not to this question would not be looked at any further.
        let mut reply = buffer[..length].to_vec();
        reply[2] |= 0x80;
        reply.truncate(length);
        match answer.split_first() {
            Some((0, rest)) => reply.extend(rest),
            Some((_, rest)) => {
                reply.truncate(2);
                reply.extend(rest);
            }
            None => {}
        }
        reply.truncate(LONGEST);
        other.send_to(&reply, from).expect("loopback takes it");
        server.go_on();
    }
    if let Ok(length) = client.recv(&mut buffer) {
        let reply = &buffer[..length];
        assert!(length >= 12, "a reply has a header");
        assert_eq!(reply[..2], question[..2], "a reply is to what was asked");
        assert_ne!(reply[2] & 0x80, 0, "a reply is one");
    }
});
