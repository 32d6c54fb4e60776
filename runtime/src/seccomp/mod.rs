//! Which system calls the programs of a container may make, and how the kernel is told.
//!
//! # Theory of operation
//!
//! 1. A [`policy::Policy`] is a list of rules by name. The default one ([`default_policy`]) is Docker's, a user's own comes from a
//!    [`profile`] in Docker's grammar. Both depend on the capabilities of the container.
//! 2. It is compiled to the kernel's classic BPF ([`compiler`]), for each way into the kernel that programs here have
//!    ([`architecture`]).
//! 3. The [`filter::Filter`] of the default policy for the default capabilities is part of this program ([`default_filter`]). Any
//!    other is compiled when a container is created, and saved beside its record (`container_filter`).
//! 4. The first process, and whatever is executed in the container, puts itself under it before its program runs.

pub mod action;
pub mod architecture;
mod backwards;
mod certainty;
pub mod circumstances;
pub mod compiler;
pub mod condition;
pub(crate) mod container_filter;
mod default_calls;
pub mod default_filter;
pub mod default_policy;
pub mod error;
pub mod filter;
pub mod instruction;
pub mod kernel_version;
pub mod multiplexed;
pub mod policy;
pub mod profile;
mod profile_document;
pub mod profile_error;
pub mod table;
#[cfg(test)]
mod tests;
