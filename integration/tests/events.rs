//! What `events` tells: in which order, of what, to whom, and whatever happens to those who tell it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;

use minirun_integration::{Running, TestHost};
use nix::sys::signal::Signal;
use serde_json::Value;

/// The journal, as the host sees it.
const JOURNAL: &str = "/run/minirun/events";

/// How large a generation of the journal becomes, in bytes.
const FULL: usize = 1024 * 1024;

/// Everything that has happened, event by event.
#[track_caller]
fn past(host: &TestHost, options: &str) -> Vec<Value> {
    let shown = host
        .minirun(format!(
            "events --since 0 --until 0s --format json {options}"
        ))
        .succeeds();
    shown
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect()
}

/// Kind and action of everything that has happened.
#[track_caller]
fn story(host: &TestHost, options: &str) -> Vec<String> {
    past(host, options)
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["Type"].as_str().expect("a type"),
                event["Action"].as_str().expect("an action")
            )
        })
        .collect()
}

/// A follower that has begun to wait.
#[track_caller]
fn follow(host: &TestHost, options: &str) -> Running {
    let follower = host.spawn_minirun(format!("events {options}"));
    follower.process().awaits_open_file("/events");
    follower.process().awaits_sleep();
    follower
}

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
fn a_run_is_told_step_by_step() {
    let host = TestHost::create();
    host.minirun("run -d --name job --label tier=front demo false")
        .succeeds();
    host.minirun("wait job").succeeds();
    let id = host.container("job").inspect()["Id"]
        .as_str()
        .expect("an id")
        .to_owned();
    host.removes("job");
    let option = format!("--filter container={id}");
    assert_eq!(
        story(&host, &option),
        ["create", "start", "die", "destroy"].map(|action| format!("container {action}"))
    );
    let mut died = past(&host, &format!("{option} --filter event=die")).remove(0);
    let duration = died["Actor"]["Attributes"]["execDuration"].take();
    let seconds = duration.as_str().and_then(|text| text.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds < 60), "{duration}");
    let network = past(&host, "--filter event=connect").pop().expect("it was");
    assert_eq!(
        died["Actor"]["Attributes"],
        serde_json::json!({
            "execDuration": null, "exitCode": "1", "image": "demo", "name": "job", "tier": "front",
        })
    );
    assert_eq!(
        [&died["status"], &died["id"], &died["from"], &died["scope"]],
        ["die", &id, "demo", "local"]
    );
    let nanoseconds = died["timeNano"].as_i64().expect("a time");
    assert_eq!(died["time"].as_i64(), Some(nanoseconds / 1_000_000_000));
    assert_eq!(
        network["Actor"]["Attributes"],
        serde_json::json!({"container": id, "name": "bridge", "type": "bridge"})
    );
    host.finish();
}

#[test]
fn the_order_is_dockers() {
    let host = TestHost::create();
    host.minirun("run --rm --name job demo true").succeeds();
    // It waits for the monitor, which takes the container down.
    host.removes("job");
    host.idles("web", "--stop-signal KILL");
    host.minirun("stop web").succeeds();
    host.minirun("restart web").succeeds();
    host.minirun("rename web site").succeeds();
    host.minirun("kill --signal CONT site").succeeds();
    host.removes("site");
    assert_eq!(
        story(&host, "")
            .join("\n")
            .replace("container ", "")
            .replace("network ", "~"),
        "create\nattach\n~connect\nstart\ndie\n~disconnect\ndestroy\n\
         create\n~connect\nstart\n\
         kill\ndie\n~disconnect\nstop\n\
         ~connect\nstart\nrestart\nrename\nkill\n\
         kill\ndie\n~disconnect\ndestroy"
    );
    let signals: Vec<Value> = past(&host, "--filter event=kill")
        .iter()
        .map(|event| event["Actor"]["Attributes"]["signal"].clone())
        .collect();
    assert_eq!(signals, ["9", "18", "9"]);
    let renamed = &past(&host, "--filter event=rename")[0]["Actor"]["Attributes"];
    assert_eq!([&renamed["name"], &renamed["oldName"]], ["site", "/web"]);
    let died = past(&host, "--filter event=die").pop().expect("it died");
    assert_eq!(
        died["Actor"]["Attributes"]["name"], "site",
        "it was renamed meanwhile"
    );
    host.finish();
}

#[test]
fn programs_images_and_networks_are_told_of() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.network("lan", "");
    host.idles("web", "");
    host.minirun("network connect lan web").succeeds();
    host.minirun(["exec", "web", "false"]).fails_with(1);
    host.minirun("network disconnect lan web").succeeds();
    host.removes("web");
    host.removes_networks("lan");
    host.minirun("rmi busybox").succeeds();
    let told = story(&host, "");
    assert_eq!(
        told,
        [
            "image import",
            "network create",
            "container create",
            "network connect",
            "container start",
            "network connect",
            "container exec_create: false",
            "container exec_start: false",
            "container exec_die",
            "network disconnect",
            "container kill",
            "container die",
            "network disconnect",
            "container destroy",
            "network destroy",
            "image untag",
            "image delete",
        ]
    );
    let ended = &past(&host, "--filter event=exec_die")[0]["Actor"]["Attributes"];
    let begun = &past(&host, "--filter event=exec_create")[0]["Actor"]["Attributes"];
    assert_eq!(ended["exitCode"], "1");
    assert_eq!(ended["execID"], begun["execID"]);
    assert_eq!(
        past(&host, "--filter event=import")[0]["Actor"]["Attributes"]["name"],
        "busybox:latest"
    );
    host.finish();
}

#[test]
fn what_is_shown_can_be_chosen_and_formed() {
    let host = TestHost::create();
    host.idles("web1", "--label tier=front");
    host.idles("web2", "");
    host.removes("web1 web2");
    for (options, expected) in [
        ("--filter container=web1 --filter event=start", 1),
        ("--filter container=web --filter event=start", 2),
        ("--filter event=start --filter event=die", 4),
        ("--filter label=tier=front --filter event=start", 1),
        ("--filter label=tier=back", 0),
        ("--filter type=network --filter event=connect", 2),
        ("--filter network=bridge", 4),
        ("--filter image=demo --filter event=create", 2),
        ("--filter image=other", 0),
        ("--filter volume=data", 0),
        ("--filter scope=swarm", 0),
    ] {
        assert_eq!(past(&host, options).len(), expected, "{options}");
    }
    host.minirun([
        "events",
        "--since",
        "0",
        "--until",
        "0s",
        "--filter",
        "event=start",
        "--filter",
        "container=web1",
        "--format",
        "{{.Status}} {{.From}} {{.Actor.Attributes.name}}",
    ])
    .succeeds()
    .stdout_is("start demo web1");
    let line = host
        .minirun("events --since 0 --until 0s --filter event=start --filter container=web1")
        .succeeds();
    let (time, rest) = line.line().split_once(' ').expect("a time");
    assert_eq!(time.len(), "2026-11-21T09:30:00.123456789Z".len());
    assert!(
        rest.starts_with("container start ")
            && rest.ends_with(" (image=demo, name=web1, tier=front)"),
        "{rest}"
    );
    host.finish();
}

#[test]
fn what_is_wrong_is_refused() {
    let host = TestHost::create();
    for (options, problem) in [
        ("--filter event=explode", "no event is called `explode`"),
        ("--filter colour=red", "unknown filter `colour`"),
        ("--format {{.Colour}}", "no field `Colour`"),
        ("--format wide", "unknown format `wide`"),
        ("--since yesterday", "`yesterday` is not a moment"),
    ] {
        host.minirun(format!("events {options}"))
            .fails_with(125)
            .stderr_contains(problem);
    }
    host.finish();
}

#[test]
fn the_past_is_shown_as_far_as_it_is_asked_for() {
    let host = TestHost::create();
    for name in ["one", "two", "three"] {
        host.minirun(format!("create --name {name} demo"))
            .succeeds();
    }
    let created = past(&host, "");
    let time = |index: usize| {
        let nanoseconds = created[index]["timeNano"].as_i64().expect("a time");
        format!(
            "{}.{:09}",
            nanoseconds / 1_000_000_000,
            nanoseconds % 1_000_000_000
        )
    };
    let names = |since: &str, until: &str| {
        host.minirun([
            "events",
            "--since",
            since,
            "--until",
            until,
            "--format",
            "{{.Actor.Attributes.name}}",
        ])
        .succeeds()
        .line()
        .replace('\n', " ")
    };
    assert_eq!(names(&time(1), "0s"), "two three");
    assert_eq!(names("0", &time(1)), "one two");
    assert_eq!(names(&time(1), &time(1)), "two");
    assert_eq!(names("10m", "0s"), "one two three");
    host.minirun(["events", "--until", &time(0), "--format", "{{.Action}}"])
        .succeeds()
        .stdout_is("create");
    host.removes("one two three");
    host.finish();
}

#[test]
fn followers_hear_everything_from_now_on_and_all_the_same() {
    let host = TestHost::create();
    host.minirun("create --name before demo").succeeds();
    let mut followers = [
        follow(&host, "--format {{.Actor.Attributes.name}}"),
        follow(
            &host,
            "--format {{.Actor.Attributes.name}} --filter event=create",
        ),
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
    let mut follower = follow(&host, "--format {{.Actor.Attributes.name}}");
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
    let kept = past(&host, "").len();
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
    host.minirun("images").succeeds();
    let before = past(&host, "").len();
    for number in 0..40 {
        let command = host.spawn_minirun(format!("create --name box{number} demo"));
        // Each is killed a little later than the one before.
        for _ in 0..number * 200 {
            std::hint::black_box(fs::metadata("/")).ok();
        }
        command.signal(Signal::SIGKILL);
        drop(command);
    }
    host.minirun("create --name last demo").succeeds();
    let told = past(&host, "");
    assert!(told.len() > before);
    assert_eq!(
        told.last().expect("an event")["Actor"]["Attributes"]["name"],
        "last"
    );
    host.minirun("system prune -f").succeeds();
    host.finish();
}

#[test]
fn a_container_whose_monitor_is_killed_is_told_to_have_died() {
    let host = TestHost::create();
    let process = host.idles("web", "").process();
    process.parent().signal(Signal::SIGKILL);
    assert!(process.ends_within(std::time::Duration::from_secs(20)));
    host.minirun("ps").succeeds();
    assert_eq!(
        past(&host, "--filter event=die")[0]["Actor"]["Attributes"]["exitCode"],
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
    let mut follower = follow(&host, "--since 1h --format {{.Actor.Attributes.name}}");
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

#[test]
fn a_label_cannot_act_on_the_terminal() {
    let host = TestHost::create();
    host.minirun(["create", "--name", "one", "--label", "bad=\x1b[2J", "demo"])
        .succeeds();
    host.minirun("events --since 0 --until 0s")
        .succeeds()
        .stdout_contains("(bad=\\x1b[2J, image=demo, name=one)");
    host.removes("one");
    host.finish();
}
