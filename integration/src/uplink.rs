//! The wire between a test host and its neighbour on the LAN.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::process::{self, Command, Stdio};

use crate::namespaces::Namespaces;

/// The host's own address on its LAN (192.0.2.0/24, RFC 5737), on the interface `uplink0`.
pub const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The neighbour's address, on its interface `lan0`; it is the host's default gateway.
pub const NEIGHBOUR_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// The host's own IPv6 address on its LAN (2001:db8:0:1::/64, RFC 3849), on the interface `uplink0`.
pub const HOST_ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1);

/// The neighbour's IPv6 address, on its interface `lan0`; it is the host's default gateway.
pub const NEIGHBOUR_ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 2);

/// Brings up both loopbacks and the pair `uplink0`–`lan0`, and sends the host's default routes to the neighbour.
pub fn connect(host: &Namespaces, neighbour: &Namespaces) {
    // The other namespace has no name that `ip` knows; the open handle in this process is a path to it.
    let there = format!(
        "/proc/{}/fd/{}",
        process::id(),
        neighbour.network().as_raw_fd()
    );
    let pair = format!("link add uplink0 type veth peer name lan0 netns {there}\n");
    host.run(|| configure(&pair));
    neighbour.run(|| configure(&addressing("lan0", NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6)));
    let routes = format!(
        "route add default via {NEIGHBOUR_ADDRESS}\nroute add default via {NEIGHBOUR_ADDRESS_V6}\n"
    );
    host.run(|| configure(&(addressing("uplink0", HOST_ADDRESS, HOST_ADDRESS_V6) + &routes)));
    // The end that came up first sends nothing before the kernel has noticed the other one, which it does when it is asked
    // (`linkwatch_sync_dev` in `net/core/link_watch.c`).
    neighbour.run(|| configure("link show dev lan0\n"));
}

/// The lines that bring up the loopback and one end of the wire. Without `nodad` the kernel would first look for a second holder
/// of the IPv6 address for a second or two.
fn addressing(interface: &str, address: Ipv4Addr, address_v6: Ipv6Addr) -> String {
    format!(
        "link set lo up\n\
         address add {address}/24 broadcast + dev {interface}\n\
         address add {address_v6}/64 dev {interface} nodad\n\
         link set {interface} up\n"
    )
}

/// Feeds the lines to one `ip` process, which inherits the calling thread's namespaces.
fn configure(lines: &str) {
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("cannot run `ip`: install iproute2");
    let mut input = ip.stdin.take().expect("its standard input is a pipe");
    input
        .write_all(lines.as_bytes())
        .expect("`ip` reads its standard input");
    drop(input);
    let status = ip.wait().expect("`ip` is a child of this process");
    assert!(status.success(), "`ip` failed on:\n{lines}");
}
