//! Connections at work: what clients may do with them, and what they cannot hold up.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use super::Forwarding;
use super::server_tests::{A, NO_ERROR, SERVER_FAILURE, answering, code, listed, world};
use super::test_client::{Other, framed, in_own_network, query};

#[test]
fn one_connection_carries_several_queries_at_once_and_may_be_half_closed() {
    in_own_network(|| {
        let mut world = listed(vec![(
            "127.0.0.1",
            Other::new("127.0.0.1", answering(0, 7)),
        )]);
        let mut client = TcpStream::connect(world.address).unwrap();
        let mut messages = Vec::new();
        for id in 0..30 {
            let mut message = query(["web", "example.org"][usize::from(id % 2)], A);
            message[1] = id;
            messages.extend(framed(&message));
        }
        client.write_all(&messages).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut ids: Vec<u8> = (0..30)
            .map(|_| world.hear_on(&client).unwrap()[1])
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..30).collect::<Vec<u8>>());
        assert_eq!(world.hear_on(&client), None);
        assert_eq!(world.server.wanted().len(), 2);
    });
}

#[test]
fn half_empty_and_oversized_messages_on_connections_do_no_harm() {
    in_own_network(|| {
        let mut world = world(Forwarding::Nobody, Vec::new());
        let mut half = TcpStream::connect(world.address).unwrap();
        half.write_all(&framed(&query("web", A))[..9]).unwrap();
        for bytes in [&[0, 0][..], &[0, 5, 1, 2, 3, 4, 5], &[0xff, 0xff, 0]] {
            let mut client = TcpStream::connect(world.address).unwrap();
            client.write_all(bytes).unwrap();
            assert_eq!(world.hear_on(&client), None, "{bytes:?}");
        }
        world.settle();
        assert_eq!(code(&world.ask(&query("web", A))), NO_ERROR);
        let mut client = TcpStream::connect(world.address).unwrap();
        client.write_all(&framed(&query("web", A))).unwrap();
        assert_eq!(code(&world.hear_on(&client).unwrap()), NO_ERROR);
        // The half message is thrown away in the end, without a turn of the loop in the meantime.
        drop(client);
        world.settle();
        let before = world.turns;
        assert_eq!(world.hear_on(&half), None);
        assert!(world.turns - before < 5);
        assert_eq!(world.server.deadline(), None);
    });
}

#[test]
fn a_client_that_never_reads_is_not_served_for_ever() {
    in_own_network(|| {
        let mut world = world(Forwarding::Nobody, Vec::new());
        let mut client = TcpStream::connect(world.address).unwrap();
        client.set_nonblocking(true).unwrap();
        let message = framed(&query("web", A)).repeat(100);
        let mut sent = 0;
        // The server stops reading when its replies are not taken, so at some point there is no room to write either.
        while let Ok(length) = client.write(&message) {
            sent += length;
            world.settle();
            assert!(sent < 64 << 20, "{sent} bytes were taken");
        }
        world.settle();
        assert_eq!(code(&world.ask(&query("web", A))), NO_ERROR);
    });
}

#[test]
fn new_connections_take_the_place_of_idle_ones() {
    in_own_network(|| {
        let mut world = world(Forwarding::Nobody, Vec::new());
        let idle: Vec<TcpStream> = (0..40)
            .map(|_| {
                let client = TcpStream::connect(world.address).unwrap();
                world.settle();
                client
            })
            .collect();
        assert_eq!(world.server.wanted().len(), 2 + 16);
        let mut client = TcpStream::connect(world.address).unwrap();
        client.write_all(&framed(&query("web", A))).unwrap();
        assert_eq!(code(&world.hear_on(&client).unwrap()), NO_ERROR);
        drop((idle, client));
        world.settle();
        assert_eq!(world.server.wanted().len(), 2);
        assert_eq!(world.server.deadline(), None);
    });
}

#[test]
fn a_client_that_is_gone_while_others_are_asked_leaves_nothing_behind() {
    in_own_network(|| {
        let mut world = listed(vec![("127.0.0.1", Other::new("127.0.0.1", |_| None))]);
        let mut client = TcpStream::connect(world.address).unwrap();
        client.write_all(&framed(&query("example.org", A))).unwrap();
        world.settle();
        drop(client);
        // The loop must rest although the connection is over and not yet closed on our side.
        world.settle();
        assert_eq!(code(&world.ask(&query("example.net", A))), SERVER_FAILURE);
        world.settle();
        assert!(world.turns < 200, "{} turns", world.turns);
        assert_eq!(world.server.deadline(), None);
    });
}
