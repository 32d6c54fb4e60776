//! Ethernet addresses.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::NetnsError;

/// The unicast Ethernet address of an interface: six bytes, neither multicast nor all zero. Written as `02:42:ac:11:00:02`,
/// also in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress([u8; 6]);

/// Why something is not the Ethernet address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacAddressError {
    /// The text does not have six groups of two hexadecimal digits.
    #[error(
        "`{0}` is not a MAC address: write six pairs of hexadecimal digits, as in `02:42:ac:11:00:02`"
    )]
    Form(String),
    /// The lowest bit of the first byte is set.
    #[error(
        "`{0}` is a multicast MAC address, which no interface can have: make its first byte even"
    )]
    Multicast(String),
    /// All six bytes are zero.
    #[error("`00:00:00:00:00:00` is not a MAC address that an interface can have")]
    Zero,
}

impl MacAddress {
    /// Checks six bytes in the order they are written and sent.
    ///
    /// # Errors
    ///
    /// Refuses multicast addresses and the zero address.
    pub fn new(octets: [u8; 6]) -> Result<MacAddress, MacAddressError> {
        if octets == [0; 6] {
            return Err(MacAddressError::Zero);
        }
        let address = MacAddress(octets);
        if octets[0] & 1 == 1 {
            return Err(MacAddressError::Multicast(address.to_string()));
        }
        Ok(address)
    }

    /// The link-local IPv6 address that the kernel makes of it (RFC 4291, appendix A).
    pub fn link_local(self) -> Ipv6Addr {
        let [a, b, c, d, e, f] = self.0;
        let interface = u64::from_be_bytes([a ^ 0b10, b, c, 0xff, 0xfe, d, e, f]);
        Ipv6Addr::from_bits(0xfe80 << 112 | u128::from(interface))
    }

    /// A random address, marked as locally administered (second lowest bit of the first byte) so that it cannot meet a
    /// vendor's.
    ///
    /// # Errors
    ///
    /// Fails when the kernel's getrandom(2) does.
    pub fn random() -> Result<MacAddress, NetnsError> {
        let mut octets = [0u8; 6];
        // SAFETY: the pointer and the length are those of `octets`, which lives and is writable during the call.
        let read = unsafe { libc::getrandom(octets.as_mut_ptr().cast(), octets.len(), 0) };
        if read != octets.len() as isize {
            return Err(NetnsError::Random {
                cause: std::io::Error::last_os_error(),
            });
        }
        octets[0] = octets[0] & 0b1111_1100 | 0b10;
        Ok(MacAddress(octets))
    }

    /// The address that belongs to an IPv4 address, `02:42` and its four bytes, as Docker derives it. Whoever keeps the IPv4
    /// address so keeps the Ethernet address, and neighbours' caches stay right.
    pub fn for_address(address: Ipv4Addr) -> MacAddress {
        let [a, b, c, d] = address.octets();
        MacAddress([0x02, 0x42, a, b, c, d])
    }

    /// The six bytes in the order they are written and sent.
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl FromStr for MacAddress {
    type Err = MacAddressError;

    fn from_str(text: &str) -> Result<MacAddress, MacAddressError> {
        let form = || MacAddressError::Form(text.to_string());
        let mut octets = [0; 6];
        let mut groups = text.split(':');
        for octet in &mut octets {
            let group = groups.next().ok_or_else(form)?;
            if group.len() != 2 || !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(form());
            }
            *octet = u8::from_str_radix(group, 16).map_err(|_| form())?;
        }
        if groups.next().is_some() {
            return Err(form());
        }
        MacAddress::new(octets)
    }
}

impl TryFrom<String> for MacAddress {
    type Error = MacAddressError;

    fn try_from(text: String) -> Result<MacAddress, MacAddressError> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(address: MacAddress) -> String {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_belongs_to_each_ipv4_address() {
        let address = MacAddress::for_address(Ipv4Addr::new(172, 17, 0, 2));
        assert_eq!(address.to_string(), "02:42:ac:11:00:02");
    }

    #[test]
    fn upper_case_is_understood_and_written_in_lower_case() {
        let address: MacAddress = "02:42:AC:11:00:0F".parse().unwrap();
        assert_eq!(address.to_string(), "02:42:ac:11:00:0f");
    }

    #[test]
    fn malformed_text_is_refused_with_the_text_in_the_message() {
        for text in [
            "",
            "02:42:ac:11:00",
            "02:42:ac:11:00:02:03",
            "2:42:ac:11:00:02",
            "02-42-ac-11-00-02",
            "+2:42:ac:11:00:02",
            "02:42:ac:11:00:0g",
        ] {
            let error = text.parse::<MacAddress>().unwrap_err();
            assert_eq!(error, MacAddressError::Form(text.to_string()));
            assert!(error.to_string().starts_with(&format!("`{text}`")));
        }
    }

    #[test]
    fn multicast_and_zero_are_refused() {
        assert_eq!(
            "00:00:00:00:00:00".parse::<MacAddress>(),
            Err(MacAddressError::Zero)
        );
        assert_eq!(
            "01:00:5e:00:00:01".parse::<MacAddress>(),
            Err(MacAddressError::Multicast("01:00:5e:00:00:01".to_string()))
        );
        assert!("ff:ff:ff:ff:ff:ff".parse::<MacAddress>().is_err());
    }

    #[test]
    fn random_addresses_are_unicast_local_and_different() {
        let (first, second) = (MacAddress::random().unwrap(), MacAddress::random().unwrap());
        assert_ne!(first, second);
        for address in [first, second] {
            assert_eq!(address.octets()[0] & 0b11, 0b10);
        }
    }

    #[test]
    fn json_holds_the_written_form() {
        let address = MacAddress::for_address(Ipv4Addr::new(10, 0, 0, 1));
        let json = serde_json::to_string(&address).unwrap();
        assert_eq!(json, "\"02:42:0a:00:00:01\"");
        assert_eq!(serde_json::from_str::<MacAddress>(&json).unwrap(), address);
        assert!(serde_json::from_str::<MacAddress>("\"ff:ff:ff:ff:ff:ff\"").is_err());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(octets: [u8; 6]) {
            if let Ok(address) = MacAddress::new(octets) {
                prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,24}") {
            let _ = text.parse::<MacAddress>();
        }
    }
}
