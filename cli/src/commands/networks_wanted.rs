//! All `--network` of a container together, and the options that speak of the first of them.

use super::network_argument::NetworkArgument;
use crate::failure::Failure;
use minirun_bridge::name::Alias;
use minirun_bridge::network::DEFAULT_NETWORK;
use minirun_netns::MacAddress;
use minirun_runtime::create::{MembershipRequest, NetworkWanted};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What `--ip`, `--ip6`, `--mac-address` and `--network-alias` say; all of it belongs to the first network.
#[derive(Debug, Clone, Default)]
pub struct FirstNetwork {
    /// `--network-alias`.
    pub aliases: Vec<Alias>,
    /// `--ip`.
    pub address: Option<Ipv4Addr>,
    /// `--ip6`.
    pub ipv6_address: Option<Ipv6Addr>,
    /// `--mac-address`.
    pub mac_address: Option<MacAddress>,
}

/// The networks of a container; the default one if none is given.
///
/// # Errors
/// When something is combined that excludes each other, or said twice.
pub fn wanted(
    arguments: &[NetworkArgument],
    first: &FirstNetwork,
) -> Result<NetworkWanted, Failure> {
    match arguments {
        [] => Ok(NetworkWanted::Networks(vec![first.lay_over(
            MembershipRequest {
                network: DEFAULT_NETWORK.into(),
                ..MembershipRequest::default()
            },
        )?])),
        [NetworkArgument::Host] => first.refuse_without_network("host", NetworkWanted::Host),
        [NetworkArgument::None] => first.refuse_without_network("none", NetworkWanted::None),
        [NetworkArgument::Container(name)] => first.refuse_without_network(
            &format!("container:{name}"),
            NetworkWanted::Container(name.clone()),
        ),
        several => memberships(several, first).map(NetworkWanted::Networks),
    }
}

fn memberships(
    arguments: &[NetworkArgument],
    first: &FirstNetwork,
) -> Result<Vec<MembershipRequest>, Failure> {
    let mut memberships: Vec<MembershipRequest> = Vec::new();
    for argument in arguments {
        let NetworkArgument::Network(membership) = argument else {
            return Err(Failure::own(format!(
                "`--network {argument}` cannot be combined with another `--network`"
            ))
            .with_hint(format!(
                "use `--network {argument}` alone, or name bridge networks only"
            )));
        };
        let name = &membership.network;
        if memberships.iter().any(|other| other.network == *name) {
            return Err(Failure::own(format!("network `{name}` is given twice"))
                .with_hint(format!("write `--network {name}` once")));
        }
        let membership = membership.clone();
        memberships.push(match memberships.is_empty() {
            true => first.lay_over(membership)?,
            false => membership,
        });
    }
    Ok(memberships)
}

impl FirstNetwork {
    /// The first network with what the options of the container say of it.
    fn lay_over(&self, mut membership: MembershipRequest) -> Result<MembershipRequest, Failure> {
        let twice = [
            (
                ("--network-alias", "alias"),
                !self.aliases.is_empty() && !membership.aliases.is_empty(),
            ),
            (
                ("--ip", "ip"),
                self.address.is_some() && membership.address.is_some(),
            ),
            (
                ("--ip6", "ip6"),
                self.ipv6_address.is_some() && membership.ipv6_address.is_some(),
            ),
            (
                ("--mac-address", "mac-address"),
                self.mac_address.is_some() && membership.mac_address.is_some(),
            ),
        ];
        if let Some(((option, key), _)) = twice.into_iter().find(|(_, twice)| *twice) {
            let name = &membership.network;
            return Err(Failure::own(format!(
                "`{option}` and `{key}=` both speak of network `{name}`"
            ))
            .with_hint(format!("leave out `{option}`")));
        }
        membership.aliases.extend(self.aliases.iter().cloned());
        membership.address = membership.address.or(self.address);
        membership.ipv6_address = membership.ipv6_address.or(self.ipv6_address);
        membership.mac_address = membership.mac_address.or(self.mac_address);
        Ok(membership)
    }

    /// Without a network of the container's own there is nothing that could have an address or an alias.
    fn refuse_without_network(
        &self,
        word: &str,
        wanted: NetworkWanted,
    ) -> Result<NetworkWanted, Failure> {
        let given = [
            ("--network-alias", !self.aliases.is_empty()),
            ("--ip", self.address.is_some()),
            ("--ip6", self.ipv6_address.is_some()),
            ("--mac-address", self.mac_address.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            None => Ok(wanted),
            Some((option, _)) => Err(Failure::own(format!(
                "`{option}` needs a bridge network, and the container has `--network {word}`"
            ))
            .with_hint(format!(
                "leave out `{option}`, or name a bridge network instead of `{word}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(text: &str) -> NetworkArgument {
        text.parse().unwrap()
    }

    fn networks(texts: &[&str], first: &FirstNetwork) -> Result<Vec<MembershipRequest>, String> {
        let arguments: Vec<_> = texts.iter().map(|text| argument(text)).collect();
        match wanted(&arguments, first).map_err(|failure| failure.to_string())? {
            NetworkWanted::Networks(memberships) => Ok(memberships),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn a_container_is_on_the_default_network_unless_told_otherwise() {
        let memberships = networks(&[], &FirstNetwork::default()).unwrap();
        assert_eq!(memberships.len(), 1);
        assert_eq!(memberships[0].network, "bridge");
    }

    #[test]
    fn address_and_alias_belong_to_the_first_network() {
        let first = FirstNetwork {
            aliases: vec!["db".parse().unwrap()],
            address: Some(Ipv4Addr::new(10, 0, 0, 5)),
            ..FirstNetwork::default()
        };
        let memberships = networks(&["lan", "name=wan,ip=10.1.0.5"], &first).unwrap();
        assert_eq!(memberships[0].address, first.address);
        assert_eq!(memberships[0].aliases, first.aliases);
        assert_eq!(memberships[1].address, "10.1.0.5".parse().ok());
        assert!(memberships[1].aliases.is_empty());
        assert_eq!(
            networks(&["name=lan,ip=10.0.0.6", "wan"], &first).unwrap_err(),
            "`--ip` and `ip=` both speak of network `lan`"
        );
        let refused = networks(&["name=lan,alias=web"], &first).unwrap_err();
        assert!(
            refused.starts_with("`--network-alias` and `alias=`"),
            "{refused}"
        );
    }

    #[test]
    fn what_is_no_network_stands_alone() {
        let none = FirstNetwork::default();
        for word in ["host", "none", "container:web1"] {
            assert_eq!(
                networks(&["lan", word], &none).unwrap_err(),
                format!("`--network {word}` cannot be combined with another `--network`")
            );
            let with_address = FirstNetwork {
                mac_address: "02:42:0a:00:00:05".parse().ok(),
                ..FirstNetwork::default()
            };
            assert_eq!(
                networks(&[word], &with_address).unwrap_err(),
                format!(
                    "`--mac-address` needs a bridge network, and the container has `--network {word}`"
                )
            );
        }
        assert!(matches!(
            wanted(&[argument("host")], &none),
            Ok(NetworkWanted::Host)
        ));
    }

    #[test]
    fn a_network_is_joined_once() {
        assert_eq!(
            networks(
                &["lan", "wan", "name=lan,alias=a"],
                &FirstNetwork::default()
            )
            .unwrap_err(),
            "network `lan` is given twice"
        );
    }
}
