//! Names, asked for as a program in a container does.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use simple_dns::TYPE;

use crate::container::Container;
use crate::probe::{DnsAnswer, DnsQuestion, LONG_WAIT, Transport, dns_ask};

impl Container<'_> {
    /// Where a container on a network with names finds its name server.
    pub const NAME_SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 11), 53);

    /// What its name server answers to one question over UDP.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[track_caller]
    pub fn asks(&self, kind: TYPE, name: &str) -> DnsAnswer {
        self.asks_over(Transport::Udp, kind, name)
    }

    /// The same over the given transport.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[track_caller]
    pub fn asks_over(&self, transport: Transport, kind: TYPE, name: &str) -> DnsAnswer {
        let question = DnsQuestion { name, kind };
        let answer = self.inside(|| dns_ask(Self::NAME_SERVER, &question, transport, LONG_WAIT));
        answer.unwrap_or_else(|| panic!("nobody answers {kind:?} {name} over {transport:?}"))
    }

    /// The IPv4 addresses that it finds for a name, as text, sorted; none if there is no such name.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[track_caller]
    pub fn resolves(&self, name: &str) -> Vec<String> {
        self.asks(TYPE::A, name).values
    }

    /// Expects it to find exactly these IPv4 addresses, and no others, under every one of the names.
    #[track_caller]
    pub fn finds(&self, names: &[&str], addresses: &[Ipv4Addr]) {
        let mut expected: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        expected.sort();
        for name in names {
            assert_eq!(self.resolves(name), expected, "{name}");
        }
    }

    /// What its name server answers when it is asked whose address this is.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    #[track_caller]
    pub fn asks_whose(&self, address: impl Into<IpAddr>) -> DnsAnswer {
        self.asks(TYPE::PTR, &reverse_name(address.into()))
    }
}

/// The name under which DNS knows an address (RFC 1035, section 3.5; RFC 3596, section 2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits = format!("{:032x}", u128::from(address));
            let reversed: String = digits
                .chars()
                .rev()
                .flat_map(|digit| [digit, '.'])
                .collect();
            format!("{reversed}ip6.arpa")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_for_from_its_end() {
        let name = reverse_name(IpAddr::from([10, 1, 0, 2]));
        assert_eq!(name, "2.0.1.10.in-addr.arpa");
        let name = reverse_name("2001:db8::1".parse().expect("an address"));
        assert!(name.starts_with("1.0.0.0.") && name.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"));
    }
}
