//! The DNS server of one container.
//!
//! # Theory of operation
//!
//! 1. The caller binds [`Listeners`] inside the container's network namespace and has port 53 of 127.0.0.11 led to them.
//!    The sockets keep their namespace, so the server itself runs wherever the caller does.
//! 2. The caller waits with its own `poll(2)` for what [`Server::wanted`] lists, at most until [`Server::deadline`], and
//!    then calls [`Server::go_on`]. Nothing in here waits, starts a thread or keeps more than a few words while idle.
//! 3. `message` and `query` read what a client sent, `answer` decides: names that [`Names`] knows are answered and never
//!    told to anybody else, not even when there is no record of the type asked for; everything else is for others.
//! 4. An `exchange` takes such a query to the servers of `upstream`, one after the other, each time by a `channel` with a
//!    port and an id of its own, and checks what comes back before it is passed on.
//! 5. `connection` does the same for TCP clients. Whatever a client can pile up has a limit: connections, bytes of a
//!    message, queries under way, time.
//!
//! Everybody who can send to the server is inside the container, and nothing that is sent may end or hold up the process
//! that serves: a message that makes no sense gets a short complaint, a response gets none at all.

mod answer;
#[cfg(test)]
mod answer_tests;
mod channel;
mod connection;
#[cfg(test)]
mod connection_tests;
mod error;
mod exchange;
mod frame;
mod host_resolver;
mod listeners;
mod message;
mod names;
mod query;
mod reply;
mod resolver;
mod reverse;
mod server;
#[cfg(test)]
mod server_tests;
mod state_names;
#[cfg(test)]
mod test_client;
mod upstream;

pub use error::DnsError;
pub use host_resolver::HostResolver;
pub use listeners::{ADDRESS, Listeners, PORT};
pub use names::{Names, Pointer};
pub use server::Server;
pub use state_names::StateNames;
pub use upstream::Forwarding;
