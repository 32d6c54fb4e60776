//! The elements of links and published ports.

use super::network_elements::member;
use super::ruleset::address_value;
use super::words::Words;
use crate::network::Family;
use crate::policy::{Contribution, Opening, Permit, Translation};
use crate::port::{ExposedPort, Protocol};
use minirun_netns::netfilter::nf_tables::{Element, Key, Value};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

/// What an endpoint's contribution looks like as elements, each once: two host ports may lead to one port of a container.
pub(super) fn endpoint_elements(contribution: &Contribution) -> Vec<Element> {
    let permits = contribution.permits.iter().map(link);
    let ways_in = contribution
        .translations
        .iter()
        .map(|translation| open(&translation.way_in(), |words| &words.ways_in));
    let openings = contribution
        .openings
        .iter()
        .map(|opening| open(opening, |words| &words.openings));
    let mut elements: Vec<Element> = permits.chain(ways_in).chain(openings).collect();
    elements.extend(translations(contribution));
    sort(&mut elements);
    elements.dedup();
    elements
}

/// Puts elements in the order of their sets and keys.
pub(super) fn sort(elements: &mut [Element]) {
    elements.sort_by(|one, other| {
        (one.set, &one.key, &one.values).cmp(&(other.set, &other.key, &other.values))
    });
}

fn port_keys(ExposedPort { protocol, port }: ExposedPort) -> [Key; 2] {
    [protocol_key(protocol), Key::One(Value::Port(port.get()))]
}

fn protocol_key(protocol: Protocol) -> Key {
    Key::One(Value::Protocol(protocol.number()))
}

fn address_key(address: IpAddr) -> Key {
    Key::One(address_value(address))
}

/// A link. One element serves the way there and the replies.
fn link(permit: &Permit) -> Element {
    let mut key = vec![address_key(permit.source), address_key(permit.target)];
    key.extend(port_keys(permit.port));
    member(&Words::of(Family::of(permit.target)).links, key)
}

/// The way to a port of a container from outside its bridge.
fn open(
    opening: &Opening,
    set: impl Fn(&'static Words) -> &'static minirun_netns::netfilter::nf_tables::Definition,
) -> Element {
    let mut key = vec![address_key(opening.target)];
    key.extend(port_keys(opening.port));
    member(set(Words::of(Family::of(opening.target))), key)
}

/// Published ports that are the same on both sides and lead to one address, by where they are published.
type Alike = BTreeMap<(IpAddr, Protocol, IpAddr), Vec<u16>>;

/// Where the ports of the host lead.
fn translations(contribution: &Contribution) -> Vec<Element> {
    let mut alike = Alike::new();
    let mut elements = Vec::new();
    for translation in &contribution.translations {
        let publication = &translation.publication;
        let number = publication.host_port.get();
        elements.extend(loopback(translation));
        if publication.container.port.get() == number {
            let place = (
                publication.host_address,
                publication.container.protocol,
                translation.target,
            );
            alike.entry(place).or_default().push(number);
        } else {
            elements.push(single(translation, publication.container.port.get()));
        }
    }
    for ((address, protocol, target), mut ports) in alike {
        ports.sort_unstable();
        elements.extend(
            rows(&ports)
                .into_iter()
                .map(|(first, last)| row((address, protocol, target), (first, last))),
        );
    }
    elements
}

/// The rows of numbers that follow each other, as their first and last.
fn rows(ports: &[u16]) -> Vec<(u16, u16)> {
    let mut rows: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match rows.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*port) => *last = *port,
            _ => rows.push((*port, *port)),
        }
    }
    rows
}

/// One published port.
fn single(translation: &Translation, inside: u16) -> Element {
    let publication = &translation.publication;
    let protocol = publication.container.protocol;
    to_socket(
        (
            publication.host_address,
            protocol,
            publication.host_port.get(),
        ),
        (translation.target, inside),
    )
}

fn to_socket(
    (address, protocol, port): (IpAddr, Protocol, u16),
    (target, inside): (IpAddr, u16),
) -> Element {
    let words = Words::of(Family::of(target));
    let port = [protocol_key(protocol), Key::One(Value::Port(port))];
    let (set, key) = match address.is_unspecified() {
        true => (&words.any, port.to_vec()),
        false => (
            &words.bound,
            [vec![address_key(address)], port.to_vec()].concat(),
        ),
    };
    Element {
        values: vec![address_value(target), Value::Port(inside)],
        ..member(set, key)
    }
}

/// A row of published ports that are the same inside.
fn row(
    (address, protocol, target): (IpAddr, Protocol, IpAddr),
    (first, last): (u16, u16),
) -> Element {
    if first == last {
        return to_socket((address, protocol, first), (target, first));
    }
    let words = Words::of(Family::of(target));
    let ports = vec![
        protocol_key(protocol),
        Key::Range(Value::Port(first), Value::Port(last)),
    ];
    let (set, key) = match address.is_unspecified() {
        true => (&words.any_ranges, ports),
        false => (
            &words.bound_ranges,
            [vec![address_key(address)], ports].concat(),
        ),
    };
    Element {
        values: vec![address_value(target)],
        ..member(set, key)
    }
}

/// The port of the service `tcpmux` (RFC 1078), which nobody offers.
const CLOSED_PORT: u16 = 1;

/// What is sent to `::1` cannot leave the host. Where nobody listens it is refused at once, so that whoever tries it first goes
/// on to 127.0.0.1.
fn loopback(translation: &Translation) -> Option<Element> {
    let publication = &translation.publication;
    let everywhere = publication.host_address == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let host = IpAddr::V6(Ipv6Addr::LOCALHOST);
    everywhere.then(|| {
        let place = (
            host,
            publication.container.protocol,
            publication.host_port.get(),
        );
        to_socket(place, (host, CLOSED_PORT))
    })
}
