//! A passage of ours that is there already is left, mended or taken away.

use super::tables::table;
use super::{situation, told, wanted};
use crate::firewall::foreign::*;
use crate::network::Icc;
use crate::test_support::network;
use minirun_netns::netfilter::FilterTable;

/// A table of another with a passage of ours, as it should be unless something is replaced.
fn with_passage(from: &str, to: &str) -> FilterTable {
    let forward = "perhaps accept, jump minirun # minirun, nothing";
    let ours = "perhaps accept # ipv4 minirun0 in, perhaps accept # ipv4 minirun0 out";
    table(
        "inet fw",
        &[
            ("forward (drop)", &forward.replace(from, to)),
            ("minirun", &ours.replace(from, to)),
        ],
    )
}

#[test]
fn a_passage_that_is_as_it_should_be_is_left_alone() {
    let networks = [network(Icc::Enabled)];
    let table = with_passage("-", "-");
    assert_eq!(
        told(&table, situation(&networks)),
        ["unknown: policy drop of `inet fw forward`: Passage"]
    );
    assert_eq!(wanted(&table, situation(&networks)), []);
}

#[test]
fn a_passage_that_is_not_is_made_anew_with_what_was_there_taken_away() {
    let networks = [network(Icc::Enabled)];
    for (from, to, former, before) in [
        ("jump minirun # minirun, ", "", 0, Some(2)),
        ("jump minirun", "jump minirun, jump minirun", 2, Some(4)),
        ("jump minirun", "perhaps jump minirun", 1, Some(3)),
        ("jump minirun", "refuse, jump minirun", 1, Some(2)),
        ("nothing", "perhaps refuse, nothing", 1, Some(4)),
        (", perhaps accept # ipv4 minirun0 out", "", 1, Some(3)),
        ("minirun0", "minirun1", 1, Some(3)),
    ] {
        let table = with_passage(from, to);
        let passage = wanted(&table, situation(&networks)).remove(0);
        assert_eq!(passage.former.len(), former, "{from} → {to}");
        assert_eq!(passage.entrances[0].before, before, "{from} → {to}");
        assert_eq!(passage.ways.len(), 2, "{from} → {to}");
    }
}

#[test]
fn a_passage_that_nobody_needs_any_more_goes() {
    let networks = [network(Icc::Enabled)];
    let left = Situation {
        choice: ForeignFirewall::Leave,
        ..situation(&networks)
    };
    for situation in [situation(&[]), left] {
        let passage = wanted(&with_passage("-", "-"), situation).remove(0);
        assert_eq!(passage.former.len(), 1);
        assert!(passage.entrances.is_empty() && passage.ways.is_empty());
    }
    let open = with_passage("nothing", "accept");
    assert!(wanted(&open, situation(&networks))[0].ways.is_empty());
}
