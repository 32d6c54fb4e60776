//! Bridge devices.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoData, InfoKind, LinkAttribute, LinkInfo, LinkMessage,
};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::{Link, LinkIndex, links, mark_up};
use crate::mac::MacAddress;
use crate::netlink::{Netlink, Request};

/// A bridge that shall exist: up, without spanning tree, so that a new port forwards at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeDevice {
    /// Its name, at most 15 bytes.
    pub name: String,
    /// Its Ethernet address. It is given with the creation, because a bridge that has none of its own takes the lowest of its
    /// ports', and so changes it as containers come and go.
    pub mac: MacAddress,
    /// The largest packet it carries, in bytes.
    pub mtu: u32,
}

impl Netlink {
    /// Makes a bridge, in one message.
    ///
    /// # Errors
    ///
    /// Fails when the name is taken (`EEXIST`) or the kernel refuses.
    pub fn create_bridge(&mut self, bridge: &BridgeDevice) -> Result<LinkIndex, NetnsError> {
        let replies = self
            .request(Request::create_and_show(bridge.message()))
            .map_err(|cause| NetnsError::CreateBridge {
                name: bridge.name.clone(),
                cause,
            })?;
        if let Some(link) = links(replies).next() {
            return Ok(link.index);
        }
        let link = self.find_link(&bridge.name)?;
        link.map(|link| link.index)
            .ok_or_else(|| NetnsError::NoSuchLink {
                name: bridge.name.clone(),
            })
    }

    /// The ports of a bridge, in the order the kernel lists them.
    ///
    /// # Errors
    ///
    /// Fails when the kernel refuses to list links.
    pub fn bridge_ports(&mut self, bridge: LinkIndex) -> Result<Vec<Link>, NetnsError> {
        let mut question = LinkMessage::default();
        // The kernel then lists the ports of this device alone. Old kernels list everything, hence the filter below.
        question.attributes = vec![LinkAttribute::Controller(bridge.0)];
        let replies = self
            .dump(RouteNetlinkMessage::GetLink(question))
            .map_err(|cause| NetnsError::ListPorts {
                name: self.name_of(bridge),
                cause,
            })?;
        Ok(links(replies)
            .filter(|link| link.controller == Some(bridge))
            .collect())
    }
}

impl Explain for BridgeDevice {
    fn explain(&self) -> Explanation {
        let BridgeDevice { name, mac, mtu } = self;
        Explanation {
            sentence: format!(
                "create the bridge `{name}` with the MAC address {mac} and an MTU of {mtu} bytes"
            ),
            command: format!(
                "ip link add {name} address {mac} mtu {mtu} type bridge stp_state 0 && ip link set {name} up"
            ),
        }
    }
}

impl BridgeDevice {
    fn message(&self) -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        mark_up(&mut message);
        message.attributes = vec![
            LinkAttribute::IfName(self.name.clone()),
            LinkAttribute::Address(self.mac.octets().to_vec()),
            LinkAttribute::Mtu(self.mtu),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Bridge),
                LinkInfo::Data(InfoData::Bridge(vec![InfoBridge::StpState(
                    BridgeStpState::Disabled,
                )])),
            ]),
        ];
        RouteNetlinkMessage::NewLink(message)
    }
}

#[cfg(test)]
impl BridgeDevice {
    pub(crate) fn for_tests() -> BridgeDevice {
        BridgeDevice {
            name: "minirun0".to_string(),
            mac: MacAddress::for_address(std::net::Ipv4Addr::new(172, 17, 0, 1)),
            mtu: 1450,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkKind;
    use crate::scratch::in_fresh_namespace;

    #[test]
    fn a_bridge_is_created_up_with_its_own_mac_and_mtu() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let wanted = BridgeDevice::for_tests();
            let index = netlink.create_bridge(&wanted).unwrap();
            let link = netlink.find_link("minirun0").unwrap().unwrap();
            assert_eq!(link.index, index);
            assert_eq!(link.kind, LinkKind::Bridge);
            assert_eq!(
                (link.mac, link.mtu, link.up),
                (Some(wanted.mac), 1450, true)
            );
            assert_eq!(netlink.bridge_ports(index).unwrap(), []);
        });
    }

    #[test]
    fn a_second_bridge_of_the_same_name_is_refused_with_a_hint() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let error = netlink
                .create_bridge(&BridgeDevice::for_tests())
                .unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EEXIST));
            assert_eq!(
                error.to_string(),
                "cannot create the bridge `minirun0`: File exists (os error 17)"
            );
            assert!(error.hint().unwrap().contains("ip link show minirun0"));
        });
    }

    #[test]
    fn the_step_prints_its_command() {
        assert_eq!(
            BridgeDevice::for_tests().explain().command,
            "ip link add minirun0 address 02:42:ac:11:00:01 mtu 1450 type bridge stp_state 0 && ip link set minirun0 up"
        );
    }
}
