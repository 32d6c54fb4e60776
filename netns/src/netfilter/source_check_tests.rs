//! What the kernel makes of a source check, and what of frames.

mod frames;

use self::frames::{foreign_frames, is_tagged, marked, own_arp, own_frames, untagged};
use super::nf_tables::{CommitError, Expectation, RulesConnection, Transaction};
use super::source_check::{
    SourceCheck, add_sources, remove_source_checks, remove_sources, replace_source_checks,
};
use crate::explain::Explain;
use crate::packet_socket::PacketSocket;
use crate::scratch::{in_fresh_namespace, shell};

fn check(interface: &str, addresses: &[&str]) -> SourceCheck {
    SourceCheck {
        interface: interface.into(),
        mac: "02:42:ac:11:00:02".parse().unwrap(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn commit(transaction: &Transaction) -> Result<u32, CommitError> {
    let mut connection = RulesConnection::open().unwrap().unwrap();
    connection.commit(std::slice::from_ref(transaction), Expectation::Anything)
}

const LISTED: &str = r#"table bridge minirun {
	set ports {
		type ifname
		elements = { "veth1" }
	}

	set stations {
		type ifname . ether_addr
		elements = { "veth1" . 02:42:ac:11:00:02 }
	}

	set sources4 {
		type ifname . ether_addr . ipv4_addr
		elements = { "veth1" . 02:42:ac:11:00:02 . 172.17.0.2 }
	}

	set sources6 {
		type ifname . ether_addr . ipv6_addr
	}

	set targets6 {
		typeof iifname . @th,64,128
	}

	chain frames {
		type filter hook prerouting priority dstnat; policy accept;
		iifname . ether saddr . ip saddr @sources4 accept
		iifname != @ports accept
		icmpv6 type nd-router-advert drop
		icmpv6 type nd-redirect drop
		icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @targets6 drop
		iifname . ether saddr . ip6 saddr @sources6 accept
		iifname . ether saddr @stations ip6 saddr fe80::/64 icmpv6 type mld2-listener-report accept
		iifname . ether saddr @stations iifname . arp saddr ether . arp saddr ip @sources4 accept
		drop
	}
}
"#;

#[test]
fn the_rules_are_fixed_and_a_container_is_three_elements() {
    in_fresh_namespace(|| {
        commit(&replace_source_checks(
            check("veth1", &["172.17.0.2"]).elements(),
        ))
        .unwrap();
        assert_eq!(shell("nft list ruleset"), LISTED);
    });
}

#[test]
fn a_container_with_ipv6_may_speak_from_its_link_local_address_too() {
    let elements = check("veth1", &["172.17.0.2", "fd00::2"]).elements();
    let texts: Vec<String> = elements
        .iter()
        .map(|element| format!("{} {}", element.set, element.text()))
        .collect();
    assert_eq!(
        texts,
        [
            r#"ports "veth1""#,
            r#"stations "veth1" . 02:42:ac:11:00:02"#,
            r#"sources4 "veth1" . 02:42:ac:11:00:02 . 172.17.0.2"#,
            r#"sources6 "veth1" . 02:42:ac:11:00:02 . fd00::2"#,
            r#"targets6 "veth1" . 0xfd000000000000000000000000000002"#,
            r#"sources6 "veth1" . 02:42:ac:11:00:02 . fe80::42:acff:fe11:2"#,
            r#"targets6 "veth1" . 0xfe800000000000000042acfffe110002"#,
        ]
    );
}

#[test]
fn the_printed_commands_do_the_same() {
    let addition = check("veth1", &["172.17.0.2", "fd00::2"]);
    let of = |make: &(dyn Fn() + Sync)| {
        in_fresh_namespace(|| {
            make();
            shell("nft --debug=netlink list ruleset")
        })
    };
    let of_messages = of(&|| {
        commit(&replace_source_checks(Vec::new())).unwrap();
        commit(&add_sources(addition.elements())).unwrap();
    });
    let of_commands = of(&|| {
        shell(&replace_source_checks(Vec::new()).commands().join("\n"));
        shell(&addition.explain().command);
    });
    let of_listing = of(&|| {
        let whole = replace_source_checks(addition.elements());
        shell(&format!("nft -f - <<'EOF'\n{}EOF\n", whole.listing()));
    });
    // The order in a hash table is nobody's business, nor are the numbers of rules.
    let sorted = |listing: &str| {
        let lines = listing
            .lines()
            .map(|line| match line.strip_prefix("bridge minirun ") {
                Some(rule) => {
                    rule.trim_end_matches(|last: char| last.is_ascii_digit() || last == ' ')
                }
                None => line,
            });
        let mut lines: Vec<String> = lines.map(str::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&of_messages), sorted(&of_commands));
    assert_eq!(sorted(&of_messages), sorted(&of_listing));
}

#[test]
fn ports_come_and_go_one_by_one_or_all_together() {
    in_fresh_namespace(|| {
        let (one, two) = (
            check("veth1", &["172.17.0.2"]),
            check("veth2", &["fd00::2"]),
        );
        assert!(matches!(
            commit(&add_sources(one.elements())),
            Err(CommitError::Missing { .. })
        ));
        commit(&replace_source_checks(Vec::new())).unwrap();
        commit(&add_sources(one.elements())).unwrap();
        commit(&add_sources(two.elements())).unwrap();
        assert!(matches!(
            commit(&add_sources(two.elements())),
            Err(CommitError::Exists { .. })
        ));
        commit(&remove_sources(two.elements())).unwrap();
        assert_eq!(shell("nft list ruleset"), LISTED);
        commit(&replace_source_checks(two.elements())).unwrap();
        assert!(!shell("nft list ruleset").contains("veth1"));
        commit(&remove_source_checks()).unwrap();
        commit(&remove_source_checks()).unwrap();
        assert_eq!(shell("nft list ruleset"), "");
    });
}

/// Runs the body in a namespace with a bridge and two ports, of which the first is `port1` with `inside1` behind it.
fn with_bridge(body: impl FnOnce() + Send) {
    in_fresh_namespace(|| {
        shell(
            "sysctl -qw net.ipv6.conf.default.disable_ipv6=1
             ip link add bridge0 up type bridge
             for index in 1 2; do
               ip link add port$index up master bridge0 type veth peer name inside$index
               ip link set inside$index up
               ip link set port$index type bridge_slave group_fwd_mask 0xfffd
             done",
        );
        body();
    });
}

/// Whether a frame that is sent at one place arrives at another. A frame of which that is known comes after it.
fn arrives(sender: &PacketSocket, receiver: &PacketSocket, frame: &[u8], last: &[u8]) -> bool {
    sender.send(frame);
    sender.send(last);
    let mut seen = false;
    loop {
        let received = receiver.receive();
        // The kernel tells of a tag beside the frame.
        seen |= received == frame || (is_tagged(frame) && received == untagged(frame));
        if received == last {
            return seen;
        }
    }
}

/// Sends until something arrives: a port of a bridge opens some time after it was set up.
fn wait_for_ports(sender: &PacketSocket, receivers: &[&PacketSocket], frame: &[u8]) {
    for receiver in receivers {
        while !receiver.receives_within_a_moment(|| sender.send(frame), frame) {}
    }
}

#[test]
fn what_is_its_own_passes_and_nothing_else_neither_to_a_neighbour_nor_to_the_host() {
    with_bridge(|| {
        let inside = PacketSocket::open("inside1");
        let neighbour = PacketSocket::open("inside2");
        let host = PacketSocket::open("bridge0");
        wait_for_ports(&inside, &[&neighbour, &host], &own_arp());
        let last = |index| marked(own_arp(), 1 + index);
        for (index, (what, frame)) in foreign_frames().into_iter().enumerate() {
            let last = last(500 + index);
            assert!(arrives(&inside, &neighbour, &frame, &last), "{what}");
        }
        commit(&replace_source_checks(
            check("port1", &["172.17.0.2", "fd00::2"]).elements(),
        ))
        .unwrap();
        for (index, (what, frame)) in own_frames().into_iter().enumerate() {
            let arrived = arrives(&inside, &neighbour, &frame, &last(2 * index));
            assert!(arrived, "{what}, to a neighbour");
            assert!(
                arrives(&inside, &host, &frame, &last(2 * index + 1)),
                "{what}, to the host"
            );
        }
        for (index, (what, frame)) in foreign_frames().into_iter().enumerate() {
            let last_frame = last(100 + 2 * index);
            assert!(
                !arrives(&inside, &neighbour, &frame, &last_frame),
                "{what}, to a neighbour"
            );
            let last_frame = last(101 + 2 * index);
            assert!(
                !arrives(&inside, &host, &frame, &last_frame),
                "{what}, to the host"
            );
        }
    });
}

#[test]
fn a_port_that_is_in_no_set_may_send_anything() {
    with_bridge(|| {
        let inside = PacketSocket::open("inside2");
        let neighbour = PacketSocket::open("inside1");
        wait_for_ports(&inside, &[&neighbour], &own_arp());
        commit(&replace_source_checks(
            check("port1", &["172.17.0.2"]).elements(),
        ))
        .unwrap();
        for (index, (what, frame)) in foreign_frames().into_iter().enumerate() {
            let last = marked(own_arp(), 1 + index);
            assert!(arrives(&inside, &neighbour, &frame, &last), "{what}");
        }
    });
}
