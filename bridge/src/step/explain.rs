//! Steps in words.

use super::{Action, NetworkStep};
use crate::endpoint::Endpoint;
use crate::source_check::Guard;
use minirun_netns::netfilter::{UdpPort, add_sources, remove_sources};
use minirun_netns::{
    EndpointAddress, Explain, Explanation, Ipv6, ProxyNeighbour, interface_settings,
};

/// Text as `printf` of a shell takes it between single quotes.
fn printf_text(text: &str) -> String {
    text.replace('%', "%%")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
}

impl Explain for NetworkStep<'_> {
    fn explain(&self) -> Explanation {
        match &self.action {
            Action::CreateBridge(bridge) => bridge.explain(),
            Action::AddBridgeAddress(address) => address.explain(),
            Action::SetSysctl(setting) => setting.explain(),
            Action::DeleteBridge(name) => Explanation {
                sentence: format!("delete the bridge `{name}`"),
                command: format!("ip link delete {name}"),
            },
            Action::DeleteVeth(name) => Explanation {
                sentence: format!("delete the interface `{name}`, and the container's end with it"),
                command: format!("ip link delete {name}"),
            },
            Action::RemoveBridgeAddress(address) => address.explain(),
            Action::PrepareInterface(name, ipv6) => explain_preparation(name, *ipv6),
            Action::AnswerFor(neighbour) => neighbour.explain(),
            Action::StopAnsweringFor(ProxyNeighbour { bridge, address }) => Explanation {
                sentence: format!("let the bridge `{bridge}` no longer answer for {address}"),
                command: format!("ip -6 neighbour delete proxy {address} dev {bridge}"),
            },
            Action::ForgetFlows(ports) => explain_forgetting(ports),
            Action::Guard(
                Guard {
                    check, elements, ..
                },
                _,
            ) => Explanation {
                command: add_sources(elements.clone()).commands().join("\n"),
                ..check.explain()
            },
            Action::Unguard(Guard {
                check, elements, ..
            }) => Explanation {
                sentence: format!("forget which addresses are behind `{}`", check.interface),
                command: remove_sources(elements.clone()).commands().join("\n"),
            },
            Action::RenewGuards(_) => {
                note("see that every container is kept to its own addresses".into())
            }
            Action::CreateVeth(pair) => pair.explain(),
            Action::CreateCable(cable) => cable.explain(),
            Action::SetPort(port) => port.explain(),
            Action::Unpin(station) => station.explain(),
            Action::Pin(station) => station.explain(),
            Action::Enslave(change) => change.explain(),
            Action::SetUp(link) => link.explain(),
            Action::SetDown(link) => link.explain(),
            Action::ConfigureEndpoint { address, ipv6, .. } => {
                explain_configuration(address, *ipv6)
            }
            Action::Register {
                network, endpoint, ..
            } => note(format!(
                "record the endpoint of `{}` on network `{}`: {}, MAC {}",
                endpoint.name,
                network.name,
                addresses(endpoint),
                endpoint.mac
            )),
            Action::Replace { network, after, .. } => note(format!(
                "record what has changed for `{}` on network `{}`",
                after.name, network.name
            )),
            Action::KeepGuard(interface) => note(format!(
                "keep `{interface}` to its addresses as long as it is there"
            )),
            Action::Unregister(network, endpoint, _) => note(format!(
                "forget the endpoint of `{}` on network `{}`",
                endpoint.name, network.name
            )),
            Action::LeaveVeth(name) => note(format!("leave `{name}` to go with its namespace")),
            Action::ClaimPort(publication, endpoint) => note(format!(
                "hold host port {}/{} for `{}` with a bound socket",
                publication.host_socket(),
                publication.container.protocol,
                endpoint.name
            )),
            Action::ChangeRules(rules) => Explanation {
                sentence: rules.sentence.clone(),
                command: rules.done.get().unwrap_or(&rules.change).commands(),
            },
            Action::RemoveRules { sentence, removal } => Explanation {
                sentence: sentence.clone(),
                command: removal.commands(),
            },
            Action::SaveDefinition(change) => note(change.sentence.clone()),
            Action::RefreshHosts(change) => Explanation {
                sentence: format!("write the hosts file of `{}`", change.owner),
                command: change.written.get().map_or_else(String::new, |written| {
                    let text = printf_text(&written.text);
                    format!("printf '{text}' > {}", written.path.display())
                }),
            },
        }
    }
}

/// A step that no command of others does.
fn note(sentence: String) -> Explanation {
    Explanation {
        sentence,
        command: String::new(),
    }
}

/// An endpoint's addresses, as a sentence has them.
fn addresses(endpoint: &Endpoint) -> String {
    match endpoint.ipv6_address {
        Some(ipv6) => format!("addresses {} and {ipv6}", endpoint.address),
        None => format!("address {}", endpoint.address),
    }
}

fn explain_preparation(name: &str, ipv6: Ipv6) -> Explanation {
    let sentence = match ipv6 {
        Ipv6::Enabled => {
            format!("give `{name}` IPv6, and let it learn nothing from router advertisements")
        }
        Ipv6::Disabled => format!("give `{name}` no IPv6"),
    };
    Explanation {
        sentence,
        command: settings(name, ipv6).join("\n"),
    }
}

/// What happens inside, with the settings that come first.
fn explain_configuration(address: &EndpointAddress, ipv6: Option<Ipv6>) -> Explanation {
    let configuration = address.explain();
    let mut lines: Vec<String> = ipv6
        .into_iter()
        .flat_map(|ipv6| settings(&address.interface, ipv6))
        .map(|command| format!("nsenter --net={} {command}", address.namespace_label))
        .collect();
    lines.push(configuration.command);
    Explanation {
        sentence: configuration.sentence,
        command: lines.join("\n"),
    }
}

/// The commands that make an interface speak IPv6 or not.
fn settings(name: &str, ipv6: Ipv6) -> Vec<String> {
    interface_settings(name, ipv6)
        .iter()
        .map(|setting| setting.explain().command)
        .collect()
}

fn explain_forgetting(ports: &[UdpPort]) -> Explanation {
    let commands: Vec<String> = ports
        .iter()
        .map(|port| {
            let family = match port.address.is_ipv6() {
                true => "-f ipv6 ",
                false => "",
            };
            format!("conntrack -D {family}-p udp --orig-port-dst {}", port.port)
        })
        .collect();
    Explanation {
        sentence: "let datagrams that are under way meet the rules that hold now".into(),
        command: commands.join("\n"),
    }
}
