//! Cables between two bridges of one namespace.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage,
};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::netlink::{Netlink, Request};

/// A veth pair that stays in one namespace. Both ends are born down and belong to no bridge, so that they can be made the ports
/// they shall be before the first frame passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeCable {
    /// The name of one end, at most 15 bytes.
    pub near: String,
    /// The name of the other end, at most 15 bytes.
    pub far: String,
    /// The largest packet that both ends carry, in bytes.
    pub mtu: u32,
}

impl Netlink {
    /// Makes a cable, in one message.
    ///
    /// # Errors
    ///
    /// Fails when a name is taken (`EEXIST`) or the kernel refuses; then neither end exists.
    pub fn create_cable(&mut self, cable: &BridgeCable) -> Result<(), NetnsError> {
        self.request(Request::create(cable.message()))
            .map(drop)
            .map_err(|cause| NetnsError::CreateVeth {
                host: cable.near.clone(),
                container: cable.far.clone(),
                cause,
            })
    }
}

impl Explain for BridgeCable {
    fn explain(&self) -> Explanation {
        let BridgeCable { near, far, mtu } = self;
        Explanation {
            sentence: format!("create a cable between two bridges: `{near}` and `{far}`"),
            command: format!("ip link add {near} mtu {mtu} type veth peer name {far} mtu {mtu}"),
        }
    }
}

impl BridgeCable {
    fn message(&self) -> RouteNetlinkMessage {
        let end = |name: &str| {
            vec![
                LinkAttribute::IfName(name.to_string()),
                LinkAttribute::Mtu(self.mtu),
            ]
        };
        let mut far = LinkMessage::default();
        far.attributes = end(&self.far);
        let mut message = LinkMessage::default();
        message.attributes = end(&self.near);
        message.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(far))),
        ]));
        RouteNetlinkMessage::NewLink(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::{in_fresh_namespace, shell};

    fn cable() -> BridgeCable {
        BridgeCable {
            near: "up1".to_string(),
            far: "down1".to_string(),
            mtu: 1450,
        }
    }

    #[test]
    fn both_ends_are_born_down_in_one_namespace() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            netlink.create_cable(&cable()).unwrap();
            let near = netlink.find_link("up1").unwrap().unwrap();
            let far = netlink.find_link("down1").unwrap().unwrap();
            assert_eq!((near.peer, far.peer), (Some(far.index), Some(near.index)));
            for end in [near, far] {
                assert_eq!((end.mtu, end.up, end.controller), (1450, false, None));
            }
        });
    }

    #[test]
    fn a_name_that_is_taken_leaves_neither_end() {
        in_fresh_namespace(|| {
            shell("ip link add down1 type veth");
            let mut netlink = Netlink::open().unwrap();
            let error = netlink.create_cable(&cable()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EEXIST));
            assert_eq!(netlink.find_link("up1").unwrap(), None);
        });
    }

    #[test]
    fn the_step_prints_its_command() {
        assert_eq!(
            cable().explain().command,
            "ip link add up1 mtu 1450 type veth peer name down1 mtu 1450"
        );
    }
}
