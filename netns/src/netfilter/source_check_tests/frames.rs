//! Frames that a container may send, and frames that nobody may send.

use std::net::IpAddr;

const MAC: [u8; 6] = [0x02, 0x42, 0xac, 0x11, 0, 2];
const OTHER_MAC: [u8; 6] = [0x02, 0x42, 0xac, 0x11, 0, 3];
const EVERYBODY: [u8; 6] = [0xff; 6];
const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;
const OWN6: &str = "fd00::2";
const OWN_LINK_LOCAL: &str = "fe80::42:acff:fe11:2";

/// A frame, and a protocol in it.
fn frame(source: [u8; 6], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [EVERYBODY, source].concat();
    bytes.extend(kind.to_be_bytes());
    bytes.extend(payload);
    if kind == ARP {
        // Room for a mark. Packets of IP have none: what is behind them may be cut off on the way.
        bytes.resize(80, 0);
    }
    bytes
}

fn octets(address: &str) -> Vec<u8> {
    match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

fn arp(sender: [u8; 6], address: &str) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 2];
    bytes.extend(sender);
    bytes.extend(octets(address));
    bytes.extend([0; 6]);
    bytes.extend(octets("172.17.0.1"));
    bytes
}

fn ipv4(source: &str) -> Vec<u8> {
    let mut bytes = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
    bytes.extend(octets(source));
    bytes.extend(octets("172.17.0.1"));
    let sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.extend([0x30, 0x39, 0x30, 0x39, 0, 8, 0, 0]);
    bytes
}

/// An IPv6 packet with this after its header.
fn ipv6(source: &str, next: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((rest.len() as u16).to_be_bytes());
    bytes.extend([next, 255]);
    bytes.extend(octets(source));
    bytes.extend(octets("ff02::1"));
    bytes.extend(rest);
    bytes
}

/// ICMPv6 with an address at the place of a target.
fn icmpv6(kind: u8, target: &str) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(octets(target));
    bytes
}

pub(super) fn own_arp() -> Vec<u8> {
    frame(MAC, ARP, &arp(MAC, "172.17.0.2"))
}

/// The same frame, told apart from others that are the same.
pub(super) fn marked(mut frame: Vec<u8>, mark: usize) -> Vec<u8> {
    frame[72..80].copy_from_slice(&mark.to_be_bytes());
    frame
}

/// Frames that a container may send.
pub(super) fn own_frames() -> Vec<(&'static str, Vec<u8>)> {
    let v6 = |source, rest: &[u8]| frame(MAC, IPV6, &ipv6(source, 58, rest));
    vec![
        ("IPv4", frame(MAC, IPV4, &ipv4("172.17.0.2"))),
        ("UDP over IPv6", frame(MAC, IPV6, &ipv6(OWN6, 17, &[0; 8]))),
        ("a solicitation", v6(OWN6, &icmpv6(135, "fd00::1"))),
        (
            "a solicitation of a link",
            v6(OWN_LINK_LOCAL, &icmpv6(135, "fd00::1")),
        ),
        ("an advertisement", v6(OWN6, &icmpv6(136, OWN6))),
        (
            "an advertisement of a link",
            v6(OWN_LINK_LOCAL, &icmpv6(136, OWN_LINK_LOCAL)),
        ),
        ("a report of a link", v6("fe80::77", &icmpv6(143, "::"))),
    ]
}

/// Frames that nobody may send.
pub(super) fn foreign_frames() -> Vec<(&'static str, Vec<u8>)> {
    let v6 = |source, rest: &[u8]| frame(MAC, IPV6, &ipv6(source, 58, rest));
    let tagged = [&[0, 5, 0x08, 0x00], ipv4("172.17.0.3").as_slice()].concat();
    let own_tagged = [&[0, 5, 0x08, 0x00], ipv4("172.17.0.2").as_slice()].concat();
    let mut to_bridges = frame(MAC, IPV4, &ipv4("172.17.0.3"));
    to_bridges[..6].copy_from_slice(&[0x01, 0x80, 0xc2, 0, 0, 0x0e]);
    let mut bridges = frame(MAC, 39, &[0x42, 0x42, 3, 0, 0, 0]);
    bridges[..6].copy_from_slice(&[0x01, 0x80, 0xc2, 0, 0, 0]);
    // Options for each hop, of which there are none but padding.
    let behind_options = [
        &[58, 0, 1, 4, 0, 0, 0, 0],
        icmpv6(136, "fd00::3").as_slice(),
    ]
    .concat();
    vec![
        ("another's IPv4", frame(MAC, IPV4, &ipv4("172.17.0.3"))),
        (
            "another's station",
            frame(OTHER_MAC, IPV4, &ipv4("172.17.0.2")),
        ),
        (
            "all of another's",
            frame(OTHER_MAC, IPV4, &ipv4("172.17.0.3")),
        ),
        ("another's tagged IPv4", frame(MAC, 0x8100, &tagged)),
        (
            "another's address in ARP",
            frame(MAC, ARP, &arp(MAC, "172.17.0.3")),
        ),
        (
            "another's station in ARP",
            frame(MAC, ARP, &arp(OTHER_MAC, "172.17.0.2")),
        ),
        (
            "ARP of another station",
            frame(OTHER_MAC, ARP, &arp(MAC, "172.17.0.2")),
        ),
        ("a probe by ARP", frame(MAC, ARP, &arp(MAC, "0.0.0.0"))),
        (
            "another's IPv6",
            frame(MAC, IPV6, &ipv6("fd00::3", 17, &[0; 8])),
        ),
        (
            "IPv6 of another station",
            frame(OTHER_MAC, IPV6, &ipv6(OWN6, 17, &[0; 8])),
        ),
        (
            "another's link-local address",
            v6("fe80::1", &icmpv6(135, "fd00::1")),
        ),
        ("nobody's address", v6("::", &icmpv6(135, "fd00::3"))),
        ("another's advertisement", v6(OWN6, &icmpv6(136, "fd00::3"))),
        (
            "another's advertisement behind options",
            frame(MAC, IPV6, &ipv6(OWN6, 0, &behind_options)),
        ),
        (
            "a router's advertisement",
            v6(OWN_LINK_LOCAL, &icmpv6(134, "::")),
        ),
        ("a redirect", v6(OWN_LINK_LOCAL, &icmpv6(137, "fd00::3"))),
        ("reverse ARP", frame(MAC, 0x8035, &arp(MAC, "172.17.0.2"))),
        ("another protocol", frame(MAC, 0x88b5, &[1; 60])),
        ("a virtual LAN", frame(MAC, 0x8100, &own_tagged)),
        ("IPv4 for bridges", to_bridges),
        ("a bridge's protocol", bridges),
    ]
}

pub(super) fn is_tagged(frame: &[u8]) -> bool {
    frame[12..14] == [0x81, 0]
}

pub(super) fn untagged(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &frame[16..]].concat()
}
