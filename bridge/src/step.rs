//! The changes that networking makes to the host, as values.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::rule::Transaction;
use crate::hosts;
use crate::lazy_netlink::LazyNetlink;
use crate::network::Network;
use crate::plan::Step;
use crate::publication::Publication;
use crate::reload::{self, KnownRules};
use crate::state::NetworkHost;
use minirun_netns::{
    AddAddress, BridgeDevice, EndpointAddress, Explain, Explanation, LinkIndex, Namespace, Netlink,
    NetnsError, SetBridgePort, SetLinkDown, SysctlChange, VethPair, configure_endpoint,
};
use std::cell::OnceCell;
use std::path::PathBuf;

/// What steps act on besides themselves.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Where the state is, and the firewall driver.
    pub host: &'a NetworkHost,
    /// A connection to the host's network namespace.
    pub netlink: &'a LazyNetlink,
}

/// One change.
#[derive(Debug)]
pub struct NetworkStep<'a> {
    /// What it acts on.
    pub context: Context<'a>,
    /// What it does.
    pub action: Action<'a>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action<'a> {
    /// Makes the bridge device.
    CreateBridge(BridgeDevice),
    /// Gives the bridge its address.
    AddBridgeAddress(AddAddress),
    /// Sets a sysctl of the host, if it is not set already. What is shared with others is not taken back.
    SetSysctl(SysctlChange),
    /// Writes the endpoint's record, before anything of it exists.
    Register(Network, Box<Endpoint>),
    /// Removes the endpoint's record and its claims.
    Unregister(Network, Box<Endpoint>),
    /// Notes whose a host port is.
    ClaimPort(Publication, Box<Endpoint>),
    /// Changes rules.
    ChangeRules(RulesChange),
    /// Takes rules away; fails if one of them is not there.
    RemoveRules {
        /// What is told about it.
        sentence: String,
        /// The removal.
        removal: Transaction,
    },
    /// Writes the network's definition; the second is the one before.
    SaveDefinition(Network, Network),
    /// Writes a hosts file in place.
    WriteHosts {
        /// Whose file it is, for the telling.
        owner: String,
        /// The file.
        path: PathBuf,
        /// Its new content.
        text: String,
        /// Its content before.
        before: String,
    },
    /// Makes the veth pair. It goes with the namespace, so there is nothing to take back.
    CreateVeth(VethPair<'a>),
    /// Lets no packet pass the host end of a veth pair any more: a namespace may outlive its container, and would answer for
    /// its address.
    SetDown(SetLinkDown),
    /// Sets how the bridge treats a port.
    SetPort(SetBridgePort),
    /// Brings up loopback and `eth0` inside the namespace.
    ConfigureEndpoint(&'a Namespace, EndpointAddress),
}

/// A change of rules.
#[derive(Debug)]
pub struct RulesChange {
    /// What is told about it.
    pub sentence: String,
    /// The change.
    pub change: Transaction,
    /// The change back.
    pub back: Transaction,
    /// Whether the rules are known to be what the records said before.
    pub known: KnownRules,
    /// What was done in the end, if that was more than the change: all rules made afresh.
    pub done: OnceCell<Transaction>,
}

impl RulesChange {
    /// A change of rules that are `known` or not, and its opposite.
    pub fn new(
        sentence: String,
        known: KnownRules,
        (change, back): (Transaction, Transaction),
    ) -> RulesChange {
        RulesChange {
            sentence,
            change,
            back,
            known,
            done: OnceCell::new(),
        }
    }
}

impl Step for NetworkStep<'_> {
    type Error = NetworkError;

    fn apply(&self) -> Result<(), NetworkError> {
        let host = self.context.host;
        let netlink = self.context.netlink;
        match &self.action {
            Action::CreateBridge(bridge) => {
                netlink.with(|netlink| netlink.create_bridge(bridge))?;
            }
            Action::AddBridgeAddress(change) => {
                let index = self.index_of(&change.name)?;
                match netlink.with(|netlink| netlink.add_address(index, change.address)) {
                    // A command that was killed has come this far.
                    Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {}
                    outcome => outcome?,
                }
            }
            Action::SetSysctl(setting) => {
                setting.sysctl.ensure(&setting.value)?;
            }
            Action::Register(network, endpoint) => {
                host.network(&network.name).register(endpoint)?;
            }
            Action::Unregister(network, endpoint) => {
                host.network(&network.name).unregister(endpoint);
                for publication in &endpoint.publications {
                    host.release_port(publication, &endpoint.container);
                }
            }
            Action::ClaimPort(publication, endpoint) => {
                host.claim_port(publication, &endpoint.container)?;
            }
            Action::ChangeRules(rules) => {
                if let Some(rebuilt) = reload::change_rules(host, rules.known, &rules.change)? {
                    // Set once, since a step is applied once.
                    let _ = rules.done.set(rebuilt);
                }
            }
            Action::RemoveRules { removal, .. } => host.firewall.commit(removal)?,
            Action::SaveDefinition(after, _) => host.save(after)?,
            Action::WriteHosts { path, text, .. } => write_hosts(path, text)?,
            Action::CreateVeth(pair) => {
                netlink.with(|netlink| netlink.create_veth(pair))?;
            }
            Action::SetPort(change) => self.set_port(change)?,
            Action::SetDown(link) => self.with_port(&link.name, Netlink::set_down)?,
            Action::ConfigureEndpoint(namespace, address) => {
                configure_endpoint(&mut Netlink::open_in(namespace)?, address)?;
            }
        }
        Ok(())
    }

    fn undo(&self) {
        let host = self.context.host;
        match &self.action {
            Action::CreateBridge(bridge) => {
                let netlink = self.context.netlink;
                let _ = netlink.with(|netlink| netlink.delete_link(&bridge.name));
            }
            Action::Register(network, endpoint) => {
                host.network(&network.name).unregister(endpoint);
            }
            Action::ClaimPort(publication, endpoint) => {
                host.release_port(publication, &endpoint.container);
            }
            Action::ChangeRules(rules) => {
                // Rules that cannot be taken back are made afresh with the next change.
                host.begin_rules_change();
                if host.firewall.commit(&rules.back).is_ok() {
                    let _ = host.rules_match();
                }
            }
            Action::SaveDefinition(_, before) => {
                let _ = host.save(before);
            }
            Action::WriteHosts { path, before, .. } => {
                let _ = hosts::write_in_place(path, before);
            }
            Action::AddBridgeAddress(_)
            | Action::SetSysctl(_)
            | Action::Unregister(..)
            | Action::RemoveRules { .. }
            | Action::CreateVeth(_)
            | Action::SetPort(_)
            | Action::SetDown(_)
            | Action::ConfigureEndpoint(..) => {}
        }
    }
}

impl NetworkStep<'_> {
    fn set_port(&self, change: &SetBridgePort) -> Result<(), NetworkError> {
        self.with_port(&change.name, |netlink, index| {
            netlink.set_bridge_port(index, change.port)
        })
    }

    /// A port that is gone needs no setting: its container has just ended.
    fn with_port(
        &self,
        name: &str,
        work: impl FnOnce(&mut Netlink, LinkIndex) -> Result<(), NetnsError>,
    ) -> Result<(), NetworkError> {
        let outcome = self
            .context
            .netlink
            .with(|netlink| match netlink.find_link(name)? {
                Some(link) if link.controller.is_some() => work(netlink, link.index),
                Some(_) | None => Ok(()),
            });
        match outcome {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    fn index_of(&self, name: &str) -> Result<LinkIndex, NetworkError> {
        let found = self
            .context
            .netlink
            .with(|netlink| netlink.find_link(name))?;
        match found {
            Some(link) => Ok(link.index),
            None => Err(NetworkError::LinkVanished { link: name.into() }),
        }
    }
}

/// Text as `printf` of a shell takes it between single quotes.
fn printf_text(text: &str) -> String {
    text.replace('%', "%%")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
}

fn write_hosts(path: &std::path::Path, text: &str) -> Result<(), NetworkError> {
    hosts::write_in_place(path, text)
        .map_err(|error| NetworkError::file("write", path, std::io::Error::other(error)))
}

impl Explain for NetworkStep<'_> {
    fn explain(&self) -> Explanation {
        match &self.action {
            Action::CreateBridge(bridge) => bridge.explain(),
            Action::AddBridgeAddress(address) => address.explain(),
            Action::SetSysctl(setting) => setting.explain(),
            Action::Register(network, endpoint) => Explanation {
                sentence: format!(
                    "record the endpoint of `{}` on network `{}`: address {}, MAC {}",
                    endpoint.name, network.name, endpoint.address, endpoint.mac
                ),
                command: String::new(),
            },
            Action::Unregister(network, endpoint) => Explanation {
                sentence: format!(
                    "forget the endpoint of `{}` on network `{}`; `{}` goes with its namespace",
                    endpoint.name, network.name, endpoint.interface
                ),
                command: String::new(),
            },
            Action::ClaimPort(publication, endpoint) => Explanation {
                sentence: format!(
                    "hold host port {}:{}/{} for `{}` with a bound socket",
                    publication.host_address,
                    publication.host_port,
                    publication.container.protocol,
                    endpoint.name
                ),
                command: String::new(),
            },
            Action::ChangeRules(rules) => Explanation {
                sentence: rules.sentence.clone(),
                command: rules.done.get().unwrap_or(&rules.change).commands(),
            },
            Action::RemoveRules { sentence, removal } => Explanation {
                sentence: sentence.clone(),
                command: removal.commands(),
            },
            Action::SaveDefinition(network, _) => Explanation {
                sentence: format!(
                    "record that ICC on network `{}` is {}",
                    network.name, network.icc
                ),
                command: String::new(),
            },
            Action::WriteHosts {
                owner, path, text, ..
            } => Explanation {
                sentence: format!("write the hosts file of `{owner}`"),
                command: format!("printf '{}' > {}", printf_text(text), path.display()),
            },
            Action::CreateVeth(pair) => pair.explain(),
            Action::SetPort(port) => port.explain(),
            Action::SetDown(link) => link.explain(),
            Action::ConfigureEndpoint(_, address) => address.explain(),
        }
    }
}
