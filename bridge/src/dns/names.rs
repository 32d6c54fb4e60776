//! What a server knows by itself.

use std::net::IpAddr;

/// What the networks of one container know. Names come folded to lower case and without the final dot.
///
/// It is asked anew for every query, so whatever changes is seen by the next one.
pub trait Names {
    /// Every address of whoever has this name, of both families; none when nobody here has it, and an empty list when
    /// somebody has it who has no address.
    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>>;

    /// Whose address this is.
    fn pointer(&self, address: IpAddr) -> Pointer;
}

/// Whose an address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pointer {
    /// Somebody's on these networks, by the full name without the final dot.
    Known(String),
    /// Nobody's here; others may know.
    Unknown,
}
