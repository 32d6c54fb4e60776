//! The order in which addresses are tried.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::addressing::{from_number, number_bounds, to_number};

/// Every address of a network once, in order, beginning behind one of them and ending with it.
pub(super) struct Round {
    net: IpNet,
    /// Where the round began, and where it therefore ends.
    start: u128,
    next: Option<u128>,
}

impl Round {
    /// The round that begins behind `cursor`, or with the first address of `net`. The cursor lies in it.
    pub(super) fn behind(cursor: Option<IpAddr>, net: IpNet) -> Self {
        let start = match cursor {
            Some(address) => behind(net, to_number(address)),
            None => number_bounds(net).0,
        };
        Self {
            net,
            start,
            next: Some(start),
        }
    }
}

impl Iterator for Round {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        let number = self.next?;
        let behind = behind(self.net, number);
        self.next = (behind != self.start).then_some(behind);
        Some(from_number(self.net, number))
    }
}

/// The number behind another one; the first of the network behind its last. Nothing is added to the largest number there is.
fn behind(net: IpNet, number: u128) -> u128 {
    let (first, last) = number_bounds(net);
    if number >= last { first } else { number + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(cursor: Option<&str>, net: &str) -> Vec<String> {
        let cursor = cursor.map(|address| address.parse().unwrap());
        Round::behind(cursor, net.parse().unwrap())
            .map(|address| address.to_string())
            .collect()
    }

    fn first(cursor: Option<&str>, net: &str) -> String {
        let cursor = cursor.map(|address| address.parse().unwrap());
        let mut round = Round::behind(cursor, net.parse().unwrap());
        round.next().unwrap().to_string()
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
        assert_eq!(
            round(Some("fd00::2"), "fd00::/126"),
            ["fd00::3", "fd00::", "fd00::1", "fd00::2"]
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
    fn a_round_at_the_end_of_an_address_space_does_not_overflow() {
        assert_eq!(first(None, "0.0.0.0/0"), "0.0.0.0");
        assert_eq!(first(Some("255.255.255.255"), "0.0.0.0/0"), "0.0.0.0");
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert_eq!(first(Some(last), "::/0"), "::");
        assert_eq!(
            first(Some(last), "ffff:ffff:ffff:ffff::/64"),
            "ffff:ffff:ffff:ffff::"
        );
        assert_eq!(
            first(Some("fd00::ffff:ffff:ffff:ffff"), "fd00::/63"),
            "fd00:0:0:1::"
        );
    }
}
