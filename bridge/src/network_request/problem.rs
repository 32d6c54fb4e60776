//! The problems a request for a network can have, with what to write instead.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Family;
use crate::addressing::ReservedAddress;
use crate::name::{NameError, NetworkName};
use crate::network_options::{
    BridgeName, LARGEST_MTU, OptionProblem, SMALLEST_IPV6_MTU, SMALLEST_MTU,
};
use crate::pool::{Holder, PoolError};

/// All that is wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkProblems {
    /// The name as typed.
    pub name: String,
    /// At least one.
    pub problems: Vec<NetworkProblem>,
}

impl fmt::Display for NetworkProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot create network `{}`:", self.name)?;
        match self.problems.as_slice() {
            [only] => write!(formatter, " {only}"),
            several => several
                .iter()
                .try_for_each(|problem| write!(formatter, "\n  - {problem}")),
        }
    }
}

impl std::error::Error for NetworkProblems {}

impl NetworkProblems {
    /// What can be done about it, beyond what the problems say themselves.
    pub fn hint(&self) -> Option<String> {
        self.problems.iter().find_map(|problem| match problem {
            NetworkProblem::Pool(error) => error.hint(),
            _ => None,
        })
    }
}

/// A part of a request that is compared with a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `--gateway`.
    Gateway,
    /// `--ip-range`.
    Range,
    /// `--aux-address` of this name.
    Auxiliary(String),
}

/// A part with its value, as it stands in a sentence.
struct Named<'a>(&'a Part, &'a dyn fmt::Display);

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.1;
        match self.0 {
            Part::Gateway => write!(formatter, "gateway `{value}`"),
            Part::Range => write!(formatter, "range `{value}`"),
            Part::Auxiliary(name) => write!(formatter, "auxiliary address `{name}={value}`"),
        }
    }
}

/// Why addresses are not for a network's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotForHosts {
    /// They lead back to whoever sends to them.
    Loopback,
    /// They stand for groups.
    Multicast,
    /// They belong to each link anew.
    LinkLocal,
    /// They have no use, or not yet.
    Reserved,
}

impl fmt::Display for NotForHosts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NotForHosts::Loopback => "loopback",
            NotForHosts::Multicast => "multicast",
            NotForHosts::LinkLocal => "link-local",
            NotForHosts::Reserved => "reserved",
        })
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkProblem {
    /// Nothing can be called so.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The name means something to `--network`.
    #[error("the name `{0}` has a meaning of its own; choose another one")]
    ReservedName(String),
    /// There is such a network.
    #[error(
        "a network of this name exists already; choose another name, or remove it with `minirun network rm {0}`"
    )]
    NameTaken(NetworkName),
    /// Only bridges can be made.
    #[error("driver `{0}` is not supported; the only driver is `bridge`")]
    Driver(String),
    /// The text is no network.
    #[error(
        "subnet `{0}` is not a network; write an address and a prefix length, such as `10.1.2.0/24` or `fd00:1:2::/64`"
    )]
    Subnet(String),
    /// The text is an address within a network.
    #[error("subnet `{given}` has host bits set; write `{network}`")]
    SubnetHostBits {
        /// The subnet as typed.
        given: IpNet,
        /// The network it lies in.
        network: IpNet,
    },
    /// More than one value where a family can have one.
    #[error(
        "{part} is given twice for {family}, as `{first}` and as `{second}`; a network has one for each family"
    )]
    Twice {
        /// The flag.
        part: &'static str,
        /// The family.
        family: Family,
        /// The value that was typed first.
        first: String,
        /// The value that was typed next.
        second: String,
    },
    /// An IPv6 subnet for a network that shall have no IPv6.
    #[error(
        "subnet `{0}` is of IPv6, which is switched off; leave out the subnet, or `--ipv6=false` and `ipv6=false`"
    )]
    Ipv6SubnetWithoutIpv6(String),
    /// There is no room for a gateway and a container.
    #[error("subnet `{subnet}` is too small; write a prefix length of at most {longest}")]
    SubnetTooSmall {
        /// The subnet as typed.
        subnet: IpNet,
        /// The longest prefix with room enough.
        longest: u8,
    },
    /// It takes the place of a default route, or of more than one unique local site.
    #[error(
        "subnet `{subnet}` is too wide for one network; write a prefix length of at least {shortest}"
    )]
    SubnetTooWide {
        /// The subnet as typed.
        subnet: IpNet,
        /// The shortest prefix that is taken.
        shortest: u8,
    },
    /// The addresses are not for hosts.
    #[error("subnet `{subnet}` lies in the {why} addresses; write a private one such as `{example}`", example = example(*subnet))]
    NotForHosts {
        /// The subnet as typed.
        subnet: IpNet,
        /// What the addresses are for.
        why: NotForHosts,
    },
    /// No pool is as wide as what is to be cut from it.
    #[error(
        "no address pool holds a subnet of the size of `{0}`; write a longer prefix, or name a wider range in `address_pools` of minirun.toml"
    )]
    WiderThanPools(IpNet),
    /// Another network has some of the addresses.
    #[error(
        "subnet `{subnet}` overlaps `{other}` of network `{network}`; choose another, or leave it out to get a free one"
    )]
    OverlapsNetwork {
        /// The subnet as typed.
        subnet: IpNet,
        /// The subnet of the other network.
        other: IpNet,
        /// The other network.
        network: NetworkName,
    },
    /// The host sends packets for some of the addresses elsewhere.
    #[error(
        "subnet `{subnet}` overlaps `{route}`, which the host reaches by {by}, so that packets would go astray; choose another, or leave it out to get a free one"
    )]
    OverlapsRoute {
        /// The subnet as typed.
        subnet: IpNet,
        /// Where the route leads.
        route: IpNet,
        /// Whose the route is.
        by: Holder,
    },
    /// No subnet is free.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The text is no address of a gateway.
    #[error("gateway `{0}` is not an IP address; write one such as `10.1.2.1`")]
    Gateway(String),
    /// The text is no range.
    #[error(
        "range `{0}` is not a network; write an address and a prefix length, such as `10.1.2.128/25`"
    )]
    Range(String),
    /// The text is an address within a range.
    #[error("range `{given}` has host bits set; write `{network}`")]
    RangeHostBits {
        /// The range as typed.
        given: IpNet,
        /// The range it lies in.
        network: IpNet,
    },
    /// The text is no auxiliary address.
    #[error("auxiliary address `{0}` is not `NAME=ADDRESS`; write one such as `router=10.1.2.254`")]
    Auxiliary(String),
    /// Two auxiliary addresses of one name.
    #[error(
        "two auxiliary addresses are called `{name}`: `{first}` and `{second}`; give each a name of its own"
    )]
    AuxiliaryNameTwice {
        /// The name.
        name: String,
        /// The address that was typed first.
        first: IpAddr,
        /// The address that was typed next.
        second: IpAddr,
    },
    /// An auxiliary address cannot be that of the bridge.
    #[error(
        "auxiliary address `{name}={address}` is the gateway; leave it out, or choose another gateway with `--gateway`"
    )]
    AuxiliaryIsGateway {
        /// The name.
        name: String,
        /// The address.
        address: IpAddr,
    },
    /// Nothing to compare an address or a range with.
    #[error(
        "{} needs a subnet of {family} that it is a part of; write it with `--subnet`, such as `{example}`",
        Named(part, value)
    )]
    NoSubnet {
        /// What was typed.
        part: Part,
        /// Its value.
        value: String,
        /// The family it belongs to.
        family: Family,
        /// The usual subnet around it.
        example: IpNet,
    },
    /// Not inside the subnet.
    #[error(
        "{} is not in the subnet `{subnet}`; choose from `{first}` to `{last}`",
        Named(part, value)
    )]
    OutsideSubnet {
        /// What was typed.
        part: Part,
        /// Its address.
        value: IpAddr,
        /// The subnet.
        subnet: IpNet,
        /// The first address that a host can have.
        first: IpAddr,
        /// The last address that a host can have.
        last: IpAddr,
    },
    /// The address means something else.
    #[error(
        "{} is the {what} of `{subnet}`; choose from `{first}` to `{last}`",
        Named(part, value)
    )]
    ReservedAddress {
        /// What was typed.
        part: Part,
        /// Its address.
        value: IpAddr,
        /// What the address is for.
        what: ReservedAddress,
        /// The subnet.
        subnet: IpNet,
        /// The first address that a host can have.
        first: IpAddr,
        /// The last address that a host can have.
        last: IpAddr,
    },
    /// The range has more addresses than the subnet.
    #[error(
        "range `{range}` is larger than the subnet `{subnet}`; write a part of it, or leave the range out"
    )]
    RangeLarger {
        /// The range as typed.
        range: IpNet,
        /// The subnet.
        subnet: IpNet,
    },
    /// The range lies elsewhere.
    #[error("range `{range}` is not in the subnet `{subnet}`; write a part of it")]
    RangeOutside {
        /// The range as typed.
        range: IpNet,
        /// The subnet.
        subnet: IpNet,
    },
    /// Nothing is left for containers.
    #[error(
        "`{0}` has no address for a container, because all of them are reserved; give the network more, or reserve fewer"
    )]
    NoUsableAddress(IpNet),
    /// An option is wrong.
    #[error(transparent)]
    Option(#[from] OptionProblem),
    /// No device has such an MTU.
    #[error(
        "an MTU of {0} bytes is not possible; write a number from {SMALLEST_MTU} to {LARGEST_MTU}"
    )]
    Mtu(u32),
    /// IPv6 does not work with such an MTU.
    #[error("an MTU of {0} bytes is too small for IPv6; write at least {SMALLEST_IPV6_MTU}")]
    MtuBelowIpv6(u32),
    /// Routed networks lead out, internal ones do not.
    #[error(
        "an internal network cannot be routed; leave out `--internal` or `gateway_mode=routed`"
    )]
    RoutedInternal,
    /// An address to publish on that no container of the network can serve.
    #[error(
        "ports cannot be published on `{0}`, because the network has no IPv6; add `--ipv6`, or name an IPv4 address"
    )]
    PublishAddressNeedsIpv6(IpAddr),
    /// Another network has the bridge.
    #[error("bridge `{bridge}` belongs to network `{network}`; choose another name")]
    BridgeTaken {
        /// The name of the device.
        bridge: BridgeName,
        /// Whose it is.
        network: NetworkName,
    },
    /// A label that cannot be asked for.
    #[error("label `={0}` has no key; write `KEY=VALUE`")]
    LabelWithoutKey(String),
}

fn example(subnet: IpNet) -> &'static str {
    match Family::of_net(subnet) {
        Family::Ipv4 => "10.1.2.0/24",
        Family::Ipv6 => "fd00:1:2::/64",
    }
}
