//! The bridge device: what it takes to make one, and what has to hold on the host for it to work.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::Firewall;
use crate::network::{GatewayMode, Icc, Network, Ownership, Reach};
use crate::segment_devices;
use crate::step::{Action, Context, NetworkStep};
use ipnet::IpNet;
use minirun_netns::{
    AddAddress, BridgeDevice, BridgePort, Hairpin, InterfaceAddress, Ipv4Settings, Ipv6, Learning,
    Link, LinkIndex, PinStation, ProxyNeighbour, SetBridgePort, SetController, SetLinkUp, Sysctl,
    SysctlChange,
};

/// Switches IPv6 forwarding for the whole host: unlike with IPv4, an interface that forwards alone does not exist before
/// Linux 6.17.
const IPV6_FORWARDING: &str = "net/ipv6/conf/all/forwarding";

/// The bridge, if the device exists.
pub(crate) fn find(context: Context<'_>, network: &Network) -> Result<Option<Link>, NetworkError> {
    let link = context
        .netlink
        .with(|netlink| netlink.find_link(&network.bridge))?;
    Ok(link)
}

/// The index of a bridge that has to be there.
pub(crate) fn index_of(context: Context<'_>, bridge: &str) -> Result<LinkIndex, NetworkError> {
    let link = context.netlink.with(|netlink| netlink.find_link(bridge))?;
    link.map(|link| link.index)
        .ok_or_else(|| NetworkError::LinkVanished {
            link: bridge.into(),
        })
}

/// Whether everything was done to the bridge that makes it what the record says: it has its addresses, which come last when
/// it is made, and answers ARP for its members or not, which comes last when ICC is switched.
pub(crate) fn is_complete(
    context: Context<'_>,
    network: &Network,
    bridge: &Link,
) -> Result<bool, NetworkError> {
    // An adopted bridge may have had its address before anything was done to it.
    let wanted = Ipv4Settings {
        send_redirects: false,
        proxy_arp_pvlan: answers(network.icc) == "1",
    };
    if bridge.ipv4 != Some(wanted) {
        return Ok(false);
    }
    let addresses = context
        .netlink
        .with(|netlink| netlink.list_addresses(bridge.index))?;
    let has = |wanted| addresses.iter().any(|address| address.address == wanted);
    Ok(network.gateways().into_iter().all(has)
        && segment_devices::are_complete(context, network, bridge.index)?)
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

/// The steps that make the device what the network needs. The addresses come last and say that all is done.
pub(crate) fn completion<'a>(
    context: Context<'a>,
    network: &Network,
) -> Result<Vec<NetworkStep<'a>>, NetworkError> {
    let bridge = &network.bridge;
    let mut actions = vec![
        Action::SetUp(SetLinkUp {
            name: bridge.clone(),
        }),
        Action::SetSysctl(setting(
            bridge,
            "route_localnet",
            route_localnet(context, network),
        )),
        // Linked containers talk through the host although they share a subnet; telling them of a shorter way would be
        // telling them of one that is closed.
        Action::SetSysctl(setting(bridge, "send_redirects", "0")),
        // The kernel delays answers it gives on behalf of others by up to 0.8 seconds (arp(7), proxy_delay).
        Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::of_neighbours(bridge, "proxy_delay"),
            value: "0".into(),
        }),
    ];
    actions.extend(ipv6_settings(network));
    if context.host.settings.ip_forward {
        actions.extend(forwarding(context, network)?);
    }
    for (_, addressing) in network.families() {
        actions.push(Action::AddBridgeAddress(AddAddress {
            name: bridge.clone(),
            address: InterfaceAddress {
                address: addressing.gateway,
                prefix_length: addressing.subnet.prefix_len(),
            },
        }));
    }
    Ok(actions
        .into_iter()
        .map(|action| NetworkStep { context, action })
        .collect())
}

/// Without it, a connection to a port that is published on 127.0.0.1 could not leave by the bridge. It also lets packets for
/// 127/8 in, which a rule of the raw table drops; where there are no rules, or nothing is published that way, it stays off.
fn route_localnet(context: Context<'_>, network: &Network) -> &'static str {
    let translates = network.gateway_mode == GatewayMode::Nat && network.reach == Reach::External;
    match context.host.firewall {
        Firewall::Iptables | Firewall::Nftables if translates => "1",
        _ => "0",
    }
}

/// With IPv6 the bridge learns nothing from its containers; without, there is none on it at all. What an adopted bridge learns
/// is somebody else's business.
fn ipv6_settings<'a>(network: &Network) -> Vec<Action<'a>> {
    let bridge = network.bridge.clone();
    let proxy_delay = SysctlChange {
        sysctl: Sysctl::of_neighbours_v6(&bridge, "proxy_delay"),
        value: "0".into(),
    };
    match (&network.ipv6, &network.ownership) {
        (Some(_), Ownership::Own) => vec![
            Action::PrepareInterface(bridge, Ipv6::Enabled),
            Action::SetSysctl(proxy_delay),
        ],
        (Some(_), Ownership::Adopted { .. }) => vec![Action::SetSysctl(proxy_delay)],
        (None, Ownership::Own) => vec![Action::PrepareInterface(bridge, Ipv6::Disabled)],
        (None, Ownership::Adopted { .. }) => Vec::new(),
    }
}

/// The settings of a bridge that are changed for a network.
pub(crate) fn changed_settings(bridge: &str) -> [Sysctl; 6] {
    [
        Sysctl::of_interface(bridge, "route_localnet"),
        Sysctl::of_interface(bridge, "send_redirects"),
        Sysctl::of_interface(bridge, "proxy_arp_pvlan"),
        Sysctl::of_neighbours(bridge, "proxy_delay"),
        Sysctl::of_interface_v6(bridge, "proxy_ndp"),
        Sysctl::of_neighbours_v6(bridge, "proxy_delay"),
    ]
}

/// Lets the host forward. A host that forwards IPv6 ignores router advertisements, unless an interface is told to heed them
/// all the same (`accept_ra`, Documentation/networking/ip-sysctl.rst of the kernel): it would lose its own default route.
fn forwarding<'a>(
    context: Context<'_>,
    network: &Network,
) -> Result<Vec<Action<'a>>, NetworkError> {
    let switch = |path: &str| {
        Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::new(path),
            value: "1".into(),
        })
    };
    let mut actions = vec![switch("net/ipv4/ip_forward")];
    if network.ipv6.is_none() || Sysctl::new(IPV6_FORWARDING).read()? == "1" {
        return Ok(actions);
    }
    let advertised = context
        .netlink
        .with(minirun_netns::Netlink::advertised_default_routes)?;
    actions.extend(advertised.into_iter().map(|interface| {
        Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::of_interface_v6(&interface, "accept_ra"),
            value: "2".into(),
        })
    }));
    actions.push(switch(IPV6_FORWARDING));
    Ok(actions)
}

/// Whether a network's interfaces have IPv6.
pub(crate) fn ipv6(network: &Network) -> Ipv6 {
    match network.ipv6 {
        Some(_) => Ipv6::Enabled,
        None => Ipv6::Disabled,
    }
}

/// What makes the ports of `endpoints` ports again, if the bridge was deleted behind their backs.
pub(crate) fn port_actions<'a>(network: &Network, endpoints: &[Endpoint]) -> Vec<Action<'a>> {
    endpoints
        .iter()
        .map(|endpoint| {
            Action::Enslave(SetController {
                name: endpoint.interface.clone(),
                bridge: network.bridge_of(endpoint.segment),
            })
        })
        .collect()
}

/// How the ports of `endpoints` have to be, and whether the bridge answers for its members. The answer comes last, because
/// [`is_complete`] takes it for the sign that all is done.
pub(crate) fn icc_actions<'a>(network: &Network, endpoints: &[Endpoint]) -> Vec<Action<'a>> {
    let cables = network.segments();
    let mut actions: Vec<Action<'a>> = cables
        .map(|(_, devices)| segment_devices::cable_port(network.icc, &devices))
        .collect();
    for endpoint in endpoints {
        actions.push(Action::SetPort(bridge_port(endpoint, network.icc)));
        actions.extend(stations(network, endpoint).map(Action::Pin));
        actions.extend(proxy_neighbour(network, endpoint));
    }
    if network.ipv6.is_some() {
        actions.push(Action::SetSysctl(SysctlChange {
            sysctl: Sysctl::of_interface_v6(&network.bridge, "proxy_ndp"),
            value: answers(network.icc).into(),
        }));
    }
    actions.push(Action::SetSysctl(proxy_arp(network, network.icc)));
    actions
}

/// How a bridge treats an endpoint's port. With ICC off it is isolated from all others; with ICC on it may send back to
/// where a packet came from, so that a container reaches its own published port where `br_netfilter` translates on the
/// bridge. On a segment nothing is translated, so nothing turns back there; and nothing is learnt, because not every address
/// is kept at its port there.
pub(crate) fn bridge_port(endpoint: &Endpoint, icc: Icc) -> SetBridgePort {
    let (hairpin, learning) = match endpoint.segment.is_main() {
        true => (Hairpin::On, Learning::On),
        false => (Hairpin::Off, Learning::Off),
    };
    SetBridgePort {
        name: endpoint.interface.clone(),
        port: BridgePort {
            isolation: segment_devices::isolation(icc),
            hairpin,
            learning,
        },
    }
}

/// Where frames to an endpoint go, on its own bridge and on the main one, whatever other members send under its Ethernet
/// address.
pub(crate) fn stations(
    network: &Network,
    endpoint: &Endpoint,
) -> impl Iterator<Item = PinStation> + use<> {
    let near = PinStation {
        name: endpoint.interface.clone(),
        mac: endpoint.mac,
    };
    [near]
        .into_iter()
        .chain(segment_devices::far_station(network, endpoint))
}

/// With ICC off, the bridge also answers neighbour solicitations for its members. For IPv6 the kernel has to be told each
/// address; what is told has an effect only while `proxy_ndp` is on.
pub(crate) fn proxy_neighbour<'a>(network: &Network, endpoint: &Endpoint) -> Option<Action<'a>> {
    let address = endpoint.ipv6_address?;
    Some(Action::AnswerFor(ProxyNeighbour {
        bridge: network.bridge.clone(),
        address,
    }))
}

/// With ICC off, the bridge answers ARP for its members, so that what is permitted goes through the host
/// (`proxy_arp_pvlan`, Documentation/networking/ip-sysctl.rst of the kernel).
fn proxy_arp(network: &Network, icc: Icc) -> SysctlChange {
    setting(&network.bridge, "proxy_arp_pvlan", answers(icc))
}

fn answers(icc: Icc) -> &'static str {
    match icc {
        Icc::Enabled => "0",
        Icc::Disabled => "1",
    }
}

/// The address of a bridge that somebody else made, with its network.
pub(crate) fn as_subnet(address: InterfaceAddress) -> Option<IpNet> {
    IpNet::new(address.address, address.prefix_length).ok()
}

fn setting(interface: &str, key: &str, value: &str) -> SysctlChange {
    SysctlChange {
        sysctl: Sysctl::of_interface(interface, key),
        value: value.into(),
    }
}
