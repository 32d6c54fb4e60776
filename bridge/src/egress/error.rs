//! What is wrong with words of `--egress` and `--egress-deny`.

use crate::port::PortError;
use ipnet::IpNet;

/// A word that says no destination, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Something that is neither an address nor a word.
    #[error(
        "`{0}` is no destination; write an address such as `192.0.2.1`, `192.0.2.0/24:443/tcp` or `[2001:db8::/32]:443`"
    )]
    NotADestination(String),
    /// Something that is no network.
    #[error("`{0}` is no network; write `private`, or a network such as `198.51.100.0/24`")]
    NotANetwork(String),
    /// A network whose address has bits beyond the prefix.
    #[error("`{text}` is an address within a network; write `{network}` for the network")]
    HostBits {
        /// What was given.
        text: String,
        /// The network that it is in.
        network: IpNet,
    },
    /// An IPv4 address in the form of IPv6.
    #[error("`{0}` is an IPv4 address in the form of IPv6; write the IPv4 address")]
    Mapped(String),
    /// A port or protocol that is none.
    #[error("in `{text}`: {problem}")]
    Port {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: PortError,
    },
    /// A protocol where no port is named.
    #[error("`{0}` names a protocol without a port; write the port before it, such as `:443/tcp`")]
    ProtocolAlone(String),
    /// A word that has to stand alone.
    #[error("`{0}` stands alone, and cannot be combined with others")]
    NotAlone(String),
    /// Nothing between two commas.
    #[error("an entry of the list is empty; write `none` for an empty list")]
    Empty,
}
