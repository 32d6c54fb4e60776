//! `cp` against containers and archives that want more than is theirs. Whatever they do, nothing of the host outside the named
//! destination is read or written.

use minirun_integration::{Finished, TestHost};

/// How often a race is run.
const ROUNDS: usize = 40;

/// A host with the running container `web1`, and with what is not the container's: `/run/victim/secret`.
fn host_with_victim() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("run -d --name web1 --network none busybox sleep 1000")
        .succeeds();
    let script =
        "mkdir /run/victim /run/here; echo secret >/run/victim/secret; echo mine >/run/here/mine";
    host.command("sh", ["-c", script]).succeeds();
    host
}

#[track_caller]
fn in_container(host: &TestHost, script: &str) -> Finished {
    host.minirun(["exec", "web1", "sh", "-c", script])
}

#[track_caller]
fn on_host(host: &TestHost, script: &str) -> Finished {
    let script = format!("set -e; cd /run/here; {script}");
    host.command("sh", ["-c", &script])
}

/// Expects that the victim is as it was, that nobody has got its secret, and ends the test.
#[track_caller]
fn finish(host: TestHost) {
    host.command(
        "sh",
        [
            "-c",
            "cd /run/victim; ls -A; cat secret; stat -c '%a %u %h' secret .",
        ],
    )
    .succeeds()
    .stdout_is("secret\nsecret\n644 0 1\n755 0 2");
    host.command("sh", ["-c", "grep -rl '^secret' /run/here || true"])
        .succeeds()
        .stdout_is("");
    in_container(
        &host,
        "find / -xdev -name planted -o -xdev -type f -size -2 -exec grep -l '^secret$' {} +",
    )
    .stdout_lacks("secret");
    host.removes("web1");
    host.finish();
}

#[test]
fn links_that_lead_out_lead_into_the_container_instead() {
    let host = host_with_victim();
    in_container(
        &host,
        "mkdir -p /srv /run/victim; echo inner >/run/victim/secret; cd /srv; \
         ln -s /run/victim absolute; ln -s ../../../../../run/victim relative; ln -s /run/victim/secret file; \
         ln -s absolute chain; ln -s ring ring",
    )
    .succeeds();
    for source in ["absolute/secret", "relative/secret", "chain/secret"] {
        host.minirun(format!("cp -q web1:/srv/{source} /run/here/got"))
            .succeeds();
        assert_eq!(host.read_file("/run/here/got"), "inner\n", "{source}");
    }
    host.minirun("cp -qL web1:/srv/file /run/here/got")
        .succeeds();
    assert_eq!(host.read_file("/run/here/got"), "inner\n");
    host.minirun("cp -q web1:/srv/ring/x /run/here/got")
        .fails_with(1);
    for destination in ["absolute", "relative", "chain/"] {
        host.minirun(format!("cp -q /run/here/mine web1:/srv/{destination}"))
            .succeeds();
        in_container(&host, "cat /run/victim/mine; rm /run/victim/mine")
            .succeeds()
            .stdout_is("mine");
    }
    host.minirun("cp -q /run/here/mine web1:/srv/file")
        .succeeds();
    in_container(&host, "cat /run/victim/secret; rm -r /run/victim")
        .succeeds()
        .stdout_is("mine");
    // Without anything there, nothing is made there.
    host.minirun("cp -q /run/here/mine web1:/srv/absolute/planted")
        .fails_with(1);
    finish(host);
}

#[test]
fn doors_of_the_process_file_system_are_closed() {
    let host = host_with_victim();
    for path in [
        "/proc/1/root/run/victim/secret",
        "/proc/self/root/run/victim/secret",
        "/proc/1/cwd/etc/passwd",
        "/proc/thread-self/root/etc",
    ] {
        host.minirun(format!("cp web1:{path} /run/here/got"))
            .fails_with(1);
        host.minirun(format!("cp /run/here/mine web1:{path}"))
            .fails_with(1);
    }
    in_container(
        &host,
        "mkdir /srv; ln -s /proc/self/root /srv/root; ln -s /proc/1/root /srv/one",
    )
    .succeeds();
    for path in ["/srv/root/run/victim/secret", "/srv/one/run/victim/secret"] {
        host.minirun(format!("cp web1:{path} /run/here/got"))
            .fails_with(1);
        host.minirun(format!("cp -L web1:{path} /run/here/got"))
            .fails_with(1);
    }
    finish(host);
}

#[test]
fn a_directory_that_is_swapped_for_a_link_again_and_again_leads_nowhere() {
    let host = host_with_victim();
    let swap = "mkdir -p /srv/x; ln -s /run/victim /srv/link; echo ready; \
         while :; do mv /srv/x /srv/dir; mv /srv/link /srv/x; mv /srv/x /srv/link; mv /srv/dir /srv/x; done";
    let mut swapping = host.spawn_minirun(["exec", "web1", "sh", "-c", swap]);
    swapping.read_until("ready\n");
    // Whether a copy succeeds is a matter of chance; where it goes is not.
    let script = format!(
        "mkdir /run/put; echo planted >/run/put/planted; for round in $(seq {ROUNDS}); do \
         minirun cp -q /run/put/planted web1:/srv/x/planted; minirun cp -q /run/put web1:/srv/x; \
         mkdir out; minirun cp -q web1:/srv/x/secret out; minirun cp -q web1:/srv/x out; minirun cp -q web1:/srv out; \
         ! grep -r '^secret' out || exit 9; rm -r out; done >/dev/null 2>&1"
    );
    on_host(&host, &format!("set +e; {script}")).succeeds();
    drop(swapping);
    host.minirun("kill web1").succeeds();
    host.minirun("wait web1").succeeds();
    host.minirun("start web1").succeeds();
    in_container(&host, "rm -rf /srv").succeeds();
    finish(host);
}

#[test]
fn a_directory_that_is_renamed_while_it_is_packed_ends_no_archive() {
    let host = host_with_victim();
    let rename = "mkdir -p /srv/a/b/c /srv/z; touch /srv/a/b/c/d; echo ready; \
         while :; do mv /srv/a/b /srv/z/b; mv /srv/z/b /srv/a/b; done";
    let mut renaming = host.spawn_minirun(["exec", "web1", "sh", "-c", rename]);
    renaming.read_until("ready\n");
    let script = format!(
        "for round in $(seq {ROUNDS}); do minirun cp web1:/srv - | tar -tf - >list; grep -qx srv/z/ list; done; rm list"
    );
    on_host(&host, &script).succeeds().stderr_is("");
    drop(renaming);
    finish(host);
}

#[test]
fn pipes_hold_nobody_up_and_devices_stay_where_they_are() {
    let host = host_with_victim();
    in_container(
        &host,
        "mkdir /srv; mkfifo /srv/pipe; mknod -m 666 /srv/disk b 8 0; mknod /srv/null c 1 3; echo x >/srv/file; chmod 4755 /srv/file",
    )
    .succeeds();
    host.minirun("cp web1:/srv /run/here/tree")
        .succeeds()
        .stderr_is(
            "warning: left out `tree/disk`: it is a block device\n\
         warning: left out `tree/null`: it is a character device\n\
         Successfully copied 2B to /run/here/tree",
        );
    host.minirun("cp -q -a web1:/srv /run/here/kept")
        .succeeds()
        .stderr_contains("left out `kept/disk`");
    on_host(
        &host,
        "stat -c '%n %F %a' tree/*; test ! -e kept/disk; rm -r tree kept",
    )
    .succeeds()
    .stdout_is("tree/file regular file 755\ntree/pipe fifo 644");
    host.minirun("cp web1:/srv/disk /run/here/disk")
        .fails_with(1)
        .stderr_contains("`/srv/disk` is a block device, which is not copied");
    // An archive only says that it is there.
    on_host(
        &host,
        "minirun cp web1:/srv/disk - | tar -tvf - | cut -c1-10",
    )
    .succeeds()
    .stdout_is("brw-rw-rw-");
    finish(host);
}

#[test]
fn a_huge_file_of_nothing_takes_neither_room_nor_time() {
    let host = host_with_victim();
    in_container(
        &host,
        "mkdir /srv; dd if=/dev/zero of=/srv/huge bs=1 count=0 seek=1099511627776 2>/dev/null; echo end >>/srv/huge",
    )
    .succeeds();
    host.minirun("cp -q web1:/srv/huge /run/here/huge")
        .succeeds();
    on_host(
        &host,
        "stat -c '%s' huge; test $(stat -c %b huge) -lt 1000; tail -c 4 huge; rm huge",
    )
    .succeeds()
    .stdout_is("1099511627780\nend");
    finish(host);
}

#[test]
fn an_archive_cannot_lead_out_of_the_directory_it_is_unpacked_in() {
    let host = host_with_victim();
    on_host(
        &host,
        "echo planted >file; ln file hard; \
         tar -cPf up.tar --transform 's,^,../../../run/victim/,' file; \
         tar -cPf absolute.tar --transform 's,^,/run/victim/,' file; \
         tar -cPf hard.tar --transform 'flags=h;s,^file$,../../../run/victim/secret,' file hard; \
         ln -s /run/victim out; tar -cf link.tar out; tar -rPf link.tar --transform 's,^file,out/planted,' file; \
         rm out; ln -s ../../../../run/victim out; tar -cf climb.tar out; tar -rPf climb.tar --transform 's,^file,out/planted,' file; \
         rm file hard out",
    )
    .succeeds();
    in_container(&host, "mkdir /srv").succeeds();
    for archive in ["up", "absolute", "hard", "link", "climb"] {
        on_host(&host, &format!("minirun cp - web1:/srv <{archive}.tar"))
            .fails_with(1)
            .stderr_contains("error: ");
        in_container(&host, "test ! -e /run/victim; find / -xdev -name planted")
            .succeeds()
            .stdout_is("");
    }
    // Where the link leads to something of the container, that is what is meant.
    in_container(&host, "mkdir -p /run/victim").succeeds();
    on_host(
        &host,
        "minirun cp -q - web1:/srv <link.tar; minirun cp -q - web1:/srv <climb.tar",
    )
    .succeeds();
    in_container(&host, "ls /run/victim; rm -r /run/victim")
        .succeeds()
        .stdout_is("planted");
    on_host(&host, "rm *.tar").succeeds();
    finish(host);
}

#[test]
fn what_stands_on_the_host_is_not_written_through() {
    let host = host_with_victim();
    in_container(
        &host,
        "mkdir -p /srv/tree/sub; echo planted >/srv/tree/file; echo planted >/srv/tree/sub/x",
    )
    .succeeds();
    // Somebody on the host has put links where the copy will come to lie.
    on_host(
        &host,
        "mkdir tree; ln -s /run/victim/secret tree/file; ln -s /run/victim tree/sub",
    )
    .succeeds();
    host.minirun("cp -q web1:/srv/tree /run/here")
        .fails_with(1)
        .stderr_contains("cannot overwrite `tree/sub` with a directory");
    on_host(&host, "rm tree/sub").succeeds();
    host.minirun("cp -q web1:/srv/tree /run/here").succeeds();
    on_host(&host, "test ! -L tree/file; cat tree/file tree/sub/x")
        .succeeds()
        .stdout_is("planted\nplanted");
    in_container(&host, "rm -r /srv").succeeds();
    finish(host);
}

#[test]
fn a_root_that_the_container_chooses_for_itself_changes_nothing() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.command("sh", ["-c", "mkdir /run/victim /run/here; echo secret >/run/victim/secret; echo mine >/run/here/mine"])
        .succeeds();
    // The first process lives in a directory of the container, as its own root.
    let script = "mkdir -p /srv/bin; cp -r /bin /lib /usr /srv/ 2>/dev/null; echo outer >/marker; echo inner >/srv/marker; \
         exec chroot /srv /bin/sh -c 'echo ready; exec sleep 1000'";
    host.runs_script("web1", "--network none", script);
    host.container("web1").awaits_log("ready");
    host.minirun("cp -q web1:/marker /run/here/marker")
        .succeeds();
    assert_eq!(host.read_file("/run/here/marker"), "outer\n");
    finish(host);
}

/// The second name of a device that is left out must neither end the copy nor become a name of what has the first one on the host.
#[test]
fn a_device_with_two_names_is_left_out_twice() {
    let host = host_with_victim();
    in_container(
        &host,
        "mkdir /srv; cd /srv; mknod a c 1 3; ln a b; echo text >file",
    )
    .succeeds();
    host.minirun("cp web1:/srv /run/here").succeeds();
    on_host(&host, "ls -A srv").succeeds().stdout_is("file");
    on_host(&host, "rm -r srv; mkdir srv; echo mine >srv/a").succeeds();
    host.minirun("cp web1:/srv /run/here").succeeds();
    on_host(&host, "ls -A srv; stat -c %h srv/a")
        .succeeds()
        .stdout_is("a\nfile\n1");
    finish(host);
}
