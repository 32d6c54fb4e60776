//! Lines that are written and read back, one file after the other.

use super::event::{Event, EventKind, LONGEST_LINE};
use super::follow::Reader;
use super::journal::{FULL, Journal};
use super::{Action, EventFilter};
use jiff::Timestamp;
use proptest::prelude::*;
use std::fs::{self, File};
use std::io::Write;

fn event(number: usize) -> Event {
    Event::volume(&number.to_string(), Action::Create)
}

fn ids(reader: &mut Reader<'_>) -> Vec<String> {
    let next = || reader.next().expect("the journal is readable");
    std::iter::from_fn(next).map(|event| event.id).collect()
}

fn append_bytes(journal: &Journal, bytes: &[u8]) {
    let mut file = File::options()
        .append(true)
        .open(journal.path())
        .expect("it is there");
    file.write_all(bytes).expect("room");
}

/// Makes the next event begin another file.
fn fill(journal: &Journal) {
    append_bytes(journal, &vec![b'\n'; FULL as usize]);
}

#[test]
fn what_is_appended_is_read_in_order_over_any_number_of_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::of(&directory.path().join("state"));
    let mut following = Reader::from_now_on(&journal).expect("it is made if need be");
    let mut seen = Vec::new();
    for number in 0..12 {
        journal.append(event(number)).expect("room");
        // The reader looks at each second one only, so it meets files that are renamed already.
        if number % 2 == 0 {
            seen.extend(ids(&mut following));
        }
        if number % 3 == 0 {
            fill(&journal);
        }
    }
    seen.extend(ids(&mut following));
    let all: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    assert_eq!(seen, all);
    let mut reader = Reader::from_the_first(&journal).expect("readable");
    assert_eq!(ids(&mut reader), all[7..], "two files are kept");
    assert_eq!(fs::read_dir(&journal.directory).unwrap().count(), 2);
}

#[test]
fn what_is_written_between_the_last_look_and_a_renaming_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::of(directory.path());
    let mut following = Reader::from_now_on(&journal).expect("made");
    assert_eq!(ids(&mut following), [""; 0]);
    journal.append(event(1)).expect("room");
    fill(&journal);
    journal.append(event(2)).expect("room");
    fill(&journal);
    journal.append(event(3)).expect("room");
    assert_eq!(ids(&mut following), ["1", "2", "3"]);
}

#[test]
fn a_line_that_was_not_written_to_its_end_spoils_no_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::of(directory.path());
    journal.append(event(1)).expect("room");
    let whole = fs::read(journal.path()).expect("readable");
    append_bytes(&journal, &whole[..whole.len() / 2]);
    let mut reader = Reader::from_the_first(&journal).expect("readable");
    assert_eq!(ids(&mut reader), ["1"]);
    journal.append(event(2)).expect("room");
    assert_eq!(ids(&mut reader), ["2"]);
}

#[test]
fn many_writers_at_once_write_whole_lines_in_the_order_of_their_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::of(directory.path());
    journal.append(event(0)).expect("room");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope
                .spawn(|| (1..100).for_each(|number| journal.append(event(number)).expect("room")));
        }
    });
    let mut reader = Reader::from_the_first(&journal).expect("readable");
    let next = || reader.next().expect("readable");
    let times: Vec<Timestamp> = std::iter::from_fn(next).map(|event| event.time).collect();
    assert_eq!(times.len(), 1 + 8 * 99);
    assert!(times.is_sorted());
}

fn labelled(length: usize) -> Event {
    let mut event = Event::volume("data", Action::HealthStatus);
    event.set_labels([("long".to_owned(), "x".repeat(length))].into());
    event
}

fn read_back(event: Event) -> Event {
    let line = event.line().expect("it fits");
    serde_json::from_slice(&line).expect("it is JSON")
}

#[test]
fn labels_are_attributes_unless_the_line_becomes_too_long() {
    assert_eq!(read_back(labelled(100)).attributes["long"].len(), 100);
    let without = read_back(labelled(LONGEST_LINE));
    assert_eq!(without.attributes.keys().collect::<Vec<_>>(), ["driver"]);
    let shortened = read_back(labelled(0).about("é".repeat(LONGEST_LINE)));
    assert_eq!(shortened.detail, Some("é".repeat(256) + "…"));
}

#[test]
fn a_line_has_dockers_keys() {
    let mut event = Event::volume("data", Action::Create).with("size", 3);
    event.time = "2026-11-21T09:30:00.5Z".parse().unwrap();
    let line = event.clone().line().expect("it fits");
    assert_eq!(
        String::from_utf8(line).unwrap().trim(),
        concat!(
            r#"{"Type":"volume","Action":"create","Actor":{"ID":"data","Attributes":{"driver":"local","size":"3"}},"#,
            r#""scope":"local","time":1795253400,"timeNano":1795253400500000000}"#
        )
    );
    assert_eq!(read_back(event.clone()), event);
}

#[test]
fn every_action_has_a_word_of_its_own() {
    for (word, action) in Action::WORDS {
        assert_eq!(action.word(), word);
        assert_eq!(word.parse(), Ok(action));
    }
    assert!("explode".parse::<Action>().is_err());
}

/// What happens to a container `web1` of the image `localhost:5000/tools:1`.
fn of_container(action: Action) -> Event {
    let mut event = Event::volume("c0ffee", action)
        .with("image", "localhost:5000/tools:1")
        .with("name", "web1")
        .with("tier", "front");
    event.kind = EventKind::Container;
    event
}

#[test]
fn events_are_chosen_by_what_they_are() {
    let healthy = of_container(Action::HealthStatus).about("healthy");
    let words = |text: &str| vec![text.to_owned()];
    let none = EventFilter::default();
    for (filter, expected) in [
        (none.clone(), true),
        (
            EventFilter {
                actions: words("health_status"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                actions: words("health_status: healthy"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                actions: words("health_status: unhealthy"),
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                actions: vec!["die".into(), "health_status".into()],
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                kinds: vec![EventKind::Container],
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                kinds: vec![EventKind::Image],
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                containers: words("web"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                containers: words("c0f"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                containers: words("eb1"),
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                networks: words("web1"),
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                volumes: words("web1"),
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                images: words("localhost:5000/tools"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                images: words("localhost:5000/tools:1"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                images: words("localhost"),
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                labels: words("tier=front"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                labels: vec!["tier".into(), "zone".into()],
                ..none.clone()
            },
            false,
        ),
        (
            EventFilter {
                scopes: words("local"),
                ..none.clone()
            },
            true,
        ),
        (
            EventFilter {
                scopes: words("swarm"),
                ..none.clone()
            },
            false,
        ),
    ] {
        assert_eq!(filter.includes(&healthy), expected, "{filter:?}");
    }
}

#[test]
fn an_action_without_more_to_say_is_asked_for_by_its_whole_word() {
    let filter = EventFilter {
        actions: vec!["exec".into(), "st".into()],
        ..EventFilter::default()
    };
    assert!(!filter.includes(&of_container(Action::Start)));
    assert!(!filter.includes(&of_container(Action::ExecCreate).about("sh")));
}

proptest! {
    #[test]
    fn whatever_an_event_says_it_is_one_line_of_bounded_length(
        attributes in proptest::collection::btree_map("\\PC{0,20}", ".{0,300}", 0..8),
        labels in proptest::collection::btree_map(".{0,20}", ".{0,500}", 0..8),
        detail in proptest::option::of(".{0,3000}"),
    ) {
        let mut event = of_container(Action::ExecCreate);
        event.attributes.extend(attributes);
        event.set_labels(labels);
        event.detail = detail.clone();
        if let Some(line) = event.clone().line() {
            prop_assert!(line.len() <= LONGEST_LINE);
            let newlines = line.iter().filter(|byte| **byte == b'\n').count();
            prop_assert_eq!(newlines, 2);
            let read: Event = serde_json::from_slice(&line).expect("it is JSON");
            prop_assert_eq!(read.attributes.get("name"), event.attributes.get("name"));
        }
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in ".{0,200}") {
        let _ = serde_json::from_str::<Event>(&line);
    }
}
