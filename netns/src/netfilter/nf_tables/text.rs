//! Transactions as commands, and tables as `nft` lists them.

use super::chain::{BaseChain, Chain, ChainKind, Hook, Policy};
use super::rule::Rule;
use super::set::{Definition, Element, Key, SetContent};
use super::transaction::{Change, Transaction};
use super::value::{DataType, Value};
use super::{Table, TableFamily, rule_text};

/// What a shell would not leave as it is.
const SPECIAL: &[char] = &[
    '"', '!', '{', '}', ';', '$', '*', '&', '|', '<', '>', '(', ')',
];

impl Table {
    /// Its family and name.
    pub fn text(self) -> String {
        let family = match self.family {
            TableFamily::Ipv4 => "ip",
            TableFamily::Ipv6 => "ip6",
            TableFamily::Inet => "inet",
            TableFamily::Bridge => "bridge",
        };
        format!("{family} {}", self.name)
    }
}

impl Transaction {
    /// The commands that a person would type, one for each change.
    pub fn commands(&self) -> Vec<String> {
        let changes = self.changes.iter();
        changes.map(|change| change.command(self.table)).collect()
    }

    /// The table as `nft list table` prints it, if there was none before: what is added here, and nothing that is taken away.
    /// Elements stand in the order they are added in.
    pub fn listing(&self) -> String {
        let mut blocks = Vec::new();
        for change in &self.changes {
            if let Change::AddSet(definition) = change {
                blocks.push(self.set_block(definition));
            }
        }
        for change in &self.changes {
            if let Change::AddChain(chain) = change {
                blocks.push(self.chain_block(chain));
            }
        }
        format!("table {} {{\n{}}}\n", self.table.text(), blocks.join("\n"))
    }

    fn set_block(&self, definition: &Definition) -> String {
        let elements = self.changes.iter().filter_map(|change| match change {
            Change::AddElement(element) if element.set == definition.name => Some(element.text()),
            _ => None,
        });
        let elements: Vec<String> = elements.collect();
        let mut lines = definition.lines();
        if !elements.is_empty() {
            lines.push(format!(
                "elements = {{ {} }}",
                elements.join(",\n\t\t\t     ")
            ));
        }
        block(definition.kind(), definition.name, &lines)
    }

    fn chain_block(&self, chain: &Chain) -> String {
        let family = self.table.family;
        let mut lines: Vec<String> = chain
            .base
            .map(|base| base.text(family))
            .into_iter()
            .collect();
        lines.extend(self.changes.iter().filter_map(|change| match change {
            Change::AddRule(rule) if rule.chain == chain.name => Some(rule.text(family)),
            _ => None,
        }));
        block("chain", &chain.name, &lines)
    }
}

fn block(kind: &str, name: &str, lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("\t\t{line}\n")).collect();
    format!("\t{kind} {name} {{\n{lines}\t}}\n")
}

impl Change {
    /// The command for it.
    pub fn command(&self, table: Table) -> String {
        let family = table.family;
        let table = table.text();
        match self {
            Change::AddTable => format!("nft add table {table}"),
            Change::CreateTable => format!("nft create table {table}"),
            Change::DeleteTable => format!("nft delete table {table}"),
            Change::AddChain(Chain { name, base: None }) => format!("nft add chain {table} {name}"),
            Change::AddChain(Chain {
                name,
                base: Some(base),
            }) => {
                format!("nft add chain {table} {name} '{{ {} }}'", base.text(family))
            }
            Change::FlushChain(chain) => format!("nft flush chain {table} {chain}"),
            Change::DeleteRule { chain, handle } => {
                format!("nft delete rule {table} {chain} handle {handle}")
            }
            Change::DeleteChain(chain) => format!("nft delete chain {table} {chain}"),
            Change::AddSet(definition) => {
                let lines = definition.lines().join("; ");
                let (kind, name) = (definition.kind(), definition.name);
                format!("nft add {kind} {table} {name} '{{ {lines}; }}'")
            }
            Change::FlushSet(set) => format!("nft flush set {table} {set}"),
            Change::AddRule(rule) => {
                let words = quoted(rule.text(family));
                format!("nft add rule {table} {} {words}", rule.chain)
            }
            Change::AddElement(element) => {
                format!(
                    "nft add element {table} {} '{{ {} }}'",
                    element.set,
                    element.text()
                )
            }
            Change::DeleteElement(element) => {
                format!(
                    "nft delete element {table} {} '{{ {} }}'",
                    element.set,
                    element.text()
                )
            }
        }
    }
}

fn quoted(words: String) -> String {
    if words.contains(SPECIAL) {
        format!("'{words}'")
    } else {
        words
    }
}

impl Rule {
    /// Its words.
    pub fn text(&self, family: TableFamily) -> String {
        rule_text::text(&self.statements, family)
    }
}

impl Element {
    /// Its key, and what it leads to.
    pub fn text(&self) -> String {
        let key: Vec<String> = self.key.iter().map(Key::text).collect();
        let key = key.join(" . ");
        if let Some(verdict) = &self.verdict {
            return format!("{key} : {}", verdict.text());
        }
        let values: Vec<String> = self.values.iter().map(Value::text).collect();
        if values.is_empty() {
            key
        } else {
            format!("{key} : {}", values.join(" . "))
        }
    }
}

impl Key {
    fn text(&self) -> String {
        match self {
            Key::One(value) => value.text(),
            Key::Range(first, last) if first == last => first.text(),
            Key::Range(first, last) => match prefix(first, last) {
                Some(prefix) => format!("{}/{prefix}", first.text()),
                None => format!("{}-{}", first.text(), last.text()),
            },
        }
    }
}

/// The length of the prefix that all addresses of a range have in common and no others, if there is one.
fn prefix(first: &Value, last: &Value) -> Option<u32> {
    if !matches!(first, Value::Ipv4(_) | Value::Ipv6(_)) {
        return None;
    }
    let (first, last) = (first.bytes(), last.bytes());
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte))
    };
    let (low, high) = (number(&first), number(&last));
    let differing = low ^ high;
    let is_network = differing & differing.wrapping_add(1) == 0 && low & differing == 0;
    is_network.then(|| 8 * first.len() as u32 - differing.count_ones())
}

impl Definition {
    fn kind(&self) -> &'static str {
        match self.content {
            SetContent::Members => "set",
            SetContent::Verdicts | SetContent::Values(_) => "map",
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut line = type_text(self.key);
        match self.content {
            SetContent::Members => {}
            SetContent::Verdicts => line.push_str(" : verdict"),
            SetContent::Values(types) => {
                line.push_str(" : ");
                line.push_str(&names(types));
            }
        }
        let mut lines = vec![line];
        if self.intervals {
            lines.push("flags interval".into());
        }
        lines
    }
}

fn type_text(key: &[DataType]) -> String {
    if !key.contains(&DataType::AdvertisedTarget) {
        return format!("type {}", names(key));
    }
    // A key with a part that has no type is told by its fields.
    let fields: Vec<&str> = key
        .iter()
        .map(|part| match part {
            DataType::Interface => "iifname",
            other => other.text(),
        })
        .collect();
    format!("typeof {}", fields.join(" . "))
}

fn names(types: &[DataType]) -> String {
    let names: Vec<&str> = types.iter().map(|part| part.text()).collect();
    names.join(" . ")
}

impl BaseChain {
    fn text(self, family: TableFamily) -> String {
        let kind = match self.kind {
            ChainKind::Filter => "filter",
            ChainKind::Nat => "nat",
        };
        let hook = match self.hook {
            Hook::Prerouting => "prerouting",
            Hook::Input => "input",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
        };
        let policy = match self.policy {
            Policy::Accept => "accept",
            Policy::Drop => "drop",
        };
        let priority = self.priority_text(family);
        format!("type {kind} hook {hook} priority {priority}; policy {policy};")
    }

    /// The name of the priority or of one that is no further away than ten, if `nft` has one here.
    fn priority_text(self, family: TableFamily) -> String {
        const NEAR: i32 = 10;
        let names: &[(i32, &str)] = match (family, self.hook) {
            (TableFamily::Bridge, Hook::Prerouting) => &[(-300, "dstnat"), (-200, "filter")],
            (TableFamily::Bridge, Hook::Output) => &[(-200, "filter"), (100, "out")],
            (TableFamily::Bridge, Hook::Postrouting) => &[(-200, "filter"), (300, "srcnat")],
            (TableFamily::Bridge, _) => &[(-200, "filter")],
            (_, Hook::Prerouting) => &[
                (-300, "raw"),
                (-150, "mangle"),
                (-100, "dstnat"),
                (0, "filter"),
                (50, "security"),
            ],
            (_, Hook::Postrouting) => &[
                (-300, "raw"),
                (-150, "mangle"),
                (0, "filter"),
                (50, "security"),
                (100, "srcnat"),
            ],
            _ => &[
                (-300, "raw"),
                (-150, "mangle"),
                (0, "filter"),
                (50, "security"),
            ],
        };
        let near = |(number, _): &&(i32, &str)| (self.priority - number).abs() <= NEAR;
        match names.iter().find(near) {
            Some((number, name)) => match self.priority - number {
                0 => (*name).to_string(),
                above @ 1.. => format!("{name} + {above}"),
                below => format!("{name} - {}", -below),
            },
            None => self.priority.to_string(),
        }
    }
}
