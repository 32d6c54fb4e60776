//! Who can open a connection to whom, as the policy says it: what packets ought to do, without a packet.
//!
//! Theory of operation, in the order a connection's first packet meets it
//!
//! 1. *The way out.* An address of the caller's own never leaves it. One in the subnet of a network that the caller is on is
//!    reached through that network, everything else through the one that has its default route.
//! 2. *The arrival.* An address of the host leads on to a container if a translation says so. A container's own address is
//!    not let in from outside its bridge where the network is sealed.
//! 3. *The passage.* Within one network, ICC or a permit lets the connection pass; between two, what is open of the target,
//!    and neither may be internal. Before that, a caller that is restricted is judged by the address that it called, unless
//!    the connection stays on its network.
//! 4. *The answer.* It comes back by itself, unless the target sees the caller's own address and is on the caller's network,
//!    too: then it answers there, past the host, which can neither undo a translation nor take it for an answer.
//!
//! What is permitted, translated and opened is taken from [`policy::whole`], and what networks do with packets from
//! the functions that the firewall driver asks as well; nothing is decided here a second time.
//!
//! Left out are the programs of the host itself (their ports count as closed), the administrator's rules in `MINIRUN-USER`, and
//! `br_netfilter`: packets that are translated while they are bridged may fare otherwise.

use crate::egress::Attempt;
use crate::endpoint::Endpoint;
use crate::id::ContainerId;
use crate::network::{Family, Icc, Network, Reach};
use crate::policy::{self, Contribution, Opening, Permit, Translation};
use crate::port::ExposedPort;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

/// The networks of a host with everybody who runs on them.
#[derive(Debug, Clone)]
pub struct World {
    segments: Vec<Segment>,
    host_addresses: BTreeSet<IpAddr>,
}

/// May `caller` open a connection to `port` at `address`?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The container that calls.
    pub caller: ContainerId,
    /// An address of a container or of the host.
    pub address: IpAddr,
    /// The port there: the container's own, or the host's.
    pub port: ExposedPort,
}

/// What becomes of a connection, provided that somebody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is made.
    Open,
    /// It is not, for the first reason that it meets.
    Closed(Obstacle),
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The caller knows no way there.
    NoRoute,
    /// No container has the address, and no port of the host leads on from there.
    NobodyThere,
    /// One of the two networks has no way in or out.
    Internal,
    /// The network hides its containers' own addresses.
    Hidden,
    /// ICC is off, and the caller is not linked to the target, or the target does not expose the port.
    NotLinked,
    /// The target does not publish the port.
    NotPublished,
    /// The caller may not reach the address.
    NotAllowed,
    /// The target answers by a way that does not lead back.
    AnswersAstray,
}

impl World {
    /// The world of these networks, each with its endpoints, on a host with these addresses; those of the bridges are among
    /// them without being named.
    pub fn new(
        networks: impl IntoIterator<Item = (Network, Vec<Endpoint>)>,
        host_addresses: impl IntoIterator<Item = IpAddr>,
    ) -> World {
        let segments: Vec<Segment> = networks
            .into_iter()
            .map(|(network, endpoints)| Segment {
                policy: policy::whole(&network, &endpoints),
                network,
                endpoints,
            })
            .collect();
        let gateways = segments
            .iter()
            .flat_map(|segment| segment.network.gateways());
        World {
            host_addresses: host_addresses.into_iter().chain(gateways).collect(),
            segments,
        }
    }

    /// What becomes of the connection that is asked about.
    pub fn predict(&self, question: &Question) -> Verdict {
        match self.follow(question) {
            Ok(()) => Verdict::Open,
            Err(obstacle) => Verdict::Closed(obstacle),
        }
    }

    fn follow(&self, question: &Question) -> Result<(), Obstacle> {
        if self.is_own(question) {
            return Ok(());
        }
        let departure = self.departure(question).ok_or(Obstacle::NoRoute)?;
        let arrival = self.arrival(question).ok_or(Obstacle::NobodyThere)?;
        is_allowed(&departure, &arrival, question)?;
        passes(&departure, &arrival)?;
        is_answered(&departure, &arrival)
    }

    fn is_own(&self, question: &Question) -> bool {
        let own = |(_, endpoint): (_, &Endpoint)| {
            let mut addresses = endpoint.addresses();
            addresses.any(|address| address == question.address)
        };
        question.address.is_loopback() || self.places_of(&question.caller).any(own)
    }

    /// Through which network the caller's packets leave, and from which address.
    fn departure(&self, question: &Question) -> Option<Departure<'_>> {
        let family = Family::of(question.address);
        let is_neighbour = |(segment, _): &(&Segment, &Endpoint)| {
            let addressing = segment.network.addressing(family);
            addressing.is_some_and(|addressing| addressing.contains(question.address))
        };
        let leads_out =
            |(_, endpoint): &(&Segment, &Endpoint)| endpoint.default_route.is_of(family);
        let places = || self.places_of(&question.caller);
        let (segment, endpoint) = places()
            .find(is_neighbour)
            .or_else(|| places().find(leads_out))?;
        Some(Departure {
            segment,
            endpoint,
            source: endpoint.address_of(family)?,
        })
    }

    fn places_of(&self, container: &ContainerId) -> impl Iterator<Item = (&Segment, &Endpoint)> {
        let place = |segment| Some((segment, Segment::endpoint_of(segment, container)?));
        self.segments.iter().filter_map(place)
    }

    /// The container's port that is meant.
    fn arrival(&self, question: &Question) -> Option<Arrival<'_>> {
        if self.host_addresses.contains(&question.address) {
            return self.translated(question);
        }
        self.segments.iter().find_map(|segment| {
            let endpoint = segment.endpoint_at(question.address)?;
            Some(Arrival {
                segment,
                endpoint,
                way: Opening {
                    target: question.address,
                    port: question.port,
                },
                address: Addressed::Directly,
            })
        })
    }

    fn translated(&self, question: &Question) -> Option<Arrival<'_>> {
        self.segments.iter().find_map(|segment| {
            let mut translations = segment.policy.translations.iter();
            let translation = translations.find(|translation| applies(translation, question))?;
            let way = translation.way_in();
            Some(Arrival {
                segment,
                endpoint: segment.endpoint_at(way.target)?,
                way,
                address: Addressed::ThroughTheHost,
            })
        })
    }
}

/// One network, and what follows from who is on it.
#[derive(Debug, Clone)]
struct Segment {
    network: Network,
    endpoints: Vec<Endpoint>,
    policy: Contribution,
}

impl Segment {
    fn endpoint_of(&self, container: &ContainerId) -> Option<&Endpoint> {
        let mut endpoints = self.endpoints.iter();
        endpoints.find(|endpoint| endpoint.container == *container)
    }

    fn endpoint_at(&self, address: IpAddr) -> Option<&Endpoint> {
        let mut endpoints = self.endpoints.iter();
        endpoints.find(|endpoint| endpoint.addresses().any(|own| own == address))
    }
}

/// Where a packet sets out.
struct Departure<'a> {
    segment: &'a Segment,
    endpoint: &'a Endpoint,
    source: IpAddr,
}

/// Where it is to arrive.
struct Arrival<'a> {
    segment: &'a Segment,
    endpoint: &'a Endpoint,
    way: Opening,
    address: Addressed,
}

/// By which address a container was called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Addressed {
    Directly,
    ThroughTheHost,
}

/// Whether a translation is meant for what the caller calls.
fn applies(translation: &Translation, question: &Question) -> bool {
    let publication = &translation.publication;
    let bound = publication.host_address;
    publication.host_port == question.port.port
        && publication.container.protocol == question.port.protocol
        && Family::of(bound) == Family::of(question.address)
        && (bound.is_unspecified() || bound == question.address)
}

fn is_within_one_network(departure: &Departure<'_>, arrival: &Arrival<'_>) -> bool {
    departure.segment.network.name == arrival.segment.network.name
}

/// Whether the caller may reach what it calls.
fn is_allowed(
    departure: &Departure<'_>,
    arrival: &Arrival<'_>,
    question: &Question,
) -> Result<(), Obstacle> {
    let attempt = Attempt {
        address: question.address,
        port: Some(question.port),
    };
    let allowed =
        is_within_one_network(departure, arrival) || departure.endpoint.egress.permits(&attempt);
    met(allowed, Obstacle::NotAllowed)
}

fn passes(departure: &Departure<'_>, arrival: &Arrival<'_>) -> Result<(), Obstacle> {
    let Arrival { segment, way, .. } = arrival;
    if is_within_one_network(departure, arrival) {
        let permit = Permit {
            source: departure.source,
            target: way.target,
            port: way.port,
        };
        let open = segment.network.icc == Icc::Enabled || segment.policy.permits.contains(&permit);
        return met(open, Obstacle::NotLinked);
    }
    let ends = [&departure.segment.network, &segment.network];
    met(
        ends.iter().all(|network| network.reach == Reach::External),
        Obstacle::Internal,
    )?;
    let heard =
        arrival.address == Addressed::ThroughTheHost || !policy::is_sealed(&segment.network);
    met(heard, Obstacle::Hidden)?;
    // Whoever is translated is let in; whoever calls the container itself needs its port to be open to all.
    let published = match arrival.address {
        Addressed::ThroughTheHost => true,
        Addressed::Directly => segment.policy.openings.contains(way),
    };
    met(published, Obstacle::NotPublished)
}

fn is_answered(departure: &Departure<'_>, arrival: &Arrival<'_>) -> Result<(), Obstacle> {
    let callers = &departure.segment.network;
    // A bridge that sends translated packets back to where they came from puts its own address on them.
    if is_within_one_network(departure, arrival) || policy::hides_callers(callers) {
        return Ok(());
    }
    let family = Family::of(departure.source);
    let neighbour = departure.segment.endpoint_of(&arrival.endpoint.container);
    if neighbour.is_none_or(|endpoint| endpoint.address_of(family).is_none()) {
        return Ok(());
    }
    let is_understood = callers.icc == Icc::Enabled && arrival.address == Addressed::Directly;
    met(is_understood, Obstacle::AnswersAstray)
}

fn met(condition: bool, otherwise: Obstacle) -> Result<(), Obstacle> {
    if condition { Ok(()) } else { Err(otherwise) }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Open => formatter.write_str("open"),
            Verdict::Closed(obstacle) => write!(formatter, "closed: {obstacle}"),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Obstacle::NoRoute => "the caller knows no way there",
            Obstacle::NobodyThere => "nothing leads on from there",
            Obstacle::Internal => "an internal network has no way in or out",
            Obstacle::Hidden => "the network hides its containers' addresses",
            Obstacle::NotLinked => "ICC is off and no link opens the port",
            Obstacle::NotPublished => "the port is not published",
            Obstacle::NotAllowed => "the caller may not reach it",
            Obstacle::AnswersAstray => "the target answers by another way",
        })
    }
}

#[cfg(test)]
mod tests;
