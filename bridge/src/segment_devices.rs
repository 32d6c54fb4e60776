//! What it takes to make a segment of a network, and what has to hold on the host for it to work.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::network::{Icc, Network, Ownership};
use crate::segment::SegmentDevices;
use crate::step::{Action, Context};
use minirun_netns::{
    BridgeCable, BridgeDevice, BridgePort, Hairpin, Ipv6, Isolation, Learning, LinkIndex,
    MacAddress, PinStation, SetBridgePort, SetController, SetLinkUp, Sysctl, SysctlChange,
    UnpinStation,
};

/// Where the kernel says whether bridged packets meet the rules of iptables, and are translated on the bridge.
const BRIDGED_TRANSLATION: &str = "net/bridge/bridge-nf-call-iptables";

/// Whether all segments of a network are there and joined to its main bridge. The cable is set up last, so one that is up says
/// that all was done.
pub(crate) fn are_complete(
    context: Context<'_>,
    network: &Network,
    main: LinkIndex,
) -> Result<bool, NetworkError> {
    let find = |name: &str| context.netlink.with(|netlink| netlink.find_link(name));
    for (_, devices) in network.segments() {
        let ends = (
            find(&devices.port_of_main)?,
            find(&devices.port_of_segment)?,
        );
        let (Some(bridge), (Some(near), Some(far))) = (find(&devices.bridge)?, ends) else {
            return Ok(false);
        };
        let joined = near.controller == Some(main) && far.controller == Some(bridge.index);
        if !(joined && near.up && far.up && bridge.up) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What makes a segment, as far as it is not there. Its main bridge is there when this is done, or made before.
pub(crate) fn creation<'a>(
    context: Context<'_>,
    network: &Network,
    devices: &SegmentDevices,
) -> Result<Vec<Action<'a>>, NetworkError> {
    let find = |name: &str| context.netlink.with(|netlink| netlink.find_link(name));
    let bridge = &devices.bridge;
    let mut actions = Vec::new();
    if find(bridge)?.is_none() {
        actions.push(Action::CreateBridge(BridgeDevice {
            name: bridge.clone(),
            mac: MacAddress::random()?,
            mtu: network.mtu,
        }));
    }
    actions.push(Action::PrepareInterface(bridge.clone(), Ipv6::Disabled));
    // A host answers for its addresses by every interface; by this one, nobody shall be answered.
    actions.push(Action::SetSysctl(SysctlChange {
        sysctl: Sysctl::of_interface(bridge, "arp_ignore"),
        value: "8".into(),
    }));
    actions.push(set_up(bridge));
    if find(&devices.port_of_main)?.is_none() {
        actions.push(Action::CreateCable(BridgeCable {
            near: devices.port_of_main.clone(),
            far: devices.port_of_segment.clone(),
            mtu: network.mtu,
        }));
    }
    actions.push(enslave(&devices.port_of_main, &network.bridge));
    actions.push(enslave(&devices.port_of_segment, bridge));
    actions.push(cable_port(network.icc, devices));
    actions.extend(main_station(context, network)?.map(|mac| {
        Action::Pin(PinStation {
            name: devices.port_of_segment.clone(),
            mac,
        })
    }));
    actions.push(set_up(&devices.port_of_segment));
    actions.push(set_up(&devices.port_of_main));
    Ok(actions)
}

/// What takes a segment away, whatever of it is there.
pub(crate) fn removal<'a>(devices: &SegmentDevices) -> [Action<'a>; 2] {
    [
        Action::DeleteVeth(devices.port_of_main.clone()),
        Action::DeleteBridge(devices.bridge.clone()),
    ]
}

/// How the main bridge treats the cable to a segment. With ICC off, nothing comes from it but to the bridge's own interface.
/// Where connections to published ports are translated on the bridge, they may have to go back by the cable they came by;
/// elsewhere they must not, because broadcasts would come twice.
pub(crate) fn cable_port<'a>(icc: Icc, devices: &SegmentDevices) -> Action<'a> {
    let translated = Sysctl::new(BRIDGED_TRANSLATION)
        .read()
        .is_ok_and(|value| value == "1");
    Action::SetPort(SetBridgePort {
        name: devices.port_of_main.clone(),
        port: BridgePort {
            isolation: isolation(icc),
            hairpin: match (icc, translated) {
                (Icc::Enabled, true) => Hairpin::On,
                _ => Hairpin::Off,
            },
            learning: Learning::On,
        },
    })
}

/// Whether ports of containers, and of what leads to containers, are isolated.
pub(crate) fn isolation(icc: Icc) -> Isolation {
    match icc {
        Icc::Enabled => Isolation::Open,
        Icc::Disabled => Isolation::Isolated,
    }
}

/// Where the main bridge sends frames to an endpoint that is on a segment.
pub(crate) fn far_station(network: &Network, endpoint: &Endpoint) -> Option<PinStation> {
    let devices = network.devices_of(endpoint.segment)?;
    Some(PinStation {
        name: devices.port_of_main,
        mac: endpoint.mac,
    })
}

/// What ends that.
pub(crate) fn forgotten_station(network: &Network, endpoint: &Endpoint) -> Option<UnpinStation> {
    let PinStation { name, mac } = far_station(network, endpoint)?;
    Some(UnpinStation { name, mac })
}

/// The Ethernet address by which containers reach their gateway. That of an adopted bridge is not ours to set.
fn main_station(
    context: Context<'_>,
    network: &Network,
) -> Result<Option<MacAddress>, NetworkError> {
    match network.ownership {
        Ownership::Own => Ok(Some(network.bridge_mac)),
        Ownership::Adopted { .. } => {
            let main = context
                .netlink
                .with(|netlink| netlink.find_link(&network.bridge))?;
            Ok(main.and_then(|main| main.mac))
        }
    }
}

fn set_up<'a>(name: &str) -> Action<'a> {
    Action::SetUp(SetLinkUp { name: name.into() })
}

fn enslave<'a>(name: &str, bridge: &str) -> Action<'a> {
    Action::Enslave(SetController {
        name: name.into(),
        bridge: bridge.into(),
    })
}
