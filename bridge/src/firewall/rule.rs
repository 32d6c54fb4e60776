//! Rules as data, and one transaction of them in the language of `iptables-restore(8)`.

use crate::network::Family;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// A table of iptables that minirun writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Before connection tracking and address translation.
    Raw,
    /// Address translation, decided on a connection's first packet.
    Nat,
    /// What may pass.
    Filter,
}

impl Table {
    /// All tables in the order packets meet them.
    pub const ALL: [Table; 3] = [Table::Raw, Table::Nat, Table::Filter];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Table::Raw => "raw",
            Table::Nat => "nat",
            Table::Filter => "filter",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One rule: its family, its table, its chain, and the matches and target as `iptables -A CHAIN` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it judges IPv4 or IPv6 packets.
    pub family: Family,
    /// The table.
    pub table: Table,
    /// The chain.
    pub chain: Cow<'static, str>,
    /// Matches and target.
    pub specification: String,
}

impl Rule {
    /// A rule of `chain` in `table`, for IPv4 packets.
    pub fn ipv4(table: Table, chain: &'static str, specification: String) -> Rule {
        Rule::new(Family::Ipv4, (table, chain), specification)
    }

    /// A rule of a chain in a table.
    pub fn new(
        family: Family,
        (table, chain): (Table, impl Into<Cow<'static, str>>),
        specification: String,
    ) -> Rule {
        Rule {
            family,
            table,
            chain: chain.into(),
            specification,
        }
    }
}

/// A chain of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Whether it judges IPv4 or IPv6 packets.
    pub family: Family,
    /// Its table.
    pub table: Table,
    /// Its name.
    pub name: Cow<'static, str>,
}

/// What a transaction does with a rule or a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Fails the whole transaction unless the rule is there.
    Require(Rule),
    /// Appends the rule to its chain.
    Append(Rule),
    /// Puts the rule first in its chain.
    Prepend(Rule),
    /// Deletes the rule; the whole transaction fails if it is not there.
    Delete(Rule),
    /// Makes the chain; the whole transaction fails if it exists.
    Create(Chain),
    /// Makes the chain, or empties it if it exists.
    Empty(Chain),
    /// Removes the chain, which has to be empty.
    Remove(Chain),
}

impl Change {
    fn table(&self) -> Table {
        match self {
            Change::Require(rule)
            | Change::Append(rule)
            | Change::Prepend(rule)
            | Change::Delete(rule) => rule.table,
            Change::Create(chain) | Change::Empty(chain) | Change::Remove(chain) => chain.table,
        }
    }

    fn family(&self) -> Family {
        match self {
            Change::Require(rule)
            | Change::Append(rule)
            | Change::Prepend(rule)
            | Change::Delete(rule) => rule.family,
            Change::Create(chain) | Change::Empty(chain) | Change::Remove(chain) => chain.family,
        }
    }

    fn line(&self) -> String {
        match self {
            Change::Require(rule) => format!("-C {} {}", rule.chain, rule.specification),
            Change::Append(rule) => format!("-A {} {}", rule.chain, rule.specification),
            Change::Prepend(rule) => format!("-I {} 1 {}", rule.chain, rule.specification),
            Change::Delete(rule) => format!("-D {} {}", rule.chain, rule.specification),
            Change::Create(chain) => format!("-N {}", chain.name),
            Change::Empty(chain) => format!(":{} - [0:0]", chain.name),
            Change::Remove(chain) => format!("-X {}", chain.name),
        }
    }

    fn command(&self) -> String {
        let program = program(self.family());
        match self {
            Change::Empty(Chain { table, name, .. }) => format!(
                "{program} -t {table} -N {name} 2>/dev/null || {program} -t {table} -F {name}"
            ),
            change => format!("{program} -t {} {}", change.table(), change.line()),
        }
    }
}

/// The program that a person would type.
pub fn program(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}

/// Changes that take effect together or not at all, as far as one table of one family is concerned.
///
/// `iptables-restore` commits table by table. The tables are ordered so that a failure in a later one leaves nothing
/// open: filter, which opens doors, comes last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// The changes, in the order they were decided.
    pub changes: Vec<Change>,
}

impl Transaction {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether it does more than ask.
    pub fn changes_anything(&self) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| !matches!(change, Change::Require(_)))
    }

    /// Whether there is nothing to do in this family.
    pub fn is_empty_of(&self, family: Family) -> bool {
        !self.changes.iter().any(|change| change.family() == family)
    }

    /// As how many changes the kernel counts it, where iptables is that of nf_tables: each table of each family is changed by a
    /// transaction of its own, unless it is only asked for rules.
    pub fn generations(&self) -> u32 {
        let changes = self.changes.iter();
        let changing = changes.filter(|change| !matches!(change, Change::Require(_)));
        let tables: BTreeSet<(Family, Table)> = changing
            .map(|change| (change.family(), change.table()))
            .collect();
        // There are six.
        u32::try_from(tables.len()).unwrap_or(u32::MAX)
    }

    /// The input for `iptables-restore --noflush`, or `ip6tables-restore`.
    pub fn restore_input(&self, family: Family) -> String {
        let mut input = String::new();
        for table in Table::ALL {
            let mut lines = self
                .changes
                .iter()
                .filter(|change| change.family() == family && change.table() == table)
                .map(Change::line)
                .peekable();
            if lines.peek().is_none() {
                continue;
            }
            input.push_str(&format!("*{table}\n"));
            for line in lines {
                input.push_str(&line);
                input.push('\n');
            }
            input.push_str("COMMIT\n");
        }
        input
    }

    /// The same as single commands, as a person would type them.
    pub fn commands(&self) -> String {
        let mut ordered: Vec<&Change> = self.changes.iter().collect();
        ordered.sort_by_key(|change| (change.family(), change.table()));
        ordered
            .into_iter()
            .filter(|change| !matches!(change, Change::Require(_)))
            .map(Change::command)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_grouped_by_table_and_filter_comes_last() {
        let ipv6 = Rule::new(Family::Ipv6, (Table::Filter, "MINIRUN"), "-j ACCEPT".into());
        let transaction = Transaction {
            changes: vec![
                Change::Append(Rule::ipv4(Table::Filter, "MINIRUN", "-j ACCEPT".into())),
                Change::Require(Rule::ipv4(Table::Nat, "OUTPUT", "-j MINIRUN".into())),
                Change::Append(ipv6),
                Change::Delete(Rule::ipv4(Table::Nat, "MINIRUN", "-j RETURN".into())),
                Change::Empty(Chain {
                    family: Family::Ipv4,
                    table: Table::Raw,
                    name: "MINIRUN".into(),
                }),
            ],
        };
        assert_eq!(
            transaction.restore_input(Family::Ipv4),
            "*raw\n:MINIRUN - [0:0]\nCOMMIT\n\
             *nat\n-C OUTPUT -j MINIRUN\n-D MINIRUN -j RETURN\nCOMMIT\n\
             *filter\n-A MINIRUN -j ACCEPT\nCOMMIT\n"
        );
        assert_eq!(
            transaction.restore_input(Family::Ipv6),
            "*filter\n-A MINIRUN -j ACCEPT\nCOMMIT\n"
        );
    }
}
