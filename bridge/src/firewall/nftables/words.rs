//! The sets of each family of addresses, and the fields that they are asked with.

use crate::network::Family;
use minirun_netns::netfilter::nf_tables::{
    DataType, Definition, PacketFamily, Selector, SetContent, Translation,
};

/// The sets that exist once for each family, and how rules ask them. A definition never changes under its name: a set that was
/// made by another version could not be made anew.
#[derive(Debug)]
pub(super) struct Words {
    /// The family, as packets have it.
    pub(super) packets: PacketFamily,
    /// Links: who may open connections to whom, on which port.
    pub(super) links: Definition,
    /// Ports of containers that are open to whoever called an address of the host.
    pub(super) ways_in: Definition,
    /// Ports of containers on routed networks, open to everybody.
    pub(super) openings: Definition,
    /// Ports that are published on one address of the host.
    pub(super) bound: Definition,
    /// Rows of such ports that are the same inside.
    pub(super) bound_ranges: Definition,
    /// Ports that are published on all addresses.
    pub(super) any: Definition,
    /// Rows of such ports that are the same inside.
    pub(super) any_ranges: Definition,
    /// Subnets that nobody outside reaches directly.
    pub(super) sealed: Definition,
    /// Subnets whose callers are seen under an address of the host.
    pub(super) hidden: Definition,
    /// Which subnet is behind which bridge.
    pub(super) homes: Definition,
    /// Addresses that may not reach everything, each with the chain that says what.
    pub(super) restricted: Definition,
    /// Where its sender sent it, before any translation.
    pub(super) original_destination: Selector,
    /// From whom to which port of whom.
    pub(super) forth: &'static [Selector],
    /// The same for what is sent back.
    pub(super) back: &'static [Selector],
    /// To which port of whom.
    pub(super) to_port: &'static [Selector],
    /// To whom.
    pub(super) to: &'static [Selector],
    /// From whom.
    pub(super) from: &'static [Selector],
    /// From behind which bridge to whom.
    pub(super) in_to: &'static [Selector],
    /// To behind which bridge, from whom.
    pub(super) out_from: &'static [Selector],
    /// To behind which bridge, to whom.
    pub(super) out_to: &'static [Selector],
    /// From whom behind which bridge.
    pub(super) from_in: &'static [Selector],
    /// A new address.
    pub(super) to_address: Translation,
    /// A new address and port.
    pub(super) to_socket: Translation,
}

/// A set, a map of values, or a map of verdicts.
macro_rules! definition {
    ($name:expr, [$($key:ident),*]) => {
        definition!($name, [$($key),*], SetContent::Members, false)
    };
    ($name:expr, intervals [$($key:ident),*]) => {
        definition!($name, [$($key),*], SetContent::Members, true)
    };
    ($name:expr, [$($key:ident),*] => [$($data:ident),*]) => {
        definition!($name, [$($key),*], SetContent::Values(&[$(DataType::$data),*]), false)
    };
    ($name:expr, intervals [$($key:ident),*] => [$($data:ident),*]) => {
        definition!($name, [$($key),*], SetContent::Values(&[$(DataType::$data),*]), true)
    };
    ($name:expr, [$($key:ident),*] => verdicts) => {
        definition!($name, [$($key),*], SetContent::Verdicts, false)
    };
    ($name:expr, [$($key:ident),*], $content:expr, $intervals:expr) => {
        Definition {
            name: $name,
            key: &[$(DataType::$key),*],
            content: $content,
            intervals: $intervals,
        }
    };
}
pub(super) use definition;

macro_rules! words {
    ($family:ident, $suffix:literal, $address:ident, $source:ident, $destination:ident, $original:ident, $to_socket:ident) => {
        Words {
            packets: PacketFamily::$family,
            links: definition!(concat!("links", $suffix), [$address, $address, Protocol, Port]),
            ways_in: definition!(concat!("ways_in", $suffix), [$address, Protocol, Port]),
            openings: definition!(concat!("openings", $suffix), [$address, Protocol, Port]),
            bound: definition!(concat!("bound", $suffix), [$address, Protocol, Port] => [$address, Port]),
            bound_ranges: definition!(
                concat!("bound_ranges", $suffix), intervals [$address, Protocol, Port] => [$address]
            ),
            any: definition!(concat!("any", $suffix), [Protocol, Port] => [$address, Port]),
            any_ranges: definition!(concat!("any_ranges", $suffix), intervals [Protocol, Port] => [$address]),
            sealed: definition!(concat!("sealed", $suffix), intervals [$address]),
            hidden: definition!(concat!("hidden", $suffix), intervals [$address]),
            homes: definition!(concat!("homes", $suffix), intervals [Interface, $address]),
            restricted: definition!(concat!("restricted", $suffix), [$address, Interface] => verdicts),
            original_destination: Selector::$original,
            forth: &[
                Selector::$source, Selector::$destination, Selector::Protocol, Selector::DestinationPort,
            ],
            back: &[
                Selector::$destination, Selector::$source, Selector::Protocol, Selector::SourcePort,
            ],
            to_port: &[Selector::$destination, Selector::Protocol, Selector::DestinationPort],
            to: &[Selector::$destination],
            from: &[Selector::$source],
            in_to: &[Selector::InputInterface, Selector::$destination],
            out_from: &[Selector::OutputInterface, Selector::$source],
            out_to: &[Selector::OutputInterface, Selector::$destination],
            from_in: &[Selector::$source, Selector::InputInterface],
            to_address: Translation::$family,
            to_socket: Translation::$to_socket,
        }
    };
}

static IPV4: Words = words!(
    Ipv4,
    "4",
    Ipv4Address,
    Ipv4Source,
    Ipv4Destination,
    OriginalIpv4Destination,
    Ipv4Port
);

static IPV6: Words = words!(
    Ipv6,
    "6",
    Ipv6Address,
    Ipv6Source,
    Ipv6Destination,
    OriginalIpv6Destination,
    Ipv6Port
);

impl Words {
    /// Those of a family.
    pub(super) fn of(family: Family) -> &'static Words {
        match family {
            Family::Ipv4 => &IPV4,
            Family::Ipv6 => &IPV6,
        }
    }

    /// All sets of the family.
    pub(super) fn sets(&self) -> [&Definition; 11] {
        [
            &self.links,
            &self.ways_in,
            &self.openings,
            &self.bound,
            &self.bound_ranges,
            &self.any,
            &self.any_ranges,
            &self.sealed,
            &self.hidden,
            &self.homes,
            &self.restricted,
        ]
    }
}
