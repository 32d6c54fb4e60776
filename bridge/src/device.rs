//! The bridge device: what it takes to make one, and what has to hold on the host for it to work.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::network::{Icc, Network};
use crate::step::{Action, Context, NetworkStep};
use minirun_netns::{
    AddAddress, BridgeDevice, BridgePort, Hairpin, InterfaceAddress, Isolation, LinkIndex,
    SetBridgePort, Sysctl, SysctlChange,
};

/// The bridge's index, if the device exists.
pub(crate) fn find(
    context: Context<'_>,
    network: &Network,
) -> Result<Option<LinkIndex>, NetworkError> {
    let link = context
        .netlink
        .with(|netlink| netlink.find_link(&network.bridge))?;
    Ok(link.map(|link| link.index))
}

/// Whether everything was done to the bridge that makes it what the record says: it has its address, which comes last when
/// it is made, and answers ARP for its members or not, which comes last when ICC is switched.
pub(crate) fn is_complete(
    context: Context<'_>,
    network: &Network,
    index: LinkIndex,
) -> Result<bool, NetworkError> {
    let addresses = context
        .netlink
        .with(|netlink| netlink.list_addresses(index))?;
    let has_address = addresses
        .iter()
        .any(|address| address.address == network.gateway);
    let wanted = proxy_arp(network, network.icc);
    Ok(has_address && wanted.sysctl.read()? == wanted.value)
}

/// The step that makes the device.
pub(crate) fn creation<'a>(context: Context<'a>, network: &Network) -> NetworkStep<'a> {
    let action = Action::CreateBridge(BridgeDevice {
        name: network.bridge.clone(),
        mac: network.bridge_mac,
        mtu: network.mtu,
    });
    NetworkStep { context, action }
}

/// The steps that make the device what the network needs. The address comes last and says that all is done.
pub(crate) fn completion<'a>(context: Context<'a>, network: &Network) -> Vec<NetworkStep<'a>> {
    let bridge = &network.bridge;
    let mut actions = vec![
        // Without it, a connection to 127.0.0.1 on the host could not leave by the bridge; the raw table keeps packets
        // for 127/8 that come from elsewhere out.
        Action::SetSysctl(setting(bridge, "route_localnet", "1")),
        // Linked containers talk through the host although they share a subnet; telling them of a shorter way would be
        // telling them of one that is closed.
        Action::SetSysctl(setting(bridge, "send_redirects", "0")),
        // The kernel delays answers it gives on behalf of others by up to 0.8 seconds (arp(7), proxy_delay).
        Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::new(&format!("net/ipv4/neigh/{bridge}/proxy_delay")),
            value: "0".into(),
        }),
    ];
    if context.host.settings.ip_forward {
        actions.push(Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::new("net/ipv4/ip_forward"),
            value: "1".into(),
        }));
    }
    actions.push(Action::AddBridgeAddress(AddAddress {
        name: bridge.clone(),
        address: InterfaceAddress {
            address: network.gateway,
            prefix_length: network.subnet.prefix_len(),
        },
    }));
    actions
        .into_iter()
        .map(|action| NetworkStep { context, action })
        .collect()
}

/// How the ports of `endpoints` have to be, and whether the bridge answers for its members. The answer comes last, because
/// [`is_complete`] takes it for the sign that all is done.
pub(crate) fn icc_actions<'a>(network: &Network, endpoints: &[Endpoint]) -> Vec<Action<'a>> {
    let mut actions: Vec<Action<'a>> = endpoints
        .iter()
        .map(|endpoint| Action::SetPort(bridge_port(endpoint, network.icc)))
        .collect();
    actions.push(Action::SetSysctl(proxy_arp(network, network.icc)));
    actions
}

/// How a bridge treats an endpoint's port. With ICC off it is isolated from all others; with ICC on it may send back to
/// where a packet came from, so that a container reaches its own published port where `br_netfilter` translates on the
/// bridge.
pub(crate) fn bridge_port(endpoint: &Endpoint, icc: Icc) -> SetBridgePort {
    SetBridgePort {
        name: endpoint.interface.clone(),
        port: BridgePort {
            isolation: match icc {
                Icc::Enabled => Isolation::Open,
                Icc::Disabled => Isolation::Isolated,
            },
            hairpin: Hairpin::On,
        },
    }
}

/// With ICC off, the bridge answers ARP for its members, so that what is permitted goes through the host
/// (`proxy_arp_pvlan`, Documentation/networking/ip-sysctl.rst of the kernel).
fn proxy_arp(network: &Network, icc: Icc) -> SysctlChange {
    let value = match icc {
        Icc::Enabled => "0",
        Icc::Disabled => "1",
    };
    setting(&network.bridge, "proxy_arp_pvlan", value)
}

fn setting(interface: &str, key: &str, value: &str) -> SysctlChange {
    SysctlChange {
        sysctl: Sysctl::of_interface(interface, key),
        value: value.into(),
    }
}
