//! The neighbour cache: which Ethernet address answers for which address.

use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};
use crate::request_error::RequestError;

/// Forgetting the neighbours of a link, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlushNeighbours {
    /// The link's name.
    pub name: String,
}

impl Netlink {
    /// Forgets what the kernel learnt about the neighbours of a link, of both families. Permanent entries, which somebody set, stay, and so do
    /// those for addresses that need no resolution.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list or delete entries. An entry that went away meanwhile is no error.
    pub fn flush_neighbours(&mut self, index: LinkIndex) -> Result<(), NetnsError> {
        self.flush(index)
            .map_err(|cause| NetnsError::FlushNeighbours {
                name: self.name_of(index),
                cause,
            })
    }

    fn flush(&mut self, index: LinkIndex) -> Result<(), RequestError> {
        let mut question = NeighbourMessage::default();
        question.attributes = vec![NeighbourAttribute::IfIndex(index.0)];
        for reply in self.dump(RouteNetlinkMessage::GetNeighbour(question))? {
            let RouteNetlinkMessage::NewNeighbour(entry) = reply else {
                continue;
            };
            if !is_learnt(&entry, index) {
                continue;
            }
            match self.request(Request::existing(delete(entry))) {
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                outcome => drop(outcome?),
            }
        }
        Ok(())
    }
}

impl Explain for FlushNeighbours {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: format!("forget the neighbours of the interface `{}`", self.name),
            command: format!("ip neighbour flush dev {}", self.name),
        }
    }
}

fn is_learnt(entry: &NeighbourMessage, index: LinkIndex) -> bool {
    let family = entry.header.family;
    entry.header.ifindex == index.0
        && (family == AddressFamily::Inet || family == AddressFamily::Inet6)
        && entry.header.state != NeighbourState::Permanent
        && entry.header.state != NeighbourState::Noarp
}

fn delete(entry: NeighbourMessage) -> RouteNetlinkMessage {
    let mut message = NeighbourMessage::default();
    message.header = entry.header;
    message.attributes = entry
        .attributes
        .into_iter()
        .filter(|attribute| matches!(attribute, NeighbourAttribute::Destination(_)))
        .collect();
    RouteNetlinkMessage::DelNeighbour(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge_device::BridgeDevice;
    use crate::scratch::in_fresh_namespace;
    use netlink_packet_route::neighbour::NeighbourAddress;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn add(netlink: &mut Netlink, index: LinkIndex, last: u8, state: NeighbourState) {
        let address = Ipv4Addr::new(172, 17, 0, last);
        add_entry(netlink, index, (address.into(), state));
    }

    fn add_entry(
        netlink: &mut Netlink,
        index: LinkIndex,
        (address, state): (NeighbourAddress, NeighbourState),
    ) {
        let mut message = NeighbourMessage::default();
        message.header.family = match address {
            NeighbourAddress::Inet6(_) => AddressFamily::Inet6,
            _ => AddressFamily::Inet,
        };
        message.header.ifindex = index.0;
        message.header.state = state;
        message.attributes = vec![
            NeighbourAttribute::Destination(address),
            NeighbourAttribute::LinkLayerAddress(vec![2, 0, 0, 0, 0, 9]),
        ];
        let request = Request::create(RouteNetlinkMessage::NewNeighbour(message));
        netlink.request(request).unwrap();
    }

    /// The last bytes of the neighbours in 172.17.0.0/16 that a link still has. The kernel keeps others of its own making,
    /// such as the one for 224.0.0.22 once it has reported multicast groups.
    fn remaining(netlink: &mut Netlink, index: LinkIndex) -> Vec<u8> {
        let mut question = NeighbourMessage::default();
        question.header.family = AddressFamily::Inet;
        let question = RouteNetlinkMessage::GetNeighbour(question);
        let attributes_of = |reply| match reply {
            RouteNetlinkMessage::NewNeighbour(entry) if entry.header.ifindex == index.0 => {
                entry.attributes
            }
            _ => Vec::new(),
        };
        let replies = netlink.dump(question).unwrap();
        let attributes = replies.into_iter().flat_map(attributes_of);
        let last_byte = |attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => {
                let [a, b, _, last] = address.octets();
                ([a, b] == [172, 17]).then_some(last)
            }
            _ => None,
        };
        attributes.filter_map(last_byte).collect()
    }

    #[test]
    fn learnt_neighbours_go_and_permanent_ones_and_other_links_stay() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let mut other = BridgeDevice::for_tests();
            other.name = "minirun1".to_string();
            let other = netlink.create_bridge(&other).unwrap();
            add(&mut netlink, index, 2, NeighbourState::Stale);
            add(&mut netlink, index, 3, NeighbourState::Reachable);
            add(&mut netlink, index, 4, NeighbourState::Permanent);
            add(&mut netlink, other, 5, NeighbourState::Stale);
            netlink.flush_neighbours(index).unwrap();
            assert_eq!(remaining(&mut netlink, index), [4]);
            assert_eq!(remaining(&mut netlink, other), [5]);
        });
    }

    #[test]
    fn ipv6_neighbours_go_too_and_addresses_answered_for_stay() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let address = |last| Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last);
            for (last, state) in [(2, NeighbourState::Stale), (3, NeighbourState::Permanent)] {
                add_entry(&mut netlink, index, (address(last).into(), state));
            }
            netlink.add_proxy_neighbour(index, address(4)).unwrap();
            netlink.flush_neighbours(index).unwrap();
            let question = RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default());
            let replies = netlink.dump(question).unwrap();
            let shows = |last| {
                let destination = NeighbourAttribute::Destination(address(last).into());
                replies.iter().any(|reply| {
                    matches!(reply, RouteNetlinkMessage::NewNeighbour(entry)
                        if entry.attributes.contains(&destination))
                })
            };
            assert_eq!([shows(2), shows(3)], [false, true]);
            assert_eq!(netlink.proxy_neighbours(index).unwrap(), [address(4)]);
        });
    }

    #[test]
    fn the_step_prints_its_command() {
        let step = FlushNeighbours {
            name: "minirun0".to_string(),
        };
        assert_eq!(step.explain().command, "ip neighbour flush dev minirun0");
    }
}
