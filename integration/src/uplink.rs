//! The wire between a test host and its neighbour on the LAN.

use std::io::Write;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::process::{self, Command, Stdio};

use crate::namespaces::Namespaces;

/// The host's own address on its LAN (192.0.2.0/24, RFC 5737), on the interface `uplink0`.
pub const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The neighbour's address, on its interface `lan0`; it is the host's default gateway.
pub const NEIGHBOUR_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// Brings up both loopbacks and the pair `uplink0`–`lan0`, and sends the host's default route to the neighbour.
pub fn connect(host: &Namespaces, neighbour: &Namespaces) {
    // The other namespace has no name that `ip` knows; the open handle in this process is a path to it.
    let there = format!(
        "/proc/{}/fd/{}",
        process::id(),
        neighbour.network().as_raw_fd()
    );
    let pair = format!("link add uplink0 type veth peer name lan0 netns {there}\n");
    host.run(|| configure(&pair));
    let commands = |address: Ipv4Addr, interface: &str| {
        format!(
            "link set lo up\naddress add {address}/24 broadcast + dev {interface}\nlink set {interface} up\n"
        )
    };
    neighbour.run(|| configure(&commands(NEIGHBOUR_ADDRESS, "lan0")));
    let route = format!("route add default via {NEIGHBOUR_ADDRESS}\n");
    host.run(|| configure(&(commands(HOST_ADDRESS, "uplink0") + &route)));
}

/// Feeds the lines to one `ip` process, which inherits the calling thread's namespaces.
fn configure(lines: &str) {
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
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
