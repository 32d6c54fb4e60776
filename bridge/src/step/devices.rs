//! The steps that change devices, addresses and settings of the kernel.

use super::{Action, NetworkStep};
use crate::error::NetworkError;
use minirun_netns::netfilter;
use minirun_netns::{
    Link, LinkIndex, Netlink, NetnsError, ProxyNeighbour, SetBridgePort, SetController,
    UnpinStation, configure_endpoint, configure_interface, prepare_interface,
    prepare_new_interface,
};

impl NetworkStep<'_> {
    pub(super) fn apply_to_devices(&self) -> Result<(), NetworkError> {
        let netlink = self.context.netlink;
        match &self.action {
            Action::CreateBridge(bridge) => {
                netlink.with(|netlink| netlink.create_bridge(bridge))?;
            }
            Action::DeleteBridge(name) | Action::DeleteVeth(name) => {
                netlink.with(|netlink| netlink.delete_link(name))?;
            }
            Action::AddBridgeAddress(change) => {
                let index = self.index_of(&change.name)?;
                match netlink.with(|netlink| netlink.add_address(index, change.address)) {
                    // A command that was killed has come this far.
                    Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {}
                    outcome => outcome?,
                }
            }
            Action::RemoveBridgeAddress(change) => {
                let index = self.index_of(&change.name)?;
                netlink.with(|netlink| netlink.delete_address(index, change.address))?;
            }
            Action::SetSysctl(setting) => {
                setting.sysctl.ensure(&setting.value)?;
            }
            Action::PrepareInterface(name, ipv6) => prepare_interface(name, *ipv6)?,
            Action::AnswerFor(neighbour) => {
                let index = self.index_of(&neighbour.bridge)?;
                netlink.with(|netlink| netlink.add_proxy_neighbour(index, neighbour.address))?;
            }
            Action::StopAnsweringFor(neighbour) => self.stop_answering(neighbour)?,
            Action::ForgetFlows(ports) => {
                let local = netlink.with(Netlink::local_addresses)?;
                netfilter::forget_flows(ports, &local)?;
            }
            Action::CreateVeth(pair) => {
                let indexes = netlink.with(|netlink| netlink.create_veth(pair))?;
                netlink.made(indexes, pair.bridge);
            }
            Action::CreateCable(cable) => netlink.with(|netlink| netlink.create_cable(cable))?,
            Action::SetPort(change) => self.set_port(change)?,
            Action::Pin(station) => self.with_port(&station.name, |netlink, port| {
                netlink.pin_station(port.index, station.mac)
            })?,
            Action::Unpin(station) => self.unpin(station)?,
            Action::Enslave(change) => self.enslave(change)?,
            Action::SetUp(link) => {
                let index = self.index_of(&link.name)?;
                netlink.with(|netlink| netlink.set_up(index))?;
            }
            Action::SetDown(link) => {
                self.with_port(&link.name, |netlink, port| netlink.set_down(port.index))?
            }
            Action::ConfigureEndpoint {
                namespace,
                ipv6,
                address,
            } => {
                let mut inside = namespace.run(|| {
                    if let Some(ipv6) = ipv6 {
                        prepare_new_interface(&address.interface, *ipv6)?;
                    }
                    Netlink::open()
                })??;
                match netlink.pair() {
                    Some((pair, bridge)) => {
                        configure_interface(&mut inside, pair.container, address)?;
                        let number =
                            netlink.with(|netlink| netlink.wait_for_carrier(pair.host, bridge))?;
                        netlink.numbered(number);
                    }
                    None => configure_endpoint(&mut inside, address)?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A bridge that is gone answers for nobody.
    pub(super) fn stop_answering(&self, neighbour: &ProxyNeighbour) -> Result<(), NetworkError> {
        let netlink = self.context.netlink;
        let found = netlink.with(|netlink| netlink.find_link(&neighbour.bridge))?;
        if let Some(link) = found {
            netlink
                .with(|netlink| netlink.delete_proxy_neighbour(link.index, neighbour.address))?;
        }
        Ok(())
    }

    fn set_port(&self, change: &SetBridgePort) -> Result<(), NetworkError> {
        self.with_port(&change.name, |netlink, port| {
            netlink.set_bridge_port(port.index, change.port)
        })
    }

    /// A cable that is gone has taken what was kept at its end along.
    fn unpin(&self, station: &UnpinStation) -> Result<(), NetworkError> {
        self.with_port(&station.name, |netlink, port| {
            netlink.unpin_station(port.index, station.mac)
        })
    }

    /// A port that is gone, or is one already, needs nothing.
    fn enslave(&self, change: &SetController) -> Result<(), NetworkError> {
        let bridge = self.index_of(&change.bridge)?;
        let netlink = self.context.netlink;
        let port = netlink.with(|netlink| netlink.find_link(&change.name))?;
        match port {
            Some(port) if port.controller.is_none() => {
                Ok(netlink.with(|netlink| netlink.set_controller(port.index, bridge))?)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A port that is gone needs no setting: its container has just ended.
    fn with_port(
        &self,
        name: &str,
        work: impl FnOnce(&mut Netlink, &Link) -> Result<(), NetnsError>,
    ) -> Result<(), NetworkError> {
        let outcome = self
            .context
            .netlink
            .with(|netlink| match netlink.find_link(name)? {
                Some(link) if link.controller.is_some() => work(netlink, &link),
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
