//! A published port as it really stands on the host, and how `ps` shows many of them in few words.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::bracketed::{Bracketed, overlap, parse_bracketed};
use crate::port::{ExposeError, ExposedPort, Port, PortError, Protocol};
use crate::serde_as_string::serde_as_string;

/// A host address and port that leads to a port of a container; displayed and saved as `0.0.0.0:8080->80/tcp`
/// or `[::]:8080->80/tcp`. The order is by container port, then IPv4 before IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publication {
    /// The port inside the container and the protocol of both sides.
    pub container: ExposedPort,
    /// The IPv4 or IPv6 address of the host it is bound to; `0.0.0.0` or `::` for all of its family.
    pub host_address: IpAddr,
    /// The port on the host.
    pub host_port: Port,
}

/// A text that is not a [`Publication`], and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicationError {
    /// The `->` or the `:` before the host port is missing.
    #[error("invalid publication `{0}`: write it as `0.0.0.0:8080->80/tcp`")]
    Shape(String),
    /// What stands before the host port is no address.
    #[error(
        "invalid publication `{text}`: `{address}` is not an IP address; write it as `0.0.0.0:8080->80/tcp`"
    )]
    Address {
        /// The whole text.
        text: String,
        /// The part that should be an address.
        address: String,
    },
    /// The host port is wrong.
    #[error("invalid publication `{text}`: {source}")]
    HostPort {
        /// The whole text.
        text: String,
        /// What is wrong with the port.
        source: PortError,
    },
    /// The container port is wrong.
    #[error("invalid publication `{text}`: {source}")]
    ContainerPort {
        /// The whole text.
        text: String,
        /// What is wrong with the port.
        source: ExposeError,
    },
}

impl Publication {
    /// The host's side of it; displayed as `0.0.0.0:8080` or `[::]:8080`.
    pub fn host_socket(&self) -> SocketAddr {
        SocketAddr::new(self.host_address, self.host_port.get())
    }

    /// Whether the two cannot stand beside each other: the same host port and protocol at addresses that overlap.
    pub fn collides_with(&self, other: &Self) -> bool {
        self.host_port == other.host_port
            && self.container.protocol == other.container.protocol
            && overlap(self.host_address, other.host_address)
    }
}

impl fmt::Display for Publication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}->{}", self.host_socket(), self.container)
    }
}

impl FromStr for Publication {
    type Err = PublicationError;

    fn from_str(text: &str) -> Result<Self, PublicationError> {
        let shape = || PublicationError::Shape(text.to_owned());
        let (host, container) = text.split_once("->").ok_or_else(shape)?;
        let (address, port) = host.rsplit_once(':').ok_or_else(shape)?;
        Ok(Self {
            host_address: parse_bracketed(address).ok_or_else(|| PublicationError::Address {
                text: text.to_owned(),
                address: address.to_owned(),
            })?,
            host_port: port.parse().map_err(|source| PublicationError::HostPort {
                text: text.to_owned(),
                source,
            })?,
            container: container
                .parse()
                .map_err(|source| PublicationError::ContainerPort {
                    text: text.to_owned(),
                    source,
                })?,
        })
    }
}

serde_as_string!(Publication);

/// The PORTS cell of `ps`: what is published as `0.0.0.0:8080->80/tcp`, what is only exposed as `80/tcp`, sorted by
/// container port and separated by a comma and a space. Neighbours that differ by one on both sides become one range,
/// `0.0.0.0:9800-9803->80-83/tcp`, for each host address on its own; IPv4 addresses come before IPv6 ones.
pub fn describe_publications(
    publications: &[Publication],
    exposed: &BTreeSet<ExposedPort>,
) -> String {
    let published: BTreeSet<ExposedPort> = publications
        .iter()
        .map(|publication| publication.container)
        .collect();
    let mut entries: Vec<Entry> = publications.iter().map(Entry::published).collect();
    entries.extend(exposed.difference(&published).map(Entry::exposed));
    entries.sort();
    entries.dedup();

    let mut runs: Vec<Run> = Vec::new();
    for entry in entries {
        match runs.last_mut() {
            Some(run) if run.is_continued_by(&entry) => run.last = entry.container,
            _ => runs.push(Run {
                first: entry,
                last: entry.container,
            }),
        }
    }
    runs.sort_by_key(|run| (run.first.container, run.first.protocol, run.first.host));
    runs.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// One port to show. The order of the fields brings those that may form a range next to each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    protocol: Protocol,
    host: Option<HostSide>,
    container: u16,
}

/// Where a published port stands on the host: the host port is the container port plus the distance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HostSide {
    address: IpAddr,
    distance: i32,
}

impl Entry {
    fn published(publication: &Publication) -> Self {
        let container = publication.container.port.get();
        let distance = i32::from(publication.host_port.get()) - i32::from(container);
        let host = Some(HostSide {
            address: publication.host_address,
            distance,
        });
        Self {
            protocol: publication.container.protocol,
            host,
            container,
        }
    }

    fn exposed(port: &ExposedPort) -> Self {
        Self {
            protocol: port.protocol,
            host: None,
            container: port.port.get(),
        }
    }
}

/// Entries whose ports follow one another, from the first to the container port of the last.
struct Run {
    first: Entry,
    last: u16,
}

impl Run {
    fn is_continued_by(&self, entry: &Entry) -> bool {
        self.first.protocol == entry.protocol
            && self.first.host == entry.host
            && self.last.checked_add(1) == Some(entry.container)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (i32::from(self.first.container), i32::from(self.last));
        if let Some(HostSide { address, distance }) = self.first.host {
            write!(formatter, "{}:", Bracketed(address))?;
            write_range(formatter, first + distance, last + distance)?;
            formatter.write_str("->")?;
        }
        write_range(formatter, first, last)?;
        write!(formatter, "/{}", self.first.protocol)
    }
}

fn write_range(formatter: &mut fmt::Formatter<'_>, first: i32, last: i32) -> fmt::Result {
    if first == last {
        write!(formatter, "{first}")
    } else {
        write!(formatter, "{first}-{last}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn described(publications: &[&str], exposed: &[&str]) -> String {
        let publications: Vec<Publication> = publications
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let exposed = exposed.iter().map(|text| text.parse().unwrap()).collect();
        describe_publications(&publications, &exposed)
    }

    #[test]
    fn a_single_publication_reads_as_docker_shows_it() {
        assert_eq!(
            described(&["0.0.0.0:8080->8080/tcp"], &["8080"]),
            "0.0.0.0:8080->8080/tcp"
        );
        assert_eq!(described(&[], &["80"]), "80/tcp");
        assert_eq!(described(&[], &[]), "");
    }

    #[test]
    fn consecutive_ports_become_a_range() {
        let four = [
            "0.0.0.0:9803->83/tcp",
            "0.0.0.0:9800->80/tcp",
            "0.0.0.0:9802->82/tcp",
            "0.0.0.0:9801->81/tcp",
        ];
        assert_eq!(described(&four, &[]), "0.0.0.0:9800-9803->80-83/tcp");
        assert_eq!(
            described(&[], &["80", "81", "83", "81/udp"]),
            "80-81/tcp, 81/udp, 83/tcp"
        );
    }

    #[test]
    fn ports_that_only_seem_consecutive_stay_apart() {
        assert_eq!(
            described(
                &[
                    "0.0.0.0:80->80/tcp",
                    "127.0.0.1:81->81/tcp",
                    "0.0.0.0:90->82/tcp"
                ],
                &[]
            ),
            "0.0.0.0:80->80/tcp, 127.0.0.1:81->81/tcp, 0.0.0.0:90->82/tcp"
        );
    }

    #[test]
    fn both_families_are_shown_with_a_range_each_and_ipv4_first() {
        assert_eq!(
            described(&["[::]:8080->80/tcp", "0.0.0.0:8080->80/tcp"], &["80"]),
            "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
        );
        assert_eq!(
            described(
                &[
                    "0.0.0.0:9800->80/tcp",
                    "[::]:9800->80/tcp",
                    "0.0.0.0:9801->81/tcp",
                    "[::]:9801->81/tcp",
                    "[::1]:9802->82/tcp",
                ],
                &[]
            ),
            "0.0.0.0:9800-9801->80-81/tcp, [::]:9800-9801->80-81/tcp, [::1]:9802->82/tcp"
        );
    }

    #[test]
    fn publications_collide_on_one_host_port_of_one_family() {
        let collide = |first: &str, second: &str| {
            let (first, second): (Publication, Publication) =
                (first.parse().unwrap(), second.parse().unwrap());
            assert_eq!(first.collides_with(&second), second.collides_with(&first));
            first.collides_with(&second)
        };
        assert!(collide("0.0.0.0:80->80/tcp", "127.0.0.1:80->81/tcp"));
        assert!(collide("[::]:80->80/tcp", "[::1]:80->81/tcp"));
        assert!(!collide("0.0.0.0:80->80/tcp", "[::]:80->80/tcp"));
        assert!(!collide("0.0.0.0:80->80/tcp", "0.0.0.0:80->80/udp"));
        assert!(!collide("[::]:80->80/tcp", "[::]:81->80/tcp"));
    }

    #[test]
    fn the_cell_is_sorted_by_container_port_and_keeps_every_binding() {
        assert_eq!(
            described(
                &[
                    "0.0.0.0:5353->53/udp",
                    "0.0.0.0:8081->80/tcp",
                    "0.0.0.0:8080->80/tcp"
                ],
                &["80", "22"]
            ),
            "22/tcp, 0.0.0.0:5353->53/udp, 0.0.0.0:8080->80/tcp, 0.0.0.0:8081->80/tcp"
        );
    }

    #[test]
    fn two_protocols_on_the_same_ports_are_two_ranges() {
        assert_eq!(
            described(&[], &["53", "53/udp", "54", "54/udp"]),
            "53-54/tcp, 53-54/udp"
        );
    }

    #[test]
    fn what_is_wrong_with_a_publication_is_said() {
        let refusal = |text: &str| text.parse::<Publication>().unwrap_err().to_string();
        assert_eq!(
            refusal("80/tcp"),
            "invalid publication `80/tcp`: write it as `0.0.0.0:8080->80/tcp`"
        );
        assert!(refusal("localhost:80->80/tcp").contains("`localhost` is not an IP address"));
        assert!(refusal("0.0.0.0:0->80/tcp").contains("out of range"));
        assert!(refusal("0.0.0.0:80->x/tcp").contains("`x` is not a port number"));
    }

    prop_compose! {
        fn any_publication()(
            address: IpAddr, host in 1u16.., container in 1u16.., protocol in 0usize..3,
        ) -> Publication {
            Publication {
                container: ExposedPort {
                    port: Port::new(container).unwrap(),
                    protocol: [Protocol::Tcp, Protocol::Sctp, Protocol::Udp][protocol],
                },
                host_address: address.to_canonical(),
                host_port: Port::new(host).unwrap(),
            }
        }
    }

    proptest! {
        #[test]
        fn every_publication_survives_display_and_parse(publication in any_publication()) {
            prop_assert_eq!(publication.to_string().parse::<Publication>().unwrap(), publication);
        }

        #[test]
        fn describing_never_panics(publications in prop::collection::vec(any_publication(), 0..20)) {
            let text = describe_publications(&publications, &BTreeSet::new());
            prop_assert_eq!(text.is_empty(), publications.is_empty());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[0-9.\\[\\]:]{0,9}:?[0-9]{0,5}-?>?[0-9]{0,5}/?[a-z]{0,4}") {
            let _ = text.parse::<Publication>();
            let _ = near.parse::<Publication>();
        }
    }
}
