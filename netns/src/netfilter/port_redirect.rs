//! Leading one port of one local address to another, for UDP and TCP, without connection tracking.

use std::fmt;
use std::net::Ipv4Addr;

use super::nf_tables::{
    BaseChain, Chain, ChainKind, Change, CommitError, Expectation, Hook, Operator, Policy, Rule,
    RulesConnection, Selector, Side, Statement, Table, TableFamily, Transaction, Transport, Value,
};
use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};

/// The name of the table, of the family `ip`, that holds the rules of a [`PortRedirect`].
pub const REDIRECT_TABLE: &str = "minirun";
/// The name of its chain.
const CHAIN: &str = "output";
/// The table.
const TABLE: Table = Table {
    family: TableFamily::Ipv4,
    name: REDIRECT_TABLE,
};
/// `NF_IP_PRI_RAW` of `linux/netfilter_ipv4.h`: before connection tracking, if there should be any.
const PRIORITY_RAW: i32 = -300;

/// Leads what a network namespace itself sends to a port of a local address to another port of the same address, UDP and TCP,
/// and makes the answers come from the port that was asked. Each packet is rewritten by itself: no connection is tracked, so
/// the namespace needs no memory for it and no table can overflow. Other addresses keep their port `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRedirect {
    /// The address, one that the namespace delivers to itself.
    pub address: Ipv4Addr,
    /// The port that programs use.
    pub from: u16,
    /// The port on which somebody listens.
    pub to: u16,
}

impl PortRedirect {
    /// Installs it in the network namespace of the calling thread, whole or not at all. A redirect that was installed before is
    /// replaced in one transaction, and so is everything else in [`REDIRECT_TABLE`].
    ///
    /// # Errors
    ///
    /// [`NetnsError::NoNfTables`] when the kernel has no nf_tables for IPv4; fails otherwise without `CAP_NET_ADMIN` over the
    /// namespace or when the kernel refuses a rule.
    pub fn install(&self) -> Result<(), NetnsError> {
        let redirect = *self;
        let Some(mut connection) = RulesConnection::open()? else {
            return Err(NetnsError::NoNfTables { redirect });
        };
        // Forgetting a table keeps the kernel waiting for milliseconds until no packet uses it; making one does not. So only
        // a table that is there is replaced.
        let mut outcome = connection.commit(&[self.creation()], Expectation::Anything);
        if raw_os_error(&outcome) == Some(libc::EEXIST) {
            outcome = connection.commit(&[self.replacement()], Expectation::Anything);
        }
        outcome.map(drop).map_err(|cause| match cause {
            CommitError::Failed { .. } if cause.raw_os_error() == Some(libc::EINVAL) => {
                NetnsError::NoNfTables { redirect }
            }
            _ => match cause.raw_os_error() {
                Some(libc::EOPNOTSUPP | libc::EAFNOSUPPORT) => NetnsError::NoNfTables { redirect },
                _ => NetnsError::RedirectPort { redirect, cause },
            },
        })
    }

    /// What makes it; refused with `EEXIST` if there is such a table.
    fn creation(&self) -> Transaction {
        let mut changes = vec![Change::CreateTable];
        changes.extend(self.content());
        Transaction {
            table: TABLE,
            changes,
        }
    }

    /// What makes it anew. The table is made first so that deleting it cannot fail.
    fn replacement(&self) -> Transaction {
        let mut changes = vec![Change::AddTable, Change::DeleteTable, Change::AddTable];
        changes.extend(self.content());
        Transaction {
            table: TABLE,
            changes,
        }
    }

    fn content(&self) -> Vec<Change> {
        let chain = Chain {
            name: CHAIN.into(),
            base: Some(BaseChain {
                kind: ChainKind::Filter,
                hook: Hook::Output,
                priority: PRIORITY_RAW,
                policy: Policy::Accept,
            }),
        };
        let rules = [
            self.request(Transport::Udp),
            self.request(Transport::Tcp),
            self.answer(Transport::Udp),
            self.answer(Transport::Tcp),
        ];
        let mut changes = vec![Change::AddChain(chain)];
        changes.extend(rules.map(|statements| {
            Change::AddRule(Rule {
                chain: CHAIN.into(),
                statements,
            })
        }));
        changes
    }

    /// Rewrites what goes to the port that programs use.
    fn request(&self, transport: Transport) -> Vec<Statement> {
        vec![
            is(Selector::Ipv4Destination, Value::Ipv4(self.address)),
            is(Selector::Protocol, Value::Protocol(transport.number())),
            is(Selector::DestinationPort, Value::Port(self.from)),
            Statement::WritePort(transport, Side::Destination, self.to),
        ]
    }

    /// Rewrites what comes from the port on which somebody listens.
    fn answer(&self, transport: Transport) -> Vec<Statement> {
        vec![
            is(Selector::Ipv4Source, Value::Ipv4(self.address)),
            is(Selector::Protocol, Value::Protocol(transport.number())),
            is(Selector::SourcePort, Value::Port(self.to)),
            Statement::WritePort(transport, Side::Source, self.from),
        ]
    }
}

fn is(selector: Selector, value: Value) -> Statement {
    Statement::Compare(selector, Operator::Equal, value)
}

fn raw_os_error(outcome: &Result<u32, CommitError>) -> Option<i32> {
    outcome.as_ref().err().and_then(CommitError::raw_os_error)
}

impl fmt::Display for PortRedirect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PortRedirect { address, from, to } = self;
        write!(formatter, "port {from} of {address} to port {to}")
    }
}

impl Explain for PortRedirect {
    fn explain(&self) -> Explanation {
        Explanation {
            sentence: format!("lead {self}, for UDP and TCP, without tracking connections"),
            command: self.replacement().commands().join("\n"),
        }
    }
}
