//! `diff`: what a container has changed of its image.

use minirun_integration::TestHost;

/// A host with an image in which there is something to change.
fn host_with_image() -> TestHost {
    let host = TestHost::create();
    let root = host.makes_busybox_root();
    let script = format!(
        "cd {root}/root; mkdir -p srv/keep srv/gone srv/anew srv/owned data; \
         echo 1 >srv/keep/one; echo 2 >srv/keep/two; echo 3 >srv/gone/three; echo 4 >srv/anew/four; echo 5 >srv/anew/five; \
         echo 6 >data/six; ln -s keep srv/link; minirun import . busybox"
    );
    host.command("sh", ["-c", &script]).succeeds();
    host
}

#[test]
fn a_container_that_changes_nothing_differs_in_nothing() {
    let host = host_with_image();
    host.minirun("create --name web1 --network none busybox true")
        .succeeds();
    host.minirun("diff web1").succeeds().stdout_is("");
    host.minirun("start -a web1").succeeds();
    // What the runtime mounts, and the places it makes for that, are nobody's change.
    host.minirun("diff web1").succeeds().stdout_is("");
    host.minirun("diff nosuch")
        .fails_with(1)
        .stderr_contains("`nosuch`");
    host.removes("web1");
    host.finish();
}

#[test]
fn what_was_added_changed_and_deleted_is_listed_by_path() {
    let host = host_with_image();
    let script = "echo more >>/srv/keep/one; rm /srv/keep/two; rm -r /srv/gone; \
         rm -r /srv/anew; mkdir /srv/anew; echo new >/srv/anew/six; echo old >/srv/anew/four; \
         chown 5 /srv/owned; rm /srv/link; mkdir /srv/link; \
         mkdir -p /srv/new/deep; echo x >/srv/new/deep/x; echo y >/etc/new; chmod 600 /data/six; \
         echo z >/dev/shm/z; echo t >/tmp/t; rm /tmp/t; echo ready; exec sleep 1000";
    host.runs_script("web1", "--network none", script);
    host.container("web1").awaits_log("ready");
    let expected = "C /data\nC /data/six\nC /etc\nA /etc/new\nC /srv\nC /srv/anew\nD /srv/anew/five\nC /srv/anew/four\n\
         A /srv/anew/six\nD /srv/gone\nC /srv/keep\nC /srv/keep/one\nD /srv/keep/two\nC /srv/link\nA /srv/new\n\
         A /srv/new/deep\nA /srv/new/deep/x\nC /srv/owned\nC /tmp";
    host.minirun("diff web1").succeeds().stdout_is(expected);
    host.minirun("stop -t 0 web1").succeeds();
    host.minirun("diff web1").succeeds().stdout_is(expected);
    host.removes("web1");
    host.finish();
}

#[test]
fn what_was_copied_into_a_stopped_container_is_a_change() {
    let host = host_with_image();
    host.minirun("create --name web1 --network none busybox true")
        .succeeds();
    host.command("sh", ["-c", "echo x >/run/one"]).succeeds();
    host.minirun("cp -q /run/one web1:/srv/keep/").succeeds();
    host.minirun("cp -q /run/one web1:/data/seven").succeeds();
    host.minirun("diff web1")
        .succeeds()
        .stdout_is("C /data\nA /data/seven\nC /srv\nC /srv/keep\nC /srv/keep/one");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_name_cannot_act_on_the_terminal_or_pass_for_two() {
    let host = host_with_image();
    host.minirun([
        "run",
        "--name",
        "web1",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "touch \"$(printf '/data/a\\nD b\\033[2J')\"",
    ])
    .succeeds();
    host.minirun("diff web1")
        .succeeds()
        .stdout_is("C /data\nA /data/a\\nD b\\x1b[2J");
    host.removes("web1");
    host.finish();
}
