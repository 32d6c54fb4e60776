//! The connection to nf_tables, opened when it is first needed.

use super::FirewallError;
use minirun_netns::NetnsError;
use minirun_netns::netfilter::commit_source_checks;
use minirun_netns::netfilter::nf_tables::{
    CommitError, Expectation, RulesConnection, Table, Transaction,
};
use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::process;
use std::rc::Rc;

/// A connection to nf_tables in the network namespace where it is first used. It stays open, since closing it after rules were
/// deleted, by anybody, waits for milliseconds. Whoever was forked after it was opened opens another: two processes would take
/// each other's answers.
#[derive(Clone, Default)]
pub struct LazyRules(Rc<RefCell<Option<Open>>>);

/// A connection, and the process that opened it.
struct Open {
    process: u32,
    connection: RulesConnection,
}

impl fmt::Debug for LazyRules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LazyRules")
    }
}

impl LazyRules {
    /// Closes the connection, if there is one; the next use opens another. For a process that is about to close whatever it
    /// has open.
    pub fn close(&self) {
        self.0.borrow_mut().take();
    }

    /// The generation of the rules now.
    pub(crate) fn generation(&self) -> Result<u32, FirewallError> {
        self.with(RulesConnection::generation)
    }

    /// Makes all changes or none; gives the generation of the rules afterwards.
    pub(super) fn commit(
        &self,
        transactions: &[Transaction],
        expectation: Expectation,
    ) -> Result<u32, FirewallError> {
        self.with(|connection| connection.commit(transactions, expectation))
    }

    /// Changes what keeps containers to their addresses; gives the generation of the rules afterwards.
    pub(crate) fn commit_checks(
        &self,
        transaction: &Transaction,
        expectation: Expectation,
    ) -> Result<u32, NetnsError> {
        self.connected(
            || NetnsError::NoSourceChecks,
            |connection| commit_source_checks(connection, transaction, expectation),
        )
    }

    /// The names of a table's chains; none if there is no such table.
    pub(super) fn chains(&self, table: Table) -> Result<Vec<String>, FirewallError> {
        self.with(|connection| connection.chains(table))
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut RulesConnection) -> Result<T, CommitError>,
    ) -> Result<T, FirewallError> {
        self.connected(
            || FirewallError::NoNfTables,
            |connection| {
                work(connection).map_err(|error| match error {
                    CommitError::Changed => FirewallError::Changed,
                    CommitError::Failed { ref cause }
                        if cause.raw_os_error() == Some(libc::EINVAL) =>
                    {
                        FirewallError::NoNfTables
                    }
                    error => FirewallError::Kernel(error),
                })
            },
        )
    }

    /// Works on this process's connection; `absent` is what it means that there is nobody to connect to.
    fn connected<T, E: From<NetnsError>>(
        &self,
        absent: impl FnOnce() -> E,
        work: impl FnOnce(&mut RulesConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut slot = self.0.borrow_mut();
        let process = process::id();
        let open = match slot.take() {
            Some(open) if open.process == process => open,
            inherited => {
                // A monitor has closed what it was not given, and another file may have the number since.
                mem::forget(inherited);
                Open {
                    process,
                    connection: RulesConnection::open()?.ok_or_else(absent)?,
                }
            }
        };
        work(&mut slot.insert(open).connection)
    }
}
