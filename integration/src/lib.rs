//! The test side of minirun: a whole host inside a namespace, and what the scenarios, the demonstration and the benchmark need on it.
//!
//! A [`TestHost`] is made of a fresh network and mount namespace, a control group of its own and a neighbour on its LAN. Programs
//! started on it ([`TestHost::minirun`], [`TestHost::command`]) come back as [`Finished`], which is asserted on like a story;
//! closures are run in any of its network namespaces ([`Place::inside`]) and look around with [`probe`].
//!
//! Invariant: nothing here touches the machine's own network, mounts or files, and a host that is dropped leaves no process behind.

pub mod benchmark;
mod binary;
mod busybox;
mod cgroup;
pub mod console;
mod container;
mod controllers;
mod debian;
mod diagnosis;
mod dns_upstream;
mod docker_engine;
mod driver;
mod events;
mod filesystem;
mod finished;
pub mod floor;
mod floor_network;
mod guard;
pub mod health;
mod host;
mod host_files;
mod leftover_elements;
mod leftovers;
mod link_news;
mod mounted;
mod namespaces;
mod network;
mod place;
pub mod probe;
mod process;
mod program;
pub mod projector;
mod reach_matrix;
mod reboot;
mod resolving;
mod rules;
mod running;
pub mod runs;
pub mod statistics;
mod terminal;
mod uplink;
mod verdict;
mod words;

pub use container::Container;
pub use controllers::ControlGroups;
pub use dns_upstream::{DnsUpstream, SeenQuery, Zone};
pub use docker_engine::DockerEngine;
pub use driver::Driver;
pub use finished::Finished;
pub use host::TestHost;
pub use mounted::Mounted;
pub use namespaces::Namespaces;
pub use network::Network;
pub use place::Place;
pub use process::Process;
pub use program::Program;
pub use rules::Rules;
pub use running::Running;
pub use terminal::{Terminal, WINDOW};
pub use uplink::{HOST_ADDRESS, HOST_ADDRESS_V6, NEIGHBOUR_ADDRESS, NEIGHBOUR_ADDRESS_V6};
pub use words::Words;
