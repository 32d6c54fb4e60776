//! Host addresses in front of a port: IPv6 stands in brackets, so that its colons end where the port begins (RFC 3986).

use std::fmt;
use std::net::IpAddr;

/// Displays an IPv4 address as it is and an IPv6 address in brackets: `127.0.0.1`, `[::1]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracketed(pub IpAddr);

impl fmt::Display for Bracketed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(formatter),
            IpAddr::V6(address) => write!(formatter, "[{address}]"),
        }
    }
}

/// Reads an IPv4 or IPv6 address with or without brackets. One that carries an IPv4 address in IPv6 clothes
/// (`::ffff:127.0.0.1`) becomes the IPv4 address.
pub(crate) fn parse_bracketed(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address: IpAddr = bare.parse().ok()?;
    Some(address.to_canonical())
}

/// Whether two sockets cannot hold the same port at these addresses: they are of one family, and equal or one of them stands
/// for all. IPv6 sockets are taken to leave IPv4 alone (`IPV6_V6ONLY`).
pub(crate) fn overlap(first: IpAddr, second: IpAddr) -> bool {
    first.is_ipv4() == second.is_ipv4()
        && (first == second || first.is_unspecified() || second.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ipv6_is_shown_in_brackets_and_both_are_read_with_and_without() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("[127.0.0.1]", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[::]", "[::]"),
            ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ] {
            let address = parse_bracketed(text).unwrap();
            assert_eq!(Bracketed(address).to_string(), expected, "{text}");
        }
        for text in ["", "[", "[]", "[::1", "::1]", "[[::1]]", "fe80::1%eth0"] {
            assert_eq!(parse_bracketed(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_of_different_families_never_overlap() {
        for (first, second, expected) in [
            ("0.0.0.0", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("::", "::1", true),
            ("0.0.0.0", "::", false),
            ("127.0.0.1", "::", false),
        ] {
            let (first, second) = (first.parse().unwrap(), second.parse().unwrap());
            assert_eq!(overlap(first, second), expected, "{first} {second}");
            assert_eq!(overlap(second, first), expected, "{second} {first}");
        }
    }
}
