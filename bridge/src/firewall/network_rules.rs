//! The rules that a network has whether anybody is on it or not.

use super::render::{FORWARD_CHAIN, MAIN_CHAIN, POSTROUTING_CHAIN};
use super::rule::{Rule, Table};
use crate::network::{Family, GatewayMode, Icc, Network, Reach};
use crate::policy;
use ipnet::IpNet;

/// What a network needs before its first endpoint, in the order of evaluation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkRules {
    /// What lets frames cross further segments of the network.
    pub segments: Vec<Rule>,
    /// What is judged before anything else.
    pub fences: Vec<Rule>,
    /// What is judged on its way into the network, and everything that is no judgement.
    pub into: Vec<Rule>,
    /// What is judged on its way out.
    pub out: Vec<Rule>,
}

/// The rules of a network, of every family it has.
pub fn network_rules(network: &Network) -> NetworkRules {
    let mut rules = NetworkRules::default();
    for (family, addressing) in network.families() {
        let block = Block {
            network,
            family,
            subnet: addressing.subnet,
        };
        rules.segments.extend(block.segments());
        rules.fences.extend(block.fences());
        rules.into.extend(block.entry());
        rules.into.extend(block.translation_helpers());
        rules.out.extend(block.exit());
    }
    rules
}

/// One network in one family.
struct Block<'a> {
    network: &'a Network,
    family: Family,
    subnet: IpNet,
}

impl Block<'_> {
    fn rule(&self, table: Table, chain: &'static str, specification: String) -> Rule {
        Rule::new(self.family, (table, chain), specification)
    }

    fn forward(&self, specification: String) -> Rule {
        self.rule(Table::Filter, FORWARD_CHAIN, specification)
    }

    /// Where `br_netfilter` is on, frames that only cross a segment's bridge meet the rules as well. They are judged when they
    /// cross the main bridge, or with ICC on not at all; and connection tracking must not see them twice, nor translate
    /// them half way. What is sent to the Ethernet address of the segment's bridge itself leads nowhere.
    fn segments(&self) -> Vec<Rule> {
        let bridges = self.network.segments().map(|(_, devices)| devices.bridge);
        bridges
            .flat_map(|bridge| {
                [
                    self.rule(
                        Table::Raw,
                        MAIN_CHAIN,
                        format!("-i {bridge} -j CT --notrack"),
                    ),
                    self.rule(Table::Raw, MAIN_CHAIN, format!("-i {bridge} -j RETURN")),
                    self.forward(format!("-i {bridge} -o {bridge} -j ACCEPT")),
                    self.forward(format!("-i {bridge} ! -o {bridge} -j DROP")),
                ]
            })
            .collect()
    }

    /// An internal network has no way out and no way in.
    fn fences(&self) -> Vec<Rule> {
        let bridge = &self.network.bridge;
        match self.network.reach {
            Reach::External => Vec::new(),
            Reach::Internal => vec![
                self.forward(format!("-i {bridge} ! -o {bridge} -j DROP")),
                self.forward(format!("! -i {bridge} -o {bridge} -j DROP")),
            ],
        }
    }

    fn entry(&self) -> Vec<Rule> {
        let bridge = &self.network.bridge;
        let icmp = icmp(self.family);
        let mut rules = vec![
            self.forward(format!("-o {bridge} -j MINIRUN")),
            // A refusal that a linked service sends (port unreachable) must reach the client, or it would wait for nothing.
            self.forward(format!(
                "-i {bridge} -o {bridge} -p {icmp} -m conntrack --ctstate RELATED -j ACCEPT"
            )),
        ];
        rules.extend(self.neighbour_discovery());
        rules.push(self.icc());
        if self.network.gateway_mode == GatewayMode::Routed {
            rules.push(self.forward(format!("! -i {bridge} -o {bridge} -p {icmp} -j ACCEPT")));
        }
        rules.push(self.forward(format!(
            "-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        )));
        rules.push(self.forward(format!("-o {bridge} -j DROP")));
        rules
    }

    /// With `br_netfilter`, neighbour solicitations and advertisements between ports that are not isolated (those that others
    /// have on an adopted bridge) are judged like everything else. Without them nobody on the bridge finds anybody. Real ones
    /// come with the hop limit 255 (RFC 4861); what has been routed has less.
    fn neighbour_discovery(&self) -> Vec<Rule> {
        if self.family == Family::Ipv4 || self.network.icc == Icc::Enabled {
            return Vec::new();
        }
        let bridge = &self.network.bridge;
        ["135", "136"]
            .into_iter()
            .map(|kind| {
                self.forward(format!(
                    "-i {bridge} -o {bridge} -p ipv6-icmp -m hl --hl-eq 255 -m icmp6 --icmpv6-type {kind} -j ACCEPT"
                ))
            })
            .collect()
    }

    /// The one rule that says whether endpoints of a network reach each other.
    fn icc(&self) -> Rule {
        let verdict = match self.network.icc {
            Icc::Enabled => "ACCEPT",
            Icc::Disabled => "DROP",
        };
        let bridge = &self.network.bridge;
        self.forward(format!("-i {bridge} -o {bridge} -j {verdict}"))
    }

    fn exit(&self) -> Vec<Rule> {
        let bridge = &self.network.bridge;
        match self.network.reach {
            Reach::External => vec![self.forward(format!("-i {bridge} ! -o {bridge} -j ACCEPT"))],
            Reach::Internal => Vec::new(),
        }
    }

    /// What makes translated connections work, and keeps untranslated ones from taking their place.
    fn translation_helpers(&self) -> Vec<Rule> {
        let bridge = &self.network.bridge;
        let subnet = self.subnet;
        let postrouting = |specification| self.rule(Table::Nat, POSTROUTING_CHAIN, specification);
        let direct = self.rule(
            Table::Raw,
            MAIN_CHAIN,
            format!("-d {subnet} ! -i {bridge} -m addrtype ! --dst-type LOCAL -j DROP"),
        );
        let mut rules = Vec::new();
        if policy::translates(self.network) {
            if self.family == Family::Ipv4 {
                rules.push(postrouting(format!(
                    "-s 127.0.0.0/8 -o {bridge} -j MASQUERADE"
                )));
            }
            rules.push(postrouting(format!(
                "-s {subnet} -d {subnet} -o {bridge} -m conntrack --ctstate DNAT -j MASQUERADE"
            )));
        }
        if policy::hides_callers(self.network) {
            rules.push(postrouting(format!(
                "-s {subnet} ! -o {bridge} -j MASQUERADE"
            )));
        }
        if policy::is_sealed(self.network) {
            rules.push(direct);
        }
        rules
    }
}

/// The name that iptables prints for the protocol of errors and echoes.
pub(super) fn icmp(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "icmp",
        Family::Ipv6 => "ipv6-icmp",
    }
}
