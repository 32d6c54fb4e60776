//! What can go wrong when rules are changed.

use crate::publication::Publication;
use minirun_netns::NetnsError;
use minirun_netns::netfilter::nf_tables::CommitError;
use std::net::IpAddr;
use thiserror::Error;

/// What can go wrong when rules are changed.
#[derive(Debug, Error)]
pub enum FirewallError {
    /// The kernel has no nf_tables.
    #[error("the kernel has no nf_tables, which the firewall driver `nftables` speaks to")]
    NoNfTables,
    /// A program of iptables is not installed.
    #[error("cannot find `{program}`, which publishes ports and enforces links")]
    ProgramMissing {
        /// The program.
        program: &'static str,
    },
    /// The program could not be started.
    #[error("cannot run `{program}`: {error}")]
    Spawn {
        /// The program.
        program: &'static str,
        /// The kernel's answer.
        error: std::io::Error,
    },
    /// The program refused the transaction.
    #[error("`{program}` refused the rules: {message}")]
    Refused {
        /// The program.
        program: &'static str,
        /// What it said, with the line of the transaction that it said it about.
        message: String,
    },
    /// The chains could not be read.
    #[error("cannot read the rules of the host with `iptables`: {message}")]
    Read {
        /// What it said.
        message: String,
    },
    /// Somebody has changed rules since they were known.
    #[error("others change the rules of the host all the time")]
    Changed,
    /// The kernel refused the transaction.
    #[error("cannot change the rules of nf_tables: {0}")]
    Kernel(CommitError),
    /// Two endpoints claim one port of the host.
    #[error(
        "two containers claim one port of the host: {publication} leads to {first} and to {second}"
    )]
    ClaimedTwice {
        /// The port, as the second one has it.
        publication: Publication,
        /// Whose it is already.
        first: IpAddr,
        /// Who claims it, too.
        second: IpAddr,
    },
    /// No connection to the packet filter could be had.
    #[error(transparent)]
    Netns(#[from] NetnsError),
}

impl FirewallError {
    /// Whether it may be that rules are not what they should be, which making all of them afresh puts right.
    pub(crate) fn is_about_rules(&self) -> bool {
        matches!(
            self,
            FirewallError::Refused { .. } | FirewallError::Changed | FirewallError::Kernel(_)
        )
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            FirewallError::ProgramMissing { .. } => Some(
                "install the Debian package `iptables`; `firewall = \"nftables\"` in minirun.toml does without it, \
                 except where `iptables-legacy` has made rules since the boot, and so does `firewall = \"none\"`, \
                 without rules"
                    .into(),
            ),
            FirewallError::NoNfTables => Some(
                "load the module with `modprobe nf_tables`, or set `firewall = \"iptables\"` in minirun.toml"
                    .into(),
            ),
            FirewallError::ClaimedTwice { .. } => Some(
                "remove one of the containers: `minirun ps` shows which ports they publish".into(),
            ),
            FirewallError::Netns(error) => error.hint(),
            _ => None,
        }
    }
}
