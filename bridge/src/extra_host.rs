//! `--add-host`: a name that the user puts into a container's hosts file.

use std::fmt;
use std::net::IpAddr;
use std::slice;
use std::str::FromStr;

use crate::serde_as_string::serde_as_string;

/// What stands for the host as the container sees it.
const HOST_GATEWAY: &str = "host-gateway";

/// The longest name in characters that the domain name system can hold (RFC 1035), without the final dot.
const LONGEST_NAME: usize = 253;

/// A name in a hosts file: letters, digits, `_`, `.` and `-`, at most 253 of them, beginning with a letter, a digit or `_`. Unlike a
/// [`Hostname`](crate::name::Hostname) nobody is called by it, so the limit of `sethostname(2)` does not apply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtraHostName(String);

/// Where the name leads, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtraHostAddress {
    /// The host, at whatever addresses the container's network has for it.
    HostGateway,
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
}

/// One `--add-host` as it was typed: `name:address`, `name=address` or `name:host-gateway`, an IPv6 address with or without brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtraHostRequest {
    /// The name to be looked up.
    pub name: ExtraHostName,
    /// Where it leads.
    pub address: ExtraHostAddress,
}

/// One `--add-host` with its address known. Saved and displayed as `name=address`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtraHost {
    /// The name to be looked up.
    pub name: ExtraHostName,
    /// The IPv4 or IPv6 address it leads to.
    pub address: IpAddr,
}

/// Why an `--add-host` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtraHostError {
    /// Neither `:` nor `=` separates a name from an address.
    #[error("invalid extra host `{text}`: no address; write NAME:ADDRESS, such as `db:10.0.0.5`")]
    NoAddress {
        /// What was given.
        text: String,
    },
    /// The name is empty, too long or has a character that a hosts file cannot hold.
    #[error(
        "invalid extra host `{text}`: `{name}` is not a name; use letters, digits, `_`, `.` and `-`, such as `db:10.0.0.5`"
    )]
    Name {
        /// What was given.
        text: String,
        /// The part before the separator.
        name: String,
    },
    /// The address is neither IPv4 nor IPv6.
    #[error(
        "invalid extra host `{text}`: `{address}` is not an address; write an IPv4 or IPv6 address or `{HOST_GATEWAY}`"
    )]
    Address {
        /// What was given.
        text: String,
        /// The part behind the separator.
        address: String,
    },
}

impl ExtraHostRequest {
    /// The lines this becomes on a network where the host is reached at `host_gateways`: one for each of them in their order
    /// if it asks for the host, else the one for its address.
    pub fn resolve(&self, host_gateways: &[IpAddr]) -> Vec<ExtraHost> {
        let addresses = match &self.address {
            ExtraHostAddress::HostGateway => host_gateways,
            ExtraHostAddress::Address(address) => slice::from_ref(address),
        };
        addresses
            .iter()
            .map(|address| ExtraHost {
                name: self.name.clone(),
                address: *address,
            })
            .collect()
    }
}

impl ExtraHostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExtraHostRequest {
    type Err = ExtraHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = split(text)?;
        let address = match address {
            HOST_GATEWAY => ExtraHostAddress::HostGateway,
            _ => ExtraHostAddress::Address(parse_address(text, address)?),
        };
        let name = parse_name(text, name)?;
        Ok(Self { name, address })
    }
}

impl FromStr for ExtraHost {
    type Err = ExtraHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = split(text)?;
        Ok(Self {
            name: parse_name(text, name)?,
            address: parse_address(text, address)?,
        })
    }
}

impl fmt::Display for ExtraHostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for ExtraHostAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostGateway => formatter.write_str(HOST_GATEWAY),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}

impl fmt::Display for ExtraHostRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.address)
    }
}

impl fmt::Display for ExtraHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.address)
    }
}

serde_as_string!(ExtraHostRequest, ExtraHost);

/// A `=` separates wherever it stands, else the first `:` does; the rest may then be an IPv6 address.
fn split(text: &str) -> Result<(&str, &str), ExtraHostError> {
    text.split_once('=')
        .or_else(|| text.split_once(':'))
        .ok_or_else(|| ExtraHostError::NoAddress {
            text: text.to_owned(),
        })
}

fn parse_name(text: &str, name: &str) -> Result<ExtraHostName, ExtraHostError> {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-');
    if begins_well && name.len() <= LONGEST_NAME && name.chars().all(is_allowed) {
        Ok(ExtraHostName(name.to_owned()))
    } else {
        Err(ExtraHostError::Name {
            text: text.to_owned(),
            name: name.to_owned(),
        })
    }
}

fn parse_address(text: &str, address: &str) -> Result<IpAddr, ExtraHostError> {
    let bracketed = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let parsed = match bracketed {
        Some(inside) => inside.parse().map(IpAddr::V6),
        None => address.parse(),
    };
    parsed.map_err(|_| ExtraHostError::Address {
        text: text.to_owned(),
        address: address.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> String {
        match text.parse::<ExtraHostRequest>() {
            Ok(request) => request.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_form_docker_takes_is_understood() {
        for (text, expected) in [
            ("db:10.0.0.5", "db=10.0.0.5"),
            ("db=10.0.0.5", "db=10.0.0.5"),
            ("db.example.org:::1", "db.example.org=::1"),
            ("db:[2001:db8::1]", "db=2001:db8::1"),
            ("db=[2001:db8::1]", "db=2001:db8::1"),
            ("db=2001:db8::1", "db=2001:db8::1"),
            ("_host:host-gateway", "_host=host-gateway"),
            ("host=host-gateway", "host=host-gateway"),
        ] {
            assert_eq!(request(text), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_an_example() {
        for (text, expected) in [
            (
                "db",
                "invalid extra host `db`: no address; write NAME:ADDRESS, such as `db:10.0.0.5`",
            ),
            (
                ":10.0.0.5",
                "invalid extra host `:10.0.0.5`: `` is not a name; use letters, digits, `_`, `.` and `-`, such as `db:10.0.0.5`",
            ),
            (
                "d b:10.0.0.5",
                "invalid extra host `d b:10.0.0.5`: `d b` is not a name; use letters, digits, `_`, `.` and `-`, such as `db:10.0.0.5`",
            ),
            (
                "db:10.0.0",
                "invalid extra host `db:10.0.0`: `10.0.0` is not an address; write an IPv4 or IPv6 address or `host-gateway`",
            ),
            (
                "db:[10.0.0.5]",
                "invalid extra host `db:[10.0.0.5]`: `[10.0.0.5]` is not an address; write an IPv4 or IPv6 address or `host-gateway`",
            ),
        ] {
            assert_eq!(request(text), expected);
        }
    }

    #[test]
    fn a_name_cannot_smuggle_a_line_into_the_hosts_file() {
        assert!(
            "a\n1.2.3.4\tbank:10.0.0.5"
                .parse::<ExtraHostRequest>()
                .is_err()
        );
        assert!("a#:10.0.0.5".parse::<ExtraHostRequest>().is_err());
    }

    #[test]
    fn the_host_gateway_becomes_every_address_that_the_network_has_for_the_host() {
        let gateways = ["172.17.0.1", "fd00:17::1"].map(|address| address.parse().unwrap());
        let resolved = |text: &str, gateways: &[IpAddr]| -> Vec<String> {
            let request: ExtraHostRequest = text.parse().unwrap();
            let hosts = request.resolve(gateways);
            hosts.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            resolved("host:host-gateway", &gateways),
            ["host=172.17.0.1", "host=fd00:17::1"]
        );
        assert_eq!(
            resolved("host:host-gateway", &gateways[..1]),
            ["host=172.17.0.1"]
        );
        assert!(resolved("host:host-gateway", &[]).is_empty());
        assert_eq!(resolved("db:10.0.0.5", &gateways), ["db=10.0.0.5"]);
    }

    #[test]
    fn a_request_is_saved_as_a_string() {
        let request: ExtraHostRequest = "db:[::1]".parse().unwrap();
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(json, "\"db=::1\"");
        assert_eq!(
            serde_json::from_str::<ExtraHostRequest>(&json).unwrap(),
            request
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<ExtraHostRequest>();
        }

        #[test]
        fn what_is_displayed_is_understood_again(name in "[a-z0-9_][a-z0-9_.-]{0,20}", address: IpAddr) {
            let host: ExtraHost = format!("{name}:{address}").parse().unwrap();
            prop_assert_eq!(host.address, address);
            prop_assert_eq!(host.to_string().parse::<ExtraHost>().unwrap(), host);
        }
    }
}
