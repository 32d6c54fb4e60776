//! A key is claimed once.

use super::sets::sets;
use super::values::*;
use super::{TABLE, commit, transaction};
use crate::netfilter::nf_tables::*;
use crate::scratch::{in_fresh_namespace, shell};

fn port_owner(port: u16, address: &str) -> Change {
    leads(
        "any",
        vec![TCP, Value::Port(port)],
        vec![ip(address), Value::Port(80)],
    )
}

#[test]
fn a_second_claim_of_a_key_undoes_the_whole_transaction_even_if_it_leads_to_the_same() {
    in_fresh_namespace(|| {
        commit(&[transaction(TABLE, sets())]).unwrap();
        commit(&[transaction(TABLE, vec![port_owner(8080, "172.17.0.2")])]).unwrap();
        let before = shell("nft list ruleset");
        for address in ["172.17.0.2", "172.17.0.3"] {
            let changes = vec![
                member("names", vec![interface("br0")]),
                port_owner(8080, address),
                member("names", vec![interface("br1")]),
            ];
            let Change::AddElement(element) = port_owner(8080, address) else {
                unreachable!()
            };
            let element = Box::new(element);
            let outcome = commit(&[transaction(TABLE, changes)]);
            assert_eq!(outcome, Err(CommitError::Exists { element }));
            assert_eq!(shell("nft list ruleset"), before);
        }
    });
}

fn port_range(first: u16, last: u16) -> Change {
    ranges(
        "ranges",
        vec![
            Key::One(ip("192.0.2.1")),
            Key::One(TCP),
            Key::Range(Value::Port(first), Value::Port(last)),
        ],
        vec![ip("172.17.0.2")],
    )
}

#[test]
fn an_interval_that_overlaps_another_one_is_a_second_claim() {
    in_fresh_namespace(|| {
        commit(&[transaction(TABLE, sets())]).unwrap();
        commit(&[transaction(TABLE, vec![port_range(8000, 8100)])]).unwrap();
        for (first, last) in [(8000, 8100), (8050, 8150), (7000, 8050), (8001, 8002)] {
            let outcome = commit(&[transaction(TABLE, vec![port_range(first, last)])]);
            assert!(
                matches!(outcome, Err(CommitError::Exists { .. })),
                "{outcome:?}"
            );
        }
        commit(&[transaction(TABLE, vec![port_range(8101, 8200)])]).unwrap();
    });
}
