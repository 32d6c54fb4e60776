//! The order in which addresses are tried.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Every address of a subnet once, in order, beginning behind one of them and ending with it.
pub(super) struct Round {
    subnet: Ipv4Net,
    next: u64,
    left: u64,
}

impl Round {
    /// The round that begins behind `cursor`, or with the first address of the subnet. The cursor lies in the subnet.
    pub(super) fn behind(cursor: Option<Ipv4Addr>, subnet: Ipv4Net) -> Self {
        let size = 1u64 << (32 - subnet.prefix_len());
        let first = u64::from(u32::from(subnet.network()));
        let next = cursor.map_or(0, |address| u64::from(u32::from(address)) - first + 1);
        Self {
            subnet,
            next: next % size,
            left: size,
        }
    }
}

impl Iterator for Round {
    type Item = Ipv4Addr;

    fn next(&mut self) -> Option<Ipv4Addr> {
        self.left = self.left.checked_sub(1)?;
        let offset = u32::try_from(self.next).ok()?;
        self.next = (self.next + 1) % (1u64 << (32 - self.subnet.prefix_len()));
        Some(Ipv4Addr::from(u32::from(self.subnet.network()) + offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(cursor: Option<&str>, subnet: &str) -> Vec<String> {
        let cursor = cursor.map(|address| address.parse().unwrap());
        Round::behind(cursor, subnet.parse().unwrap())
            .map(|address| address.to_string())
            .collect()
    }

    #[test]
    fn a_round_begins_behind_the_cursor_and_ends_with_it() {
        assert_eq!(
            round(Some("10.0.0.1"), "10.0.0.0/30"),
            ["10.0.0.2", "10.0.0.3", "10.0.0.0", "10.0.0.1"]
        );
        assert_eq!(
            round(Some("10.0.0.1"), "10.0.0.0/31"),
            ["10.0.0.0", "10.0.0.1"]
        );
    }

    #[test]
    fn a_round_without_a_cursor_begins_with_the_first_address() {
        assert_eq!(
            round(None, "255.255.255.252/30"),
            [
                "255.255.255.252",
                "255.255.255.253",
                "255.255.255.254",
                "255.255.255.255"
            ]
        );
        assert_eq!(round(None, "10.0.0.7/32"), ["10.0.0.7"]);
    }

    #[test]
    fn a_round_of_every_address_there_is_does_not_overflow() {
        let mut round = Round::behind(None, "0.0.0.0/0".parse().unwrap());
        assert_eq!(round.next(), Some(Ipv4Addr::new(0, 0, 0, 0)));
        let cursor = Some(Ipv4Addr::BROADCAST);
        let mut round = Round::behind(cursor, "0.0.0.0/0".parse().unwrap());
        assert_eq!(round.next(), Some(Ipv4Addr::new(0, 0, 0, 0)));
    }
}
