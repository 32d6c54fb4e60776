//! What can be chosen for a network with `-o KEY=VALUE`, under Docker's key or a shorter one.

mod bridge_name;
mod key;
mod problem;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use self::key::{Key, find_key};
use crate::network::{Icc, Masquerade};

pub use self::bridge_name::{BridgeName, BridgeNameError};
pub use self::problem::OptionProblem;

/// The smallest MTU in bytes that IPv4 allows (RFC 791).
pub const SMALLEST_MTU: u32 = 68;

/// The smallest MTU in bytes that IPv6 allows (RFC 8200, section 5).
pub const SMALLEST_IPV6_MTU: u32 = 1280;

/// The largest MTU of a bridge or a veth device, in bytes.
pub const LARGEST_MTU: u32 = 65_535;

/// How the world beyond the host reaches containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GatewayMode {
    /// Through ports published on the host.
    Nat,
    /// At their own addresses, to which the world knows the way; published ports only open.
    Routed,
}

/// How containers of a network find each other's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// A DNS server in each container knows everybody on the network.
    Dns,
    /// Each container's hosts file holds those it is linked to.
    HostsFile,
}

/// Whether a network leads out of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Containers reach the world.
    External,
    /// Containers reach each other and nothing else.
    Internal,
}

/// Whether somebody asked for IPv6 or against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6Wanted {
    /// The network shall have IPv6 addresses.
    Yes,
    /// The network shall have none.
    No,
}

/// One option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkOption {
    /// The name of the bridge device.
    BridgeName(BridgeName),
    /// Whether endpoints reach each other without a link.
    Icc(Icc),
    /// Whether the host's address hides the containers'.
    Masquerade(Masquerade),
    /// Where `-p` binds when no address is given.
    PublishAddress(IpAddr),
    /// The longest packet, in bytes.
    Mtu(u32),
    /// How the world reaches containers.
    GatewayMode(GatewayMode),
    /// How containers find each other's names.
    Names(Names),
    /// Whether the network has IPv6 addresses.
    Ipv6(Ipv6Wanted),
}

/// All options of one network. What nobody chose is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkOptions {
    /// The name of the bridge device.
    pub bridge_name: Option<BridgeName>,
    /// Whether endpoints reach each other without a link.
    pub icc: Option<Icc>,
    /// Whether the host's address hides the containers'.
    pub masquerade: Option<Masquerade>,
    /// Where `-p` binds when no address is given.
    pub publish_address: Option<IpAddr>,
    /// The longest packet, in bytes.
    pub mtu: Option<u32>,
    /// How the world reaches containers.
    pub gateway_mode: Option<GatewayMode>,
    /// How containers find each other's names.
    pub names: Option<Names>,
    /// Whether the network has IPv6 addresses.
    pub ipv6: Option<Ipv6Wanted>,
}

impl NetworkOptions {
    /// Reads every `KEY=VALUE` and goes on past those that are wrong: what could be read, and what could not.
    pub fn read(texts: &[String]) -> (Self, Vec<OptionProblem>) {
        let mut options = Self::default();
        let mut problems = Vec::new();
        for text in texts {
            let outcome = text
                .parse()
                .and_then(|option: NetworkOption| options.choose(option));
            problems.extend(outcome.err());
        }
        (options, problems)
    }

    /// Adds one option. The same choice may be made twice, for instance by a flag and an option.
    ///
    /// # Errors
    /// [`OptionProblem::Contradiction`] and [`OptionProblem::GatewayModesDiffer`] if another choice was made before; it stands.
    pub fn choose(&mut self, option: NetworkOption) -> Result<(), OptionProblem> {
        match option {
            NetworkOption::BridgeName(name) => put("bridge name", &mut self.bridge_name, name),
            NetworkOption::Icc(icc) => put("icc", &mut self.icc, icc),
            NetworkOption::Masquerade(masquerade) => {
                put("masquerade", &mut self.masquerade, masquerade)
            }
            NetworkOption::PublishAddress(address) => {
                put("host binding", &mut self.publish_address, address)
            }
            NetworkOption::Mtu(mtu) => put("mtu", &mut self.mtu, mtu),
            NetworkOption::GatewayMode(mode) => match self.gateway_mode.replace(mode) {
                Some(earlier) if earlier != mode => {
                    self.gateway_mode = Some(earlier);
                    Err(OptionProblem::GatewayModesDiffer {
                        earlier,
                        later: mode,
                    })
                }
                _ => Ok(()),
            },
            NetworkOption::Names(names) => put("dns", &mut self.names, names),
            NetworkOption::Ipv6(ipv6) => put("ipv6", &mut self.ipv6, ipv6),
        }
    }
}

fn put<T: PartialEq + fmt::Display>(
    setting: &'static str,
    place: &mut Option<T>,
    value: T,
) -> Result<(), OptionProblem> {
    match place {
        Some(earlier) if *earlier != value => Err(OptionProblem::Contradiction {
            setting,
            earlier: earlier.to_string(),
            later: value.to_string(),
        }),
        _ => {
            *place = Some(value);
            Ok(())
        }
    }
}

impl FromStr for NetworkOption {
    type Err = OptionProblem;

    fn from_str(text: &str) -> Result<Self, OptionProblem> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| OptionProblem::NoValue(text.to_owned()))?;
        let refuse = |wanted| OptionProblem::Value {
            key: key.to_owned(),
            value: value.to_owned(),
            wanted,
        };
        let truth = || truth(value).ok_or_else(|| refuse("`true` or `false`"));
        Ok(match find_key(key)? {
            Key::BridgeName => Self::BridgeName(value.parse()?),
            Key::Icc => Self::Icc(truth()?.into()),
            Key::Masquerade => Self::Masquerade(truth()?.into()),
            Key::PublishAddress => Self::PublishAddress(
                value
                    .parse()
                    .map_err(|_| refuse("an address of the host such as `127.0.0.1`"))?,
            ),
            Key::Mtu => Self::Mtu(
                value
                    .parse()
                    .ok()
                    .filter(|mtu| (SMALLEST_MTU..=LARGEST_MTU).contains(mtu))
                    .ok_or_else(|| refuse("a number of bytes from 68 to 65535"))?,
            ),
            Key::GatewayMode => Self::GatewayMode(value.parse()?),
            Key::Names if truth()? => Self::Names(Names::Dns),
            Key::Names => Self::Names(Names::HostsFile),
            Key::Ipv6 if truth()? => Self::Ipv6(Ipv6Wanted::Yes),
            Key::Ipv6 => Self::Ipv6(Ipv6Wanted::No),
        })
    }
}

/// The words that Go's `strconv.ParseBool` knows, since Docker's users write any of them.
fn truth(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

impl FromStr for GatewayMode {
    type Err = OptionProblem;

    fn from_str(text: &str) -> Result<Self, OptionProblem> {
        match text {
            "nat" => Ok(Self::Nat),
            "routed" => Ok(Self::Routed),
            "nat-unprotected" | "isolated" => {
                Err(OptionProblem::GatewayModeNotSupported(text.to_owned()))
            }
            _ => Err(OptionProblem::UnknownGatewayMode(text.to_owned())),
        }
    }
}

impl From<bool> for Names {
    fn from(dns: bool) -> Names {
        if dns { Names::Dns } else { Names::HostsFile }
    }
}

impl fmt::Display for GatewayMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nat => "nat",
            Self::Routed => "routed",
        })
    }
}

/// The value of the option `dns`.
impl fmt::Display for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dns => "true",
            Self::HostsFile => "false",
        })
    }
}

/// The value of the option `ipv6`.
impl fmt::Display for Ipv6Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Yes => "true",
            Self::No => "false",
        })
    }
}
