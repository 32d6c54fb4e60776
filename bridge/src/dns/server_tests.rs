//! The server at work, in network namespaces of the tests' own.

use std::fs;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use minirun_netns::Namespace;

use super::test_client::{Known, Other, World, framed, in_own_network, query, with_edns};
use super::{Forwarding, HostResolver, Listeners, Server};

pub(super) const A: u16 = 1;
pub(super) const NO_ERROR: u8 = 0;
pub(super) const SERVER_FAILURE: u8 = 2;
const NO_SUCH_NAME: u8 = 3;
const REFUSED: u8 = 5;

fn known() -> Known {
    Known::new(&[("web", &["172.18.0.2"])])
}

pub(super) fn world(forwarding: Forwarding, others: Vec<Other>) -> World {
    let listeners = Listeners::bind().unwrap();
    let address = listeners.udp.local_addr().unwrap();
    assert_eq!(listeners.tcp.local_addr().unwrap(), address);
    assert_eq!(listeners.port().unwrap(), address.port());
    World {
        server: Server::new(listeners, Box::new(known()), forwarding, None).unwrap(),
        others,
        address,
        turns: 0,
        late: Duration::ZERO,
    }
}

/// A world whose server asks these others.
pub(super) fn listed(others: Vec<(&str, Other)>) -> World {
    let addresses = others.iter().map(|(address, _)| address.parse().unwrap());
    let forwarding = Forwarding::Listed(addresses.collect());
    world(
        forwarding,
        others.into_iter().map(|(_, other)| other).collect(),
    )
}

/// Answers everything with this code and one record.
pub(super) fn answering(code: u8, last: u8) -> impl FnMut(&[u8]) -> Option<Vec<u8>> {
    move |query| {
        let mut answer = query.to_vec();
        answer[2] = 0x81;
        answer[3] = 0x80 | code;
        if code == NO_ERROR {
            answer[7] = 1;
            answer.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02");
            answer.push(last);
        }
        Some(answer)
    }
}

pub(super) fn code(reply: &[u8]) -> u8 {
    reply[3] & 0x0f
}

/// Whether a reply is the address that [`answering`] gives.
fn assert_answer(reply: &[u8], last: u8) {
    assert_eq!(reply[..2], [0x12, 0x34]);
    assert_eq!(code(reply), NO_ERROR);
    assert_eq!(reply[reply.len() - 4..], [192, 0, 2, last]);
}

#[test]
fn own_names_are_answered_and_never_passed_on() {
    in_own_network(|| {
        let mut world = listed(vec![(
            "127.0.0.1",
            Other::new("127.0.0.1", answering(0, 1)),
        )]);
        let reply = world.ask(&query("web", A));
        assert_eq!(reply[reply.len() - 4..], [172, 18, 0, 2]);
        assert_eq!(code(&world.ask(&query("web", 15))), NO_ERROR);
        assert_eq!(world.others[0].asked, 0);
        assert_eq!(world.server.deadline(), None);
    });
}

#[test]
fn other_names_are_passed_on_with_another_id_and_port_each_time() {
    in_own_network(|| {
        let mut world = listed(vec![(
            "127.0.0.1",
            Other::new("127.0.0.1", answering(0, 9)),
        )]);
        for _ in 0..10 {
            assert_answer(&world.ask(&query("example.org", A)), 9);
        }
        assert_eq!(world.others[0].asked, 10);
        assert_eq!(world.server.deadline(), None);
        assert_eq!(world.server.wanted().len(), 2, "nothing is left over");
    });
}

#[test]
fn a_name_that_others_do_not_know_stays_unknown() {
    in_own_network(|| {
        let mut world = listed(vec![
            (
                "127.0.0.1",
                Other::new("127.0.0.1", answering(NO_SUCH_NAME, 0)),
            ),
            ("127.0.0.2", Other::new("127.0.0.2", answering(NO_ERROR, 2))),
        ]);
        assert_eq!(code(&world.ask(&query("example.org", A))), NO_SUCH_NAME);
        assert_eq!(world.others[1].asked, 0);
    });
}

#[test]
fn servers_that_fail_refuse_or_are_not_there_are_followed_by_the_next() {
    in_own_network(|| {
        for excuse in [SERVER_FAILURE, REFUSED] {
            let mut world = listed(vec![
                ("127.0.0.1", Other::new("127.0.0.1", answering(excuse, 0))),
                ("127.0.0.2", Other::new("127.0.0.2", answering(NO_ERROR, 2))),
            ]);
            assert_answer(&world.ask(&query("example.org", A)), 2);
            assert_eq!(world.others[0].asked, 1);
        }
        let others = vec![Other::new("127.0.0.2", answering(NO_ERROR, 2))];
        let servers = ["127.0.0.1", "192.0.2.1", "127.0.0.2"].map(|one| one.parse().unwrap());
        let mut world = world(Forwarding::Listed(servers.to_vec()), others);
        let begin = Instant::now();
        assert_answer(&world.ask(&query("example.org", A)), 2);
        assert!(begin.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn a_silent_server_is_followed_by_the_next_over_udp_and_tcp() {
    in_own_network(|| {
        let mut world = listed(vec![
            ("127.0.0.1", Other::new("127.0.0.1", |_| None)),
            ("127.0.0.2", Other::new("127.0.0.2", answering(NO_ERROR, 2))),
        ]);
        let begin = Instant::now();
        let mut client =
            TcpStream::connect_timeout(&world.address, Duration::from_secs(5)).unwrap();
        client.write_all(&framed(&query("example.org", A))).unwrap();
        assert_answer(&world.ask(&query("example.org", A)), 2);
        assert_answer(&world.hear_on(&client).unwrap(), 2);
        let taken = begin.elapsed().saturating_sub(world.late);
        assert!(taken < Duration::from_millis(2500), "{taken:?}");
        assert!(world.turns < 100, "{} turns", world.turns);
    });
}

#[test]
fn when_nobody_answers_the_client_is_told_within_five_seconds() {
    in_own_network(|| {
        let silent = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
        let mut world = listed(Vec::from(
            silent.map(|one| (one, Other::new(one, |_| None))),
        ));
        let begin = Instant::now();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        // The second is the client's impatience and makes no work.
        client
            .send_to(&query("example.org", A), world.address)
            .unwrap();
        client
            .send_to(&query("example.org", A), world.address)
            .unwrap();
        assert_eq!(code(&world.hear(&client)), SERVER_FAILURE);
        let taken = begin.elapsed().saturating_sub(world.late);
        assert!(taken < Duration::from_secs(5), "{taken:?}");
        let asked: Vec<usize> = world.others.iter().map(|other| other.asked).collect();
        assert_eq!(asked, [1, 1, 1, 0]);
        assert!(world.turns < 100, "{} turns", world.turns);
    });
}

#[test]
fn with_nobody_to_ask_and_with_only_ourselves_the_answer_is_failure_at_once() {
    in_own_network(|| {
        let ourselves = ["127.0.0.11", "::ffff:127.0.0.11"].map(|one| one.parse().unwrap());
        for forwarding in [
            Forwarding::Nobody,
            Forwarding::Listed(Vec::new()),
            Forwarding::Listed(ourselves.to_vec()),
            Forwarding::Host(HostResolver::new("/no/such/file")),
        ] {
            let mut world = world(forwarding, Vec::new());
            assert_eq!(code(&world.ask(&query("example.org", A))), SERVER_FAILURE);
            assert_eq!(code(&world.ask(&query("web", A))), NO_ERROR);
        }
    });
}

#[test]
fn answers_to_another_question_or_id_do_not_count() {
    in_own_network(|| {
        let mut good = answering(NO_ERROR, 1);
        let mut world = listed(vec![(
            "127.0.0.1",
            Other::new("127.0.0.1", move |query| {
                // Only one answer can be sent here, so each query of the client meets one kind of wrong answer.
                let mut answer = good(query)?;
                match query[13] {
                    b'i' => answer[0] ^= 1,
                    b'q' => answer[14] ^= 1,
                    b'r' => answer[2] &= 0x7f,
                    b's' => answer.truncate(5),
                    _ => {}
                }
                Some(answer)
            }),
        )]);
        let clients = ["i.org", "q.org", "r.org", "s.org"].map(|name| {
            let client = UdpSocket::bind("127.0.0.1:0").unwrap();
            client.send_to(&query(name, A), world.address).unwrap();
            client
        });
        assert_answer(&world.ask(&query("good.org", A)), 1);
        for client in clients {
            assert_eq!(code(&world.hear(&client)), SERVER_FAILURE);
        }
    });
}

#[test]
fn long_answers_are_marked_for_udp_and_whole_over_tcp() {
    in_own_network(|| {
        let long = |size: usize| {
            move |query: &[u8]| {
                let mut answer = answering(NO_ERROR, 1)(query)?;
                answer.resize(size, 0);
                Some(answer)
            }
        };
        for (size, message) in [
            (600, query("example.org", A)),
            (2000, with_edns(query("example.org", A), 1232, 0)),
            (9000, with_edns(query("example.org", A), 65535, 0)),
        ] {
            let mut world = listed(vec![("127.0.0.1", Other::new("127.0.0.1", long(size)))]);
            let reply = world.ask(&message);
            assert!(reply.len() < 50 && reply[2] & 2 != 0, "{reply:?}");
            let mut client = TcpStream::connect(world.address).unwrap();
            client.write_all(&framed(&message)).unwrap();
            assert_eq!(world.hear_on(&client).unwrap().len(), size);
        }
        let message = with_edns(query("example.org", A), 4000, 0);
        let mut world = listed(vec![("127.0.0.1", Other::new("127.0.0.1", long(3000)))]);
        assert_eq!(world.ask(&message).len(), 3000);
    });
}

#[test]
fn garbage_does_no_harm() {
    in_own_network(|| {
        let mut world = world(Forwarding::Nobody, Vec::new());
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for length in [0, 1, 11, 12, 13, 100, 5000, 60000] {
            client.send_to(&vec![0x55; length], world.address).unwrap();
            client.send_to(&vec![0xff; length], world.address).unwrap();
        }
        world.settle();
        assert_eq!(code(&world.ask(&query("web", A))), NO_ERROR);
    });
}

#[test]
fn more_queries_than_can_be_under_way_are_refused() {
    in_own_network(|| {
        let mut world = listed(vec![("127.0.0.1", Other::new("127.0.0.1", |_| None))]);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for id in 0..=256_u16 {
            let mut message = query("example.org", A);
            message[..2].copy_from_slice(&id.to_be_bytes());
            client.send_to(&message, world.address).unwrap();
            world.settle();
        }
        let reply = world.hear(&client);
        assert_eq!((&reply[..2], code(&reply)), (&[1, 0][..], REFUSED));
        assert_eq!(code(&world.ask(&query("web", A))), NO_ERROR);
    });
}

fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

#[test]
fn the_hosts_servers_are_followed_when_its_file_is_replaced() {
    in_own_network(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("resolv.conf");
        replace(&path, "nameserver 127.0.0.1\n");
        let others = vec![
            Other::new("127.0.0.1", answering(NO_ERROR, 1)),
            Other::new("127.0.0.53", answering(NO_ERROR, 53)),
        ];
        let mut world = world(Forwarding::Host(HostResolver::new(&path)), others);
        assert_answer(&world.ask(&query("example.org", A)), 1);
        replace(&path, "nameserver 127.0.0.11\nnameserver 127.0.0.53\n");
        assert_answer(&world.ask(&query("example.org", A)), 53);
        assert_eq!(world.others[0].asked, 1);
    });
}

#[test]
fn the_host_asks_from_its_own_network_and_lists_are_asked_from_the_containers() {
    in_own_network(|| {
        let container = in_own_network(|| Namespace::current().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("resolv.conf");
        replace(&path, "nameserver 127.0.0.1\n");
        let listeners = container.run(Listeners::bind).unwrap().unwrap();
        let address = listeners.udp.local_addr().unwrap();
        let client = container
            .run(|| UdpSocket::bind("127.0.0.1:0"))
            .unwrap()
            .unwrap();
        let inside = container.run(|| Other::new("127.0.0.1", answering(NO_ERROR, 2)));
        let others = vec![
            Other::new("127.0.0.1", answering(NO_ERROR, 1)),
            inside.unwrap(),
        ];
        let forwarding = Forwarding::Host(HostResolver::new(&path));
        let server = Server::new(listeners, Box::new(known()), forwarding, Some(container));
        let mut world = World {
            server: server.unwrap(),
            others,
            address,
            turns: 0,
            late: Duration::ZERO,
        };
        client.send_to(&query("example.org", A), address).unwrap();
        assert_answer(&world.hear(&client), 1);
        let list = Forwarding::Listed(vec!["127.0.0.1".parse().unwrap()]);
        world.server.set_forwarding(list);
        client.send_to(&query("example.org", A), address).unwrap();
        assert_answer(&world.hear(&client), 2);
    });
}
