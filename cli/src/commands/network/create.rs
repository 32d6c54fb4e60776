//! `minirun network create`. The values go to the runtime as they were typed, so that it can tell all that is wrong at once.

use super::complain_of;
use crate::commands::switch::parse_switch;
use crate::context::print;
use crate::failure::Failure;
use clap::{ArgAction, Args};
use minirun_bridge::network_options::{Ipv6Wanted, Reach};
use minirun_bridge::network_request::NetworkRequest;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun network create`.
#[derive(Debug, Args)]
pub struct NetworkCreate {
    /// Driver, which is `bridge`
    #[arg(short, long, value_name = "DRIVER")]
    driver: Option<String>,
    /// Subnet, one of each family at most [default: a free /24 of the address pools]
    #[arg(long, value_name = "CIDR")]
    subnet: Vec<String>,
    /// Address of the bridge [default: the first of the subnet]
    #[arg(long, value_name = "ADDRESS")]
    gateway: Vec<String>,
    /// Part of the subnet that containers get addresses from
    #[arg(long, value_name = "CIDR")]
    ip_range: Vec<String>,
    /// Address that no container gets
    #[arg(long, value_name = "NAME=ADDRESS")]
    aux_address: Vec<String>,
    /// No way out: containers reach each other and the host only
    #[arg(long)]
    internal: bool,
    /// IPv6 as well [default subnet: a unique local /64]
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = parse_switch
    )]
    ipv6: Option<bool>,
    /// Whether containers reach each other without a link
    #[arg(long, value_name = "true|false", value_parser = parse_switch, action = ArgAction::Set)]
    icc: Option<bool>,
    /// Longest packet
    #[arg(long, value_name = "BYTES")]
    mtu: Option<u32>,
    /// Note something on the network
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    /// Option of the bridge, under Docker's name or a short one
    #[arg(short, long = "opt", value_name = "KEY=VALUE")]
    option: Vec<String>,
    /// Name of the network
    #[arg(value_name = "NAME")]
    name: String,
}

impl NetworkCreate {
    pub(super) fn run(self, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let created = runtime.create_network(&self.request())?;
        complain_of(&created.warnings);
        print(&format!("{}\n", created.network.id))?;
        Ok(ExitCode::SUCCESS)
    }

    fn request(self) -> NetworkRequest {
        let ipv6 = |wanted| match wanted {
            true => Ipv6Wanted::Yes,
            false => Ipv6Wanted::No,
        };
        let label = |text: &String| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (key.to_owned(), value.to_owned())
        };
        NetworkRequest {
            name: self.name,
            driver: self.driver,
            subnets: self.subnet,
            gateways: self.gateway,
            ip_ranges: self.ip_range,
            auxiliary: self.aux_address,
            ipv6: self.ipv6.map(ipv6),
            reach: match self.internal {
                true => Reach::Internal,
                false => Reach::External,
            },
            icc: self.icc.map(Into::into),
            mtu: self.mtu,
            labels: self.label.iter().map(label).collect(),
            options: self.option,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};
    use minirun_bridge::network::Icc;

    fn request(words: &[&str]) -> NetworkRequest {
        let command = NetworkCreate::augment_args(Command::new("create").no_binary_name(true));
        let matches = command.try_get_matches_from(words).unwrap();
        NetworkCreate::from_arg_matches(&matches).unwrap().request()
    }

    #[test]
    fn what_was_typed_reaches_the_runtime_as_it_is() {
        let request = request(&[
            "--driver",
            "bridge",
            "--subnet=10.0.0.1/24",
            "--subnet",
            "fd00::/64",
            "--gateway",
            "nonsense",
            "--ipv6",
            "--internal",
            "--icc=false",
            "--label",
            "=x",
            "-o",
            "mtu=1400",
            "--opt",
            "icc=true",
            "lan",
        ]);
        assert_eq!(request.name, "lan");
        assert_eq!(request.subnets, ["10.0.0.1/24", "fd00::/64"]);
        assert_eq!(request.gateways, ["nonsense"]);
        assert_eq!(request.ipv6, Some(Ipv6Wanted::Yes));
        assert_eq!(request.reach, Reach::Internal);
        assert_eq!(request.icc, Some(Icc::Disabled));
        assert_eq!(request.labels.get("").map(String::as_str), Some("x"));
        assert_eq!(request.options, ["mtu=1400", "icc=true"]);
    }

    #[test]
    fn what_was_not_said_is_left_to_the_runtime() {
        let request = request(&["--ipv6=false", "lan"]);
        assert_eq!(request.ipv6, Some(Ipv6Wanted::No));
        assert_eq!(
            (request.driver, request.icc, request.mtu),
            (None, None, None)
        );
        assert_eq!(request.reach, Reach::External);
    }
}
