//! Whether TCP still has something to end in a network namespace that no program has.
//!
//! A connection that a program has closed, or left open when it ended, is the kernel's from then on, until the other side has
//! confirmed its end or the kernel has given up asking. It holds its network namespace as long as that, with the links in it.

use std::fs;
use std::io;

/// The states of a connection whose end, or what was sent before, is not confirmed yet: FIN-WAIT-1, LAST-ACK and CLOSING, as
/// `/proc/PID/net/tcp` writes them (`include/net/tcp_states.h` of Linux).
const UNCONFIRMED: [&str; 3] = ["04", "09", "0B"];

/// What is counted, and what is listed, of a network namespace for one address family: `proc_pid_net(5)`.
struct Family {
    counts: &'static str,
    connections: &'static str,
}

const FAMILIES: [Family; 2] = [
    Family {
        counts: "/proc/thread-self/net/sockstat",
        connections: "/proc/thread-self/net/tcp",
    },
    Family {
        counts: "/proc/thread-self/net/sockstat6",
        connections: "/proc/thread-self/net/tcp6",
    },
];

/// Whether the calling thread's network namespace has TCP connections, of either address family, that no program has and the kernel has
/// not ended yet, because the other side has not confirmed everything.
///
/// # Errors
///
/// Fails when `/proc` cannot be read.
pub fn has_orphaned_connections() -> io::Result<bool> {
    for family in FAMILIES {
        // To list them, the kernel looks through a table that is as large as its memory allows, so it is asked first whether there are any.
        if has_any(&read(family.counts)?) && has_orphan(&read(family.connections)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// There is no file for a family that the kernel does not have.
fn read(path: &str) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        outcome => outcome,
    }
}

/// Lines look like `TCP: inuse 1 orphan 0 tw 0 alloc 3 mem 0` and `TCP6: inuse 0` (`net/ipv4/proc.c` of Linux). Of these, `inuse` is
/// counted for each namespace, and is how many sockets the kernel could find.
fn has_any(counts: &str) -> bool {
    let in_use = |line: &str| {
        let (protocol, rest) = line.split_once(": inuse ")?;
        let number = rest.split(' ').next()?;
        Some(protocol.starts_with("TCP") && number != "0")
    };
    counts.lines().filter_map(in_use).any(|some| some)
}

/// The fourth word of a line is the state and the tenth the inode, which is 0 if no program has the socket (`get_tcp4_sock` of
/// `net/ipv4/tcp_ipv4.c`).
fn has_orphan(connections: &str) -> bool {
    let is_orphan = |line: &str| {
        let mut words = line.split_whitespace();
        let state = words.nth(3)?;
        let inode = words.nth(5)?;
        Some(inode == "0" && UNCONFIRMED.contains(&state))
    };
    let lines = connections.lines().skip(1);
    lines.filter_map(is_orphan).any(|some| some)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::scratch::{in_fresh_namespace, shell};

    #[test]
    fn what_belongs_to_other_protocols_and_other_namespaces_does_not_count() {
        let none = "sockets: used 9\nTCP: inuse 0 orphan 4 tw 2 alloc 7 mem 1\nUDP: inuse 3 mem 0\nRAW: inuse 1\n";
        assert!(!has_any(none));
        assert!(has_any("TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0\n"));
        assert!(has_any("TCP6: inuse 12\nUDP6: inuse 0\n"));
    }

    #[test]
    fn neither_sockets_of_programs_nor_what_waits_for_latecomers_or_to_be_accepted_are_orphans() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let line = |state: &str, inode: &str| {
            format!(
                "{head}   0: 020011AC:0050 010011AC:B0CA {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0000000000000000\n"
            )
        };
        assert!(has_orphan(&line("09", "0")));
        assert!(has_orphan(&line("04", "0")));
        for state in ["01", "03", "05", "06", "08"] {
            assert!(!has_orphan(&line(state, "0")), "{state}");
        }
        assert!(!has_orphan(&line("09", "183")));
        assert!(!has_orphan(head));
    }

    #[test]
    fn a_connection_whose_other_side_is_silent_is_an_orphan_when_its_program_has_closed_it() {
        for (address, program) in [("127.0.0.1:0", "iptables"), ("[::1]:0", "ip6tables")] {
            in_fresh_namespace(|| {
                shell("ip link set lo up");
                let listener = TcpListener::bind(address).unwrap();
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let (server, _) = listener.accept().unwrap();
                assert!(!has_orphaned_connections().unwrap(), "{address}");
                shell(&format!("{program} -A INPUT -j DROP"));
                drop(server);
                assert!(has_orphaned_connections().unwrap(), "{address}");
                drop((client, listener));
            });
        }
    }
}
