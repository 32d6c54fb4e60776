//! Ways out of a container that other runtimes had, tried here, each by its idea. More of them stand with what they are about:
//! `own_executable`, `mount_attacks`, `copy_attacks`, `hostile_containers`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use minirun_integration::{ControlGroups, TestHost};

/// Imports busybox as `evil`, with symbolic links of these names and targets, and changes.
fn imports_evil(host: &TestHost, links: &[(&str, &str)], changes: &[&str]) {
    let root = format!("{}/root", host.makes_busybox_root());
    host.inside(|| {
        for (name, target) in links {
            let path = Path::new(&root).join(name);
            // What stands there is a directory of the image, and empty.
            let _ = fs::remove_dir(&path);
            symlink(target, path).expect("a link");
        }
    });
    let words: Vec<&str> = [&["import"][..], changes, &[&root, "evil"][..]].concat();
    host.minirun(words.as_slice()).succeeds();
}

/// CVE-2024-21626: a directory of the host that the runtime had left open became the working directory, by its number.
#[test]
fn no_descriptor_is_a_working_directory() {
    let host = TestHost::with_busybox();
    host.idles("web1", "");
    for number in 3..=20 {
        let directory = format!("/proc/self/fd/{number}");
        host.minirun(["run", "--rm", "-w", &directory, "busybox", "ls"])
            .fails()
            .stdout_is("");
        host.minirun(["exec", "-w", &directory, "web1", "cat", "../etc/passwd"])
            .fails()
            .stdout_is("");
    }
    for number in [3, 7, 9] {
        let change = format!("WORKDIR /proc/self/fd/{number}");
        imports_evil(&host, &[], &["-c", &change]);
        host.minirun("run --rm evil ls").fails().stdout_is("");
    }
    imports_evil(
        &host,
        &[("door", "/proc/self/fd/7")],
        &["-c", "WORKDIR /door"],
    );
    host.minirun("run --rm evil ls").fails().stdout_is("");
    host.removes("web1");
    host.finish();
}

/// The same, and CVE-2016-9962: nothing that minirun has open may be there when a program begins.
#[test]
fn a_program_holds_its_own_streams_only() {
    let host = TestHost::with_busybox();
    for options in ["", "-i", "--init", "-i --init", "--privileged"] {
        host.in_busybox(options, "ls /proc/$$/fd; true")
            .succeeds()
            .stdout_is("0\n1\n2");
    }
    host.idles("other", "");
    host.runs_script("web1", "", "exec sleep 1000");
    for options in ["", "-i", "--privileged"] {
        let mut words = vec!["exec"];
        words.extend(options.split_whitespace());
        words.extend(["web1", "sh", "-c", "ls /proc/$$/fd; true"]);
        host.minirun(words.as_slice())
            .succeeds()
            .stdout_is("0\n1\n2");
    }
    let at_terminal = "run --rm -t busybox sh -c";
    let mut words: Vec<&str> = at_terminal.split_whitespace().collect();
    words.push("ls -1 --color=never /proc/$$/fd; true");
    let finished = host.minirun_at_terminal(words.as_slice()).finish();
    assert_eq!(finished.stdout().replace('\r', "").trim(), "0\n1\n2");
    let checked = host.checks(
        "web2",
        (minirun_integration::health::ONCE, "ls /proc/$$/fd; true"),
    );
    assert_eq!(checked.only_health_result(), (0, "0\n1\n2\n".to_owned()));
    host.removes("web1 web2 other");
    host.finish();
}

/// CVE-2016-9962: a process that was about to execute a program in a container could be looked into, with all that it had open, by who
/// was there already.
#[test]
fn a_process_that_enters_is_closed_until_it_is_the_program() {
    let host = TestHost::with_busybox();
    let watch = r#"
        echo ready
        while :; do
            for process in /proc/[0-9]*; do
                program=$(readlink $process/exe) || continue
                case $program in */busybox) ;; *) echo "SEEN $program";; esac
                ls -l $process/fd | grep -e socket -e pidfd -e cgroup && echo "SEEN in $process"
            done
        done 2>/dev/null"#;
    let watcher = host.runs_script("web1", "", watch);
    watcher.awaits_log("ready");
    for _ in 0..30 {
        host.minirun("exec web1 true").succeeds();
    }
    host.minirun("logs web1").succeeds().stdout_is("ready");
    host.removes("web1");
    host.finish();
}

/// CVE-2022-29162, CVE-2022-24769: inheritable capabilities let programs of other users gain them.
#[test]
fn nothing_is_inheritable() {
    let host = TestHost::with_busybox();
    host.runs_script("web1", "--cap-add ALL", "exec sleep 1000");
    let script = "grep -h -e CapInh -e CapAmb /proc/self/status | cut -f 2 | uniq";
    let none = "0000000000000000";
    for options in ["", "-u alice", "--privileged", "--cap-add ALL -u alice"] {
        host.in_busybox(options, script).succeeds().stdout_is(none);
    }
    for options in ["", "-u alice", "--privileged"] {
        let mut words = vec!["exec"];
        words.extend(options.split_whitespace());
        words.extend(["web1", "sh", "-c", script]);
        host.minirun(words.as_slice()).succeeds().stdout_is(none);
    }
    host.removes("web1");
    host.finish();
}

/// CVE-2016-3697: the image had an account whose name was the number that somebody asked for, and whose number was root's.
#[test]
fn a_number_is_never_the_name_of_roots_account() {
    let host = TestHost::create();
    let root = format!("{}/root", host.makes_busybox_root());
    host.write_file(
        &format!("{root}/etc/passwd"),
        "1000:x:0:0::/root:/bin/sh\nroot:x:0:0::/root:/bin/sh\n",
    );
    host.minirun(["import", &root, "evil"]).succeeds();
    host.minirun("run --rm -u 1000 evil id -u")
        .succeeds()
        .stdout_is("1000");
    host.minirun("run -d --name web1 evil sleep 1000")
        .succeeds();
    host.minirun("exec -u 1000 web1 id -u")
        .succeeds()
        .stdout_is("1000");
    host.removes("web1");
    host.finish();
}

/// CVE-2022-0492: whoever may write `release_agent` of a control group has the kernel execute a program on the host.
#[test]
fn control_groups_cannot_be_written_to_and_no_others_be_mounted() {
    for control_groups in [ControlGroups::Unified, ControlGroups::Old] {
        if !control_groups.are_there() {
            continue;
        }
        let host = TestHost::with(control_groups);
        host.imports_busybox(&[]);
        host.in_busybox(
            "",
            "find / -name release_agent -o -name notify_on_release | grep -v ^/proc",
        )
        .fails_with(1)
        .stdout_is("");
        for attack in [
            "mkdir /tmp/group; mount -t cgroup -o rdma cgroup /tmp/group",
            "mkdir /tmp/group; mount -t cgroup2 none /tmp/group",
            "mount -o remount,rw /sys/fs/cgroup",
            "unshare -m -C sh -c 'mount -t cgroup -o rdma cgroup /tmp'",
            "unshare -r -m -C sh -c 'mount -t cgroup -o rdma cgroup /tmp'",
            "mkdir /sys/fs/cgroup/inner",
            "echo 1 >/sys/fs/cgroup/cgroup.procs",
        ] {
            host.in_busybox("", attack).fails();
        }
        host.finish();
    }
}

/// CVE-2020-15257: a socket without a place in any file system is reached by everybody in the network namespace.
#[test]
fn minirun_has_no_socket_that_is_reached_through_a_network() {
    let host = TestHost::with_busybox();
    host.runs_script("web1", "--network host", "exec sleep 1000");
    host.idles("web2", "-t");
    let abstracts = "grep -c ' @' /proc/net/unix";
    host.minirun(["exec", "web1", "sh", "-c", abstracts])
        .fails_with(1)
        .stdout_is("0");
    host.removes("web1 web2");
    host.finish();
}
