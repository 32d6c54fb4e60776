//! What `-p` asks for: the grammar `[[ADDRESS:][HOST[-HOST]]:]CONTAINER[-CONTAINER][/PROTOCOL]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::bracketed::{Bracketed, parse_bracketed};
use crate::port::{ExposedPort, Port, PortError, PortRange, split_protocol};
use crate::serde_as_string::serde_as_string;

/// Which host port a publish asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostPort {
    /// Any free port of the host's dynamic range.
    Any,
    /// Exactly this one.
    One(Port),
    /// The first free one from the first to the last, both included.
    Within(Port, Port),
}

/// One container port to publish; displayed and saved in the form that `-p` takes, such as `127.0.0.1:8080:80/tcp`
/// or `[::1]:8080:80/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublishRequest {
    /// The IPv4 or IPv6 address of the host to bind; none means the configured defaults.
    pub host_address: Option<IpAddr>,
    /// The host port to bind.
    pub host_port: HostPort,
    /// The port inside the container and the protocol of both sides.
    pub container: ExposedPort,
}

/// A text that does not say what to publish, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid publish `{text}`: {problem}")]
pub struct PublishError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: PublishProblem,
}

/// What is wrong with a publish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishProblem {
    /// Nothing after the last `:`.
    #[error("no container port; write HOST:CONTAINER, such as `8080:80`")]
    NoContainerPort,
    /// A port, a range or the protocol is wrong.
    #[error(transparent)]
    Port(#[from] PortError),
    /// What stands where a host address should.
    #[error(
        "`{0}` is not an IP address; write ADDRESS:HOST:CONTAINER, such as `127.0.0.1:8080:80` or `[::1]:8080:80`"
    )]
    Address(String),
    /// A link-local IPv6 address, which means another host on every interface.
    #[error(
        "`{0}` is a link-local address, which no port can be published on; write another address of this host, or `[::]` for all"
    )]
    LinkLocal(IpAddr),
    /// Ranges of different sizes.
    #[error(
        "{host} host ports for {container} container ports; give ranges of equal size, such as `8000-8002:80-82`, or a single container port"
    )]
    Sizes {
        /// How many host ports were given.
        host: u32,
        /// How many container ports were given.
        container: u32,
    },
    /// Several container ports where one is wanted.
    #[error("it names several container ports; write one, such as `8080:80`")]
    Several,
}

/// Reads one `-p`. A range of container ports becomes one request for each, in ascending order.
pub fn parse_publish(text: &str) -> Result<Vec<PublishRequest>, PublishError> {
    parse(text).map_err(|problem| PublishError {
        text: text.to_owned(),
        problem,
    })
}

fn parse(text: &str) -> Result<Vec<PublishRequest>, PublishProblem> {
    let (addresses, protocol) = split_protocol(text)?;
    let (before, container) = addresses.rsplit_once(':').unwrap_or(("", addresses));
    let (address, host) = before.rsplit_once(':').unwrap_or(("", before));
    if container.is_empty() {
        return Err(PublishProblem::NoContainerPort);
    }
    let host_address = parse_address(address)?;
    let container: PortRange = container.parse()?;
    let host_ports = spread(parse_host(host)?, container)?;
    Ok(container
        .ports()
        .zip(host_ports)
        .map(|(port, host_port)| PublishRequest {
            host_address,
            host_port,
            container: ExposedPort { port, protocol },
        })
        .collect())
}

/// Nothing, or an IPv4 or IPv6 address with or without brackets.
fn parse_address(text: &str) -> Result<Option<IpAddr>, PublishProblem> {
    if text.is_empty() {
        return Ok(None);
    }
    match parse_bracketed(text) {
        Some(address @ IpAddr::V6(ipv6)) if ipv6.is_unicast_link_local() => {
            Err(PublishProblem::LinkLocal(address))
        }
        Some(address) => Ok(Some(address)),
        None => Err(PublishProblem::Address(text.to_owned())),
    }
}

fn parse_host(text: &str) -> Result<Option<PortRange>, PortError> {
    if text.is_empty() {
        Ok(None)
    } else {
        text.parse().map(Some)
    }
}

/// The host port for each container port: none given is any, equal sizes go pairwise, a range for one is a choice.
fn spread(host: Option<PortRange>, container: PortRange) -> Result<Vec<HostPort>, PublishProblem> {
    match host {
        None => Ok(container.ports().map(|_| HostPort::Any).collect()),
        Some(host) if host.count() == container.count() => {
            Ok(host.ports().map(HostPort::One).collect())
        }
        Some(host) if container.count() == 1 => Ok(vec![HostPort::Within(host.first, host.last)]),
        Some(host) => Err(PublishProblem::Sizes {
            host: host.count(),
            container: container.count(),
        }),
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::One(port) => port.fmt(formatter),
            Self::Within(first, last) => write!(formatter, "{first}-{last}"),
        }
    }
}

impl fmt::Display for PublishRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host_address, self.host_port) {
            (Some(address), _) => write!(formatter, "{}:{}:", Bracketed(address), self.host_port)?,
            (None, HostPort::Any) => {}
            (None, _) => write!(formatter, "{}:", self.host_port)?,
        }
        self.container.fmt(formatter)
    }
}

impl FromStr for PublishRequest {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Self, PublishError> {
        match parse_publish(text)?.as_slice() {
            [request] => Ok(*request),
            _ => Err(PublishError {
                text: text.to_owned(),
                problem: PublishProblem::Several,
            }),
        }
    }
}

serde_as_string!(PublishRequest);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::port::Protocol;

    fn shown(text: &str) -> Vec<String> {
        parse_publish(text)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn refusal(text: &str) -> String {
        parse_publish(text).unwrap_err().to_string()
    }

    #[test]
    fn a_container_port_alone_takes_any_host_port() {
        for text in ["80", ":80", "::80", "80/tcp", "80/TCP", "0080", "80-80"] {
            assert_eq!(shown(text), ["80/tcp"], "{text}");
        }
        assert_eq!(shown("80-82/udp"), ["80/udp", "81/udp", "82/udp"]);
    }

    #[test]
    fn a_host_port_and_an_address_may_stand_before() {
        assert_eq!(shown("8080:80"), ["8080:80/tcp"]);
        assert_eq!(shown("8080:80/sctp"), ["8080:80/sctp"]);
        assert_eq!(shown("8000-8000:80"), ["8000:80/tcp"]);
        assert_eq!(shown("127.0.0.1:8080:80"), ["127.0.0.1:8080:80/tcp"]);
        assert_eq!(shown("127.0.0.1::80"), ["127.0.0.1::80/tcp"]);
    }

    #[test]
    fn ranges_go_pairwise_or_are_a_choice() {
        assert_eq!(
            shown("9800-9802:80-82"),
            ["9800:80/tcp", "9801:81/tcp", "9802:82/tcp"]
        );
        assert_eq!(shown("8000-8010:80"), ["8000-8010:80/tcp"]);
        let request = parse_publish("8000-8010:80").unwrap()[0];
        assert_eq!(
            request.host_port,
            HostPort::Within(Port::new(8000).unwrap(), Port::new(8010).unwrap())
        );
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_unwrapped() {
        assert_eq!(
            shown("[::ffff:127.0.0.1]:8080:80"),
            ["127.0.0.1:8080:80/tcp"]
        );
    }

    #[test]
    fn an_ipv6_address_stands_with_or_without_brackets_and_is_shown_in_them() {
        for (text, expected) in [
            ("[::1]:8080:80", "[::1]:8080:80/tcp"),
            ("::1:8080:80", "[::1]:8080:80/tcp"),
            ("[::]::80", "[::]::80/tcp"),
            ("::::80", "[::]::80/tcp"),
            ("2001:db8::5:53:53/udp", "[2001:db8::5]:53:53/udp"),
            (
                "[2001:DB8:0::5]:8000-8010:80",
                "[2001:db8::5]:8000-8010:80/tcp",
            ),
        ] {
            assert_eq!(shown(text), [expected], "{text}");
        }
        assert_eq!(
            shown("[::1]:9800-9801:80-81/sctp"),
            ["[::1]:9800:80/sctp", "[::1]:9801:81/sctp"]
        );
    }

    #[test]
    fn an_ipv6_address_of_one_interface_is_refused_by_name() {
        assert!(refusal("[fe80::1]:80:80").contains("`fe80::1` is a link-local address"));
        assert!(refusal("fe80::1%eth0:80:80").contains("`fe80::1%eth0` is not an IP address"));
    }

    #[test]
    fn what_is_wrong_with_a_publish_is_said() {
        assert_eq!(
            refusal("80:"),
            "invalid publish `80:`: no container port; write HOST:CONTAINER, such as `8080:80`"
        );
        assert!(refusal("").contains("no container port"));
        assert!(refusal("9800-9803:80-82").contains("4 host ports for 3 container ports"));
        assert!(refusal("8080:80-81").contains("1 host ports for 2 container ports"));
        assert!(refusal("9090-9089:80").contains("runs backwards"));
        assert!(refusal("hostname:80:80").contains("`hostname` is not an IP address"));
        assert!(refusal("1:2:3:4").contains("`1:2` is not an IP address"));
        assert!(refusal("[::1:80:80").contains("`[::1` is not an IP address"));
        assert!(refusal(":::80").contains("`:` is not an IP address"));
        assert!(refusal("80/icmp").contains("unknown protocol `icmp`"));
        assert!(refusal("0:80").contains("out of range"));
        assert!(refusal("80:65536").contains("out of range"));
        for text in ["9090-:80", "-9090:80", "x:80", "80:+80", " 80"] {
            assert!(refusal(text).contains("not a port number"), "{text}");
        }
    }

    #[test]
    fn a_request_is_saved_in_the_form_that_was_typed() {
        let request: PublishRequest = "127.0.0.1:8080:80".parse().unwrap();
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            "\"127.0.0.1:8080:80/tcp\""
        );
        assert!(
            "80-81"
                .parse::<PublishRequest>()
                .unwrap_err()
                .to_string()
                .contains("several container ports")
        );
    }

    fn any_port() -> impl Strategy<Value = Port> {
        (1u16..).prop_map(|number| Port::new(number).unwrap())
    }

    /// None, or an address as the parser gives it out.
    fn any_address() -> impl Strategy<Value = Option<IpAddr>> {
        let is_publishable = |address: &IpAddr| !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        let address = any::<IpAddr>().prop_map(|address| address.to_canonical());
        prop::option::of(address.prop_filter("link-local", is_publishable))
    }

    fn any_host_port() -> impl Strategy<Value = HostPort> {
        prop_oneof![
            Just(HostPort::Any),
            any_port().prop_map(HostPort::One),
            (1u16..65535, 1u16..).prop_map(|(first, count)| HostPort::Within(
                Port::new(first).unwrap(),
                Port::new(first.saturating_add(count)).unwrap()
            )),
        ]
    }

    proptest! {
        #[test]
        fn every_request_survives_display_and_parse(
            address in any_address(), host_port in any_host_port(), port in any_port(), protocol in 0usize..3,
        ) {
            let protocol = [Protocol::Tcp, Protocol::Sctp, Protocol::Udp][protocol];
            let container = ExposedPort { port, protocol };
            let request = PublishRequest { host_address: address, host_port, container };
            prop_assert_eq!(request.to_string().parse::<PublishRequest>().unwrap(), request);
        }

        #[test]
        fn ranges_of_equal_size_map_pairwise_and_others_fail(
            host in 1u16..60000, container in 1u16..60000, host_more in 0u16..50, container_more in 1u16..50,
        ) {
            let text = format!("{host}-{}:{container}-{}", host + host_more, container + container_more);
            match parse_publish(&text) {
                Ok(requests) => {
                    prop_assert_eq!(host_more, container_more);
                    for (index, request) in requests.iter().enumerate() {
                        let index = u16::try_from(index).unwrap();
                        prop_assert_eq!(request.host_port, HostPort::One(Port::new(host + index).unwrap()));
                        prop_assert_eq!(request.container.port.get(), container + index);
                    }
                    prop_assert_eq!(requests.len(), usize::from(host_more) + 1);
                }
                Err(_) => prop_assert_ne!(host_more, container_more),
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[0-9.:/a-z\\[\\]-]{0,24}") {
            let _ = parse_publish(&text);
            let _ = parse_publish(&near);
        }
    }
}
