//! Rules as data, and one transaction of them in the language of `iptables-restore(8)`.

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
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Table::Raw => "raw",
            Table::Nat => "nat",
            Table::Filter => "filter",
        })
    }
}

/// One rule: its table, its chain, and the matches and target as `iptables -A CHAIN` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The table.
    pub table: Table,
    /// The chain.
    pub chain: &'static str,
    /// Matches and target.
    pub specification: String,
}

impl Rule {
    /// A rule of `chain` in `table`.
    pub fn new(table: Table, chain: &'static str, specification: String) -> Rule {
        Rule {
            table,
            chain,
            specification,
        }
    }
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
    Create(Table, &'static str),
    /// Makes the chain, or empties it if it exists.
    Empty(Table, &'static str),
}

impl Change {
    fn table(&self) -> Table {
        match self {
            Change::Require(rule)
            | Change::Append(rule)
            | Change::Prepend(rule)
            | Change::Delete(rule) => rule.table,
            Change::Create(table, _) | Change::Empty(table, _) => *table,
        }
    }

    fn line(&self) -> String {
        match self {
            Change::Require(rule) => format!("-C {} {}", rule.chain, rule.specification),
            Change::Append(rule) => format!("-A {} {}", rule.chain, rule.specification),
            Change::Prepend(rule) => format!("-I {} 1 {}", rule.chain, rule.specification),
            Change::Delete(rule) => format!("-D {} {}", rule.chain, rule.specification),
            Change::Create(_, chain) => format!("-N {chain}"),
            Change::Empty(_, chain) => format!(":{chain} - [0:0]"),
        }
    }

    fn command(&self) -> String {
        match self {
            Change::Empty(table, chain) => format!(
                "iptables -t {table} -N {chain} 2>/dev/null || iptables -t {table} -F {chain}"
            ),
            change => format!("iptables -t {} {}", change.table(), change.line()),
        }
    }
}

/// Changes that take effect together or not at all, as far as one table is concerned.
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

    /// The input for `iptables-restore --noflush`.
    pub fn restore_input(&self) -> String {
        let mut input = String::new();
        for table in Table::ALL {
            let mut lines = self
                .changes
                .iter()
                .filter(|change| change.table() == table)
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
        ordered.sort_by_key(|change| change.table());
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
        let transaction = Transaction {
            changes: vec![
                Change::Append(Rule::new(Table::Filter, "MINIRUN", "-j ACCEPT".into())),
                Change::Require(Rule::new(Table::Nat, "OUTPUT", "-j MINIRUN".into())),
                Change::Delete(Rule::new(Table::Nat, "MINIRUN", "-j RETURN".into())),
                Change::Empty(Table::Raw, "MINIRUN"),
            ],
        };
        assert_eq!(
            transaction.restore_input(),
            "*raw\n:MINIRUN - [0:0]\nCOMMIT\n\
             *nat\n-C OUTPUT -j MINIRUN\n-D MINIRUN -j RETURN\nCOMMIT\n\
             *filter\n-A MINIRUN -j ACCEPT\nCOMMIT\n"
        );
    }
}
