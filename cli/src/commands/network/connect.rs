//! `minirun network connect`.

use super::complain_of;
use crate::failure::Failure;
use crate::narration::Narration;
use clap::Args;
use minirun_bridge::link::LinkRequest;
use minirun_bridge::name::Alias;
use minirun_netns::MacAddress;
use minirun_runtime::connect::Connection;
use minirun_runtime::create::MembershipRequest;
use minirun_runtime::runtime::Runtime;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

/// Options of `minirun network connect`.
#[derive(Debug, Args)]
pub struct NetworkConnect {
    /// IPv4 address on the network
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,
    /// IPv6 address on the network
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<Ipv6Addr>,
    /// MAC address on the network
    #[arg(long, value_name = "MAC")]
    mac_address: Option<MacAddress>,
    /// Further name on the network
    #[arg(long, value_name = "NAME")]
    alias: Vec<Alias>,
    /// Link to another container, on every network that both are on
    #[arg(long, value_name = "CONTAINER[:ALIAS]")]
    link: Vec<LinkRequest>,
    /// The network with the highest number has the default route
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "0",
        allow_negative_numbers = true
    )]
    gw_priority: i32,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Network
    #[arg(value_name = "NETWORK")]
    network: String,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl NetworkConnect {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let membership = runtime.resolve_membership(&MembershipRequest {
            network: self.network,
            aliases: self.alias,
            address: self.ip,
            ipv6_address: self.ip6,
            mac_address: self.mac_address,
            gateway_priority: self.gw_priority,
        })?;
        let connection = Connection {
            membership,
            links: self.link,
        };
        let container = runtime.resolve(&self.container)?;
        let mut narration = Narration::new(self.explain);
        complain_of(&runtime.connect(&container, connection, &mut narration)?);
        Ok(ExitCode::SUCCESS)
    }
}
