//! `top`: the processes of a container, as ps(1) lists them.

use minirun_integration::{ControlGroups, TestHost};

fn host() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

#[test]
fn every_process_is_listed_with_its_number_on_the_host() {
    let host = host();
    host.runs_script("web1", "-u 4321", "sleep 1111 & echo ready; wait");
    host.container("web1").awaits_log("ready");
    // The shell does not wait for its child to become the program.
    host.container("web1").awaits_process("sleep");
    host.minirun("exec -d -u 0 web1 sleep 2222").succeeds();
    let listed = host.minirun("top web1").succeeds();
    let mut lines = listed.stdout().lines();
    let heading: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(
        heading,
        ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    );
    let rows: Vec<Vec<&str>> = lines
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 3, "{}", listed.stdout());
    let init = host.container("web1").pid().to_string();
    let of = |words: &[&str]| {
        let row = rows.iter().find(|row| &row[7..] == words);
        row.unwrap_or_else(|| panic!("`{words:?}` is not in\n{}", listed.stdout()))
    };
    let shell = &rows[0];
    assert_eq!((shell[0], shell[1]), ("4321", init.as_str()));
    assert_eq!(of(&["sleep", "1111"])[2], init);
    // The host's name for the user, as with Docker.
    assert_eq!(of(&["sleep", "2222"])[0], "root");
    host.removes("web1");
    host.finish();
}

#[test]
fn columns_are_chosen_as_for_ps() {
    let host = host();
    host.minirun("run -d --name web1 busybox sleep 1111")
        .succeeds();
    let pid = host.container("web1").pid();
    host.minirun("top web1 -o pid,comm,nlwp,uid")
        .succeeds()
        .stdout_contains("PID       COMMAND   NLWP      UID\n")
        .stdout_contains(&format!("{pid}"))
        .stdout_contains("sleep     1         0");
    host.minirun("top web1 aux")
        .succeeds()
        .stdout_contains("USER")
        .stdout_contains("sleep 1111");
    host.minirun("top web1 -l")
        .fails_with(1)
        .stderr_contains("`-l` is not supported: use `-ef`, `aux`, or `-o`");
    host.minirun("top web1 -o colour")
        .fails_with(1)
        .stderr_contains("there is no column `colour`");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_paused_container_is_listed_and_a_stopped_one_is_not() {
    let host = host();
    host.minirun("run -d --name web1 busybox sleep 1111")
        .succeeds();
    host.minirun("pause web1").succeeds();
    host.minirun("top web1")
        .succeeds()
        .stdout_contains("sleep 1111");
    host.minirun("stop -t 0 web1").succeeds();
    host.minirun("top web1")
        .fails_with(1)
        .stderr_contains("container `web1` is not running");
    host.removes("web1");
    host.finish();
}

#[test]
fn processes_are_found_on_a_host_with_old_control_groups_alone() {
    if !ControlGroups::Old.are_there() {
        return;
    }
    let host = TestHost::with(ControlGroups::Old);
    host.idles("web1", "");
    host.idles("web2", "");
    let listed = host.minirun("top web1 -o pid").succeeds();
    let pid = host.container("web1").pid();
    assert_eq!(listed.line(), format!("PID\n{pid}"));
    host.removes("web1 web2");
    host.finish();
}
