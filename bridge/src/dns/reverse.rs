//! The names under which addresses are looked up backwards.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a folded name such as `2.0.17.172.in-addr.arpa` stands for (RFC 1035 section 3.5), or one of 32
/// nibbles before `ip6.arpa` (RFC 3596 section 2.5); none for every other name, parts of addresses among them.
pub(super) fn address_of(name: &str) -> Option<IpAddr> {
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        return ipv4(octets).map(IpAddr::V4);
    }
    name.strip_suffix(".ip6.arpa")
        .and_then(ipv6)
        .map(IpAddr::V6)
}

/// The octets come in reverse; the parser of addresses sees to their number, range and leading zeros.
fn ipv4(octets: &str) -> Option<Ipv4Addr> {
    let reversed: Ipv4Addr = octets.parse().ok()?;
    Some(Ipv4Addr::from_bits(reversed.to_bits().swap_bytes()))
}

/// The nibble that comes first is the lowest.
fn ipv6(nibbles: &str) -> Option<Ipv6Addr> {
    let mut bits = 0;
    let mut count = 0;
    for nibble in nibbles.split('.') {
        let [digit] = nibble.as_bytes() else {
            return None;
        };
        let value = char::from(*digit).to_digit(16)?;
        if count == 32 {
            return None;
        }
        bits |= u128::from(value) << (4 * count);
        count += 1;
    }
    (count == 32).then(|| Ipv6Addr::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reversed(address: Ipv6Addr) -> String {
        let digits = format!("{:032x}", address.to_bits());
        let nibbles: Vec<String> = digits.chars().rev().map(String::from).collect();
        format!("{}.ip6.arpa", nibbles.join("."))
    }

    #[test]
    fn octets_are_read_backwards() {
        let expected = Some("172.17.0.2".parse().unwrap());
        assert_eq!(address_of("2.0.17.172.in-addr.arpa"), expected);
    }

    #[test]
    fn other_names_and_parts_of_addresses_stand_for_no_address() {
        for name in [
            "",
            "web",
            "in-addr.arpa",
            "ip6.arpa",
            "17.172.in-addr.arpa",
            "1.2.0.17.172.in-addr.arpa",
            "256.0.17.172.in-addr.arpa",
            "02.0.17.172.in-addr.arpa",
            "a.0.17.172.in-addr.arpa",
            "1.0.0.ip6.arpa",
            "..in-addr.arpa",
        ] {
            assert_eq!(address_of(name), None, "{name}");
        }
        let whole = reversed(Ipv6Addr::LOCALHOST);
        assert_eq!(address_of(&format!("0.{whole}")), None);
        assert_eq!(address_of(&whole.replacen("1.", "g.", 1)), None);
        assert_eq!(address_of(&whole.replacen("1.", "10.", 1)), None);
    }

    proptest! {
        #[test]
        fn every_ipv6_address_comes_back(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            prop_assert_eq!(address_of(&reversed(address)), Some(IpAddr::V6(address)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}(\\.in-addr|\\.ip6)?\\.arpa") {
            address_of(&text);
        }
    }
}
