//! The words behind `--network`: the name of a network, the long form `name=…,alias=…`, or one of `host`, `none` and
//! `container:NAME`, which are no networks.

use minirun_bridge::name::Alias;
use minirun_bridge::network::DEFAULT_NETWORK;
use minirun_runtime::create::MembershipRequest;
use std::fmt;
use std::str::FromStr;

/// What the long form can say of a network.
const KEYS: [&str; 6] = ["name", "alias", "ip", "ip6", "mac-address", "gw-priority"];

/// One `--network`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkArgument {
    /// The host's network.
    Host,
    /// A loopback device and nothing else.
    None,
    /// The network of another container, by its name or id as typed.
    Container(String),
    /// A network, and what the container is on it.
    Network(MembershipRequest),
}

impl FromStr for NetworkArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<NetworkArgument, String> {
        if let Some(container) = text.strip_prefix("container:") {
            return match container {
                "" => Err("no container is named: write `container:NAME`".into()),
                name => Ok(NetworkArgument::Container(name.into())),
            };
        }
        if text.contains('=') {
            return long_form(text);
        }
        match text {
            "" => Err("no network is named: write its name or id, `host` or `none`".into()),
            "host" => Ok(NetworkArgument::Host),
            "none" => Ok(NetworkArgument::None),
            name => Ok(NetworkArgument::Network(MembershipRequest {
                network: usual_name(name),
                ..MembershipRequest::default()
            })),
        }
    }
}

impl fmt::Display for NetworkArgument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkArgument::Host => formatter.write_str("host"),
            NetworkArgument::None => formatter.write_str("none"),
            NetworkArgument::Container(name) => write!(formatter, "container:{name}"),
            NetworkArgument::Network(membership) => formatter.write_str(&membership.network),
        }
    }
}

/// Docker's other word for the default network.
fn usual_name(name: &str) -> String {
    match name {
        "default" => DEFAULT_NETWORK.into(),
        name => name.into(),
    }
}

fn long_form(text: &str) -> Result<NetworkArgument, String> {
    let mut name = None;
    let mut membership = MembershipRequest::default();
    let mut priority = None;
    for part in text.split(',') {
        let (key, value) = part.split_once('=').ok_or_else(|| {
            format!(
                "`{part}` says nothing: write KEY=VALUE, with one of the keys {}",
                keys()
            )
        })?;
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => once(&mut name, key, Ok(usual_name(value)))?,
            "alias" => membership.aliases.push(
                value
                    .parse()
                    .map_err(|error: <Alias as FromStr>::Err| error.to_string())?,
            ),
            "ip" => once(&mut membership.address, key, address(value, "an IPv4"))?,
            "ip6" => once(&mut membership.ipv6_address, key, address(value, "an IPv6"))?,
            "mac-address" => once(&mut membership.mac_address, key, parse(value))?,
            "gw-priority" => once(&mut priority, key, whole_number(value))?,
            _ => return Err(format!("unknown key `{key}`: use {}", keys())),
        }
    }
    membership.gateway_priority = priority.unwrap_or_default();
    match name.as_deref() {
        None | Some("") => Err(format!(
            "`{text}` names no network: write `name=NETWORK` as well"
        )),
        Some(word @ ("host" | "none")) => Err(format!(
            "`{word}` has nothing that could be set: write `--network {word}`"
        )),
        Some(word) if word.starts_with("container:") => Err(format!(
            "another container's network has nothing that could be set: write `--network {word}`"
        )),
        Some(network) => {
            membership.network = network.to_owned();
            Ok(NetworkArgument::Network(membership))
        }
    }
}

/// Takes a value that may be given once only.
fn once<T>(place: &mut Option<T>, key: &str, value: Result<T, String>) -> Result<(), String> {
    match place.replace(value?) {
        None => Ok(()),
        Some(_) => Err(format!("`{key}` is given twice: leave one out")),
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| error.to_string())
}

fn address<T: FromStr>(value: &str, kind: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("`{value}` is not {kind} address"))
}

fn whole_number(value: &str) -> Result<i32, String> {
    value
        .parse()
        .map_err(|_| format!("`{value}` is not a priority: write a whole number, such as `10`"))
}

fn keys() -> String {
    let keys = KEYS.map(|key| format!("`{key}`"));
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(text: &str) -> NetworkArgument {
        text.parse().unwrap()
    }

    fn problem(text: &str) -> String {
        text.parse::<NetworkArgument>().unwrap_err()
    }

    #[test]
    fn a_word_names_a_network_or_what_is_none() {
        assert_eq!(argument("host"), NetworkArgument::Host);
        assert_eq!(argument("none"), NetworkArgument::None);
        assert_eq!(
            argument("container:web1"),
            NetworkArgument::Container("web1".into())
        );
        for (text, name) in [("lan", "lan"), ("default", "bridge"), ("4f1c", "4f1c")] {
            assert_eq!(argument(text).to_string(), name);
        }
    }

    #[test]
    fn the_long_form_says_everything_about_one_network() {
        let text = "name=lan,alias=a,alias=b,ip=10.0.0.5,ip6=fd00::5,mac-address=02:42:0a:00:00:05,gw-priority=-7";
        let NetworkArgument::Network(membership) = argument(text) else {
            panic!("not a network");
        };
        assert_eq!(membership.network, "lan");
        let aliases: Vec<String> = membership.aliases.iter().map(ToString::to_string).collect();
        assert_eq!(aliases, ["a", "b"]);
        assert_eq!(membership.address, "10.0.0.5".parse().ok());
        assert_eq!(membership.ipv6_address, "fd00::5".parse().ok());
        assert_eq!(membership.mac_address, "02:42:0a:00:00:05".parse().ok());
        assert_eq!(membership.gateway_priority, -7);
    }

    #[test]
    fn what_is_wrong_with_a_network_is_said() {
        for (text, part) in [
            ("", "no network is named"),
            ("container:", "write `container:NAME`"),
            ("alias=a", "write `name=NETWORK` as well"),
            (
                "name=lan,aliass=a",
                "unknown key `aliass`: use `name`, `alias`",
            ),
            ("name=lan,alias", "`alias` says nothing: write KEY=VALUE"),
            ("name=lan,ip=fd00::1", "`fd00::1` is not an IPv4 address"),
            ("name=lan,ip6=10.0.0.1", "`10.0.0.1` is not an IPv6 address"),
            ("name=lan,ip=10.0.0.1,ip=10.0.0.2", "`ip` is given twice"),
            ("name=lan,gw-priority=x", "write a whole number"),
            ("name=lan,alias=a/b", "invalid alias `a/b`"),
            ("name=host,alias=a", "write `--network host`"),
            ("name=container:web1", "write `--network container:web1`"),
        ] {
            let problem = problem(text);
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}", near in "(name|ip|alias|=|,|a|:|1){0,9}") {
            let _ = text.parse::<NetworkArgument>();
            let _ = near.parse::<NetworkArgument>();
        }
    }
}
