//! What the runtime knows, put into words: listings, `inspect` documents, ports, facts and explained steps.
//!
//! Everything here is a pure function from the runtime's values to text or JSON; nothing prints, reads a file or asks the
//! clock. Text that is not empty ends with a newline. JSON holds every value as it is; whatever else may come from outside
//! is sanitized, because it goes to a terminal.
//!
//! JSON objects list their keys in alphabetical order, as Docker's one-line formats do.

mod command_line;
pub mod containers;
pub mod disk_usage;
pub mod event;
pub mod explanation;
pub mod facts;
#[cfg(test)]
pub mod fixture;
pub mod health;
pub mod images;
pub mod inspect;
mod life;
pub mod list;
pub mod moment;
mod mounts;
pub mod network;
pub mod network_list;
mod network_options;
pub mod place;
pub mod ports;
pub mod pruned;
mod sized_row;
pub mod statistics;
pub mod top;
pub mod volume;
