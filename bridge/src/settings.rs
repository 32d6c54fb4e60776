//! The configuration file `minirun.toml`: what new networks and containers begin with and what the host lends them.
//!
//! A network's own record, once made, is the truth; nothing here reaches back into networks that exist.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::firewall::foreign::ForeignFirewall;
use crate::pool::AddressPool;

/// The smallest MTU that IPv4 allows (RFC 791).
const SMALLEST_MTU: u32 = 68;

/// The largest MTU of a bridge or a veth device, in bytes.
const LARGEST_MTU: u32 = 65_535;

/// The longest prefix of a bridge's subnet that leaves an address for a container.
const LONGEST_BRIDGE_PREFIX: u8 = 30;

/// Which driver renders the policy into rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirewallChoice {
    /// The `iptables` program where it is installed, else nftables.
    #[default]
    Auto,
    /// The `iptables` and `iptables-restore` programs.
    Iptables,
    /// nftables, spoken directly to the kernel.
    Nftables,
    /// No rule is made, changed or removed.
    None,
}

impl fmt::Display for FirewallChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Auto => "auto",
            Self::Iptables => "iptables",
            Self::Nftables => "nftables",
            Self::None => "none",
        })
    }
}

/// What the configuration file says. Every key may be left out; [`Settings::default`] is an empty file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which driver renders the policy into rules.
    pub firewall: FirewallChoice,
    /// Whether rules are read and written at all; `false` is another word for `firewall = "none"`.
    pub iptables: bool,
    /// What becomes of firewalls of others that refuse what goes in and out of containers.
    pub foreign_firewall: ForeignFirewall,
    /// Whether containers of a new network may talk to each other without a link.
    pub icc: bool,
    /// Whether `net.ipv4.ip_forward` may be switched on if it is off.
    pub ip_forward: bool,
    /// Whether packets that leave a new network take the host's address.
    pub ip_masquerade: bool,
    /// Whether the default network has IPv6 addresses.
    pub ipv6: bool,
    /// The address of the host where a port is published if none is named; `0.0.0.0` means every address of every family that
    /// the container has.
    pub publish_address: IpAddr,
    /// The MTU of new networks in bytes; none (`0` in the file) takes that of the host's default route.
    #[serde(deserialize_with = "mtu")]
    pub mtu: Option<u32>,
    /// The default bridge's IPv4 address with the prefix length of its subnet; none means 172.17.0.1/16 unless something else uses
    /// that.
    #[serde(deserialize_with = "bridge_address")]
    pub bip: Option<Ipv4Net>,
    /// Where the subnets of other networks are cut from, in order of preference.
    pub address_pools: Vec<AddressPool>,
    /// The profile of every container that is made without another: a name or a path. What it means is known to whoever
    /// makes containers.
    pub profile: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            firewall: FirewallChoice::Auto,
            iptables: true,
            foreign_firewall: ForeignFirewall::Open,
            icc: true,
            ip_forward: true,
            ip_masquerade: true,
            ipv6: false,
            publish_address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            mtu: None,
            bip: None,
            address_pools: vec![AddressPool {
                base: Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
                size: 24,
            }],
            profile: None,
        }
    }
}

/// Why the configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there but could not be read.
    #[error("cannot read the configuration file `{}`: {source}", path.display())]
    Read {
        /// The configuration file.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
    /// A key is unknown, or its value is not what the key takes.
    #[error("configuration file `{}`, line {line}, `{text}`: {problem}", path.display())]
    Invalid {
        /// The configuration file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The line's text, which holds the key.
        text: String,
        /// What is wrong with it, and what is allowed.
        problem: String,
    },
    /// Without a firewall nothing can keep containers apart.
    #[error("configuration file `{}`: `icc = false` cannot be kept with `firewall = \"none\"`", path.display())]
    IccNeedsFirewall {
        /// The configuration file.
        path: PathBuf,
    },
}

impl SettingsError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::IccNeedsFirewall { .. } => Some(
                "set `firewall` to `auto`, `iptables` or `nftables`, or set `icc = true`"
                    .to_owned(),
            ),
            Self::Read { .. } | Self::Invalid { .. } => None,
        }
    }
}

impl Settings {
    /// Reads the configuration file. A file that is not there says nothing, so the defaults hold.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(SettingsError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Where new networks publish ports if no address is named; none means every address of the host.
    pub fn publish_address(&self) -> Option<IpAddr> {
        Some(self.publish_address).filter(|address| *address != Ipv4Addr::UNSPECIFIED)
    }

    /// Understands the file's text; `path` only serves the errors.
    fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let mut settings: Self =
            toml::from_str(text).map_err(|error| invalid(path, text, &error))?;
        if !settings.iptables {
            settings.firewall = FirewallChoice::None;
        }
        if !settings.icc && settings.firewall == FirewallChoice::None {
            return Err(SettingsError::IccNeedsFirewall {
                path: path.to_owned(),
            });
        }
        Ok(settings)
    }
}

fn invalid(path: &Path, text: &str, error: &toml::de::Error) -> SettingsError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let index = before.matches('\n').count();
    SettingsError::Invalid {
        path: path.to_owned(),
        line: index + 1,
        text: text
            .lines()
            .nth(index)
            .unwrap_or_default()
            .trim()
            .to_owned(),
        problem: error.message().replace('\n', ", "),
    }
}

fn mtu<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Ok(None),
        mtu @ SMALLEST_MTU..=LARGEST_MTU => Ok(Some(mtu)),
        other => Err(de::Error::custom(format_args!(
            "an MTU of {other} bytes is not possible; write a number from {SMALLEST_MTU} to {LARGEST_MTU}, or 0 for that of the host's default route"
        ))),
    }
}

fn bridge_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Ipv4Net>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let address: Ipv4Net = text.parse().map_err(|_| {
        de::Error::custom(format_args!(
            "`{text}` is not an IPv4 address with a prefix length; write one such as `172.17.0.1/16`"
        ))
    })?;
    if address.prefix_len() > LONGEST_BRIDGE_PREFIX {
        return Err(de::Error::custom(format_args!(
            "`{text}` leaves no address for a container; write a prefix length of at most {LONGEST_BRIDGE_PREFIX}"
        )));
    }
    if address.addr() == address.network() || address.addr() == address.broadcast() {
        return Err(de::Error::custom(format_args!(
            "`{text}` is not an address a bridge can have; write one inside the subnet, such as `{}/{}`",
            address.hosts().next().unwrap_or(address.addr()),
            address.prefix_len()
        )));
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, SettingsError> {
        Settings::parse(Path::new("/etc/minirun/minirun.toml"), text)
    }

    fn problem(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_is_not_there_means_the_defaults() {
        let settings = Settings::load(Path::new("/nonexistent/minirun.toml")).unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(parse("").unwrap(), Settings::default());
    }

    #[test]
    fn the_file_that_spells_out_every_default_differs_only_in_the_fixed_bridge_address() {
        let settings = parse(
            r#"
            firewall = "auto"            # auto | iptables | nftables | none
            icc = true
            ip_forward = true
            ip_masquerade = true
            publish_address = "0.0.0.0"
            mtu = 0
            bip = "172.17.0.1/16"
            address_pools = [ { base = "172.16.0.0/12", size = 24 } ]
            "#,
        )
        .unwrap();
        let expected = Settings {
            bip: Some("172.17.0.1/16".parse().unwrap()),
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn every_key_can_be_changed() {
        let settings = parse(
            r#"
            firewall = "nftables"
            icc = false
            ip_forward = false
            ip_masquerade = false
            publish_address = "127.0.0.1"
            mtu = 1400
            bip = "10.9.0.5/24"
            profile = "ci"
            foreign_firewall = "leave"
            [[address_pools]]
            base = "10.0.0.0/8"
            size = 20
            "#,
        )
        .unwrap();
        assert_eq!(settings.firewall, FirewallChoice::Nftables);
        assert!(!settings.icc && !settings.ip_forward && !settings.ip_masquerade);
        assert_eq!(settings.publish_address(), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(settings.mtu, Some(1400));
        assert_eq!(settings.foreign_firewall, ForeignFirewall::Leave);
        assert_eq!(settings.profile.as_deref(), Some("ci"));
        assert_eq!(settings.bip.unwrap().addr(), Ipv4Addr::new(10, 9, 0, 5));
        assert_eq!(settings.address_pools[0].base.prefix_len(), 8);
        assert_eq!(settings.address_pools[0].size, 20);
    }

    #[test]
    fn an_unknown_key_is_named_with_file_and_line() {
        let problem = problem("icc = true\n\nicx = false\n");
        assert!(
            problem.starts_with(
                "configuration file `/etc/minirun/minirun.toml`, line 3, `icx = false`: unknown field `icx`, expected one of `firewall`, `iptables`, `foreign_firewall`, `icc`"
            ),
            "{problem}"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_file_and_line() {
        for (text, expected) in [
            (
                "icc = 1",
                "line 1, `icc = 1`: invalid type: integer `1`, expected a boolean",
            ),
            (
                "firewall = \"pf\"",
                "line 1, `firewall = \"pf\"`: unknown variant `pf`, expected one of `auto`, `iptables`, `nftables`, `none`",
            ),
            (
                "\nmtu = 12",
                "line 2, `mtu = 12`: an MTU of 12 bytes is not possible; write a number from 68 to 65535, or 0 for that of the host's default route",
            ),
            (
                "bip = \"172.17.0.1\"",
                "line 1, `bip = \"172.17.0.1\"`: `172.17.0.1` is not an IPv4 address with a prefix length; write one such as `172.17.0.1/16`",
            ),
            (
                "bip = \"172.17.0.0/16\"",
                "line 1, `bip = \"172.17.0.0/16\"`: `172.17.0.0/16` is not an address a bridge can have; write one inside the subnet, such as `172.17.0.1/16`",
            ),
            (
                "address_pools = [\n  { base = \"10.0.0.0/8\", size = 24 },\n  { base = \"10.0.0.0/8\", size = 4 },\n]",
                "line 1, `address_pools = [`: pool size 4 does not fit `10.0.0.0/8`; write a prefix length from 8 to 30",
            ),
        ] {
            let expected = format!("configuration file `/etc/minirun/minirun.toml`, {expected}");
            assert_eq!(problem(text), expected);
        }
    }

    #[test]
    fn a_file_that_is_not_toml_is_named_with_its_line() {
        let problem = problem("icc = true\nmtu 1500\n");
        assert!(problem.contains("line 2, `mtu 1500`: "), "{problem}");
    }

    #[test]
    fn icc_off_without_a_firewall_is_refused() {
        let error = parse("icc = false\nfirewall = \"none\"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "configuration file `/etc/minirun/minirun.toml`: `icc = false` cannot be kept with `firewall = \"none\"`"
        );
        assert!(error.hint().unwrap().contains("icc = true"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = Settings::load(directory.path()).unwrap_err();
        assert!(matches!(error, SettingsError::Read { .. }), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\PC|\n){0,60}") {
            let _ = parse(&text);
        }
    }
}
