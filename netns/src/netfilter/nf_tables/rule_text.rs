//! Rules in the words of `nft`, as it prints them.
//!
//! A comparison that a later field implies is not printed: `meta l4proto tcp th dport 80` reads `tcp dport 80`, and
//! `meta nfproto ipv4 ip saddr …` reads `ip saddr …`.

use super::TableFamily;
use super::dependency::{Knowledge, network_of, selectors};
use super::rule::{CtState, Operator, Refusal, Side, Statement, Translation, Transport};
use super::selector::Selector;
use super::value_text::header_of_ports;

/// The words of a rule of a table.
pub(super) fn text(statements: &[Statement], family: TableFamily) -> String {
    let mut writer = Writer {
        words: Vec::new(),
        knowledge: Knowledge::of(family),
        network: None,
        transport: None,
    };
    for statement in statements {
        writer.write(statement, family);
    }
    let words: Vec<String> = writer.words.into_iter().flatten().collect();
    words.join(" ")
}

struct Writer {
    words: Vec<Option<String>>,
    knowledge: Knowledge,
    /// The comparisons, among the words, that a later field may imply.
    network: Option<usize>,
    transport: Option<usize>,
}

impl Writer {
    fn write(&mut self, statement: &Statement, family: TableFamily) {
        for selector in selectors(statement) {
            self.forget_what_is_implied(*selector);
        }
        let dependencies = self.knowledge.before(statement, family);
        if *statement == Statement::Reject(Refusal::TcpReset) {
            let words = dependencies.iter().map(|(selector, value)| {
                Some(format!(
                    "{} {}",
                    selector.text(None),
                    value.text_for(*selector)
                ))
            });
            self.words.extend(words);
        }
        let transport = self.knowledge.transport;
        self.words.push(Some(statement_text(statement, transport)));
        self.knowledge.learn(statement);
        if let Statement::Compare(selector, Operator::Equal, _) = statement {
            let place = Some(self.words.len() - 1);
            match selector {
                Selector::Protocol => self.transport = place,
                Selector::Family | Selector::FrameType | Selector::EthernetType => {
                    self.network = place
                }
                _ => {}
            }
        }
    }

    fn forget_what_is_implied(&mut self, selector: Selector) {
        let transport = self.knowledge.transport;
        let implies_transport = match selector {
            Selector::SourcePort | Selector::DestinationPort => header_of_ports(transport) != "th",
            Selector::Icmpv6Type => transport == Some(58),
            _ => false,
        };
        let implied = network_of(selector);
        let implies_network = implied.is_some() && implied == self.knowledge.network;
        let mut forget = |place: &mut Option<usize>| {
            if let Some(words) = place.take().and_then(|place| self.words.get_mut(place)) {
                *words = None;
            }
        };
        if implies_transport {
            forget(&mut self.transport);
        }
        if implies_network {
            forget(&mut self.network);
        }
    }
}

fn statement_text(statement: &Statement, transport: Option<u8>) -> String {
    match statement {
        Statement::Compare(selector, operator, value) => format!(
            "{}{} {}",
            selector.text(transport),
            operator.text(),
            value.text_for(*selector)
        ),
        Statement::InNetwork(selector, operator, network, prefix) => {
            let whole = usize::from(*prefix) == 8 * selector.field().length;
            let prefix = if whole {
                String::new()
            } else {
                format!("/{prefix}")
            };
            let selector = selector.text(transport);
            format!("{selector}{} {}{prefix}", operator.text(), network.text())
        }
        Statement::InRange(selector, first, last) => format!(
            "{} {}-{}",
            selector.text(transport),
            first.text(),
            last.text()
        ),
        Statement::State(states) => format!("ct state {}", states_text(states)),
        Statement::Translated => "ct status dnat".into(),
        Statement::Member(selectors, operator, set) => {
            let selectors = concatenation(selectors, transport);
            format!("{selectors}{} @{set}", operator.text())
        }
        Statement::VerdictMap(selectors, map) => {
            format!("{} vmap @{map}", concatenation(selectors, transport))
        }
        Statement::TranslateDestination(translation, selectors, map) => {
            let family = match translation {
                Translation::Ipv4 | Translation::Ipv4Port => "ip",
                Translation::Ipv6 | Translation::Ipv6Port => "ip6",
            };
            let selectors = concatenation(selectors, transport);
            format!("dnat {family} to {selectors} map @{map}")
        }
        Statement::Masquerade => "masquerade".into(),
        Statement::Reject(Refusal::TcpReset) => "reject with tcp reset".into(),
        Statement::Reject(Refusal::Prohibited) => "reject with icmpx admin-prohibited".into(),
        Statement::WritePort(transport, side, port) => {
            let header = match transport {
                Transport::Udp => "udp",
                Transport::Tcp => "tcp",
            };
            let side = match side {
                Side::Source => "sport",
                Side::Destination => "dport",
            };
            format!("{header} {side} set {port}")
        }
        Statement::Untracked => "notrack".into(),
        Statement::Verdict(verdict) => verdict.text(),
    }
}

fn concatenation(selectors: &[Selector], transport: Option<u8>) -> String {
    let parts: Vec<String> = selectors
        .iter()
        .map(|selector| selector.text(transport))
        .collect();
    parts.join(" . ")
}

/// `nft` prints states in the order of their bits.
fn states_text(states: &[CtState]) -> String {
    let order = [
        CtState::Invalid,
        CtState::Established,
        CtState::Related,
        CtState::Untracked,
    ];
    let words: Vec<&str> = order
        .into_iter()
        .filter(|state| states.contains(state))
        .map(CtState::text)
        .collect();
    words.join(",")
}

impl Operator {
    fn text(self) -> &'static str {
        match self {
            Operator::Equal => "",
            Operator::NotEqual => " !=",
        }
    }
}
