//! How a bridge treats one of its ports.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    BridgePortState, InfoBridgePort, InfoPortData, InfoPortKind, LinkAttribute, LinkInfo,
    LinkMessage,
};

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::link::LinkIndex;
use crate::netlink::{Netlink, Request};

/// Whether a port may exchange frames with other isolated ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Frames pass only between this port and ports that are open, or the bridge's own interface.
    Isolated,
    /// Frames pass to and from every port; the kernel's default.
    #[default]
    Open,
}

/// Whether a frame may leave through the port it came in by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hairpin {
    /// It may.
    On,
    /// It may not; the kernel's default.
    #[default]
    Off,
}

/// Whether a bridge remembers by which port it saw an Ethernet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Learning {
    /// It does; the kernel's default.
    #[default]
    On,
    /// It does not: whoever sends under another's address there gets none of what is meant for that one.
    Off,
}

/// How a bridge treats one port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgePort {
    /// Towards other ports.
    pub isolation: Isolation,
    /// Towards itself.
    pub hairpin: Hairpin,
    /// Towards addresses that are new.
    pub learning: Learning,
}

/// Which of the group addresses that bridges keep for themselves (`01:80:c2:00:00:00` to `…:0f`) are treated as others, one bit
/// each: all but that of pauses, which the kernel always drops. Otherwise frames to them go past every rule for bridges, to
/// the host itself, as if they came from the port instead of the bridge.
const NO_RESERVED_GROUPS: u16 = 0xfffd;

/// Setting a bridge port, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetBridgePort {
    /// The name of the link that is the port.
    pub name: String,
    /// What it is set to.
    pub port: BridgePort,
}

impl Netlink {
    /// Sets how a bridge treats the port `index`, in one message that touches no other setting.
    ///
    /// # Errors
    ///
    /// Fails when there is no such link, it is not a port of a bridge, or the kernel refuses.
    pub fn set_bridge_port(
        &mut self,
        index: LinkIndex,
        port: BridgePort,
    ) -> Result<(), NetnsError> {
        self.request(set(index, port))
            .map(drop)
            .map_err(|cause| NetnsError::SetBridgePort {
                name: self.name_of(index),
                cause,
            })
    }
}

impl Explain for SetBridgePort {
    fn explain(&self) -> Explanation {
        let name = &self.name;
        let isolated = match self.port.isolation {
            Isolation::Isolated => "on",
            Isolation::Open => "off",
        };
        let hairpin = match self.port.hairpin {
            Hairpin::On => "on",
            Hairpin::Off => "off",
        };
        let learning = match self.port.learning {
            Learning::On => "",
            Learning::Off => " learning off",
        };
        Explanation {
            sentence: format!("make the bridge port `{name}` {}", self.port.words()),
            command: format!(
                "ip link set dev {name} type bridge_slave isolated {isolated} hairpin {hairpin}{learning} \
                 group_fwd_mask {NO_RESERVED_GROUPS:#x}"
            ),
        }
    }
}

/// The request to set a port.
pub(crate) fn set(index: LinkIndex, port: BridgePort) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    message.attributes = vec![LinkAttribute::LinkInfo(vec![
        LinkInfo::PortKind(InfoPortKind::Bridge),
        LinkInfo::PortData(InfoPortData::BridgePort(vec![
            InfoBridgePort::Isolated(port.isolation == Isolation::Isolated),
            InfoBridgePort::HairpinMode(port.hairpin == Hairpin::On),
            InfoBridgePort::Learning(port.learning == Learning::On),
            InfoBridgePort::GroupFwdMask(NO_RESERVED_GROUPS),
        ])),
    ])];
    // RTM_SETLINK ignores these attributes; RTM_NEWLINK for a link that exists heeds them, and for one that it makes does not.
    Request::existing(RouteNetlinkMessage::NewLink(message))
}

/// Whether the spanning tree protocol keeps a port that is up from passing frames.
pub(crate) fn is_held_back(settings: &[InfoBridgePort]) -> bool {
    settings.iter().any(|setting| {
        matches!(
            setting,
            InfoBridgePort::State(
                BridgePortState::Listening | BridgePortState::Learning | BridgePortState::Blocking
            )
        )
    })
}

impl BridgePort {
    /// How the port is treated, in words that may follow its name.
    pub(crate) fn words(self) -> String {
        let towards_others = match self.isolation {
            Isolation::Isolated => "cut off from other isolated ports",
            Isolation::Open => "open to every other port",
        };
        let towards_itself = match self.hairpin {
            Hairpin::On => "frames may turn back",
            Hairpin::Off => "frames never turn back",
        };
        let towards_addresses = match self.learning {
            Learning::On => "",
            Learning::Off => "; no address is learnt there",
        };
        format!("{towards_others}; {towards_itself}{towards_addresses}")
    }

    /// Reads the settings that the kernel shows for a port.
    pub(crate) fn read(settings: &[InfoBridgePort]) -> BridgePort {
        let mut port = BridgePort::default();
        for setting in settings {
            match setting {
                InfoBridgePort::Isolated(true) => port.isolation = Isolation::Isolated,
                InfoBridgePort::HairpinMode(true) => port.hairpin = Hairpin::On,
                InfoBridgePort::Learning(false) => port.learning = Learning::Off,
                _ => {}
            }
        }
        port
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
    fn a_port_is_isolated_and_opened_again_while_it_runs() {
        in_fresh_namespace(|| {
            let other = fresh_namespace();
            let mut netlink = Netlink::open().unwrap();
            let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let pair = VethPair::for_tests(bridge, other.as_fd());
            let host = netlink.create_veth(&pair).unwrap().host;
            let mut seen = |wanted: BridgePort| {
                netlink.set_bridge_port(host, wanted).unwrap();
                let ports = netlink.bridge_ports(bridge).unwrap();
                assert_eq!(ports[0].port, Some(wanted));
            };
            seen(BridgePort {
                isolation: Isolation::Isolated,
                hairpin: Hairpin::On,
                learning: Learning::On,
            });
            seen(BridgePort {
                isolation: Isolation::Isolated,
                hairpin: Hairpin::Off,
                learning: Learning::Off,
            });
            seen(BridgePort::default());
        });
    }

    #[test]
    fn the_number_of_a_new_port_is_the_lowest_that_is_free() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let bridge = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            assert_eq!(
                netlink.find_link("minirun0").unwrap().unwrap().port_number,
                None
            );
            let mut number_of_new = |name: &str| {
                shell(&format!(
                    "ip link add {name} type veth && ip link set {name} master minirun0"
                ));
                netlink.find_link(name).unwrap().unwrap().port_number
            };
            assert_eq!(number_of_new("p1"), Some(1));
            assert_eq!(number_of_new("p2"), Some(2));
            assert_eq!(number_of_new("p3"), Some(3));
            shell("ip link delete p2");
            assert_eq!(number_of_new("p4"), Some(2));
            assert_eq!(netlink.bridge_ports(bridge).unwrap().len(), 3);
        });
    }

    #[test]
    fn a_link_that_is_no_port_is_refused_by_its_name() {
        in_fresh_namespace(|| {
            let mut netlink = Netlink::open().unwrap();
            let index = netlink.create_bridge(&BridgeDevice::for_tests()).unwrap();
            let error = netlink
                .set_bridge_port(index, BridgePort::default())
                .unwrap_err();
            assert!(error.to_string().contains("`minirun0`"), "{error}");
        });
    }

    #[test]
    fn the_step_prints_its_command() {
        let command = |learning| {
            let step = SetBridgePort {
                name: "mr1".to_string(),
                port: BridgePort {
                    isolation: Isolation::Isolated,
                    hairpin: Hairpin::Off,
                    learning,
                },
            };
            step.explain().command
        };
        assert_eq!(
            command(Learning::On),
            "ip link set dev mr1 type bridge_slave isolated on hairpin off group_fwd_mask 0xfffd"
        );
        assert_eq!(
            command(Learning::Off),
            "ip link set dev mr1 type bridge_slave isolated on hairpin off learning off group_fwd_mask 0xfffd"
        );
    }
}
