//! The changes that networking makes to the host, as values.

use crate::endpoint::Endpoint;
use crate::error::NetworkError;
use crate::firewall::rule::Transaction;
use crate::hosts;
use crate::network::Network;
use crate::plan::Step;
use crate::publication::Publication;
use crate::reload;
use crate::state::NetworkHost;
use minirun_netns::{
    AddAddress, BridgeDevice, EndpointAddress, Explain, Explanation, LinkIndex, Namespace, Netlink,
    SetBridgePort, SysctlChange, VethPair, configure_endpoint,
};
use std::cell::RefCell;
use std::path::PathBuf;

/// What steps act on besides themselves.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Where the state is, and the firewall driver.
    pub host: &'a NetworkHost,
    /// A connection to the host's network namespace.
    pub netlink: &'a RefCell<Netlink>,
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
    /// Changes rules; the second transaction takes the first back.
    ChangeRules {
        /// What is told about it.
        sentence: String,
        /// The change.
        change: Transaction,
        /// The change back.
        back: Transaction,
    },
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
    /// Sets how the bridge treats a port.
    SetPort(SetBridgePort),
    /// Brings up loopback and `eth0` inside the namespace.
    ConfigureEndpoint(&'a Namespace, EndpointAddress),
}

impl Step for NetworkStep<'_> {
    type Error = NetworkError;

    fn apply(&self) -> Result<(), NetworkError> {
        let host = self.context.host;
        let netlink = || self.context.netlink.borrow_mut();
        match &self.action {
            Action::CreateBridge(bridge) => netlink().create_bridge(bridge).map(drop)?,
            Action::AddBridgeAddress(change) => {
                let index = self.index_of(&change.name)?;
                netlink().add_address(index, change.address)?;
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
            Action::ChangeRules { change, .. } => reload::change_rules(host, change)?,
            Action::WriteHosts { path, text, .. } => write_hosts(path, text)?,
            Action::CreateVeth(pair) => netlink().create_veth(pair).map(drop)?,
            Action::SetPort(change) => {
                let index = self.index_of(&change.name)?;
                netlink().set_bridge_port(index, change.port)?;
            }
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
                let _ = self.context.netlink.borrow_mut().delete_link(&bridge.name);
            }
            Action::Register(network, endpoint) => {
                host.network(&network.name).unregister(endpoint);
            }
            Action::ClaimPort(publication, endpoint) => {
                host.release_port(publication, &endpoint.container);
            }
            Action::ChangeRules { back, .. } => {
                let _ = host.firewall.commit(back);
            }
            Action::WriteHosts { path, before, .. } => {
                let _ = hosts::write_in_place(path, before);
            }
            Action::AddBridgeAddress(_)
            | Action::SetSysctl(_)
            | Action::Unregister(..)
            | Action::CreateVeth(_)
            | Action::SetPort(_)
            | Action::ConfigureEndpoint(..) => {}
        }
    }
}

impl NetworkStep<'_> {
    fn index_of(&self, name: &str) -> Result<LinkIndex, NetworkError> {
        match self.context.netlink.borrow_mut().find_link(name)? {
            Some(link) => Ok(link.index),
            None => Err(NetworkError::LinkVanished { link: name.into() }),
        }
    }
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
            Action::ChangeRules {
                sentence, change, ..
            } => Explanation {
                sentence: sentence.clone(),
                command: change.commands(),
            },
            Action::WriteHosts {
                owner, path, text, ..
            } => Explanation {
                sentence: format!("write the hosts file of `{owner}`"),
                command: format!("cat > {} <<'END'\n{text}END", path.display()),
            },
            Action::CreateVeth(pair) => pair.explain(),
            Action::SetPort(port) => port.explain(),
            Action::ConfigureEndpoint(_, address) => address.explain(),
        }
    }
}
