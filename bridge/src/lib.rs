//! Networks: who is on them, who may talk to whom, and what it takes to make that so on a Linux host.
//!
//! A [`network::Network`] is a definition; an [`endpoint::Endpoint`] is a running container's place on it. [`attach`] and
//! `detach` bring a container's network namespace onto a network and off it, [`update`] changes a network while containers
//! run on it, [`reload`] makes the host's rules what the state says.
//!
//! Data flows one way: a request is resolved against the state (leases, host ports, peers), a pure function turns the result
//! into [`step`]s, [`plan`] applies them in order and takes them back if one fails. Who may open a connection to whom is
//! computed by [`policy`]; a [`firewall`] driver renders it.
//!
//! Invariant: this crate never reads a command line and never starts a process inside a container. Whatever exists on the
//! host because of an endpoint follows from the records in the state directory, so any command can take it down or make it
//! again.

pub mod addressing;
pub mod amend;
pub mod atomic_file;
pub mod attach;
pub mod bracketed;
mod claim;
pub mod closed_port;
mod completion;
mod creation;
mod definition;
mod departed;
pub mod detach;
mod detachment;
mod device;
mod directory;
pub mod dns;
pub mod egress;
pub mod endpoint;
pub mod environment;
pub mod error;
pub mod extra_host;
pub mod family;
pub mod firewall;
pub mod gateway;
pub mod held_directory;
pub mod host_ports;
pub mod hosts;
mod hosts_refresh;
pub mod id;
mod lazy_netlink;
pub mod lease;
pub mod link;
pub mod link_environment;
pub mod name;
pub mod network;
pub mod network_options;
pub mod network_request;
pub mod plan;
pub mod policy;
pub mod pool;
pub mod port;
pub mod publication;
pub mod publish;
mod random;
pub mod reachability;
mod registry;
pub mod reload;
pub mod reservation;
pub mod resolv;
mod resolve;
mod restriction;
mod room;
mod rule_maker;
pub mod segment;
mod segment_devices;
pub mod serde_as_string;
pub mod settings;
pub mod small_file;
mod source_check;
pub mod state;
pub mod step;
#[cfg(test)]
mod test_support;
pub mod update;
