//! Whose Ethernet address leads to which port of a bridge.
//!
//! A bridge learns from every frame, and a member that can make frames can make them with the address of another: what is meant for
//! that one would come to itself from then on, also on ports that are isolated. An entry that is *sticky* stays at its port,
//! whatever is learnt; it goes with the port.

use netlink_packet_route::neighbour::{
    NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::LinkIndex;
use crate::mac::MacAddress;
use crate::netlink::{Netlink, Request};

/// Keeping an Ethernet address at a bridge port, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinStation {
    /// The name of the link that is the port.
    pub name: String,
    /// The address of who is behind it.
    pub mac: MacAddress,
}

impl Netlink {
    /// Sees to it that frames to `mac` leave its bridge by the port `index`, whoever else sends under this address. Doing so again
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link, it is not a port of a bridge, or the kernel refuses.
    pub fn pin_station(&mut self, index: LinkIndex, mac: MacAddress) -> Result<(), NetnsError> {
        self.request(pin(index, mac))
            .map(drop)
            .map_err(|cause| NetnsError::PinStation {
                mac,
                name: self.name_of(index),
                cause,
            })
    }

    /// Ends that: frames to `mac` leave by the port `index` only if they are heard from there. There being no entry of the
    /// address is not an error.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link, it is not a port of a bridge, or the kernel refuses.
    pub fn unpin_station(&mut self, index: LinkIndex, mac: MacAddress) -> Result<(), NetnsError> {
        let message = RouteNetlinkMessage::DelNeighbour(station(index, mac));
        match self.request(Request::existing(message)) {
            Ok(_) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            Err(cause) => Err(NetnsError::UnpinStation {
                mac,
                name: self.name_of(index),
                cause,
            }),
        }
    }
}

/// An address at a port, for the bridge rather than for the port's own filter.
fn station(index: LinkIndex, mac: MacAddress) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = index.0;
    message.header.flags = NeighbourFlags::Controller;
    message.attributes = vec![NeighbourAttribute::LinkLayerAddress(mac.octets().to_vec())];
    message
}

/// Keeping an Ethernet address at a bridge port no longer, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpinStation {
    /// The name of the link that is the port.
    pub name: String,
    /// The address of who was behind it.
    pub mac: MacAddress,
}

impl Explain for PinStation {
    fn explain(&self) -> Explanation {
        let PinStation { name, mac } = self;
        Explanation {
            sentence: format!("keep the Ethernet address {mac} at the bridge port `{name}`"),
            command: format!("bridge fdb replace {mac} dev {name} master static sticky"),
        }
    }
}

/// The request to keep an address at a port.
pub(crate) fn pin(index: LinkIndex, mac: MacAddress) -> Request {
    let mut message = station(index, mac);
    message.header.state = NeighbourState::Noarp;
    message.header.flags |= NeighbourFlags::Sticky;
    Request::replace(RouteNetlinkMessage::NewNeighbour(message))
}

impl Explain for UnpinStation {
    fn explain(&self) -> Explanation {
        let UnpinStation { name, mac } = self;
        Explanation {
            sentence: format!(
                "keep the Ethernet address {mac} at the bridge port `{name}` no longer"
            ),
            command: format!("bridge fdb delete {mac} dev {name} master"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge_device::BridgeDevice;
    use crate::scratch::{fresh_namespace, in_fresh_namespace, shell};
    use crate::veth_pair::VethPair;
    use std::os::fd::AsFd;

    #[test]
    fn the_printed_command_does_the_same() {
        let entries = |pin: fn(&mut Netlink, LinkIndex, &PinStation)| {
            in_fresh_namespace(|| {
                let other = fresh_namespace();
                let mut netlink = Netlink::open().unwrap();
                let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
                let pair = VethPair::for_tests(bridge, other.as_fd());
                let index = netlink.create_veth(&pair).unwrap().host;
                let station = PinStation {
                    name: pair.host_name.clone(),
                    mac: "02:42:ac:11:00:07".parse().unwrap(),
                };
                pin(&mut netlink, index, &station);
                pin(&mut netlink, index, &station);
                shell("bridge fdb show | grep 02:42:ac:11:00:07")
            })
        };
        let of_command = entries(|_, _, station| {
            shell(&station.explain().command);
        });
        let of_message =
            entries(|netlink, index, station| netlink.pin_station(index, station.mac).unwrap());
        assert_eq!(of_message, of_command);
        assert!(of_message.contains("sticky"), "{of_message}");
    }

    #[test]
    fn an_entry_that_was_taken_away_is_gone_and_taking_it_away_again_changes_nothing() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let pair = VethPair::for_tests(bridge, other.as_fd());
            let index = netlink.create_veth(&pair).unwrap().host;
            let mac = "02:42:ac:11:00:07".parse().unwrap();
            netlink.pin_station(index, mac).unwrap();
            for _ in 0..2 {
                netlink.unpin_station(index, mac).unwrap();
                assert_eq!(
                    shell("bridge fdb show | grep -c 02:42:ac:11:00:07 || true"),
                    "0\n"
                );
            }
        });
    }

    #[test]
    fn a_link_that_is_no_port_is_refused_by_its_name() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let mac = "02:42:ac:11:00:07".parse().unwrap();
            let error = netlink.pin_station(index, mac).unwrap_err();
            assert!(error.to_string().contains("`minirun0`"), "{error}");
        });
    }
}
