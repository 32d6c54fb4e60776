//! Reservations on IPv6 addresses, and on both families at once.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use super::*;

const BOTH: [IpAddr; 2] = [EVERYWHERE, IpAddr::V6(Ipv6Addr::UNSPECIFIED)];

fn reserve_on_both(texts: &[&str]) -> Result<Vec<Reservation>, ReservationError> {
    reserve(&requests(texts), &BOTH, &[])
}

/// The ports of the reservations, which come in pairs that hold one port for both families.
fn pairs(held: &[Reservation]) -> Vec<u16> {
    held.chunks(2)
        .map(|pair| {
            let [first, second] = [&pair[0].publication, &pair[1].publication];
            assert_eq!([first.host_address, second.host_address], BOTH);
            assert_eq!(first.host_port, second.host_port);
            first.host_port.get()
        })
        .collect()
}

#[test]
fn a_named_port_is_taken_on_every_default_address() {
    in_own_network(|| {
        let held = reserve_on_both(&["8080:80", "127.0.0.1:9000:90", "[::1]:9000:90"]).unwrap();
        assert_eq!(
            shown(&held),
            [
                "0.0.0.0:8080->80/tcp",
                "[::]:8080->80/tcp",
                "127.0.0.1:9000->90/tcp",
                "[::1]:9000->90/tcp",
            ]
        );
    });
}

#[test]
fn an_ipv6_reservation_leaves_the_ipv4_port_to_others() {
    in_own_network(|| {
        for text in ["[::]:8080:80", "[::]:5353:53/udp"] {
            let _held = reserve_all(&[text]).unwrap();
            let port = requests(&[text])[0].host_port.to_string();
            reserve_all(&[&format!("0.0.0.0:{port}:80")]).unwrap();
            reserve_all(&[&format!("0.0.0.0:{port}:80/udp")]).unwrap();
        }
    });
}

#[test]
fn an_ipv6_address_in_an_error_stands_in_brackets() {
    in_own_network(|| {
        let _foreign = TcpListener::bind("[::1]:8080").unwrap();
        for text in ["8080:80", "[::]:8080:80"] {
            let error = reserve_on_both(&[text]).unwrap_err();
            assert_eq!(
                error.to_string(),
                "cannot publish on host port `[::]:8080/tcp`: the port is in use"
            );
        }
        TcpListener::bind("0.0.0.0:8080").expect("a failed reservation keeps neither family");
        let error = reserve_all(&["[2001:db8::1]:80:80"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot publish on host port `[2001:db8::1]:80/tcp`: this host has no address `2001:db8::1`"
        );
        assert!(error.hint().unwrap().contains("`[::]` stands for all"));
    });
}

#[test]
fn a_pick_is_free_in_both_families_or_not_taken_at_all() {
    in_own_network(|| {
        set_dynamic_ports("5000 5003", "");
        let _ipv4 = UdpSocket::bind("127.0.0.1:5000").unwrap();
        let _ipv6 = UdpSocket::bind("[::1]:5001").unwrap();
        let held = reserve_on_both(&["80/udp", "81/udp"]).unwrap();
        assert_eq!(
            BTreeSet::from_iter(pairs(&held)),
            BTreeSet::from([5002, 5003])
        );
        let error = reserve_on_both(&["82/udp"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot publish on host address `0.0.0.0` and `[::]`: every udp port from 5000 to 5003 is in use"
        );
        reserve_all(&["[::]:5000:82/udp", "0.0.0.0:5001:82/udp"])
            .expect("a failed pick keeps neither family");
    });
}

#[test]
fn a_choice_from_a_range_is_one_port_for_both_families() {
    in_own_network(|| {
        let _ipv4 = TcpListener::bind("127.0.0.1:8000").unwrap();
        let _ipv6 = TcpListener::bind("[::1]:8001").unwrap();
        let held = reserve_on_both(&["8000-8002:80"]).unwrap();
        assert_eq!(pairs(&held), [8002]);
        assert!(matches!(
            reserve_on_both(&["8000-8002:80"]),
            Err(ReservationError::RangeExhausted { addresses, .. }) if addresses == BOTH
        ));
    });
}

#[test]
fn each_request_for_any_port_gets_its_own_whatever_the_others_ask_for() {
    for protocol in ["tcp", "udp"] {
        in_own_network(|| {
            set_dynamic_ports("5000 5002", "");
            let texts = ["81", "82", "127.0.0.1::80"].map(|text| format!("{text}/{protocol}"));
            let held = reserve_on_both(&texts.each_ref().map(String::as_str)).unwrap();
            assert_eq!(held.len(), 5);
            let mut ports = pairs(&held[..4]);
            ports.push(held[4].publication.host_port.get());
            ports.sort_unstable();
            assert_eq!(ports, [5000, 5001, 5002], "{protocol}");
        });
    }
}

#[test]
fn a_port_of_one_family_last_time_is_tried_for_both() {
    in_own_network(|| {
        let sticky: [Publication; 2] =
            ["[::]:7001->80/tcp", "0.0.0.0:7002->81/tcp"].map(|text| text.parse().unwrap());
        let wanted = requests(&["80", "81"]);
        let held = reserve(&wanted, &BOTH, &sticky).unwrap();
        assert_eq!(pairs(&held), [7001, 7002]);
        drop(held);

        let _foreign = TcpListener::bind("[::1]:7002").unwrap();
        let held = reserve(&wanted, &BOTH, &sticky).unwrap();
        let ports = pairs(&held);
        assert_eq!(ports[0], 7001);
        assert_ne!(ports[1], 7002);
    });
}

#[test]
fn requests_conflict_within_a_family_only() {
    in_own_network(|| {
        for second in ["0.0.0.0:8080:80", "[::]:8080:80", "[::1]:8080:81"] {
            let error = reserve_on_both(&["8080:80", second]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "cannot publish both `8080:80/tcp` and `{second}/tcp`: they want the same host port; \
                     leave one out or give it another host port"
                )
            );
        }
        let held = reserve_all(&["0.0.0.0:8080:80", "[::]:8080:80"]).unwrap();
        assert_eq!(held.len(), 2);
    });
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_bound_as_ipv4() {
    in_own_network(|| {
        let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        let held = reserve(&requests(&["8080:80"]), &[mapped.into()], &[]).unwrap();
        assert_eq!(shown(&held), ["127.0.0.1:8080->80/tcp"]);
    });
}
