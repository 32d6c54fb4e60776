//! Veth pairs between a bridge and another namespace.
//!
//! # Theory of operation
//!
//! 1. One message makes the whole pair: the host end named, sized, a port of the bridge and up; the other end born in its
//!    namespace under its final name, MAC address and MTU. Moving an end into a namespace afterwards would make the kernel wait
//!    for 13 to 26 ms; being born there costs nothing. The other end must stay down in this message: the kernel opens it before
//!    the two are tied, and would refuse with `ENOTCONN`. The kernel shows what it made, so nobody looks it up.
//! 2. A second datagram sets the bridge port, keeps the MAC address at it, and the kernel from giving the host end an IPv6
//!    address of its own. (In the first message the kernel ignores all three.) Nobody would use such an address; but to make it
//!    takes the lock of all network configuration several times, and when it goes, the kernel walks through its whole table of
//!    connections if the host masquerades anything.
//! 3. `configure_interface` sets the other end up from inside; until then no packet passes.
//! 4. The kernel tells the bridge that the port has a carrier only a little later, on a thread of its own. Until then frames
//!    both ways are lost, so the last thing is to wait for that (`carrier`).

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage,
};

use crate::bridge_port::{self, BridgePort, SetBridgePort};
use crate::bridge_station::{self, PinStation};
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::{self, Link, LinkIndex, links, mark_up};
use crate::mac::MacAddress;
use crate::netlink::{Netlink, Request};

/// A veth pair that shall exist.
#[derive(Clone, Debug)]
pub struct VethPair<'a> {
    /// The name of the end beside the bridge, at most 15 bytes.
    pub host_name: String,
    /// The name of the end in the other namespace, at most 15 bytes.
    pub container_name: String,
    /// The Ethernet address of the end in the other namespace.
    pub container_mac: MacAddress,
    /// The largest packet that both ends carry, in bytes.
    pub mtu: u32,
    /// The bridge that the host end is a port of.
    pub bridge: LinkIndex,
    /// How the bridge treats that port.
    pub port: BridgePort,
    /// The bridge's name, for words only.
    pub bridge_name: String,
    /// The other network namespace, borrowed until the pair is made.
    pub namespace: BorrowedFd<'a>,
    /// How a reader can name that namespace, for words only: a path such as `/proc/4242/ns/net`.
    pub namespace_label: String,
}

/// Where the two ends of a new pair are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VethIndexes {
    /// The host end, in the namespace of the connection.
    pub host: LinkIndex,
    /// The container's end, in the other namespace.
    pub container: LinkIndex,
}

impl Netlink {
    /// Makes a veth pair: the host end up, a port of the bridge that is set as wanted and has the other end's Ethernet address
    /// for good; the container's end in its namespace and down.
    ///
    /// # Errors
    ///
    /// Fails when a name is taken (`EEXIST`), the bridge is gone or the kernel refuses; then neither end exists.
    pub fn create_veth(&mut self, pair: &VethPair<'_>) -> Result<VethIndexes, NetnsError> {
        let replies = self
            .request(Request::create_and_show(pair.message()))
            .map_err(|cause| NetnsError::CreateVeth {
                host: pair.host_name.clone(),
                container: pair.container_name.clone(),
                cause,
            })?;
        let shown = links(replies).find_map(both_ends);
        let made = match shown {
            Some(indexes) => Ok(indexes),
            None => self.look_up_veth(pair),
        };
        let set = made.and_then(|indexes| self.set_host_end(pair, indexes.host).map(|()| indexes));
        if set.is_err() {
            // What failed says more than that this fails, too.
            let _ = self.delete_link(&pair.host_name);
        }
        set
    }

    fn look_up_veth(&mut self, pair: &VethPair<'_>) -> Result<VethIndexes, NetnsError> {
        let link = self.find_link(&pair.host_name)?;
        link.and_then(both_ends)
            .ok_or_else(|| NetnsError::NoSuchLink {
                name: pair.host_name.clone(),
            })
    }

    fn set_host_end(&mut self, pair: &VethPair<'_>, host: LinkIndex) -> Result<(), NetnsError> {
        let (name, mac) = (&pair.host_name, pair.container_mac);
        let requests = [
            bridge_port::set(host, pair.port),
            bridge_station::pin(host, mac),
            link::without_own_ipv6(host),
        ];
        let mut outcomes = self.request_each(requests).into_iter();
        if let Some(Err(cause)) = outcomes.next() {
            return Err(NetnsError::SetBridgePort {
                name: name.clone(),
                cause,
            });
        }
        // The last is refused where there is no IPv6, and then is not needed.
        match outcomes.next() {
            Some(Err(cause)) => Err(NetnsError::PinStation {
                mac,
                name: name.clone(),
                cause,
            }),
            _ => Ok(()),
        }
    }
}

impl Explain for VethPair<'_> {
    fn explain(&self) -> Explanation {
        let (host, container) = (&self.host_name, &self.container_name);
        let (bridge, mac, mtu) = (&self.bridge_name, self.container_mac, self.mtu);
        let label = &self.namespace_label;
        let port = SetBridgePort {
            name: host.clone(),
            port: self.port,
        };
        let port_words = port.port.words();
        let port = port.explain();
        let station = PinStation {
            name: host.clone(),
            mac,
        };
        let station = station.explain();
        Explanation {
            sentence: format!(
                "create a cable: `{host}` on the bridge `{bridge}`, and `{container}` ({mac}) inside the namespace `{label}`; {port_words}"
            ),
            command: [
                format!(
                    "ip link add {host} mtu {mtu} master {bridge} type veth \
                     peer name {container} address {mac} mtu {mtu} netns {label} && ip link set {host} up"
                ),
                port.command,
                station.command,
                format!("ip link set {host} addrgenmode none"),
            ]
            .join("\n"),
        }
    }
}

impl VethPair<'_> {
    fn message(&self) -> RouteNetlinkMessage {
        let mut peer = LinkMessage::default();
        peer.attributes = vec![
            LinkAttribute::IfName(self.container_name.clone()),
            LinkAttribute::Address(self.container_mac.octets().to_vec()),
            LinkAttribute::Mtu(self.mtu),
            LinkAttribute::NetNsFd(self.namespace.as_raw_fd()),
        ];
        let mut message = LinkMessage::default();
        mark_up(&mut message);
        message.attributes = vec![
            LinkAttribute::IfName(self.host_name.clone()),
            LinkAttribute::Mtu(self.mtu),
            LinkAttribute::Controller(self.bridge.0),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ];
        RouteNetlinkMessage::NewLink(message)
    }
}

fn both_ends(host: Link) -> Option<VethIndexes> {
    Some(VethIndexes {
        host: host.index,
        container: host.peer?,
    })
}

#[cfg(test)]
impl<'a> VethPair<'a> {
    pub(crate) fn for_tests(bridge: LinkIndex, namespace: BorrowedFd<'a>) -> VethPair<'a> {
        VethPair {
            host_name: "mr1".to_string(),
            container_name: "eth0".to_string(),
            container_mac: MacAddress::for_address(std::net::Ipv4Addr::new(172, 17, 0, 2)),
            mtu: 1450,
            bridge,
            port: BridgePort::default(),
            bridge_name: "minirun0".to_string(),
            namespace,
            namespace_label: "/proc/4242/ns/net".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge_device::BridgeDevice;
    use crate::link::LinkKind;
    use crate::scratch::{fresh_namespace, in_fresh_namespace, shell};
    use std::os::fd::AsFd;

    #[test]
    fn the_peer_is_born_down_in_the_other_namespace_with_its_mac_and_mtu() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let wanted = VethPair::for_tests(bridge, other.as_fd());
            let indexes = netlink.create_veth(&wanted).unwrap();

            let host = netlink.find_link("mr1").unwrap().unwrap();
            assert_eq!((host.index, host.controller), (indexes.host, Some(bridge)));
            assert_eq!((host.mtu, host.up), (1450, true));
            assert_eq!(netlink.find_link("eth0").unwrap(), None);

            let peer = Netlink::open_in(&other)
                .unwrap()
                .find_link("eth0")
                .unwrap()
                .unwrap();
            assert_eq!(
                (peer.index, peer.peer),
                (indexes.container, Some(indexes.host))
            );
            assert_eq!(peer.kind, LinkKind::Veth);
            assert_eq!(
                (peer.mac, peer.mtu, peer.up),
                (Some(wanted.container_mac), 1450, false)
            );
        });
    }

    #[test]
    fn the_host_end_has_no_address_of_its_own() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            netlink.set_up(bridge).unwrap();
            let pair = VethPair::for_tests(bridge, other.as_fd());
            let indexes = netlink.create_veth(&pair).unwrap();
            let mut inside = Netlink::open_in(&other).unwrap();
            inside.set_up(indexes.container).unwrap();
            // With the carrier come the addresses.
            netlink.wait_for_carrier(indexes.host, bridge).unwrap();
            assert_eq!(shell("ip address show dev mr1 | grep inet || true"), "");
        });
    }

    #[test]
    fn the_ports_of_a_bridge_are_its_own_alone() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let first = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let mut second = BridgeDevice::for_tests();
            second.name = "minirun1".to_string();
            let second = netlink.create_bridge(&second).unwrap();
            let indexes = netlink
                .create_veth(&VethPair::for_tests(second, other.as_fd()))
                .unwrap();
            assert_eq!(netlink.bridge_ports(first).unwrap(), []);
            let ports = netlink.bridge_ports(second).unwrap();
            assert_eq!(
                ports.iter().map(|port| port.index).collect::<Vec<_>>(),
                [indexes.host]
            );
        });
    }

    #[test]
    fn a_pair_on_a_missing_bridge_leaves_neither_end() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let pair = VethPair::for_tests(LinkIndex(77), other.as_fd());
            let error = netlink.create_veth(&pair).unwrap_err();
            assert!(error.to_string().contains("`mr1`"), "{error}");
            assert_eq!(netlink.find_link("mr1").unwrap(), None);
            assert_eq!(
                Netlink::open_in(&other).unwrap().find_link("eth0").unwrap(),
                None
            );
        });
    }

    #[test]
    fn the_step_prints_its_command() {
        let namespace = fresh_namespace();
        let pair = VethPair::for_tests(LinkIndex(2), namespace.as_fd());
        assert_eq!(
            pair.explain().command,
            "ip link add mr1 mtu 1450 master minirun0 type veth peer name eth0 address 02:42:ac:11:00:02 mtu 1450 \
             netns /proc/4242/ns/net && ip link set mr1 up\n\
             ip link set dev mr1 type bridge_slave isolated off hairpin off group_fwd_mask 0xfffd\n\
             bridge fdb replace 02:42:ac:11:00:02 dev mr1 master static sticky\n\
             ip link set mr1 addrgenmode none"
        );
    }
}
