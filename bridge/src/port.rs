//! Port numbers, protocols, and the ports a container exposes.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::serde_as_string::serde_as_string;

/// A transport protocol whose ports can be exposed and published.
///
/// The order is Docker's when it sorts ports: tcp first, the others by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `tcp`
    Tcp,
    /// `sctp`
    Sctp,
    /// `udp`
    Udp,
}

/// A port number, 1 to 65535. Saved as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Port(NonZeroU16);

/// A port that a program in a container listens on; displayed and saved as `80/tcp`.
///
/// The order is Docker's: tcp before the others, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExposedPort {
    /// The protocol; it stands first because it decides the order.
    pub protocol: Protocol,
    /// The port inside the container.
    pub port: Port,
}

/// What is wrong with a port, a range of ports or a protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Something other than decimal digits.
    #[error("`{0}` is not a port number; write a number from 1 to 65535")]
    NotANumber(String),
    /// Zero, or more than 65535.
    #[error("`{0}` is out of range; ports go from 1 to 65535")]
    OutOfRange(String),
    /// A range whose second port is lower than its first.
    #[error("the range `{0}` runs backwards; write the lower port first, such as `8000-8010`")]
    Backwards(String),
    /// A protocol nobody here knows.
    #[error("unknown protocol `{0}`; write `tcp`, `udp` or `sctp`")]
    Protocol(String),
    /// A `:` where only container ports are named.
    #[error("`:` is for publishing; write the container's port alone, such as `80` or `80/udp`")]
    Colon,
    /// A range where a single port is wanted.
    #[error("`{0}` is a range; write one port, such as `80/tcp`")]
    Range(String),
}

/// A text that does not say which ports to expose, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid exposed port `{text}`: {problem}")]
pub struct ExposeError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: PortError,
}

/// Reads `--expose` and `EXPOSE`: `80`, `80/udp`, `3000-3003`, `3000-3003/sctp`; tcp when no protocol is given.
pub fn parse_expose(text: &str) -> Result<Vec<ExposedPort>, ExposeError> {
    let refuse = |problem| ExposeError {
        text: text.to_owned(),
        problem,
    };
    if text.contains(':') {
        return Err(refuse(PortError::Colon));
    }
    let (ports, protocol) = split_protocol(text).map_err(refuse)?;
    let range: PortRange = ports.parse().map_err(refuse)?;
    Ok(range
        .ports()
        .map(|port| ExposedPort { port, protocol })
        .collect())
}

impl Protocol {
    /// The lower-case name, as in `80/tcp` and `iptables -p tcp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Sctp => "sctp",
            Self::Udp => "udp",
        }
    }

    /// The number that stands for the protocol in an IP header (IANA protocol numbers).
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Sctp => 132,
            Self::Udp => 17,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        [Self::Tcp, Self::Sctp, Self::Udp]
            .into_iter()
            .find(|protocol| text.eq_ignore_ascii_case(protocol.as_str()))
            .ok_or_else(|| PortError::Protocol(text.to_owned()))
    }
}

impl Port {
    /// The port with this number; none for 0.
    pub fn new(number: u16) -> Option<Self> {
        NonZeroU16::new(number).map(Self)
    }

    /// The number, 1 to 65535.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl FromStr for Port {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PortError::NotANumber(text.to_owned()));
        }
        // Only digits are left, so what fails now is zero or too large.
        text.parse()
            .map(Self)
            .map_err(|_| PortError::OutOfRange(text.to_owned()))
    }
}

impl fmt::Display for ExposedPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.port, self.protocol)
    }
}

impl FromStr for ExposedPort {
    type Err = ExposeError;

    fn from_str(text: &str) -> Result<Self, ExposeError> {
        match parse_expose(text)?.as_slice() {
            [port] => Ok(*port),
            _ => Err(ExposeError {
                text: text.to_owned(),
                problem: PortError::Range(text.to_owned()),
            }),
        }
    }
}

serde_as_string!(Protocol, ExposedPort);

/// Ports from `first` to `last`, both included; a single port is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortRange {
    pub(crate) first: Port,
    pub(crate) last: Port,
}

impl PortRange {
    /// Every port there is.
    pub(crate) const WHOLE: Self = Self {
        first: Port(NonZeroU16::MIN),
        last: Port(NonZeroU16::MAX),
    };

    /// How many ports there are, at least one.
    pub(crate) fn count(self) -> u32 {
        u32::from(self.last.get() - self.first.get()) + 1
    }

    /// The ports in ascending order.
    pub(crate) fn ports(self) -> impl Iterator<Item = Port> + Clone {
        (self.first.get()..=self.last.get()).filter_map(Port::new)
    }
}

impl FromStr for PortRange {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (first.parse()?, last.parse()?),
            None => {
                let only = text.parse()?;
                (only, only)
            }
        };
        if last < first {
            return Err(PortError::Backwards(text.to_owned()));
        }
        Ok(Self { first, last })
    }
}

/// Splits `80/udp` into `80` and the protocol, which is tcp when none is written.
pub(crate) fn split_protocol(text: &str) -> Result<(&str, Protocol), PortError> {
    match text.split_once('/') {
        Some((ports, protocol)) => Ok((ports, protocol.parse()?)),
        None => Ok((text, Protocol::Tcp)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        parse_expose(text)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn exposed_ports_read_in_every_form() {
        assert_eq!(shown("80"), ["80/tcp"]);
        assert_eq!(shown("53/UDP"), ["53/udp"]);
        assert_eq!(shown("0123"), ["123/tcp"]);
        assert_eq!(
            shown("3000-3003/sctp"),
            ["3000/sctp", "3001/sctp", "3002/sctp", "3003/sctp"]
        );
        assert_eq!(parse_expose("1-65535").unwrap().len(), 65535);
    }

    #[test]
    fn what_is_wrong_with_an_exposed_port_is_said() {
        let refusal = |text: &str| parse_expose(text).unwrap_err().to_string();
        assert_eq!(
            refusal("0"),
            "invalid exposed port `0`: `0` is out of range; ports go from 1 to 65535"
        );
        assert!(refusal("65536").contains("out of range"));
        assert!(refusal("+80").contains("`+80` is not a port number"));
        assert!(refusal("80:80").contains("`:` is for publishing"));
        assert!(refusal("80-70").contains("runs backwards"));
        assert!(refusal("80/icmp").contains("unknown protocol `icmp`"));
        assert!(refusal("80/").contains("unknown protocol ``"));
        for text in ["", "-", "80-", "-80", "/tcp", "8 0", "80-81-82"] {
            assert!(refusal(text).contains("not a port number"), "{text}");
        }
    }

    #[test]
    fn ports_sort_as_docker_sorts_them() {
        let mut ports: Vec<ExposedPort> =
            ["6382/udp", "6300/udp", "9/sctp", "6380/tcp", "6379/tcp"]
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
        ports.sort();
        let shown: Vec<String> = ports.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["6379/tcp", "6380/tcp", "9/sctp", "6300/udp", "6382/udp"]
        );
    }

    #[test]
    fn a_single_exposed_port_is_not_a_range() {
        assert!(
            "80-81"
                .parse::<ExposedPort>()
                .unwrap_err()
                .to_string()
                .contains("write one port")
        );
    }

    #[test]
    fn ports_are_saved_as_text_and_numbers() {
        let port: ExposedPort = "80".parse().unwrap();
        assert_eq!(serde_json::to_string(&port).unwrap(), "\"80/tcp\"");
        assert_eq!(serde_json::to_string(&port.port).unwrap(), "80");
        assert!(serde_json::from_str::<Port>("0").is_err());
    }

    proptest! {
        #[test]
        fn every_exposed_port_survives_display_and_parse(number in 1u16.., which in 0usize..3) {
            let protocol = [Protocol::Tcp, Protocol::Sctp, Protocol::Udp][which];
            let port = ExposedPort { port: Port::new(number).unwrap(), protocol };
            prop_assert_eq!(port.to_string().parse::<ExposedPort>().unwrap(), port);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[0-9:/a-z-]{0,12}") {
            let _ = parse_expose(&text);
            let _ = parse_expose(&near);
        }
    }
}
