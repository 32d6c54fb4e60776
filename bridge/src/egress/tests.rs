//! The words, and what they allow.

use super::*;
use crate::port::Protocol;
use ipnet::IpNet;
use proptest::prelude::*;

fn egress(allowed: &str, denied: &str) -> Egress {
    Egress {
        allowed: allowed.parse().unwrap(),
        denied: denied.parse().unwrap(),
    }
}

fn attempt(address: &str, port: &str) -> Attempt {
    Attempt {
        address: address.parse().unwrap(),
        port: (!port.is_empty()).then(|| port.parse().unwrap()),
    }
}

fn shown(words: &str) -> String {
    match words.parse::<Allowed>() {
        Ok(allowed) => allowed.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_form_of_a_destination_is_understood() {
    for (words, meaning) in [
        ("any", "any"),
        ("all", "any"),
        ("none", "none"),
        ("dns", "dns"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.1:53/udp", "192.0.2.1/32:53/udp"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0.0.0.0/0:443", "0.0.0.0/0:443/tcp"),
        ("192.0.2.0/24:8000-8010/TCP", "192.0.2.0/24:8000-8010/tcp"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("[2001:db8::/32]:443", "[2001:db8::/32]:443/tcp"),
        ("[2001:db8::1]", "2001:db8::1/128"),
        (
            "192.0.2.1:80,dns,192.0.2.1:80/tcp",
            "dns,192.0.2.1/32:80/tcp",
        ),
    ] {
        assert_eq!(shown(words), meaning, "{words}");
    }
}

#[test]
fn what_says_no_destination_is_refused_with_the_reason() {
    let form =
        "write an address such as `192.0.2.1`, `192.0.2.0/24:443/tcp` or `[2001:db8::/32]:443`";
    for (words, reason) in [
        ("example.org", format!("`example.org` is no destination; {form}")),
        ("[192.0.2.1]:80", format!("`[192.0.2.1]:80` is no destination; {form}")),
        ("[2001:db8::1]80", format!("`[2001:db8::1]80` is no destination; {form}")),
        ("", "an entry of the list is empty; write `none` for an empty list".into()),
        ("dns,", "an entry of the list is empty; write `none` for an empty list".into()),
        ("none,dns", "`none` stands alone, and cannot be combined with others".into()),
        ("dns,any", "`any` stands alone, and cannot be combined with others".into()),
        (
            "10.1.2.3/8:80",
            "`10.1.2.3/8` is an address within a network; write `10.0.0.0/8` for the network".into(),
        ),
        (
            "::ffff:10.0.0.1",
            "`::ffff:10.0.0.1` is an IPv4 address in the form of IPv6; write the IPv4 address".into(),
        ),
        (
            "192.0.2.1/tcp",
            "`192.0.2.1/tcp` names a protocol without a port; write the port before it, such as `:443/tcp`".into(),
        ),
        (
            "192.0.2.1:0",
            "in `192.0.2.1:0`: `0` is out of range; ports go from 1 to 65535".into(),
        ),
    ] {
        assert_eq!(shown(words), reason, "{words}");
    }
    let denied = "somewhere".parse::<Denied>().unwrap_err().to_string();
    assert_eq!(
        denied,
        "`somewhere` is no network; write `private`, or a network such as `198.51.100.0/24`"
    );
}

#[test]
fn a_list_permits_what_it_names_and_no_more() {
    let egress = egress("192.0.2.0/24:443,198.51.100.7", "none");
    for (address, port, permitted) in [
        ("192.0.2.9", "443/tcp", true),
        ("192.0.2.9", "443/udp", false),
        ("192.0.2.9", "444/tcp", false),
        ("192.0.2.9", "", false),
        ("198.51.100.7", "53/udp", true),
        ("198.51.100.7", "", true),
        ("198.51.100.8", "", false),
        ("2001:db8::1", "443/tcp", false),
    ] {
        assert_eq!(
            egress.permits(&attempt(address, port)),
            permitted,
            "{address} {port}"
        );
    }
}

#[test]
fn private_addresses_are_denied_in_every_form() {
    let egress = egress("any", "private");
    for private in [
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.251",
        "fd00::1",
        "fe80::1",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "2002:a00:1::",
        "ff02::fb",
    ] {
        assert!(!egress.permits(&attempt(private, "80/tcp")), "{private}");
    }
    for public in [
        "192.0.2.1",
        "172.32.0.1",
        "100.128.0.1",
        "2001:db8::1",
        "64:ff9b::192.0.2.1",
        "2600::1",
    ] {
        assert!(egress.permits(&attempt(public, "80/tcp")), "{public}");
    }
}

#[test]
fn names_stand_for_questions_to_the_servers_that_are_asked() {
    let server = "192.0.2.53".parse().unwrap();
    let resolved = egress("dns,198.51.100.7", "none").with_name_servers(&[server]);
    assert_eq!(
        resolved.allowed.to_string(),
        "192.0.2.53/32:53/tcp,192.0.2.53/32:53/udp,198.51.100.7/32"
    );
    let unasked = egress("198.51.100.7", "none");
    assert_eq!(unasked.with_name_servers(&[server]), unasked);
}

#[test]
fn only_everything_without_exception_is_open() {
    assert!(Egress::default().is_open());
    assert!(!egress("none", "none").is_open());
    assert!(!egress("any", "private").is_open());
}

fn networks() -> impl Strategy<Value = IpNet> {
    (any::<std::net::IpAddr>(), 0u8..=128).prop_map(|(address, length)| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        IpNet::new(address, length % (most + 1)).unwrap().trunc()
    })
}

proptest! {
    #[test]
    fn whatever_is_typed_is_read_or_refused(words in ".{0,40}") {
        let _ = words.parse::<Allowed>();
        let _ = words.parse::<Denied>();
    }

    #[test]
    fn what_is_shown_reads_back(network in networks(), first in 1u16.., count in 0u16..100, udp: bool) {
        let port = |number| crate::port::Port::new(number).unwrap();
        let ports = Ports {
            protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
            first: port(first),
            last: port(first.saturating_add(count)),
        };
        for ports in [None, Some(ports)] {
            let destination = Destination { network, ports };
            if let Ok(read) = destination.to_string().parse::<Destination>() {
                prop_assert_eq!(read, destination);
            } else {
                prop_assert!(destination.to_string().contains("::ffff:"));
            }
        }
    }

    #[test]
    fn what_is_denied_is_denied_whatever_is_allowed(network in networks(), address: std::net::IpAddr) {
        let mut egress = Egress::default();
        egress.denied.0.insert(Denial::Network(network));
        let attempt = Attempt { address, port: None };
        prop_assert_eq!(egress.permits(&attempt), !network.contains(&address));
        let first = Attempt { address: network.addr(), port: None };
        prop_assert!(!egress.permits(&first));
    }
}
