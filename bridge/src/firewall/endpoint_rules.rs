//! The rules of links and published ports.

use super::render::MAIN_CHAIN;
use super::rule::{Rule, Table};
use crate::network::{Family, Network};
use crate::policy::{Contribution, Opening, Permit, Translation};
use crate::port::ExposedPort;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A single address as iptables prints it.
pub(super) fn host(address: IpAddr) -> String {
    IpNet::from(address).to_string()
}

/// What an endpoint's contribution looks like as rules, each once: two host ports may lead to one port of a container.
pub fn contribution_rules(network: &Network, contribution: &Contribution) -> Vec<Rule> {
    let permits = contribution
        .permits
        .iter()
        .flat_map(|permit| permit_rules(network, permit));
    let translations = contribution
        .translations
        .iter()
        .flat_map(|translation| translation_rules(network, translation));
    let openings = contribution
        .openings
        .iter()
        .map(|opening| way_in(network, opening, Callers::All));
    let mut rules: Vec<Rule> = Vec::new();
    for rule in permits.chain(translations).chain(openings) {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

/// A link's pair: the way there, and the replies.
fn permit_rules(network: &Network, permit: &Permit) -> [Rule; 2] {
    let bridge = &network.bridge;
    let family = Family::of(permit.target);
    let (source, target) = (host(permit.source), host(permit.target));
    let (protocol, number) = (permit.port.protocol, permit.port.port);
    let main = |specification| Rule::new(family, (Table::Filter, MAIN_CHAIN), specification);
    [
        main(format!(
            "-s {source} -d {target} -i {bridge} -o {bridge} -p {protocol} -m {protocol} --dport {number} -j ACCEPT"
        )),
        main(format!(
            "-s {target} -d {source} -i {bridge} -o {bridge} -p {protocol} -m {protocol} --sport {number} \
             -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        )),
    ]
}

/// A published port: the translation, and the way in from outside the bridge.
fn translation_rules(network: &Network, translation: &Translation) -> Vec<Rule> {
    let Translation {
        publication,
        target,
    } = translation;
    let nat =
        |specification| Rule::new(Family::of(*target), (Table::Nat, MAIN_CHAIN), specification);
    let protocol = publication.container.protocol;
    let port = format!(
        "-p {protocol} -m {protocol} --dport {}",
        publication.host_port
    );
    let destination = match publication.host_address.is_unspecified() {
        true => String::new(),
        false => format!("-d {} ", host(publication.host_address)),
    };
    let mut rules = Vec::new();
    if publication.host_address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        // What is sent to `::1` cannot leave the host. Where nobody listens it is refused at once, so that whoever tries it
        // first goes on to 127.0.0.1.
        rules.push(nat(format!(
            "-d ::1/128 {port} -j REDIRECT --to-ports {CLOSED_PORT}"
        )));
    }
    rules.push(nat(format!(
        "{destination}{port} -j DNAT --to-destination {}",
        SocketAddr::new(*target, publication.container.port.get())
    )));
    rules.push(way_in(network, &translation.way_in(), Callers::Translated));
    rules
}

/// The port of the service `tcpmux` (RFC 1078), which nobody offers.
const CLOSED_PORT: u16 = 1;

/// Who may come in from outside the bridge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callers {
    /// Everybody who knows the way.
    All,
    /// Those who called an address of the host.
    Translated,
}

/// The way to a port of a container from outside its bridge.
fn way_in(network: &Network, opening: &Opening, callers: Callers) -> Rule {
    let bridge = &network.bridge;
    let ExposedPort { port, protocol } = opening.port;
    let condition = match callers {
        Callers::All => "",
        Callers::Translated => " -m conntrack --ctstate DNAT",
    };
    Rule::new(
        Family::of(opening.target),
        (Table::Filter, MAIN_CHAIN),
        format!(
            "-d {} ! -i {bridge} -o {bridge} -p {protocol} -m {protocol} --dport {port}{condition} -j ACCEPT",
            host(opening.target)
        ),
    )
}
