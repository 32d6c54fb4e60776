//! What is measured: the rows of the table, with their targets.

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// One median divided by another.
    Ratio,
    /// Wall time in thousandths of a second.
    Milliseconds,
    /// 1,024 bytes.
    Kibibytes,
    /// 1,048,576 bytes.
    Mebibytes,
    /// Requests answered in a second, each on a connection of its own.
    RequestsPerSecond,
    /// 1,000,000,000 bits of payload in a second.
    GigabitsPerSecond,
}

impl Unit {
    /// As it stands behind a number; nothing for a ratio.
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Ratio => "",
            Unit::Milliseconds => "ms",
            Unit::Kibibytes => "KiB",
            Unit::Mebibytes => "MiB",
            Unit::RequestsPerSecond => "requests/s",
            Unit::GigabitsPerSecond => "Gbit/s",
        }
    }

    /// A number of this unit, with as many places as tell something.
    pub fn format(self, value: f64) -> String {
        let places = match self {
            Unit::RequestsPerSecond | Unit::Kibibytes => 0,
            _ => 2,
        };
        let number = format!("{value:.places$}");
        match self.symbol() {
            "" => number,
            symbol => format!("{number} {symbol}"),
        }
    }
}

/// Where a row's value must lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Target {
    /// Whether `value` lies there.
    pub fn is_met_by(self, value: f64) -> bool {
        match self {
            Target::AtMost(limit) => value <= limit,
            Target::AtLeast(limit) => value >= limit,
        }
    }

    /// `≤ 2`, `≥ 30`; with the unit where there is one.
    pub fn format(self, unit: Unit) -> String {
        let (sign, limit) = match self {
            Target::AtMost(limit) => ('≤', limit),
            Target::AtLeast(limit) => ('≥', limit),
        };
        match unit.symbol() {
            "" => format!("{sign} {limit}"),
            symbol => format!("{sign} {limit} {symbol}"),
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What it is called on the command line and in JSON.
    pub name: &'static str,
    /// What is divided by what, or what is measured.
    pub what: &'static str,
    /// Of its value.
    pub unit: Unit,
    /// None where a number is shown for comparison only.
    pub target: Option<Target>,
}

impl Row {
    const fn ratio(name: &'static str, what: &'static str, target: Option<Target>) -> Self {
        Self {
            name,
            what,
            unit: Unit::Ratio,
            target,
        }
    }
}

/// A plain start on the default bridge.
pub const RUN: Row = Row::ratio(
    "run",
    "`run --rm demo true` ÷ the floor",
    Some(Target::AtMost(2.0)),
);
/// A start with everything that needs rules, by the nftables driver.
pub const RUN_NFTABLES: Row = Row::ratio(
    "run-nftables",
    "the same with `-p 8080:80 --link web1:web`, ICC off, nftables ÷ the floor",
    Some(Target::AtMost(2.5)),
);
/// The same by the iptables driver.
pub const RUN_IPTABLES: Row = Row::ratio(
    "run-iptables",
    "the same with the iptables driver ÷ the floor",
    Some(Target::AtMost(4.0)),
);
/// Docker's start beside ours.
pub const DOCKER: Row = Row::ratio(
    "docker",
    "`docker run --rm` on its bridge ÷ ours",
    Some(Target::AtLeast(30.0)),
);
/// podman's start beside ours.
pub const PODMAN: Row = Row::ratio(
    "podman",
    "`podman run --rm` on its bridge ÷ ours",
    Some(Target::AtLeast(30.0)),
);
/// A start by crun, which makes no network.
pub const CRUN: Row = Row::ratio(
    "crun",
    "`crun run`, empty network namespace ÷ ours with full networking",
    Some(Target::AtLeast(1.0)),
);
/// The same by runc.
pub const RUNC: Row = Row::ratio(
    "runc",
    "`runc run`, empty network namespace ÷ ours with full networking",
    None,
);
/// A sandbox without a network.
pub const BUBBLEWRAP: Row = Row::ratio(
    "bubblewrap",
    "`bwrap --unshare-all`, empty network namespace ÷ ours with full networking",
    None,
);
/// systemd's containers.
pub const NSPAWN: Row = Row::ratio(
    "nspawn",
    "`systemd-nspawn --network-veth` ÷ ours with full networking",
    None,
);
/// A program in a container that runs.
pub const EXEC: Row = Row::ratio(
    "exec",
    "`exec demo true` ÷ `nsenter` into the same namespaces",
    Some(Target::AtMost(2.0)),
);
/// A start among 999 others.
pub const THOUSANDTH_NFTABLES: Row = Row::ratio(
    "thousandth-nftables",
    "start of the 1,000th container on a network ÷ of the 1st, nftables",
    Some(Target::AtMost(1.3)),
);
/// The same by the iptables driver, which is measured and not promised.
pub const THOUSANDTH_IPTABLES: Row = Row::ratio(
    "thousandth-iptables",
    "start of the 1,000th container on a network ÷ of the 1st, iptables",
    None,
);
/// Starts beside each other.
pub const EIGHT: Row = Row::ratio(
    "eight",
    "8 starts at once ÷ 8 × one start",
    Some(Target::AtMost(0.6)),
);
/// Connections from the LAN among many rules.
pub const REQUESTS_PUBLISHED: Row = Row::ratio(
    "requests-published",
    "requests/s through a published port, 1,000 other links and ports ÷ none, nftables",
    Some(Target::AtLeast(0.95)),
);
/// Connections from container to container among many rules.
pub const REQUESTS_LINK: Row = Row::ratio(
    "requests-link",
    "requests/s through a link, ICC off, 1,000 other links and ports ÷ none, nftables",
    Some(Target::AtLeast(0.95)),
);
/// The same by the iptables driver, which is measured and not promised.
pub const REQUESTS_PUBLISHED_IPTABLES: Row = Row::ratio(
    "requests-published-iptables",
    "the same through a published port, iptables",
    None,
);
/// The same by the iptables driver, which is measured and not promised.
pub const REQUESTS_LINK_IPTABLES: Row = Row::ratio(
    "requests-link-iptables",
    "the same through a link, iptables",
    None,
);
/// Bytes from container to container.
pub const IPERF: Row = Row::ratio(
    "iperf3",
    "`iperf3` between two containers ÷ between two hand-made namespaces on a hand-made bridge",
    Some(Target::AtLeast(0.98)),
);
/// What a container costs while it runs.
pub const MEMORY: Row = Row {
    name: "memory",
    what: "private memory of the monitor of a running container",
    unit: Unit::Kibibytes,
    target: Some(Target::AtMost(512.0)),
};
/// A look at many containers.
pub const PS: Row = Row {
    name: "ps",
    what: "`ps` with 1,000 running containers",
    unit: Unit::Milliseconds,
    target: Some(Target::AtMost(50.0)),
};
/// The program.
pub const SIZE: Row = Row {
    name: "size",
    what: "size of the binary",
    unit: Unit::Mebibytes,
    target: Some(Target::AtMost(12.0)),
};

/// Every row, in the order of the table.
pub const ROWS: &[Row] = &[
    RUN,
    RUN_NFTABLES,
    RUN_IPTABLES,
    DOCKER,
    PODMAN,
    CRUN,
    RUNC,
    BUBBLEWRAP,
    NSPAWN,
    EXEC,
    THOUSANDTH_NFTABLES,
    THOUSANDTH_IPTABLES,
    EIGHT,
    REQUESTS_PUBLISHED,
    REQUESTS_LINK,
    REQUESTS_PUBLISHED_IPTABLES,
    REQUESTS_LINK_IPTABLES,
    IPERF,
    MEMORY,
    PS,
    SIZE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_holds_at_its_limit() {
        assert!(Target::AtMost(2.0).is_met_by(2.0));
        assert!(!Target::AtMost(2.0).is_met_by(2.01));
        assert!(Target::AtLeast(30.0).is_met_by(30.0));
        assert!(!Target::AtLeast(30.0).is_met_by(29.9));
    }

    #[test]
    fn a_target_is_written_with_its_unit() {
        assert_eq!(Target::AtMost(2.0).format(Unit::Ratio), "≤ 2");
        assert_eq!(Target::AtLeast(0.95).format(Unit::Ratio), "≥ 0.95");
        assert_eq!(Target::AtMost(50.0).format(Unit::Milliseconds), "≤ 50 ms");
    }

    #[test]
    fn a_value_has_the_places_that_tell_something() {
        assert_eq!(Unit::Ratio.format(1.987), "1.99");
        assert_eq!(Unit::Milliseconds.format(6.5), "6.50 ms");
        assert_eq!(Unit::Kibibytes.format(411.7), "412 KiB");
    }

    #[test]
    fn no_two_rows_have_the_same_name() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }
}
