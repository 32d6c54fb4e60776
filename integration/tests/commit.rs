//! `commit`: an image of a container and what it has changed.

use std::time::{Duration, Instant};

use minirun_integration::TestHost;

#[track_caller]
fn runs(host: &TestHost, script: &str) {
    host.minirun([
        "run",
        "--name",
        "web1",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        script,
    ])
    .succeeds();
}

/// What a line of shell prints in a new container of an image.
#[track_caller]
fn in_image(host: &TestHost, image: &str, script: &str) -> String {
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        image,
        "sh",
        "-c",
        script,
    ];
    host.minirun(words).succeeds().line().to_owned()
}

#[test]
fn what_was_added_changed_and_deleted_is_in_the_image() {
    let host = TestHost::create();
    let root = host.makes_busybox_root();
    let script = format!(
        "cd {root}/root; mkdir -p srv/a srv/b; echo 1 >srv/a/one; echo 2 >srv/b/two; echo 3 >srv/three; minirun import . busybox"
    );
    host.command("sh", ["-c", &script]).succeeds();
    runs(
        &host,
        "cd /srv; rm -r a; mkdir a; echo new >a/new; rm three; echo more >>b/two; ln b/two b/name; ln -s b link; mkfifo pipe; chown 5:6 a; chmod 4755 b/two",
    );
    let id = host.minirun("commit web1 made:1").succeeds();
    assert!(
        id.line().starts_with("sha256:") && id.line().len() == 71,
        "{}",
        id.line()
    );
    let look = "cd /srv; find . | sort; cat a/new b/two; readlink link; stat -c '%u:%g' a; stat -c '%a %h' b/name";
    assert_eq!(
        in_image(&host, "made:1", look),
        ".\n./a\n./a/new\n./b\n./b/name\n./b/two\n./link\n./pipe\nnew\n2\nmore\nb\n5:6\n4755 2"
    );
    // A change on top of it, and one more image of that.
    host.minirun([
        "run",
        "--name",
        "web2",
        "--network",
        "none",
        "made:1",
        "sh",
        "-c",
        "rm -r /srv/b; echo 3 >/srv/three",
    ])
    .succeeds();
    host.minirun("diff web2")
        .succeeds()
        .stdout_is("C /srv\nD /srv/b\nA /srv/three");
    host.minirun("commit web2 made:2").succeeds();
    assert_eq!(
        in_image(&host, "made:2", "cd /srv; find . | sort"),
        ".\n./a\n./a/new\n./link\n./pipe\n./three"
    );
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn the_image_says_what_the_container_was_told_unless_it_is_changed() {
    let host = TestHost::create();
    host.imports_busybox(&[
        "-c",
        "ENV A=image B=image",
        "-c",
        "LABEL from=image",
        "-c",
        "STOPSIGNAL SIGQUIT",
        "-c",
        "ENTRYPOINT [\"sh\", \"-c\"]",
    ]);
    host.minirun([
        "create",
        "--name",
        "web1",
        "--network",
        "none",
        "-e",
        "B=user",
        "-w",
        "/srv",
        "-u",
        "alice",
        "--expose",
        "80",
        "-l",
        "by=user",
        "busybox",
        "echo $A $B",
    ])
    .succeeds();
    let plain = host.minirun("commit web1").succeeds().line().to_owned();
    let config = host.minirun(["inspect", &plain]).succeeds().json()[0].take();
    assert_eq!(config["RepoTags"], serde_json::json!([]));
    let said = &config["Config"];
    assert_eq!(said["Env"], serde_json::json!(["A=image", "B=user"]));
    assert_eq!(said["Entrypoint"], serde_json::json!(["sh", "-c"]));
    assert_eq!(said["Cmd"], serde_json::json!(["echo $A $B"]));
    assert_eq!(said["WorkingDir"], "/srv");
    assert_eq!(said["User"], "alice");
    assert_eq!(said["ExposedPorts"], serde_json::json!({"80/tcp": {}}));
    assert_eq!(
        said["Labels"],
        serde_json::json!({"from": "image", "by": "user"})
    );
    assert_eq!(said["StopSignal"], "SIGQUIT");
    host.minirun([
        "commit",
        "-a",
        "Jane",
        "-m",
        "first",
        "-c",
        "CMD [\"id -u\"]",
        "--change",
        "USER root",
        "-c",
        "EXPOSE 443",
        "web1",
        "made",
    ])
    .succeeds();
    host.minirun("run --rm --network none made")
        .succeeds()
        .stdout_is("0");
    let made = host.minirun("inspect made").succeeds().json()[0].take();
    let parent = host.minirun("inspect busybox").succeeds().json()[0]["Id"].take();
    assert_eq!(
        (&made["Author"], &made["Comment"], &made["Parent"]),
        (&"Jane".into(), &"first".into(), &parent)
    );
    assert_eq!(
        made["Config"]["ExposedPorts"],
        serde_json::json!({"443/tcp": {}, "80/tcp": {}})
    );
    assert_eq!(made["RootFS"]["Layers"].as_array().map(Vec::len), Some(2));
    host.minirun("commit -c NONSENSE web1").fails_with(125);
    host.minirun("commit web1 UPPER").fails_with(125);
    host.minirun("commit nosuch").fails_with(1);
    host.removes("web1");
    host.finish();
}

#[test]
fn the_same_content_is_the_same_image() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    runs(&host, "echo x >/srv; touch -d @1000000000 /srv /");
    let commit = |words: &str| {
        host.minirun(format!("commit {words}"))
            .succeeds()
            .line()
            .to_owned()
    };
    let first = commit("web1");
    assert_eq!(commit("web1 made"), first);
    assert_eq!(commit("--pause=false web1 made"), first);
    assert_ne!(commit("-m other web1"), first);
    host.command(
        "sh",
        ["-c", "echo y >/run/srv; touch -d @1000000000 /run/srv"],
    )
    .succeeds();
    host.minirun("cp -q /run/srv web1:/srv").succeeds();
    assert_ne!(commit("web1"), first);
    host.removes("web1");
    host.finish();
}

#[test]
fn an_image_outlives_the_one_it_was_made_of() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    runs(&host, "echo made >/srv");
    host.minirun("commit web1 made").succeeds();
    host.minirun("rmi busybox")
        .fails_with(1)
        .stderr_contains("the container `web1` uses it");
    host.removes("web1");
    host.minirun("rmi busybox")
        .succeeds()
        .stdout_contains("Deleted: sha256:");
    assert_eq!(in_image(&host, "made", "cat /srv"), "made");
    let layers = "ls /var/lib/minirun/images/layers | grep -vc ^demo || true";
    host.command("sh", ["-c", layers]).succeeds().stdout_is("2");
    host.minirun("rmi made").succeeds();
    host.command("sh", ["-c", layers]).succeeds().stdout_is("0");
    host.finish();
}

/// The directory of the control group of `web1`, on the host.
fn control_group(host: &TestHost) -> String {
    let id = host.container("web1").inspect()["Id"]
        .as_str()
        .expect("an id")
        .to_owned();
    host.command("find", ["/sys/fs/cgroup", "-type", "d", "-name", &id])
        .succeeds()
        .line()
        .to_owned()
}

/// Waits until the events of a control group say this.
#[track_caller]
fn awaits(host: &TestHost, group: &str, event: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let path = format!("{group}/cgroup.events");
    while !host.read_file(&path).lines().any(|line| line == event) {
        assert!(Instant::now() < deadline, "`{event}` never happened");
        std::thread::yield_now();
    }
}

#[test]
fn a_running_container_stands_still_meanwhile_and_goes_on_afterwards() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "echo 0 >/one; echo 0 >/two; echo ready; while :; do n=$((n + 1)); echo $n >>/one; echo $n >>/two; done";
    host.runs_script("web1", "--network none", script);
    host.container("web1").awaits_log("ready");
    for _ in 0..3 {
        host.minirun("commit web1 made").succeeds();
        let lines = in_image(&host, "made", "cat /one | wc -l; cat /two | wc -l");
        let lines: Vec<i64> = lines
            .lines()
            .map(|line| line.trim().parse().expect("a number"))
            .collect();
        assert!(matches!(lines[0] - lines[1], 0 | 1), "{lines:?}");
    }
    awaits(&host, &control_group(&host), "frozen 0");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_goes_on_when_the_commit_is_killed_and_nothing_is_kept() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script =
        "dd if=/dev/urandom of=/big bs=1000000 count=200 2>/dev/null; echo ready; exec sleep 1000";
    host.runs_script("web1", "--network none", script);
    host.container("web1").awaits_log("ready");
    let group = control_group(&host);
    let running = host.spawn_minirun("commit web1 made");
    awaits(&host, &group, "frozen 1");
    drop(running);
    awaits(&host, &group, "frozen 0");
    host.minirun("inspect made").fails_with(1);
    host.minirun("exec web1 rm /big").succeeds();
    host.minirun("commit web1 made").succeeds();
    host.command("sh", ["-c", "ls -A /var/lib/minirun/images/tmp"])
        .succeeds()
        .stdout_is("");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_somebody_else_has_paused_stays_so() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 --network none busybox sleep 1000")
        .succeeds();
    let group = control_group(&host);
    host.command("sh", ["-c", &format!("echo 1 >{group}/cgroup.freeze")])
        .succeeds();
    awaits(&host, &group, "frozen 1");
    host.minirun("commit web1 made").succeeds();
    awaits(&host, &group, "frozen 1");
    host.command("sh", ["-c", &format!("echo 0 >{group}/cgroup.freeze")])
        .succeeds();
    host.removes("web1");
    host.finish();
}
