//! What is changed is changed as a whole, and only if nobody else was there.

use super::sets::{elements, sets};
use super::values::*;
use super::{TABLE, commit, inet_table, transaction};
use crate::netfilter::nf_tables::*;
use crate::netfilter::{Effect, FilterRule, tables_called};
use crate::scratch::{in_fresh_namespace, shell};

#[test]
fn elements_are_taken_out_and_one_that_is_not_there_is_missed() {
    in_fresh_namespace(|| {
        commit(&[transaction(TABLE, sets())]).unwrap();
        let empty = shell("nft list ruleset");
        commit(&[transaction(TABLE, elements())]).unwrap();
        let taken_out = elements().into_iter().map(|change| match change {
            Change::AddElement(element) => Change::DeleteElement(element),
            other => other,
        });
        let taken_out = transaction(TABLE, taken_out.collect());
        commit(std::slice::from_ref(&taken_out)).unwrap();
        assert_eq!(shell("nft list ruleset"), empty);
        let change =
            "nft delete element inet t links4 '{ 172.17.0.3 . 172.17.0.2 . tcp . 80 }'".to_string();
        assert_eq!(commit(&[taken_out]), Err(CommitError::Missing { change }));
    });
}

#[test]
fn chains_and_sets_are_emptied_and_chains_and_tables_deleted() {
    in_fresh_namespace(|| {
        let mut whole = inet_table();
        whole.changes.extend(elements());
        commit(&[whole]).unwrap();
        let flush = |set| Change::FlushSet(set);
        commit(&[transaction(
            TABLE,
            vec![
                flush("ranges"),
                flush("within"),
                flush("links4"),
                Change::FlushChain("forward".into()),
                Change::FlushChain("late".into()),
                Change::DeleteChain("elsewhere".into()),
            ],
        )])
        .unwrap();
        let listed = shell("nft list ruleset");
        assert!(!listed.contains("8000-8100"), "{listed}");
        assert!(!listed.contains("ct st"), "{listed}");
        assert!(!listed.contains("elsewhere"), "{listed}");
        commit(&[transaction(TABLE, vec![Change::DeleteTable])]).unwrap();
        assert_eq!(shell("nft list ruleset"), "");
    });
}

#[test]
fn one_rule_of_another_is_deleted_by_its_number() {
    for (family, name) in [(TableFamily::Ipv4, "ip"), (TableFamily::Ipv6, "ip6")] {
        in_fresh_namespace(|| {
            for command in [
                "table {} raw",
                "chain {} raw ours",
                "chain {} raw theirs",
                "rule {} raw theirs tcp dport 80 accept",
                "rule {} raw theirs udp dport 53 jump ours",
                "rule {} raw theirs tcp dport 81 accept",
            ] {
                shell(&format!("nft add {}", command.replace("{}", name)));
            }
            let tables = tables_called(&["raw"]).unwrap();
            let theirs = tables[0].chains.iter().find(|chain| chain.name == "theirs");
            let leads_to_ours =
                |rule: &&FilterRule| rule.effect == Effect::Jump("ours".to_string());
            let leading = theirs.unwrap().rules.iter().find(leads_to_ours).unwrap();
            let removal = Transaction {
                table: Table {
                    family,
                    name: "raw",
                },
                changes: vec![
                    Change::DeleteRule {
                        chain: "theirs".into(),
                        handle: leading.handle,
                    },
                    Change::DeleteChain("ours".into()),
                ],
            };
            commit(std::slice::from_ref(&removal)).unwrap();
            let left = format!(
                "table {name} raw {{\n\tchain theirs {{\n\t\ttcp dport 80 accept\n\t\ttcp dport 81 accept\n\t}}\n}}\n"
            );
            assert_eq!(shell("nft list ruleset"), left);
            assert_eq!(
                removal.commands()[0],
                format!(
                    "nft delete rule {name} raw theirs handle {}",
                    leading.handle
                )
            );
        });
    }
}

#[test]
fn transactions_of_several_tables_happen_together() {
    in_fresh_namespace(|| {
        let other = Table {
            family: TableFamily::Bridge,
            name: "t",
        };
        let bridge = |change| transaction(other, vec![Change::AddTable, change]);
        let broken = bridge(member("nowhere", vec![interface("br0")]));
        let outcome = commit(&[transaction(TABLE, sets()), broken]);
        assert!(
            matches!(outcome, Err(CommitError::Missing { .. })),
            "{outcome:?}"
        );
        assert_eq!(shell("nft list ruleset"), "");
        let whole = bridge(set("names", &[DataType::Interface]));
        commit(&[transaction(TABLE, sets()), whole]).unwrap();
        assert_eq!(shell("nft list tables"), "table inet t\ntable bridge t\n");
    });
}

#[test]
fn what_was_decided_on_older_rules_is_refused() {
    in_fresh_namespace(|| {
        let mut connection = RulesConnection::open().unwrap().unwrap();
        let create = transaction(TABLE, sets());
        let first = connection.commit(&[create], Expectation::Anything).unwrap();
        let mut put = |name, generation| {
            let change = transaction(TABLE, vec![member("names", vec![interface(name)])]);
            connection.commit(&[change], Expectation::Generation(generation))
        };
        let second = put("br0", first).unwrap();
        assert_eq!(put("br1", first), Err(CommitError::Changed));
        shell("nft add table ip others");
        assert_eq!(put("br1", second), Err(CommitError::Changed));
        let now = crate::netfilter::ruleset_generation().unwrap().unwrap();
        let third = put("br1", now).unwrap();
        let now = crate::netfilter::ruleset_generation().unwrap();
        assert_eq!(now, Some(third));
    });
}

#[test]
fn what_changes_nothing_leaves_the_generation() {
    in_fresh_namespace(|| {
        let first = commit(&[transaction(TABLE, sets())]).unwrap();
        let nothing = vec![Change::AddTable, Change::FlushSet("names")];
        assert_eq!(commit(&[transaction(TABLE, nothing)]), Ok(first));
        assert_eq!(commit(&[]), Ok(first));
    });
}

#[test]
fn a_transaction_may_be_as_long_as_a_thousand_containers_make_it() {
    in_fresh_namespace(|| {
        let elements = (0..10_000).map(|index: u32| {
            let source = Value::Ipv4(index.into());
            member(
                "links4",
                vec![source, ip("172.17.0.2"), TCP, Value::Port(80)],
            )
        });
        let elements: Vec<Change> = elements.collect();
        commit(&[transaction(TABLE, sets())]).unwrap();
        commit(&[transaction(TABLE, elements.clone())]).unwrap();
        let listed = shell("nft list set inet t links4");
        assert_eq!(listed.matches("172.17.0.2").count(), 10_000);
        let again = commit(&[transaction(TABLE, elements)]);
        assert!(again.is_err());
    });
}
