//! What the kernel makes of transactions, as `nft` shows it.

mod claims;
mod rules;
mod sets;
mod transactions;
mod values;

use super::*;

const TABLE: Table = Table {
    family: TableFamily::Inet,
    name: "t",
};

fn commit(transactions: &[Transaction]) -> Result<u32, CommitError> {
    let mut connection = RulesConnection::open().unwrap().unwrap();
    connection.commit(transactions, Expectation::Anything)
}

fn transaction(table: Table, changes: Vec<Change>) -> Transaction {
    Transaction { table, changes }
}

/// A table with sets and rules of every kind.
fn inet_table() -> Transaction {
    let mut changes = sets::sets();
    changes.extend(rules::rules());
    transaction(TABLE, changes)
}
