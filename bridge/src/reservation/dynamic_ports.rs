//! The host ports that may be picked when nobody asked for a particular one.

use std::fs;

use crate::port::{Port, PortRange};

/// The kernel's range for ports it picks itself; per network namespace.
const RANGE_PATH: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// The ports inside that range that an administrator keeps for programs which ask for them; per network namespace.
const RESERVED_PATH: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

/// What IANA calls the dynamic ports, for a kernel that does not tell its own.
const FALLBACK_RANGE: &str = "49153 65535";

/// The ports of the dynamic range without the reserved ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DynamicPorts {
    range: PortRange,
    reserved: Vec<PortRange>,
}

impl DynamicPorts {
    /// Asks the network namespace of the calling thread. A setting that cannot be read counts as not made.
    pub(crate) fn of_this_namespace() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::from_settings(&read(RANGE_PATH), &read(RESERVED_PATH))
    }

    /// From the texts of the two kernel settings: `32768 60999` and `8080,9148-9150`.
    fn from_settings(range: &str, reserved: &str) -> Self {
        let parse_all = |text: &str| {
            text.split(',')
                .filter_map(|part| part.trim().parse().ok())
                .collect()
        };
        let range = parse_range(range).or_else(|| parse_range(FALLBACK_RANGE));
        Self {
            range: range.unwrap_or(PortRange::WHOLE),
            reserved: parse_all(reserved),
        }
    }

    /// The lowest and the highest port of the range.
    pub(crate) fn range(&self) -> PortRange {
        self.range
    }

    /// Every port that may be picked, each once, in a circle that begins `start` ports after the lowest.
    pub(crate) fn circle(&self, start: u32) -> impl Iterator<Item = Port> + '_ {
        let skip = start % self.range.count();
        let ports = self.range.ports();
        let later = ports
            .clone()
            .filter(move |port| self.distance(*port) >= skip);
        let earlier = ports.take_while(move |port| self.distance(*port) < skip);
        later.chain(earlier).filter(|port| !self.is_reserved(*port))
    }

    fn distance(&self, port: Port) -> u32 {
        u32::from(port.get() - self.range.first.get())
    }

    fn is_reserved(&self, port: Port) -> bool {
        self.reserved
            .iter()
            .any(|range| (range.first..=range.last).contains(&port))
    }
}

/// Two numbers with white space between them.
fn parse_range(text: &str) -> Option<PortRange> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let (first, last) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (first <= last).then_some(PortRange { first, last })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn circle(range: &str, reserved: &str, start: u32) -> Vec<u16> {
        DynamicPorts::from_settings(range, reserved)
            .circle(start)
            .map(Port::get)
            .collect()
    }

    #[test]
    fn the_circle_begins_where_it_is_told_and_comes_round() {
        assert_eq!(circle("5000\t5003\n", "\n", 0), [5000, 5001, 5002, 5003]);
        assert_eq!(circle("5000\t5003\n", "\n", 2), [5002, 5003, 5000, 5001]);
        assert_eq!(
            circle("5000\t5003\n", "\n", 4_000_000_002),
            [5002, 5003, 5000, 5001]
        );
    }

    #[test]
    fn reserved_ports_are_skipped() {
        assert_eq!(
            circle("5000 5006", "80,5001,5003-5005\n", 0),
            [5000, 5002, 5006]
        );
        assert!(circle("5000 5003", "1-65535", 3).is_empty());
    }

    #[test]
    fn a_range_that_makes_no_sense_is_replaced() {
        for range in ["", "x y", "7", "9 8", "0 0"] {
            let ports = DynamicPorts::from_settings(range, "").range();
            assert_eq!(
                (ports.first.get(), ports.last.get()),
                (49153, 65535),
                "{range}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_circle_holds_every_port_once(first in 1u16.., more in 0u16..200, start: u32) {
            let last = first.saturating_add(more);
            let ports = circle(&format!("{first} {last}"), "", start);
            let distinct: BTreeSet<u16> = ports.iter().copied().collect();
            prop_assert_eq!(ports.len(), distinct.len());
            prop_assert_eq!(distinct, (first..=last).collect());
        }
    }
}
