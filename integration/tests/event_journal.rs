//! Who is told of events, and what becomes of them whoever is killed, slow or in the way.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use minirun_integration::{Running, TestHost};
use nix::sys::signal::Signal;
use serde_json::Value;

/// The journal, as the host sees it.
const JOURNAL: &str = "/run/minirun/events";

/// How large a generation of the journal becomes, in bytes.
const FULL: usize = 1024 * 1024;

/// Makes the next event begin another file.
fn fill_journal(host: &TestHost) {
    host.inside(|| {
        let mut journal = File::options()
            .append(true)
            .open(JOURNAL)
            .expect("the journal is there");
        journal
            .write_all("\n".repeat(FULL).as_bytes())
            .expect("there is room");
    });
}

#[test]
fn followers_hear_everything_from_now_on_and_all_the_same() {
    let host = TestHost::create();
    host.minirun("create --name before demo").succeeds();
    let mut followers = [
        host.follows_events("--format {{.Actor.Attributes.name}}"),
        host.follows_events("--format {{.Actor.Attributes.name}} --filter event=create"),
    ];
    for name in ["one", "two"] {
        host.minirun(format!("create --name {name} demo"))
            .succeeds();
    }
    for follower in &mut followers {
        assert_eq!(follower.read_until("two\n"), "one\ntwo\n");
    }
    let [first, second] = followers;
    first.signal(Signal::SIGINT);
    assert_eq!(first.finish().code(), None, "the signal ended it");
    drop(second);
    host.removes("before one two");
    host.finish();
}

#[test]
fn following_ends_with_its_time_or_its_reader() {
    let host = TestHost::create();
    host.minirun("create --name one demo").succeeds();
    // A moment that is still to come is waited for.
    host.minirun("events --since 1h --until -1s --format {{.Action}}")
        .succeeds()
        .stdout_is("create");
    let piped = host.command(
        "sh",
        ["-c", "minirun events --since 1h | head -n 1; echo ended"],
    );
    assert!(piped.succeeds().stdout().ends_with("ended\n"));
    host.removes("one");
    host.finish();
}

#[test]
fn a_follower_loses_and_repeats_nothing_when_the_journal_begins_anew() {
    let host = TestHost::create();
    let mut follower = host.follows_events("--format {{.Actor.Attributes.name}}");
    let mut expected = String::new();
    for round in 0..5 {
        for part in ["a", "b"] {
            let name = format!("box{round}{part}");
            host.minirun(format!("create --name {name} demo"))
                .succeeds();
            expected += &format!("{name}\n");
        }
        // Two files are kept, so it may fall behind by one.
        if round % 2 == 1 {
            follower.read_until(&expected);
        }
        fill_journal(&host);
    }
    follower.read_until(&expected);
    host.minirun("create --name last demo").succeeds();
    assert_eq!(follower.read_until("last\n"), expected + "last\n");
    let files = host.command("sh", ["-c", "ls /run/minirun | grep events"]);
    assert_eq!(files.succeeds().line(), "events\nevents.1");
    let kept = host.past_events("").len();
    assert_eq!(kept, 3, "what is older than two files is forgotten");
    drop(follower);
    host.minirun("system prune -f").succeeds();
    host.finish();
}

#[test]
fn lines_of_many_commands_at_once_are_whole_and_in_order() {
    let host = TestHost::create();
    host.minirun("images").succeeds();
    let label = format!("--label padding={}", "x".repeat(1500));
    let commands: Vec<Running> = (0..50)
        .map(|number| host.spawn_minirun(format!("create --name box{number} {label} demo")))
        .collect();
    for command in commands {
        command.finish().succeeds();
    }
    let journal = host.read_file(JOURNAL);
    let lines: Vec<Value> = journal
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("every line is whole"))
        .collect();
    let names: BTreeSet<String> = lines
        .iter()
        .map(|line| line["Actor"]["Attributes"]["name"].to_string())
        .collect();
    assert_eq!((lines.len(), names.len()), (50, 50));
    assert!(lines.is_sorted_by_key(|line| line["timeNano"].as_i64()));
    host.minirun("system prune -f").succeeds();
    host.finish();
}

#[test]
fn commands_that_are_killed_spoil_nothing_for_others() {
    let host = TestHost::create();
    host.idles("web", "");
    for number in 0..40 {
        let command = host.spawn_minirun("kill --signal CONT web");
        // Each is killed a little later than the one before.
        for _ in 0..number * 200 {
            std::hint::black_box(fs::metadata("/")).ok();
        }
        command.signal(Signal::SIGKILL);
        drop(command);
    }
    host.minirun("kill --signal WINCH web").succeeds();
    let told = host.past_events("--filter event=kill");
    let last = told.last().expect("an event");
    assert_eq!(last["Actor"]["Attributes"]["signal"], "28");
    host.removes("web");
    host.finish();
}

#[test]
fn a_container_whose_monitor_is_killed_is_told_to_have_died() {
    let host = TestHost::create();
    let process = host.idles("web", "").process();
    process.parent().signal(Signal::SIGKILL);
    assert!(process.ends_within(Duration::from_secs(20)));
    host.minirun("ps").succeeds();
    assert_eq!(
        host.past_events("--filter event=die")[0]["Actor"]["Attributes"]["exitCode"],
        "137"
    );
    host.removes("web");
    host.finish();
}

#[test]
fn a_line_that_a_killed_writer_left_half_written_spoils_no_other() {
    let host = TestHost::create();
    host.minirun("create --name one demo").succeeds();
    host.inside(|| {
        let journal = fs::read(JOURNAL).expect("the journal is there");
        let mut file = File::options()
            .append(true)
            .open(JOURNAL)
            .expect("the journal is there");
        file.write_all(&journal[..journal.len() / 2])
            .expect("there is room");
    });
    let mut follower = host.follows_events("--since 1h --format {{.Actor.Attributes.name}}");
    host.minirun("create --name two demo").succeeds();
    assert_eq!(follower.read_until("two\n"), "one\ntwo\n");
    drop(follower);
    host.removes("one two");
    host.finish();
}

#[test]
fn nothing_fails_because_it_cannot_be_told() {
    let host = TestHost::create();
    host.inside(|| fs::create_dir_all(JOURNAL).expect("a directory in its place"));
    host.minirun("run --name job demo echo hello")
        .succeeds()
        .stdout_is("hello");
    host.removes("job");
    host.minirun("events --since 0 --until 0s")
        .fails_with(1)
        .stderr_contains("cannot read `/run/minirun/events`");
    host.finish();
}
