//! What `events` tells, of what, and in which order.

use minirun_integration::TestHost;
use serde_json::Value;

/// Kind and action of everything that has happened.
#[track_caller]
fn story(host: &TestHost, options: &str) -> Vec<String> {
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    host.past_events(options)
        .iter()
        .map(|event| format!("{} {}", word(&event["Type"]), word(&event["Action"])))
        .collect()
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
    let mut died = host
        .past_events(&format!("{option} --filter event=die"))
        .remove(0);
    let duration = died["Actor"]["Attributes"]["execDuration"].take();
    let seconds = duration.as_str().and_then(|text| text.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds < 60), "{duration}");
    let network = host
        .past_events("--filter event=connect")
        .pop()
        .expect("it was");
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
    // The monitor takes the container down when `run` has returned, and tells of its end after the record, by which other
    // commands would find it, is gone.
    let mut removal = host.follows_events("--filter event=destroy");
    host.minirun("run --rm --name job demo true").succeeds();
    removal.read_until("container destroy");
    drop(removal);
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
    let signals: Vec<Value> = host
        .past_events("--filter event=kill")
        .iter()
        .map(|event| event["Actor"]["Attributes"]["signal"].clone())
        .collect();
    assert_eq!(signals, ["9", "18", "9"]);
    let renamed = &host.past_events("--filter event=rename")[0]["Actor"]["Attributes"];
    assert_eq!([&renamed["name"], &renamed["oldName"]], ["site", "/web"]);
    let died = host
        .past_events("--filter event=die")
        .pop()
        .expect("it died");
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
    let ended = &host.past_events("--filter event=exec_die")[0]["Actor"]["Attributes"];
    let begun = &host.past_events("--filter event=exec_create")[0]["Actor"]["Attributes"];
    assert_eq!(ended["exitCode"], "1");
    assert_eq!(ended["execID"], begun["execID"]);
    assert_eq!(
        host.past_events("--filter event=import")[0]["Actor"]["Attributes"]["name"],
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
        assert_eq!(host.past_events(options).len(), expected, "{options}");
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
        ("--since yesterday", "invalid time `yesterday`"),
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
    let created = host.past_events("");
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
