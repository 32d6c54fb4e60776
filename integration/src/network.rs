//! A network on a test host, by name.

use std::net::IpAddr;

use serde_json::Value;

use crate::host::TestHost;

/// A handle that asks minirun anew every time.
#[derive(Debug, Clone)]
pub struct Network<'host> {
    host: &'host TestHost,
    name: String,
}

impl<'host> Network<'host> {
    pub(crate) fn new(host: &'host TestHost, name: &str) -> Self {
        Self {
            host,
            name: name.to_owned(),
        }
    }

    /// What `minirun network inspect` says about it.
    #[track_caller]
    pub fn inspect(&self) -> Value {
        let found = self.host.minirun(["network", "inspect", &self.name]);
        found.succeeds().json()[0].take()
    }

    /// Its id, 64 hexadecimal digits.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text("/Id")
    }

    /// The name of its bridge device.
    #[track_caller]
    pub fn bridge(&self) -> String {
        self.text("/Options/com.docker.network.bridge.name")
    }

    /// Its IPv4 subnet, with the prefix length: `10.1.0.0/24`.
    #[track_caller]
    pub fn subnet(&self) -> String {
        self.addressing("Subnet", IpAddr::is_ipv4)
    }

    /// Its IPv4 gateway, an address of the host.
    #[track_caller]
    pub fn gateway(&self) -> IpAddr {
        parsed(&self.addressing("Gateway", IpAddr::is_ipv4))
    }

    /// Its IPv6 subnet, with the prefix length.
    #[track_caller]
    pub fn subnet_v6(&self) -> String {
        self.addressing("Subnet", IpAddr::is_ipv6)
    }

    /// Its IPv6 gateway, an address of the host.
    #[track_caller]
    pub fn gateway_v6(&self) -> IpAddr {
        parsed(&self.addressing("Gateway", IpAddr::is_ipv6))
    }

    #[track_caller]
    fn text(&self, path: &str) -> String {
        let answer = self.inspect();
        let text = answer.pointer(path).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("network `{}` has no `{path}`: {answer}", self.name))
            .to_owned()
    }

    /// The text under `key` in the part of the addressing whose addresses are of the wanted family.
    #[track_caller]
    fn addressing(&self, key: &str, of_family: fn(&IpAddr) -> bool) -> String {
        let answer = self.inspect();
        let parts = answer["IPAM"]["Config"].as_array();
        let texts = parts
            .into_iter()
            .flatten()
            .filter_map(|part| part[key].as_str());
        let of_family = |text: &&str| {
            let address = text.split('/').next().unwrap_or_default();
            address.parse().is_ok_and(|address| of_family(&address))
        };
        texts
            .filter(of_family)
            .map(str::to_owned)
            .next()
            .unwrap_or_else(|| {
                panic!(
                    "network `{}` has no `{key}` of this family: {answer}",
                    self.name
                )
            })
    }
}

#[track_caller]
fn parsed(text: &str) -> IpAddr {
    text.parse()
        .unwrap_or_else(|error| panic!("`{text}` is not an address: {error}"))
}
