//! `cp`: files between a container and the host, in both directions, whether it runs or not.

use minirun_integration::{Finished, TestHost};

/// A host with the running container `web1`, and `/run/here` to copy from and to.
fn host_with_container() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 --network none busybox sleep 1000")
        .succeeds();
    host.command("mkdir", "/run/here").succeeds();
    host
}

/// Runs a line of shell on the host, in `/run/here`.
#[track_caller]
fn on_host(host: &TestHost, script: &str) -> Finished {
    let script = format!("set -e; umask 022; cd /run/here; {script}");
    host.command("sh", ["-c", &script])
}

#[track_caller]
fn in_container(host: &TestHost, script: &str) -> Finished {
    host.minirun(["exec", "web1", "sh", "-c", script])
}

#[test]
fn a_file_keeps_content_mode_and_time_both_ways_and_how_much_is_told() {
    let host = host_with_container();
    on_host(
        &host,
        "printf 12345 >a; chmod 640 a; touch -d @1000000000.25 a",
    )
    .succeeds();
    host.minirun("cp /run/here/a web1:/tmp/b")
        .succeeds()
        .stdout_is("")
        .stderr_is("Successfully copied 5B to web1:/tmp/b");
    in_container(&host, "stat -c '%a %u %g %Y' /tmp/b; cat /tmp/b")
        .succeeds()
        .stdout_is("640 0 0 1000000000\n12345");
    host.minirun("cp --quiet web1:/tmp/b /run/here/c")
        .succeeds()
        .stdout_is("")
        .stderr_is("");
    on_host(&host, "stat -c '%a %.2Y' c; cmp a c")
        .succeeds()
        .stdout_is("640 1000000000.25");
    host.removes("web1");
    host.finish();
}

#[test]
fn sources_and_destinations_meet_as_dockers_table_says() {
    let host = host_with_container();
    let prepare = "rm -rf in out; mkdir -p in/dir/sub out/there; echo f >in/file; echo g >in/dir/sub/g; echo old >out/old";
    // What is copied, where to, what is there then; none where it is refused and nothing changes.
    let table = [
        ("file", "new", Some("new\nold\nthere")),
        ("file", "old", Some("old\nthere")),
        ("file", "there", Some("old\nthere\nthere/file")),
        ("file", "there/", Some("old\nthere\nthere/file")),
        ("file", "new/", None),
        ("file", "old/", None),
        ("file", "missing/new", None),
        ("dir", "new", Some("new\nnew/sub\nnew/sub/g\nold\nthere")),
        ("dir", "new/", Some("new\nnew/sub\nnew/sub/g\nold\nthere")),
        ("dir", "old", None),
        ("dir", "missing/new", None),
        (
            "dir",
            "there",
            Some("old\nthere\nthere/dir\nthere/dir/sub\nthere/dir/sub/g"),
        ),
        ("dir/.", "there", Some("old\nthere\nthere/sub\nthere/sub/g")),
        ("dir/.", "new", Some("new\nnew/sub\nnew/sub/g\nold\nthere")),
        ("dir/.", "old", None),
        ("file/", "new", None),
        ("nosuch", "new", None),
    ];
    let listing = "cd /run/here/out; find . -mindepth 1 | sort | sed s,^./,,";
    for (source, destination, expected) in table {
        let script = format!("mkdir -p /run/here; cd /run/here; {prepare}");
        on_host(&host, prepare).succeeds();
        in_container(&host, &script).succeeds();
        let outward = format!("cp web1:/run/here/in/{source} /run/here/out/{destination}");
        let inward = format!("cp /run/here/in/{source} web1:/run/here/out/{destination}");
        for (direction, look) in [(outward, "host"), (inward, "container")] {
            let finished = host.minirun(direction.as_str());
            let listed = match look {
                "host" => on_host(&host, listing),
                _ => in_container(&host, listing),
            };
            match expected {
                Some(expected) => {
                    finished.succeeds();
                    assert_eq!(listed.succeeds().line(), expected, "{direction}");
                }
                None => {
                    finished.fails_with(1).stderr_contains("error: ");
                    assert_eq!(listed.succeeds().line(), "old\nthere", "{direction}");
                }
            }
        }
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_container_that_does_not_run_is_copied_from_and_to() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.command(
        "sh",
        ["-c", "echo first >/run/first; echo second >/run/second"],
    )
    .succeeds();
    host.minirun("create --name web1 --network none busybox cat /srv/first /srv/second")
        .succeeds();
    host.minirun("cp /run/first web1:/srv/first").fails_with(1).stderr_is(
        "error: cannot copy to `/srv/first`: that directory does not exist in container `web1`\n\
         hint: directories above the destination are not made: make them first",
    );
    host.command("mkdir", "/run/srv").succeeds();
    host.minirun("cp /run/srv web1:/").succeeds();
    host.minirun("cp /run/first web1:/srv").succeeds();
    host.minirun("cp /run/second web1:srv/").succeeds();
    host.minirun("start -a web1")
        .succeeds()
        .stdout_is("first\nsecond");
    host.minirun("cp web1:/srv/second /run/again").succeeds();
    assert_eq!(host.read_file("/run/again"), "second\n");
    // What the runtime has written for it is seen as well.
    host.minirun("cp web1:/etc/hostname /run/hostname")
        .succeeds();
    assert_eq!(
        host.read_file("/run/hostname").trim_end(),
        &host.container("web1").inspect()["Id"]
            .as_str()
            .expect("an id")[..12]
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn copies_are_roots_or_the_callers_unless_they_keep_their_owner() {
    let host = host_with_container();
    on_host(
        &host,
        "echo x >a; chown 1234:567 a; chmod 6755 a; cp -p a r; chown 0:0 r; chmod 6755 r",
    )
    .succeeds();
    host.minirun("cp /run/here/a web1:/tmp/usual").succeeds();
    host.minirun("cp -a /run/here/a web1:/tmp/kept").succeeds();
    host.minirun("cp /run/here/r web1:/tmp/roots").succeeds();
    in_container(&host, "cd /tmp; stat -c '%n %u:%g %a' usual kept roots")
        .succeeds()
        .stdout_is("usual 0:0 755\nkept 1234:567 6755\nroots 0:0 6755");
    // A program of a container has no privileges on the host.
    host.minirun("cp web1:/tmp/roots /run/here/usual")
        .succeeds();
    host.minirun("cp --archive web1:/tmp/kept /run/here/kept")
        .succeeds();
    on_host(&host, "stat -c '%n %u:%g %a' usual kept")
        .succeeds()
        .stdout_is("usual 0:0 755\nkept 1234:567 6755");
    host.removes("web1");
    host.finish();
}

#[test]
fn archives_pass_through_standard_input_and_output() {
    let host = host_with_container();
    on_host(
        &host,
        "mkdir -p tree/sub; echo x >tree/sub/x; ln tree/sub/x tree/y; ln -s sub/x tree/link; mkfifo tree/pipe; \
         tar -cf - tree | minirun cp - web1:/srv 2>&1 || true",
    )
    .succeeds()
    .stdout_is(
        "error: cannot copy to `/srv`: that directory does not exist in container `web1`\n\
         hint: directories above the destination are not made: make them first",
    );
    on_host(&host, "tar -czf - tree | minirun cp -q - web1:/tmp").succeeds();
    in_container(
        &host,
        "cd /tmp/tree; cat link; stat -c '%h %F' sub/x y pipe | sort -u",
    )
    .succeeds()
    .stdout_is("x\n1 fifo\n2 regular file");
    on_host(
        &host,
        "minirun cp web1:/tmp/tree - | tar -tf -; mkdir back; minirun cp web1:/tmp/tree/. - | tar -C back -xf -; \
         cat back/link; stat -c '%h' back/y",
    )
    .succeeds()
    .stdout_is("tree/\ntree/link\ntree/pipe\ntree/y\ntree/sub/\ntree/sub/x\nx\n2");
    host.removes("web1");
    host.finish();
}

#[test]
fn symbolic_links_are_copied_as_links_unless_the_source_is_to_be_followed() {
    let host = host_with_container();
    in_container(
        &host,
        "mkdir -p /srv/dir; echo x >/srv/dir/x; ln -s dir/x /srv/l; ln -s /srv/dir /srv/d",
    )
    .succeeds();
    host.minirun("cp web1:/srv/l /run/here/link").succeeds();
    host.minirun("cp -L web1:/srv/l /run/here").succeeds();
    host.minirun("cp web1:/srv/d /run/here/d").succeeds();
    host.minirun("cp web1:/srv/d/. /run/here/content")
        .succeeds();
    on_host(&host, "readlink link; cat l; readlink d; cat content/x")
        .succeeds()
        .stdout_is("dir/x\nx\n/srv/dir\nx");
    // A link at the destination is followed in its own world, even to what is not there yet.
    in_container(&host, "ln -s ../srv/new /tmp/to; ln -s /srv /tmp/srv").succeeds();
    host.minirun("cp /run/here/l web1:/tmp/to").succeeds();
    host.minirun("cp /run/here/l web1:/tmp/srv").succeeds();
    in_container(
        &host,
        "cat /srv/new; readlink /tmp/to; test ! -L /srv/l; cat /srv/l",
    )
    .succeeds()
    .stdout_is("x\n../srv/new\nx");
    host.removes("web1");
    host.finish();
}

#[test]
fn what_is_mounted_in_a_running_container_is_reached_and_never_replaced() {
    let host = host_with_container();
    on_host(&host, "echo x >a").succeeds();
    host.minirun("cp /run/here/a web1:/dev/shm/a").succeeds();
    in_container(&host, "cat /dev/shm/a; echo y >/dev/shm/a")
        .succeeds()
        .stdout_is("x");
    host.minirun("cp web1:/dev/shm/a /run/here/b").succeeds();
    assert_eq!(host.read_file("/run/here/b"), "y\n");
    let mounted = "grep -c ' /etc/hosts ' /proc/self/mountinfo; cat /etc/hosts";
    let before = in_container(&host, mounted).succeeds();
    host.minirun("cp /run/here/a web1:/etc/hosts")
        .fails_with(1)
        .stderr_contains("cannot replace `hosts`: something is mounted on it");
    in_container(&host, mounted)
        .succeeds()
        .stdout_is(before.line());
    // Of what only shows the kernel, the directories are copied; named itself, it is read.
    host.minirun("cp -q web1:/ /run/here/all").succeeds();
    on_host(
        &host,
        "ls all/proc all/sys; test -e all/bin/busybox -o -e all/bin/sh; cat all/dev/shm/a",
    )
    .succeeds()
    .stdout_is("all/proc:\n\nall/sys:\ny");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_read_only_root_refuses_copies_whether_it_runs_or_not() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 --network none --read-only busybox sleep 1000")
        .succeeds();
    host.command("touch", "/run/file").succeeds();
    for _ in 0..2 {
        host.minirun("cp /run/file web1:/tmp/file")
            .fails_with(1)
            .stderr_contains("Read-only file system");
        host.minirun("cp web1:/etc/passwd /run/passwd").succeeds();
        host.minirun("stop -t 0 web1").succeeds();
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_copy_replaces_a_file_and_merges_a_directory() {
    let host = host_with_container();
    in_container(
        &host,
        "mkdir -p /srv/d; echo old >/srv/d/both; echo stays >/srv/d/stays; ln /srv/d/both /srv/other",
    )
    .succeeds();
    on_host(&host, "mkdir d; echo new >d/both; mkdir e; echo x >e/d").succeeds();
    host.minirun("cp /run/here/d web1:/srv").succeeds();
    // The file is another now, so a second name of the old one keeps what it had.
    in_container(&host, "cd /srv; cat d/both d/stays other; ls -A d")
        .succeeds()
        .stdout_is("new\nstays\nold\nboth\nstays");
    host.minirun("cp /run/here/e/. web1:/srv")
        .fails_with(1)
        .stderr_contains("cannot overwrite the directory `d`");
    in_container(&host, "echo f >/tmp/d").succeeds();
    host.minirun("cp /run/here/d web1:/tmp")
        .fails_with(1)
        .stderr_contains("cannot overwrite `d` with a directory");
    in_container(&host, "cat /tmp/d; ls -A /srv /tmp")
        .succeeds()
        .stdout_is("f\n/srv:\nd\nother\n\n/tmp:\nd");
    host.removes("web1");
    host.finish();
}

#[test]
fn words_that_name_nothing_to_copy_are_refused() {
    let host = host_with_container();
    for (words, code, complaint) in [
        (
            "cp web1:/a web1:/b",
            1,
            "cannot copy from one container to another",
        ),
        (
            "cp /a /b",
            1,
            "neither source nor destination is in a container",
        ),
        ("cp nosuch:/a /run/b", 1, "no container is called `nosuch`"),
        ("cp web1: /run/b", 125, "names no path behind the colon"),
        (
            "cp :/a /run/b",
            125,
            "names no container in front of the colon",
        ),
        (
            "cp web1:/nosuch /run/b",
            1,
            "there is no `/nosuch` in container `web1`",
        ),
        ("cp /nosuch web1:/b", 1, "there is no `/nosuch` on the host"),
    ] {
        host.minirun(words)
            .fails_with(code)
            .stdout_is("")
            .stderr_contains(complaint);
    }
    on_host(&host, "echo x >web1:a; minirun cp -q ./web1:a web1:/tmp/b; minirun cp -q web1:/tmp/b /run/here/web1:c; cat web1:c")
        .succeeds()
        .stdout_is("x");
    host.removes("web1");
    host.finish();
}
