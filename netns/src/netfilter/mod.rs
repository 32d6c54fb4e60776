//! What minirun asks of the kernel's packet filter and connection tracking beside its `iptables` rules, without a program.
//!
//! A few things, each of which would cost a process of several milliseconds otherwise, and needs a program in the namespace's
//! reach: to see whether somebody changed the rules ([`ruleset_generation`]), to lead a port of a container elsewhere
//! ([`PortRedirect`]), to see what others do with forwarded packets ([`forward_tables`]) and to be let through there
//! ([`Passage`]), to keep whoever is behind a port of a bridge to its own addresses ([`SourceCheck`]), and to forget tracked
//! flows that are older than a published port ([`forget_flows`]) or than a rule ([`forget_flows_from`]).
//!
//! Each opens a socket in the network namespace of the calling thread, sends messages of the crate
//! `netlink-packet-netfilter`, waits for the kernel's verdict on each, and closes the socket again; except
//! [`nf_tables::RulesConnection`], which stays open, because closing one after something was deleted takes milliseconds.

mod flow;
mod flow_messages;
#[cfg(test)]
mod flow_tests;
mod forward_filter;
mod forward_filter_messages;
#[cfg(test)]
mod forward_filter_tests;
mod generation;
pub mod nf_tables;
mod outgoing_flow;
mod passage;
mod passage_messages;
#[cfg(test)]
mod passage_tests;
mod port_redirect;
#[cfg(test)]
mod port_redirect_tests;
mod socket;
mod source_check;
#[cfg(test)]
mod source_check_tests;

pub use flow::{ForgetFlows, UdpPort, forget_flows};
pub use forward_filter::{
    Effect, FilterChain, FilterFamily, FilterRule, FilterTable, Scope, forward_tables,
    tables_called,
};
pub use generation::ruleset_generation;
pub use outgoing_flow::{OutgoingFlow, forget_flows_from};
pub use passage::{Entrance, PASSAGE_CHAIN, Passage, Place, Present, Way};
pub use port_redirect::{PortRedirect, REDIRECT_TABLE};
pub use source_check::{
    SOURCE_CHECK_TABLE, SourceCheck, add_sources, commit_source_checks, remove_source_checks,
    remove_sources, replace_source_checks,
};
