//! What a container may open connections to does not depend on which of its own addresses it speaks from, and by which of its
//! interfaces.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use minirun_integration::probe::{LONG_WAIT, hardware_address};
use minirun_integration::{
    Container, HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6, TestHost,
};

/// How long nothing has to come.
const SILENCE: Duration = Duration::from_millis(500);

/// Whether a datagram comes from an address of a container's.
fn arrives(
    container: &Container<'_>,
    (server, patience): (&UdpSocket, Duration),
    (from, to): (SocketAddr, IpAddr),
) -> bool {
    let timeout = server.set_read_timeout(Some(patience));
    timeout.expect("it is a socket");
    let port = server.local_addr().expect("it is bound").port();
    container.inside(|| {
        let socket = UdpSocket::bind(from).expect("it has the address");
        // What is refused at once may be told already.
        let _ = socket.send_to(b"hello", (to, port));
    });
    server.recv_from(&mut [0; 16]).is_ok()
}

fn listen(address: IpAddr) -> UdpSocket {
    UdpSocket::bind((address, 0)).expect("a port is free")
}

/// The address that the kernel makes of an interface's Ethernet address (RFC 4291, appendix A).
fn link_local(container: &Container<'_>) -> SocketAddr {
    let ([a, b, c, d, e, f], scope) = container.inside(|| {
        let scope = nix::net::if_::if_nametoindex("eth0").expect("there is one");
        (hardware_address("eth0"), scope)
    });
    let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    let address = Ipv6Addr::new(
        0xfe80,
        0,
        0,
        0,
        word(a ^ 0b10, b),
        word(c, 0xff),
        word(0xfe, d),
        word(e, f),
    );
    SocketAddrV6::new(address, 0, 0, scope).into()
}

#[test]
fn a_link_local_address_does_not_get_around_it() {
    let host = TestHost::create();
    let network = host.network("net1", "--ipv6");
    let web1 = host.idles("web1", "--network net1 --egress none");
    let free = host.idles("free", "--network net1");
    for target in [IpAddr::V6(HOST_ADDRESS_V6), network.gateway_v6()] {
        let server = host.inside(|| listen(target));
        let (own, others) = (link_local(&web1), link_local(&free));
        assert!(arrives(&free, (&server, LONG_WAIT), (others, target)));
        assert!(!arrives(&web1, (&server, SILENCE), (own, target)));
        // Neither does it when it may reach everything in between.
        host.minirun("update --egress any web1").succeeds();
        assert!(arrives(&web1, (&server, LONG_WAIT), (own, target)));
        host.minirun("update --egress none web1").succeeds();
        assert!(!arrives(&web1, (&server, SILENCE), (own, target)));
    }
    host.removes("web1 free");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn an_address_on_another_network_does_not_get_around_it() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.network("net2", "--ipv6");
    let both = "--network net1 --network net2";
    let web1 = host.idles("web1", &format!("{both} --egress none"));
    let free = host.idles("free", both);
    let targets = [
        (IpAddr::V4(NEIGHBOUR_ADDRESS), IpAddr::V4(HOST_ADDRESS)),
        (
            IpAddr::V6(NEIGHBOUR_ADDRESS_V6),
            IpAddr::V6(HOST_ADDRESS_V6),
        ),
    ];
    let looks = |occasion: &str| {
        for network in ["net1", "net2"] {
            let own = web1.addresses_on(network).into_iter();
            let pairs = own.zip(free.addresses_on(network));
            for ((own, others), (outside, local)) in pairs.zip(targets) {
                let servers = [
                    (host.neighbour().inside(|| listen(outside)), outside),
                    (host.inside(|| listen(local)), local),
                ];
                for (server, target) in servers {
                    let from = |address| (SocketAddr::new(address, 0), target);
                    assert!(arrives(&free, (&server, LONG_WAIT), from(others)));
                    assert!(
                        !arrives(&web1, (&server, SILENCE), from(own)),
                        "{occasion}: from {own} to {target}"
                    );
                }
            }
        }
    };
    looks("at first");
    host.minirun("update --egress any web1").succeeds();
    host.minirun("update --egress none web1").succeeds();
    looks("after an update");
    host.minirun("network disconnect net2 web1").succeeds();
    host.minirun("network connect net2 web1").succeeds();
    looks("connected again");
    host.minirun("network reload").succeeds();
    looks("after a reload");
    host.removes("web1 free");
    host.removes_networks("net1 net2");
    host.finish();
}
