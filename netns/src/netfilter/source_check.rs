//! Letting nothing in by a port of a bridge that does not come from given addresses.
//!
//! # Theory of operation
//!
//! 1. Rules that tell containers apart by the addresses of their packets hold only if a container cannot take another address;
//!    and so does a neighbour's trust in ARP. So frames are looked at where they enter the bridge, which all of them do: those
//!    to other ports, to the host, and through it. Whoever is behind the port sees nothing of it and can do nothing about it.
//! 2. The rules are the same on every host, in one table of the family `bridge`. What comes and goes are elements: a port that
//!    is in none of the sets is nobody's business here, be it a card, or what leads to another bridge.
//! 3. Most frames are IPv4 from where they should be; so that is asked first, and is one look at one set. Then whoever is not
//!    guarded passes.
//! 4. IPv6 passes from the own addresses, of which one is link-local (RFC 4291, appendix A), and is what neighbours are asked
//!    again from. A neighbour advertisement speaks of an own address only, and nobody is told of routers, which a container is
//!    not. Reports of multicast groups may come from another
//!    link-local address as well, since without them a bridge may not let their sender hear solicitations.
//! 5. ARP speaks of the own addresses only, in its own fields as in those of Ethernet. Everything else is dropped, frames with a
//!    tag of a virtual LAN among it.
//! 6. Frames to the group addresses that bridges keep for themselves (`01:80:c2:00:00:00` to `…:0f`) would go past all this to
//!    the host; [`crate::SetBridgePort`] sees to it that they come this way as well.

use std::net::{IpAddr, Ipv6Addr};

use super::nf_tables::{
    BaseChain, Chain, ChainKind, Change, CommitError, DataType, Definition, Element, Expectation,
    Hook, Key, Operator, Policy, Rule, RulesConnection, Selector, SetContent, Statement, Table,
    TableFamily, Transaction, Value, Verdict,
};
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};
use crate::mac::MacAddress;

/// The table that holds everything of all [`SourceCheck`]s.
pub const SOURCE_CHECK_TABLE: Table = Table {
    family: TableFamily::Bridge,
    name: "minirun",
};

/// The names of the sets.
const PORTS: &str = "ports";
const STATIONS: &str = "stations";
const SOURCES4: &str = "sources4";
const SOURCES6: &str = "sources6";
const TARGETS6: &str = "targets6";
/// The name of the chain.
const FRAMES: &str = "frames";
/// `NF_BR_PRI_NAT_DST_BRIDGED` of `linux/netfilter_bridge.h`: before anybody else.
const FIRST: i32 = -300;
/// Types of ICMPv6: what routers say, a neighbour advertisement, and a report of the multicast groups that somebody listens to.
const ROUTER_ADVERTISEMENT: u8 = 134;
const REDIRECT: u8 = 137;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const LISTENER_REPORT: u8 = 143;
/// The network of link-local addresses.
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
/// Only these addresses may speak on a port of a bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCheck {
    /// The port: the host's end of a veth pair. It need not exist yet.
    pub interface: String,
    /// The Ethernet address of whoever is behind it.
    pub mac: MacAddress,
    /// Its IP addresses on the bridge's network.
    pub addresses: Vec<IpAddr>,
}

impl SourceCheck {
    /// Its entries in the sets of [`SOURCE_CHECK_TABLE`].
    pub fn elements(&self) -> Vec<Element> {
        let port = Value::Interface(self.interface.clone());
        let station = vec![port.clone(), Value::Ethernet(self.mac)];
        let mut elements = vec![element(PORTS, vec![port]), element(STATIONS, station)];
        elements.extend(self.sources(&self.addresses));
        // Whoever has IPv6 addresses has a link-local one as well, which the kernel makes of its Ethernet address.
        let own = IpAddr::V6(self.mac.link_local());
        if self.addresses.iter().any(IpAddr::is_ipv6) && !self.addresses.contains(&own) {
            elements.extend(self.sources(&[own]));
        }
        elements
    }

    /// The entries of further addresses that whoever is behind the port may speak from: those that it has on other networks. A
    /// kernel answers from the address that was called, by whatever interface leads to the caller.
    pub fn sources(&self, addresses: &[IpAddr]) -> Vec<Element> {
        let port = Value::Interface(self.interface.clone());
        let mac = Value::Ethernet(self.mac);
        let mut elements = Vec::new();
        for address in addresses {
            match address {
                IpAddr::V4(address) => {
                    let key = vec![port.clone(), mac.clone(), Value::Ipv4(*address)];
                    elements.push(element(SOURCES4, key));
                }
                IpAddr::V6(address) => {
                    let source = vec![port.clone(), mac.clone(), Value::Ipv6(*address)];
                    let target = vec![port.clone(), Value::Bytes(address.octets().into())];
                    elements.push(element(SOURCES6, source));
                    elements.push(element(TARGETS6, target));
                }
            }
        }
        elements
    }
}

/// Adds entries. The table must be there ([`replace_source_checks`]), and none of them in it.
pub fn add_sources(elements: Vec<Element>) -> Transaction {
    transaction(elements, Change::AddElement)
}

/// Takes entries away. All of them must be there.
pub fn remove_sources(elements: Vec<Element>) -> Transaction {
    transaction(elements, Change::DeleteElement)
}

fn transaction(elements: Vec<Element>, change: fn(Element) -> Change) -> Transaction {
    Transaction {
        table: SOURCE_CHECK_TABLE,
        changes: elements.into_iter().map(change).collect(),
    }
}

/// Changes what is checked, by a connection into the namespace. Gives the generation of the rules afterwards.
///
/// # Errors
///
/// [`NetnsError::NoSourceChecks`] when the kernel has no nf_tables for bridges; [`NetnsError::CheckSources`] otherwise.
pub fn commit_source_checks(
    connection: &mut RulesConnection,
    transaction: &Transaction,
    expectation: Expectation,
) -> Result<u32, NetnsError> {
    let transactions = std::slice::from_ref(transaction);
    connection
        .commit(transactions, expectation)
        .map_err(|cause| {
            // A chain needs nothing that could be missing but a kernel that knows its kind.
            let makes_the_chain = transaction
                .changes
                .iter()
                .any(|change| matches!(change, Change::AddChain(_)));
            match (&cause, cause.raw_os_error()) {
                (CommitError::Failed { .. }, Some(libc::EINVAL))
                | (_, Some(libc::EOPNOTSUPP | libc::EAFNOSUPPORT)) => NetnsError::NoSourceChecks,
                (CommitError::Missing { .. }, _) if makes_the_chain => NetnsError::NoSourceChecks,
                _ => NetnsError::CheckSources { cause },
            }
        })
}

/// Makes these the only entries, at once, whatever there was before.
pub fn replace_source_checks(elements: Vec<Element>) -> Transaction {
    let mut changes = vec![Change::AddTable, Change::DeleteTable, Change::AddTable];
    changes.extend(sets().map(Change::AddSet));
    changes.push(Change::AddChain(chain()));
    changes.extend(rules().into_iter().map(Change::AddRule));
    changes.extend(elements.into_iter().map(Change::AddElement));
    Transaction {
        table: SOURCE_CHECK_TABLE,
        changes,
    }
}

/// Checks no port any more. The table is made first so that deleting it cannot fail.
pub fn remove_source_checks() -> Transaction {
    Transaction {
        table: SOURCE_CHECK_TABLE,
        changes: vec![Change::AddTable, Change::DeleteTable],
    }
}

fn element(set: &'static str, key: Vec<Value>) -> Element {
    Element {
        set,
        key: key.into_iter().map(Key::One).collect(),
        values: Vec::new(),
        verdict: None,
    }
}

fn sets() -> impl Iterator<Item = Definition> {
    use DataType::{AdvertisedTarget, EthernetAddress, Interface, Ipv4Address, Ipv6Address};
    let sets: [(&str, &[DataType]); 5] = [
        (PORTS, &[Interface]),
        (STATIONS, &[Interface, EthernetAddress]),
        (SOURCES4, &[Interface, EthernetAddress, Ipv4Address]),
        (SOURCES6, &[Interface, EthernetAddress, Ipv6Address]),
        (TARGETS6, &[Interface, AdvertisedTarget]),
    ];
    sets.into_iter().map(|(name, key)| Definition {
        name,
        key,
        content: SetContent::Members,
        intervals: false,
    })
}

fn chain() -> Chain {
    Chain {
        name: FRAMES.into(),
        base: Some(BaseChain {
            kind: ChainKind::Filter,
            hook: Hook::Prerouting,
            priority: FIRST,
            policy: Policy::Accept,
        }),
    }
}

fn rules() -> Vec<Rule> {
    use Operator::{Equal, NotEqual};
    use Selector::{
        AdvertisedTarget, ArpSenderEthernet, ArpSenderIpv4, EthernetSource, Icmpv6Type,
        InputInterface, Ipv4Source, Ipv6Source,
    };
    let from_ipv4 = &[InputInterface, EthernetSource, Ipv4Source];
    let from_ipv6 = &[InputInterface, EthernetSource, Ipv6Source];
    let from_station = &[InputInterface, EthernetSource];
    let in_arp = &[InputInterface, ArpSenderEthernet, ArpSenderIpv4];
    let own_station = || Statement::Member(from_station, Equal, STATIONS);
    let is_icmpv6 = |kind| Statement::Compare(Icmpv6Type, Equal, Value::Bytes(vec![kind]));
    let link_local = Statement::InNetwork(Ipv6Source, Equal, Value::Ipv6(LINK_LOCAL), 64);
    let accept = || Statement::Verdict(Verdict::Accept);
    let drop = || Statement::Verdict(Verdict::Drop);
    let frames = [
        vec![Statement::Member(from_ipv4, Equal, SOURCES4), accept()],
        vec![
            Statement::Member(&[InputInterface], NotEqual, PORTS),
            accept(),
        ],
        vec![is_icmpv6(ROUTER_ADVERTISEMENT), drop()],
        vec![is_icmpv6(REDIRECT), drop()],
        vec![
            is_icmpv6(NEIGHBOUR_ADVERTISEMENT),
            Statement::Member(&[InputInterface, AdvertisedTarget], NotEqual, TARGETS6),
            drop(),
        ],
        vec![Statement::Member(from_ipv6, Equal, SOURCES6), accept()],
        vec![
            own_station(),
            link_local,
            is_icmpv6(LISTENER_REPORT),
            accept(),
        ],
        vec![
            own_station(),
            Statement::Member(in_arp, Equal, SOURCES4),
            accept(),
        ],
        vec![drop()],
    ];
    let rules = frames.map(|statements| Rule {
        chain: FRAMES.into(),
        statements,
    });
    rules.into()
}

impl Explain for SourceCheck {
    fn explain(&self) -> Explanation {
        let SourceCheck {
            interface,
            mac,
            addresses,
        } = self;
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        Explanation {
            sentence: format!(
                "let nothing in by `{interface}` that is not from {mac} with {}",
                addresses.join(" or ")
            ),
            command: add_sources(self.elements()).commands().join("\n"),
        }
    }
}
