//! The elements that a network has whether anybody is on it or not.

use super::ruleset::{
    ICC_OFF_CHAIN, INTERNAL, INTO, INTO_NAT_CHAIN, INTO_ROUTED_CHAIN, OUT, SEGMENTS, TRANSLATING,
    WITHIN, address_value,
};
use super::words::Words;
use crate::network::{Family, GatewayMode, Icc, Network, Reach};
use crate::policy;
use ipnet::IpNet;
use minirun_netns::netfilter::nf_tables::{Definition, Element, Key, Value, Verdict};

/// The elements of a network, of every family it has.
pub(super) fn network_elements(network: &Network) -> Vec<Element> {
    let bridge = || Key::One(Value::Interface(network.bridge.clone()));
    let mut elements: Vec<Element> = network
        .families()
        .flat_map(|(family, addressing)| {
            let words = Words::of(family);
            let of_family = || Key::One(Value::Family(words.packets));
            let mut elements = judgements(network, (of_family(), bridge()));
            elements.extend(subnets(network, words, addressing.subnet));
            elements
        })
        .collect();
    if policy::translates(network) {
        elements.push(member(&TRANSLATING, vec![bridge()]));
    }
    let segments = network.segments();
    elements.extend(segments.flat_map(|(_, devices)| segment(&devices.bridge)));
    elements
}

/// What lets frames cross a further segment of a network. Its bridge is ours and never leads anywhere else, so this is the same in
/// every family.
fn segment(bridge: &str) -> Vec<Element> {
    let bridge = || Key::One(Value::Interface(bridge.into()));
    let mut elements = vec![member(&SEGMENTS, vec![bridge()])];
    elements.extend(Family::BOTH.map(|family| {
        let family = Key::One(Value::Family(Words::of(family).packets));
        verdict(&WITHIN, vec![family, bridge(), bridge()], Verdict::Accept)
    }));
    elements
}

/// What becomes of the packets of one family.
fn judgements(network: &Network, (family, bridge): (Key, Key)) -> Vec<Element> {
    let within = match network.icc {
        Icc::Enabled => Verdict::Accept,
        Icc::Disabled => Verdict::Goto(ICC_OFF_CHAIN.into()),
    };
    let pair = vec![family.clone(), bridge.clone(), bridge.clone()];
    let alone = vec![family, bridge];
    let mut elements = vec![verdict(&WITHIN, pair, within)];
    if network.reach == Reach::Internal {
        elements.push(member(&INTERNAL, alone));
        return elements;
    }
    let into = match network.gateway_mode {
        GatewayMode::Nat => INTO_NAT_CHAIN,
        GatewayMode::Routed => INTO_ROUTED_CHAIN,
    };
    elements.push(verdict(&INTO, alone.clone(), Verdict::Goto(into.into())));
    elements.push(member(&OUT, alone));
    elements
}

/// Where the addresses of one family are at home.
fn subnets(network: &Network, words: &'static Words, subnet: IpNet) -> Vec<Element> {
    let addresses = || {
        Key::Range(
            address_value(subnet.network()),
            address_value(subnet.broadcast()),
        )
    };
    let bridge = Key::One(Value::Interface(network.bridge.clone()));
    let mut elements = vec![member(&words.homes, vec![bridge, addresses()])];
    if policy::is_sealed(network) {
        elements.push(member(&words.sealed, vec![addresses()]));
    }
    if policy::hides_callers(network) {
        elements.push(member(&words.hidden, vec![addresses()]));
    }
    elements
}

/// An element that leads nowhere.
pub(super) fn member(set: &'static Definition, key: Vec<Key>) -> Element {
    Element {
        set: set.name,
        key,
        values: Vec::new(),
        verdict: None,
    }
}

/// An element that leads to a verdict.
pub(super) fn verdict(set: &'static Definition, key: Vec<Key>, verdict: Verdict) -> Element {
    Element {
        verdict: Some(verdict),
        ..member(set, key)
    }
}
