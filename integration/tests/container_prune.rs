//! `container prune`, and `container` as the first word of what is known without it.

use minirun_integration::TestHost;

fn id(host: &TestHost, options: &str) -> String {
    host.minirun(format!("create {options} demo true"))
        .succeeds()
        .line()
        .to_owned()
}

#[test]
fn everything_that_does_not_run_is_removed_and_told() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.idles("web1", "");
    host.minirun("container prune -f")
        .succeeds()
        .stdout_is("Total reclaimed space: 0B");
    let created = id(&host, "--name created");
    host.minirun([
        "run",
        "--name",
        "ended",
        "busybox",
        "dd",
        "if=/dev/zero",
        "of=/file",
        "bs=1000",
        "count=1500",
    ])
    .succeeds();
    let ended = host.container("ended").inspect()["Id"]
        .as_str()
        .expect("an id")
        .to_owned();
    host.minirun("container prune --force")
        .succeeds()
        .stdout_is(&format!(
            "Deleted Containers:\n{created}\n{ended}\n\nTotal reclaimed space: 1.5MB"
        ));
    host.minirun("ps -a --format {{.Names}}")
        .succeeds()
        .stdout_is("web1");
    host.removes("web1");
    host.finish();
}

#[test]
fn filters_say_what_is_removed() {
    let host = TestHost::create();
    let keep = id(&host, "--label keep=yes");
    let other = id(&host, "--label other");
    let plain = id(&host, "");
    for (filters, gone) in [
        ("--filter until=1h", None),
        ("--filter label=keep=no", None),
        ("--filter label!=keep --filter label=other", Some(&other)),
        ("--filter label!=keep", Some(&plain)),
        ("--filter until=2020-01-01", None),
        ("--filter label=keep", Some(&keep)),
    ] {
        let told = host
            .minirun(format!("container prune -f {filters}"))
            .succeeds();
        let expected = gone
            .map(|id| format!("Deleted Containers:\n{id}\n\n"))
            .unwrap_or_default();
        assert_eq!(
            told.stdout().trim_end(),
            format!("{expected}Total reclaimed space: 0B"),
            "{filters}"
        );
    }
    host.minirun("container prune -f --filter name=web1")
        .fails_with(125)
        .stderr_contains("unknown filter `name`");
    host.finish();
}

#[test]
fn nobody_who_could_confirm_it_means_no() {
    let host = TestHost::create();
    id(&host, "--name web1");
    host.minirun("container prune")
        .fails_with(1)
        .stderr_contains("hint: use `--force`");
    host.minirun("container ls -a --format {{.Names}}")
        .succeeds()
        .stdout_is("web1");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_between_two_runs_is_not_pruned() {
    let host = TestHost::create();
    host.minirun("run -d --name web1 --restart always demo false")
        .succeeds();
    host.awaits_status("web1", "restarting");
    host.minirun("container prune -f")
        .succeeds()
        .stdout_is("Total reclaimed space: 0B");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_word_container_may_stand_before_what_is_about_one() {
    let host = TestHost::create();
    host.minirun("container run -d --name web1 demo sleep infinity")
        .succeeds();
    for command in ["ls", "ps"] {
        host.minirun(format!("container {command} --format {{{{.Names}}}}"))
            .succeeds()
            .stdout_is("web1");
    }
    host.minirun("container exec web1 true").succeeds();
    host.minirun("container rename web1 web2").succeeds();
    host.minirun("container update --restart on-failure:3 web2")
        .succeeds();
    assert_eq!(
        host.container("web2").inspect()["HostConfig"]["RestartPolicy"]["MaximumRetryCount"],
        3
    );
    host.minirun("container kill web2").succeeds();
    host.minirun("container wait web2")
        .succeeds()
        .stdout_is("137");
    host.minirun("container rm web2")
        .succeeds()
        .stdout_is("web2");
    host.minirun("container")
        .fails_with(125)
        .stderr_contains("prune");
    host.finish();
}
