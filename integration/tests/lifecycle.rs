//! The life of a container: made, started, stopped, started again, removed, and found by whatever name a person types.

use std::collections::BTreeMap;

use minirun_integration::TestHost;

/// A shell that says `ready` once it has set its traps, and then waits without end.
fn waits_with(traps: &str) -> String {
    format!("{traps}; echo ready; while :; do sleep 1000 & wait $!; done")
}

/// Starts a shell with these traps under the name `web1` and waits until they are set.
#[track_caller]
fn runs_with(host: &TestHost, options: &str, traps: &str) {
    host.imports_busybox(&[]);
    let script = waits_with(traps);
    let mut words = vec!["run", "-d", "--name", "web1"];
    words.extend(options.split_whitespace());
    words.extend(["busybox", "sh", "-c", &script]);
    host.minirun(words.as_slice()).succeeds();
    host.container("web1").awaits_log("ready\n");
}

#[test]
fn a_container_is_created_started_stopped_started_again_and_removed() {
    let host = TestHost::create();
    let id = host
        .minirun("create --name web1 demo httpd -p 80")
        .succeeds()
        .line()
        .to_owned();
    assert_eq!(id.len(), 64, "{id}");
    let container = host.container("web1");
    assert_eq!(container.status(), "created");
    host.minirun("ps -q").succeeds().stdout_is("");
    host.minirun("ps -aq --no-trunc").succeeds().stdout_is(&id);
    for _ in 0..2 {
        host.minirun("start web1").succeeds().stdout_is("web1");
        container.awaits_tcp(80);
        assert_eq!(container.status(), "running");
        host.minirun("ps -q").succeeds().stdout_is(&id[..12]);
        host.minirun("stop web1").succeeds().stdout_is("web1");
        assert_eq!(container.status(), "exited");
        host.minirun("ps -q").succeeds().stdout_is("");
    }
    host.minirun("rm web1").succeeds().stdout_is("web1");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn a_container_without_a_name_gets_one_of_two_words() {
    let host = TestHost::create();
    for _ in 0..2 {
        host.minirun("create demo true").succeeds();
    }
    let names = host.minirun("ps -a --format json").succeeds();
    let mut names: Vec<_> = names
        .stdout()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"))
        .map(|object| object["Names"].as_str().expect("it has a name").to_owned())
        .collect();
    for name in &names {
        let words: Vec<_> = name.split('_').collect();
        assert!(
            words.len() == 2
                && words
                    .iter()
                    .all(|word| word.chars().all(|c| c.is_ascii_lowercase())),
            "{name}"
        );
    }
    host.removes(&names.join(" "));
    names.dedup();
    assert_eq!(names.len(), 2);
    host.finish();
}

#[test]
fn a_container_is_found_by_its_name_its_id_and_the_beginning_of_that() {
    let host = TestHost::create();
    let id = host
        .minirun("create --name web1 demo true")
        .succeeds()
        .line()
        .to_owned();
    for reference in ["web1", "/web1", &id, &id[..12], &id[..1]] {
        let answer = host.minirun(["inspect", reference]).succeeds().json();
        assert_eq!(answer[0]["Id"], id.as_str(), "{reference}");
        assert_eq!(answer[0]["Name"], "/web1", "{reference}");
    }
    host.minirun(["rm", &id[..5]])
        .succeeds()
        .stdout_is(&id[..5]);
    host.finish();
}

#[test]
fn a_beginning_that_several_ids_share_is_refused() {
    let host = TestHost::create();
    // An id begins with one of 16 digits, so two of 17 containers begin with the same.
    let mut beginnings = BTreeMap::new();
    for number in 0..17 {
        let id = host
            .minirun(format!("create --name web{number} demo true"))
            .succeeds();
        *beginnings.entry(id.line()[..1].to_owned()).or_insert(0) += 1;
    }
    let (shared, _) = beginnings
        .iter()
        .find(|(_, count)| **count > 1)
        .expect("two begin with the same digit");
    for command in ["inspect", "start", "rm"] {
        host.minirun([command, shared])
            .fails_with(1)
            .stderr_contains(&format!(
                "`{shared}` is the beginning of several containers' ids"
            ));
    }
    let names: Vec<_> = (0..17).map(|number| format!("web{number}")).collect();
    host.removes(&names.join(" "));
    host.finish();
}

#[test]
fn stop_sends_the_stop_signal() {
    let host = TestHost::create();
    runs_with(
        &host,
        "--stop-signal USR1 --stop-timeout 60",
        "trap 'exit 7' USR1",
    );
    host.minirun("stop web1").succeeds().stdout_is("web1");
    assert_eq!(host.container("web1").exit_code(), 7);
    host.removes("web1");
    host.finish();
}

#[test]
fn stop_kills_whoever_does_not_obey_in_time() {
    let host = TestHost::create();
    runs_with(&host, "--stop-timeout 1", "trap '' TERM");
    host.minirun("stop web1").succeeds().stdout_is("web1");
    assert_eq!(host.container("web1").exit_code(), 137);
    host.minirun("start web1").succeeds();
    host.minirun("stop -t 0 web1").succeeds().stdout_is("web1");
    assert_eq!(host.container("web1").exit_code(), 137);
    host.removes("web1");
    host.finish();
}

#[test]
fn stopping_what_is_stopped_and_starting_what_runs_changes_nothing() {
    let host = TestHost::create();
    host.serves("web1", "", 80);
    let before = host.container("web1").pid();
    host.minirun("start web1").succeeds().stdout_is("web1");
    assert_eq!(host.container("web1").pid(), before);
    for _ in 0..2 {
        host.minirun("stop web1").succeeds().stdout_is("web1");
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn restart_keeps_the_address_and_begins_anew() {
    let host = TestHost::create();
    let container = host.serves("web1", "", 80);
    host.serves("web2", "", 80);
    let (address, pid) = (container.address(), container.pid());
    host.minirun("restart web1").succeeds().stdout_is("web1");
    assert_ne!(container.pid(), pid);
    assert_eq!(container.address(), address);
    host.minirun("stop web1").succeeds();
    host.minirun("restart web1").succeeds();
    assert_eq!(container.address(), address);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn kill_sends_any_signal_by_name_or_number() {
    let host = TestHost::create();
    runs_with(&host, "", "trap 'echo heard' USR1; trap 'exit 3' USR2");
    for (signal, count) in [("USR1", 1), ("SIGUSR1", 2), ("10", 3)] {
        host.minirun(["kill", "-s", signal, "web1"])
            .succeeds()
            .stdout_is("web1");
        host.container("web1").awaits_log(&"heard\n".repeat(count));
    }
    let waiting = host.spawn_minirun("wait web1");
    host.minirun("kill --signal USR2 web1").succeeds();
    waiting.finish().succeeds().stdout_is("3");
    host.minirun("kill web1")
        .fails_with(1)
        .stderr_contains("container `web1` is not running");
    host.minirun("kill -s NOSUCH web1")
        .fails_with(125)
        .stderr_contains("NOSUCH");
    host.removes("web1");
    host.finish();
}

#[test]
fn the_exit_code_is_the_programs_or_128_and_the_signal() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.in_busybox("", "exit 42").fails_with(42);
    host.minirun("run --name kept demo false").fails_with(1);
    assert_eq!(host.container("kept").exit_code(), 1);
    let mut running = host.spawn_minirun([
        "run",
        "--name",
        "killed",
        "busybox",
        "sh",
        "-c",
        "echo ready; exec sleep 1000",
    ]);
    running.read_until("ready\n");
    host.minirun("kill killed").succeeds();
    running.finish().fails_with(137);
    assert_eq!(host.container("killed").exit_code(), 137);
    host.removes("kept killed");
    host.finish();
}

#[test]
fn wait_prints_the_code_of_a_container_that_removes_itself() {
    let host = TestHost::create();
    host.minirun("run -d --rm --name web1 demo sleep infinity")
        .succeeds();
    let waiting = host.spawn_minirun("wait web1");
    // It looks at the monitor, and lets go of it again, before it has the record of the end; it sleeps when it has both.
    waiting.process().awaits_open_file("pidfd");
    waiting.process().awaits_sleep();
    host.minirun("kill web1").succeeds();
    waiting.finish().succeeds().stdout_is("137");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn wait_answers_at_once_for_what_has_ended_and_in_order_for_several() {
    let host = TestHost::create();
    host.minirun("run --name good demo true").succeeds();
    host.minirun("run --name bad demo false").fails_with(1);
    host.minirun("wait bad good").succeeds().stdout_is("1\n0");
    host.removes("good bad");
    host.finish();
}

#[test]
fn a_running_container_is_removed_only_by_force() {
    let host = TestHost::create();
    host.serves("web1", "", 80);
    host.minirun("rm web1")
        .fails_with(1)
        .stderr_contains("container `web1` is running and cannot be removed")
        .stderr_contains("hint: ");
    host.minirun("rm -f web1 nosuch")
        .succeeds()
        .stdout_contains("web1");
    host.minirun("rm web1").fails_with(1);
    host.finish();
}

#[test]
fn commands_for_several_containers_go_on_past_one_that_fails() {
    let host = TestHost::create();
    host.minirun("create --name web1 demo sleep infinity")
        .succeeds();
    host.minirun("create --name web2 demo sleep infinity")
        .succeeds();
    for command in ["start", "stop", "rm"] {
        host.minirun(format!("{command} web1 nosuch web2"))
            .fails_with(1)
            .stdout_is("web1\nweb2")
            .stderr_contains("`nosuch`");
    }
    host.finish();
}

#[test]
fn the_id_file_holds_the_id_and_must_be_new() {
    let host = TestHost::create();
    let id = host
        .minirun("run -d --name web1 --cidfile /run/web1.id demo sleep infinity")
        .succeeds()
        .line()
        .to_owned();
    assert_eq!(host.read_file("/run/web1.id"), id);
    host.minirun("run --rm --cidfile /run/web1.id demo true")
        .fails_with(125)
        .stderr_contains("`/run/web1.id`");
    host.minirun("run --rm --cidfile /run/other.id nosuch true")
        .fails_with(125);
    host.command("ls", "/run/other.id").fails();
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_removes_itself_frees_its_name_before_the_command_ends() {
    let host = TestHost::create();
    for _ in 0..3 {
        host.minirun("run --rm --name web1 demo true").succeeds();
        host.minirun("ps -aq").succeeds().stdout_is("");
    }
    host.finish();
}

#[test]
fn of_two_that_start_or_remove_one_container_at_once_none_breaks_it() {
    let host = TestHost::create();
    host.minirun("create --name web1 demo sleep infinity")
        .succeeds();
    let both = [(); 2].map(|()| host.spawn_minirun("start web1"));
    both.into_iter().for_each(|running| {
        running.finish().succeeds();
    });
    assert_eq!(host.container("web1").status(), "running");
    let both = [(); 2].map(|()| host.spawn_minirun("rm -f web1"));
    both.into_iter().for_each(|running| {
        running.finish().succeeds();
    });
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn start_attached_shows_the_output_and_passes_the_code_on() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "echo out; echo err >&2; exit 4";
    host.minirun(["create", "--name", "job", "busybox", "sh", "-c", script])
        .succeeds();
    for _ in 0..2 {
        host.minirun("start -a job")
            .fails_with(4)
            .stdout_is("out")
            .stderr_is("err");
    }
    host.removes("job");
    host.finish();
}

#[test]
fn ps_shows_dockers_columns() {
    let host = TestHost::create();
    host.serves("web1", "-p 8080:80", 80);
    host.minirun("run --name done demo false").fails_with(1);
    let table = host.minirun("ps -a").succeeds();
    let lines: Vec<_> = table.stdout().lines().collect();
    let columns: Vec<_> = lines[0].split("  ").map(str::trim).collect();
    let columns: Vec<_> = columns
        .into_iter()
        .filter(|title| !title.is_empty())
        .collect();
    assert_eq!(
        columns,
        [
            "CONTAINER ID",
            "IMAGE",
            "COMMAND",
            "CREATED",
            "STATUS",
            "PORTS",
            "NAMES"
        ]
    );
    assert!(
        lines[1].contains("Exited (1)") && lines[1].ends_with("done"),
        "{lines:?}"
    );
    assert!(
        lines[2].contains("Up ") && lines[2].contains("0.0.0.0:8080->80/tcp"),
        "{lines:?}"
    );
    host.minirun("ps").succeeds().stdout_lacks("done");
    host.removes("web1 done");
    host.finish();
}
