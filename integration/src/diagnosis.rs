//! What a failed test shows of its host.

use crate::host::TestHost;
use crate::leftovers;

/// Everything a person would look at first, by the programs they would look with.
const QUESTIONS: [(&str, &str); 10] = [
    ("addresses", "ip address show"),
    ("routes", "ip route show table all type unicast"),
    ("IPv6 routes", "ip -6 route show table all type unicast"),
    ("bridge ports", "bridge -details link show"),
    ("rules", "iptables-save"),
    ("IPv6 rules", "ip6tables-save"),
    (
        "tables of nftables",
        "nft list table inet minirun 2>&1; nft list table bridge minirun 2>&1",
    ),
    (
        "sysctls",
        "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.bridge 2>&1",
    ),
    (
        "state",
        "find /run/minirun /var/lib/minirun -path '*/images/*' -prune -o -path '*/upper/*' -prune -o -print 2>&1",
    ),
    (
        "logs",
        "for log in $(find /var/lib/minirun/containers /run/minirun -name '*log*' -type f); do echo \"$log\"; tail -n 20 \"$log\"; done 2>&1",
    ),
];

/// Prints the diagnosis to standard error, where the test harness keeps it with the panic message.
pub fn print(host: &TestHost) {
    eprintln!("---- processes of the host");
    for process in leftovers::processes(&host.place().cgroup().processes()) {
        eprintln!("{process}");
    }
    for (title, script) in QUESTIONS {
        eprintln!("---- {title}");
        eprint!("{}", host.command("sh", ["-c", script]).stdout());
    }
}
