//! Committing transactions.

use netlink_packet_netfilter::NetfilterMessage;

use super::messages;
use super::set::Element;
use super::transaction::{Change, Expectation, Transaction};
use crate::error::NetnsError;
use crate::netfilter::generation;
use crate::netfilter::socket::{NetfilterSocket, TransactionError};
use crate::request_error::RequestError;

/// How often a transaction is tried that expects nothing, while others change rules at the same time.
const TRIES: usize = 64;

/// A connection to nf_tables of the network namespace it was opened in, whatever namespace its user is in later.
///
/// Who has deleted something keeps it open as long as possible, and lets a process end with it where it can: closing it waits
/// until no packet uses what was deleted, by anybody, which takes milliseconds.
pub struct RulesConnection {
    socket: NetfilterSocket,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The rules are of another generation than expected.
    #[error("somebody else has changed the rules in the meantime")]
    Changed,
    /// An element's key is taken, or a part of its interval.
    #[error("{} is in the way of another element", element.text())]
    Exists {
        /// The element that was refused.
        element: Box<Element>,
    },
    /// What a change is about, or needs, does not exist.
    #[error("`{change}` finds nothing to change")]
    Missing {
        /// The change, as a command.
        change: String,
    },
    /// The kernel refused a change.
    #[error("the kernel does not accept `{change}`: {cause}")]
    Refused {
        /// The change, as a command.
        change: String,
        /// What the kernel says.
        cause: RequestError,
    },
    /// The kernel refused the whole, or did not answer.
    #[error("the kernel does not change its rules: {cause}")]
    Failed {
        /// What the kernel says.
        cause: RequestError,
    },
}

impl CommitError {
    /// The kernel's error number, where it gave one.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            CommitError::Changed => Some(libc::ERESTART),
            CommitError::Exists { .. } => Some(libc::EEXIST),
            CommitError::Missing { .. } => Some(libc::ENOENT),
            CommitError::Refused { cause, .. } | CommitError::Failed { cause } => {
                cause.raw_os_error()
            }
        }
    }
}

impl RulesConnection {
    /// Connects in the network namespace of the calling thread; `None` when the kernel has no packet filter to talk to. That it
    /// has one without nf_tables shows at the first question.
    ///
    /// # Errors
    ///
    /// [`NetnsError::OpenNetfilter`] when the kernel refuses the socket.
    pub fn open() -> Result<Option<RulesConnection>, NetnsError> {
        let socket = NetfilterSocket::open()?;
        Ok(socket.map(|socket| RulesConnection { socket }))
    }

    /// The generation of the rules now.
    ///
    /// # Errors
    ///
    /// [`CommitError::Failed`] without nf_tables (`EINVAL`), or without `CAP_NET_ADMIN` over the namespace (`EPERM`).
    pub fn generation(&mut self) -> Result<u32, CommitError> {
        generation::ask(&mut self.socket).map_err(|cause| CommitError::Failed { cause })
    }

    /// Reads a list.
    pub(super) fn dump(
        &mut self,
        question: NetfilterMessage,
    ) -> Result<Vec<NetfilterMessage>, CommitError> {
        let replies = self.socket.dump(question);
        replies.map_err(|cause| CommitError::Failed { cause })
    }

    /// Makes all changes of all transactions, together, or none. Gives the generation of the rules afterwards: if they are of
    /// that one later, nobody has changed anything since.
    ///
    /// # Errors
    ///
    /// As told at each; nothing is changed then.
    pub fn commit(
        &mut self,
        transactions: &[Transaction],
        expectation: Expectation,
    ) -> Result<u32, CommitError> {
        if let Expectation::Generation(generation) = expectation {
            return self.commit_on(transactions, generation);
        }
        let mut outcome = Err(CommitError::Changed);
        for _ in 0..TRIES {
            let generation = self.generation()?;
            outcome = self.commit_on(transactions, generation);
            if outcome != Err(CommitError::Changed) {
                break;
            }
        }
        outcome
    }

    fn commit_on(
        &mut self,
        transactions: &[Transaction],
        generation: u32,
    ) -> Result<u32, CommitError> {
        let messages = messages_of(transactions);
        if messages.is_empty() {
            return Ok(generation);
        }
        self.socket
            .transaction(messages, Some(generation))
            .map_err(|error| refusal(error, transactions))?;
        if all_changes(transactions).any(|(_, change)| change.surely_changes()) {
            Ok(successor(generation))
        } else {
            // What was there already changed nothing, and nothing is no generation.
            self.generation()
        }
    }
}

/// The messages of all transactions, one for each change.
fn messages_of(transactions: &[Transaction]) -> Vec<(NetfilterMessage, u16)> {
    let mut messages = Vec::new();
    for transaction in transactions {
        // A datagram has less than 2^32 messages.
        let first_set = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        messages.extend(messages::of(transaction, first_set.saturating_add(1)));
    }
    messages
}

fn all_changes(transactions: &[Transaction]) -> impl Iterator<Item = (&Transaction, &Change)> {
    transactions.iter().flat_map(|transaction| {
        let changes = transaction.changes.iter();
        changes.map(move |change| (transaction, change))
    })
}

fn refusal(error: TransactionError, transactions: &[Transaction]) -> CommitError {
    let (index, cause) = match error {
        TransactionError::Whole(cause) if cause.raw_os_error() == Some(libc::ERESTART) => {
            return CommitError::Changed;
        }
        TransactionError::Whole(cause) => return CommitError::Failed { cause },
        TransactionError::Message { index, cause } => (index, cause),
    };
    let Some((transaction, change)) = all_changes(transactions).nth(index) else {
        return CommitError::Failed { cause };
    };
    match (change, cause.raw_os_error()) {
        // Where intervals overlap only in part, the kernel says that there is something between them.
        (Change::AddElement(element), Some(libc::EEXIST | libc::ENOTEMPTY)) => {
            CommitError::Exists {
                element: Box::new(element.clone()),
            }
        }
        (_, Some(libc::ENOENT)) => CommitError::Missing {
            change: change.command(transaction.table),
        },
        _ => CommitError::Refused {
            change: change.command(transaction.table),
            cause,
        },
    }
}

impl Change {
    /// Whether the rules are of another generation afterwards in any case.
    fn surely_changes(&self) -> bool {
        match self {
            Change::CreateTable
            | Change::DeleteTable
            | Change::DeleteChain(_)
            | Change::AddRule(_)
            | Change::DeleteRule { .. }
            | Change::AddElement(_)
            | Change::DeleteElement(_) => true,
            Change::AddTable
            | Change::AddChain(_)
            | Change::FlushChain(_)
            | Change::AddSet(_)
            | Change::FlushSet(_) => false,
        }
    }
}

/// `nf_tables_commit` counts on, and leaves out zero.
fn successor(generation: u32) -> u32 {
    generation.wrapping_add(1).max(1)
}
