//! User namespaces: root of a container is nobody on the host, and its files are on disk what they are inside.

use std::fs::File;

use minirun_integration::{Container, TestHost};

const CONTAINERS: &str = "/var/lib/minirun/containers";

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// The first of the users of the host that the container's are, as the kernel has it.
fn first_user(host: &TestHost, container: &Container<'_>) -> u32 {
    let map = |kind| host.read_file(&format!("/proc/{}/{kind}_map", container.pid()));
    let (users, groups) = (map("uid"), map("gid"));
    assert_eq!(users, groups);
    let words: Vec<u32> = users
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    let [inside, first, length] = words[..] else {
        panic!("{users}")
    };
    assert_eq!((inside, length), (0, 65536));
    first
}

/// Owner and group of files of the host.
fn owners(host: &TestHost, paths: &str) -> String {
    let script = format!("stat -c '%n %u:%g' {paths} | sed 's,.*/,,'");
    let found = host.command("sh", ["-c", &script]).succeeds();
    found.stdout().trim_end().to_owned()
}

#[test]
fn root_inside_is_nobody_outside_and_every_container_another() {
    let host = host_with_busybox();
    let one = host.idles("one", "--userns auto");
    let other = host.idles("other", "--userns auto");
    let (first, second) = (first_user(&host, &one), first_user(&host, &other));
    assert!(first.abs_diff(second) >= 65536, "{first} {second}");
    for (container, first) in [(&one, first), (&other, second)] {
        let status = container.process().status();
        for key in ["Uid", "Gid"] {
            let line = format!("{key}:\t{first}\t{first}\t{first}\t{first}\n");
            assert!(status.contains(&line), "{status}");
        }
        let inspected = container.inspect();
        assert_eq!(inspected["HostConfig"]["UsernsMode"], "auto");
        let mapping = &inspected["HostConfig"]["IDMappings"]["UidMap"][0];
        assert_eq!(*mapping, format!("0:{first}:65536"));
    }
    host.minirun("restart -t 0 one").succeeds();
    assert_eq!(first_user(&host, &one), first, "it is the same for life");
    host.removes("one other");
    host.command("sh", ["-c", "ls /var/lib/minirun/user-ids"])
        .succeeds()
        .stdout_is("");
    host.finish();
}

#[test]
fn files_on_disk_belong_to_whom_they_belong_inside() {
    let host = host_with_busybox();
    let script = "touch /by-root; touch /by-alice; chown alice /by-alice; mkdir /made; \
        chown 1:2 /etc/passwd; echo done; exec sleep 1000";
    let container = host.runs_script("web", "--userns auto", script);
    container.awaits_log("done");
    host.minirun("exec -u alice web touch /tmp/by-exec")
        .succeeds();
    let upper = format!(
        "{CONTAINERS}/{}/upper",
        container.inspect()["Id"].as_str().expect("an id")
    );
    let paths = [
        "by-root",
        "by-alice",
        "made",
        "etc/passwd",
        "tmp/by-exec",
        "etc/hosts",
    ]
    .map(|path| format!("{upper}/{path}"));
    assert_eq!(
        owners(&host, &paths.join(" ")),
        "by-root 0:0\nby-alice 1000:0\nmade 0:0\npasswd 1:2\nby-exec 1000:1001\nhosts 0:0"
    );
    assert_eq!(
        owners(&host, "/var/lib/minirun/images/layers/*/etc/passwd"),
        "passwd 0:0",
        "the layer is shared and stays as it was"
    );
    host.minirun(
        "exec web stat -c %u:%g /by-root /by-alice /etc/passwd /etc/group /etc/hosts /dev/null",
    )
    .succeeds()
    .stdout_is("0:0\n1000:0\n1:2\n0:0\n0:0\n0:0");
    host.removes("web");
    host.finish();
}

#[test]
fn files_of_the_host_are_out_of_reach_of_root_inside() {
    let host = host_with_busybox();
    host.write_file("/var/lib/shared/secret", "secret\n");
    host.command("chmod", "600 /var/lib/shared/secret")
        .succeeds();
    host.write_file("/var/lib/shared/open", "open\n");
    let tries = "stat -c %u /m/secret; cat /m/open; cat /m/secret; echo x >/m/open; touch /m/new; chown 0 /m/open";
    let tried = host.in_busybox("--userns auto -v /var/lib/shared:/m", tries);
    tried
        .fails()
        .stdout_is("65534\nopen")
        .stderr_contains("can't open '/m/secret': Permission denied")
        .stderr_contains("can't create /m/open: Permission denied")
        .stderr_contains("/m/new: Permission denied")
        .stderr_contains("chown: /m/open: Operation not permitted");
    host.in_busybox(
        "--userns auto -v /var/lib/shared:/m:idmap",
        "cat /m/secret; echo x >/m/new; stat -c %u /m/new",
    )
    .succeeds()
    .stdout_is("secret\n0");
    assert_eq!(owners(&host, "/var/lib/shared/new"), "new 0:0");
    host.in_busybox("-v /var/lib/shared:/m:idmap", "true")
        .fails_with(125)
        .stderr_is("error: `idmap` shows files with users of the container's own, and it has none\nhint: add `--userns auto`, or leave it out");
    host.finish();
}

#[test]
fn root_inside_has_no_power_over_the_kernel() {
    let host = host_with_busybox();
    let tries = "mknod /x b 8 0; mount -t tmpfs none /tmp; hostname other; echo 1 >/proc/sys/kernel/panic; kill -0 1 && echo own";
    host.in_busybox("--userns auto", tries)
        .succeeds()
        .stdout_is("own")
        .stderr_contains("mknod: /x: Operation not permitted")
        .stderr_contains("permission denied")
        .stderr_contains("Operation not permitted");
    host.in_busybox(
        "--userns auto",
        "ping -c 1 -W 1 127.0.0.1 >/dev/null && nc -l -p 80 -w 1; echo listened",
    )
    .succeeds()
    .stdout_is("listened");
    host.finish();
}

#[test]
fn a_volume_shows_the_same_owners_in_every_container() {
    let host = host_with_busybox();
    host.in_busybox(
        "--userns auto -v db:/data",
        "echo a >/data/root; echo b >/data/alice; chown alice /data/alice",
    )
    .succeeds();
    for options in ["", "--userns auto"] {
        host.in_busybox(
            &format!("{options} -v db:/data"),
            "stat -c '%n %u' /data/*; cat /data/*",
        )
        .succeeds()
        .stdout_is("/data/alice 1000\n/data/root 0\nb\na");
    }
    assert_eq!(
        owners(&host, "/var/lib/minirun/volumes/db/_data/*"),
        "alice 1000:0\nroot 0:0"
    );
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn other_options_mean_what_they_always_mean() {
    let host = host_with_busybox();
    host.in_busybox(
        "--userns auto --read-only --tmpfs /x:uid=1000",
        "touch /y; touch /x/y && stat -c %u /x /x/y",
    )
    .succeeds()
    .stdout_is("1000\n0")
    .stderr_contains("Read-only file system");
    host.in_busybox(
        "--userns auto -u alice --init",
        "id; echo out >/dev/stdout; echo err >/dev/stderr",
    )
    .succeeds()
    .stdout_is("uid=1000(alice) gid=1001(alice) groups=10(wheel),1001(alice)\nout")
    .stderr_is("err");
    let terminal = "run --rm -t --userns auto -u alice busybox sh -c";
    let words = terminal.split(' ').chain(["stat -c %u:%g $(tty)"]);
    host.minirun(words.collect::<Vec<_>>().as_slice())
        .succeeds()
        .stdout_contains("1000:5");
    host.minirun("run --rm -u 65536 --userns auto busybox true")
        .fails_with(125)
        .stderr_is("error: there is no user or group 65536 in a user namespace of its own, only 0 to 65535\nhint: choose another user with `-u`, or use `--userns host`");
    host.in_busybox("--userns auto --network none", "id -u")
        .succeeds()
        .stdout_is("0");
    let owner = host.idles("owner", "--userns auto");
    host.in_busybox(
        "--userns auto --network container:owner",
        "id -u; ip -o link | wc -l",
    )
    .succeeds()
    .stdout_is("0\n2");
    drop(owner);
    host.minirun("run --rm --network host --userns auto busybox true")
        .fails_with(125)
        .stderr_is("error: `--network host` and `--userns auto` contradict each other: root inside is nobody on the host\nhint: leave out `--network host`, or trust the container with `--userns host`");
    host.removes("owner");
    host.finish();
}

#[test]
fn executed_programs_are_of_the_same_users() {
    let host = host_with_busybox();
    let container = host.runs_script("web", "--userns auto", "exec sleep 1000");
    let first = first_user(&host, &container);
    host.minirun([
        "exec",
        "web",
        "sh",
        "-c",
        "id -u; cat /proc/self/uid_map; echo x >/dev/stdout; touch /made; stat -c %u /made",
    ])
    .succeeds()
    .stdout_contains(&format!("{first}"))
    .stdout_contains("x\n0");
    host.minirun("exec -u alice web id")
        .succeeds()
        .stdout_is("uid=1000(alice) gid=1001(alice) groups=10(wheel),1001(alice)");
    host.minirun("top web -o uid").succeeds();
    host.minirun("pause web").succeeds();
    host.minirun("unpause web").succeeds();
    host.removes("web");
    host.finish();
}

#[test]
fn files_that_go_in_and_out_have_the_owners_they_have_inside() {
    let host = host_with_busybox();
    let script = "touch /root-file; mkdir /dir; touch /dir/alice; chown alice:alice /dir/alice; echo done; exec sleep 1000";
    let container = host.runs_script("web", "--userns auto", script);
    container.awaits_log("done");
    host.write_file("/var/lib/in/file", "content\n");
    host.command("chown", "7:8 /var/lib/in/file").succeeds();
    host.minirun("cp /var/lib/in/file web:/copied").succeeds();
    host.minirun("cp -a /var/lib/in web:/kept").succeeds();
    host.minirun("exec web stat -c %u:%g /copied /kept/file")
        .succeeds()
        .stdout_is("0:0\n7:8");
    host.minirun("cp -a web:/dir /var/lib/out").succeeds();
    assert_eq!(owners(&host, "/var/lib/out/alice"), "alice 1000:1001");
    let listed = "minirun export web | tar -tv --numeric-owner | grep -E 'root-file|alice|kept/file' | awk '{print $2, $6}'";
    host.command("sh", ["-c", listed])
        .succeeds()
        .stdout_is("0/0 root-file\n1000/1001 dir/alice\n7/8 kept/file");
    host.minirun("diff web")
        .succeeds()
        .stdout_contains("A /dir/alice");
    host.minirun("commit web shot").succeeds();
    for options in ["", "--userns auto"] {
        let words =
            format!("run --rm {options} shot stat -c %u:%g /root-file /dir/alice /kept/file");
        host.minirun(words)
            .succeeds()
            .stdout_is("0:0\n1000:1001\n7:8");
    }
    host.minirun("stop -t 0 web").succeeds();
    host.minirun("cp -a web:/dir/alice /var/lib/later")
        .succeeds();
    assert_eq!(owners(&host, "/var/lib/later"), "later 1000:1001");
    host.removes("web");
    host.finish();
}

#[test]
fn a_set_user_id_program_makes_root_of_the_container_and_nobody_else() {
    let host = host_with_busybox();
    let script = "mkdir /su; cp /bin/busybox /su/; chmod 4755 /su/busybox; \
        sed -i s/^root:x/root:/ /etc/passwd; echo done; exec sleep 1000";
    let container = host.runs_script("web", "--userns auto", script);
    container.awaits_log("done");
    let first = first_user(&host, &container);
    let become_root = "exec -d -u alice web /su/busybox su root -c";
    let words = become_root.split(' ').chain(["exec nc -l -p 9"]);
    host.minirun(words.collect::<Vec<_>>().as_slice())
        .succeeds();
    container.awaits_process("nc");
    let listed = host.minirun("top web").succeeds();
    let of_program = |line: &&str| line.ends_with("nc -l -p 9");
    let line = listed.stdout().lines().find(of_program);
    let line = line.unwrap_or_else(|| panic!("{listed:?}"));
    assert!(line.starts_with(&format!("{first} ")), "{line}");
    host.removes("web");
    host.finish();
}

/// Who takes the numbers of a container that is gone looks whose they are, and takes them, under the lock of the directory. If
/// others gave theirs back without it, two containers could get the same.
#[test]
fn numbers_are_given_back_under_the_lock_of_those_who_take_what_is_left() {
    let host = TestHost::create();
    host.minirun("create --name one --userns auto demo true")
        .succeeds();
    let claims = |host: &TestHost| {
        let list = host.command("ls", "/var/lib/minirun/user-ids").succeeds();
        list.stdout().lines().count()
    };
    let lock = host.inside(|| {
        let directory = File::open("/var/lib/minirun/user-ids").expect("it is there");
        directory.lock().expect("nobody else has it");
        directory
    });
    let removal = host.spawn_minirun("rm one");
    removal.process().awaits_open_file("/user-ids");
    assert_eq!(claims(&host), 1);
    drop(lock);
    removal.finish().succeeds();
    assert_eq!(claims(&host), 0);
    host.finish();
}

#[test]
fn numbers_of_a_container_that_was_half_made_or_half_removed_are_free_with_the_next_command() {
    let host = TestHost::create();
    for name in ["one", "other"] {
        host.minirun(format!("create --name {name} --userns auto demo true"))
            .succeeds();
    }
    let id = host.container("one").inspect()["Id"].take();
    let id = id.as_str().expect("an id");
    let (record, name) = (
        format!("{CONTAINERS}/{id}/container.json"),
        "/var/lib/minirun/names/one",
    );
    host.command("rm", [record.as_str(), name]).succeeds();
    host.minirun("ps").succeeds();
    let claims = host.command("ls", "/var/lib/minirun/user-ids").succeeds();
    assert_eq!(claims.stdout().lines().count(), 1);
    host.removes("other");
    host.finish();
}
