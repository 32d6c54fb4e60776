//! Images: imported from archives and directories, listed, used, removed; and what is refused.

use minirun_integration::TestHost;

/// Makes files in `/run/source` of the host by a script of shell.
#[track_caller]
fn makes(host: &TestHost, script: &str) {
    let script = format!("set -e; mkdir -p /run/source; cd /run/source; {script}");
    host.command("sh", ["-c", &script]).succeeds();
}

/// Everything in the image store, except its locks, and the size of it.
#[track_caller]
fn store(host: &TestHost) -> String {
    let script = "cd /var/lib/minirun/images 2>/dev/null && find . ! -name '*lock*' | sort";
    host.command("sh", ["-c", script]).stdout().to_owned()
}

/// Imports an archive made by a script; expects that it is refused and that nothing of it is kept.
#[track_caller]
fn is_refused(host: &TestHost, source: &str, reason: &str) {
    // The store is made, and the built-in image with it, before the first look.
    host.minirun("run --rm demo true").succeeds();
    let before = store(host);
    let refused = host
        .minirun(["import", source, "bad"])
        .fails_with(1)
        .stdout_is("")
        .stderr_contains(reason);
    assert!(
        refused.stderr().starts_with("error: "),
        "{}",
        refused.stderr()
    );
    host.minirun("images").succeeds().stdout_lacks("bad");
    assert_eq!(store(host), before, "nothing is kept");
}

#[test]
fn an_archive_of_any_kind_and_a_directory_make_images_that_run() {
    let host = TestHost::create();
    let directory = host.makes_busybox_root();
    let compress = "gzip -k rootfs.tar; zstd -q -k rootfs.tar";
    host.command("sh", ["-c", &format!("cd {directory} && {compress}")])
        .succeeds();
    for source in ["rootfs.tar", "rootfs.tar.gz", "rootfs.tar.zst", "root"] {
        let path = format!("{directory}/{source}");
        let id = host.minirun(["import", &path, "busybox"]).succeeds();
        assert!(id.line().starts_with("sha256:"), "{}", id.line());
        host.in_busybox("", "echo hello from $0")
            .succeeds()
            .stdout_is("hello from sh");
        host.minirun("rmi busybox")
            .succeeds()
            .stdout_contains("Untagged: busybox:latest")
            .stdout_contains("Deleted: sha256:");
    }
    host.minirun("run --rm busybox true")
        .fails_with(125)
        .stderr_contains("`busybox`");
    host.finish();
}

#[test]
fn the_same_bytes_make_the_same_image_however_they_are_compressed() {
    let host = TestHost::create();
    let directory = host.makes_busybox_root();
    let script = format!(
        "cd {directory}; minirun import rootfs.tar a; gzip -c rootfs.tar | minirun import - b; minirun import - c <rootfs.tar"
    );
    let ids = host.command("sh", ["-c", &script]).succeeds();
    let ids: Vec<_> = ids.stdout().lines().collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    host.minirun("images -q")
        .succeeds()
        .stdout_contains(&ids[0]["sha256:".len()..][..12]);
    host.finish();
}

#[test]
fn changes_say_what_the_image_does_by_itself() {
    let host = TestHost::create();
    host.imports_busybox(&[
        "-c",
        "EXPOSE 80 53/udp",
        "-c",
        "ENV A=b C=\"d e\"",
        "-c",
        "CMD [\"sh\", \"-c\", \"echo $A $C; pwd; id -u\"]",
        "-c",
        "WORKDIR /srv",
        "-c",
        "USER alice",
        "-c",
        "LABEL made=here",
        "-c",
        "STOPSIGNAL SIGQUIT",
    ]);
    host.minirun("run --rm busybox")
        .succeeds()
        .stdout_is("b d e\n/srv\n1000");
    let image = host.minirun("inspect busybox").succeeds().json()[0]["Config"].clone();
    assert_eq!(
        image["ExposedPorts"],
        serde_json::json!({"53/udp": {}, "80/tcp": {}})
    );
    assert_eq!(image["Labels"], serde_json::json!({"made": "here"}));
    host.minirun("create --name web1 busybox").succeeds();
    let config = host.container("web1").inspect()["Config"].clone();
    assert_eq!(config["StopSignal"], "SIGQUIT");
    assert_eq!(config["ExposedPorts"], image["ExposedPorts"]);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_change_that_cannot_be_understood_is_refused() {
    let host = TestHost::create();
    let archive = format!("{}/rootfs.tar", host.makes_busybox_root());
    for change in ["", "RUN true", "EXPOSE", "EXPOSE many", "STOPSIGNAL NOSUCH"] {
        host.minirun(["import", "-c", change, &archive, "bad"])
            .fails_with(125)
            .stderr_contains("error: ");
    }
    host.minirun("images").succeeds().stdout_lacks("bad");
    host.finish();
}

#[test]
fn the_built_in_image_is_always_there() {
    let host = TestHost::create();
    host.minirun("run --rm demo echo hello")
        .succeeds()
        .stdout_is("hello");
    let listed = host.minirun("images").succeeds();
    let mut lines = listed.stdout().lines();
    let titles: Vec<_> = lines.next().expect("a header").split("  ").collect();
    let titles: Vec<_> = titles
        .into_iter()
        .map(str::trim)
        .filter(|title| !title.is_empty())
        .collect();
    assert_eq!(titles, ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("demo ") && line.contains(" latest ")),
        "{}",
        listed.stdout()
    );
    host.minirun("rmi demo").succeeds();
    host.minirun("run --rm demo echo again")
        .succeeds()
        .stdout_is("again");
    host.finish();
}

#[test]
fn an_image_that_is_used_cannot_be_removed() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("create --name web1 busybox true").succeeds();
    host.minirun("rmi busybox").fails_with(1).stderr_contains(
        "error: the image `busybox` cannot be removed: the container `web1` uses it",
    );
    host.minirun("start -a web1").succeeds();
    host.removes("web1");
    host.minirun("rmi busybox").succeeds();
    host.minirun("rmi busybox")
        .fails_with(1)
        .stderr_contains("there is no image `busybox` here");
    host.finish();
}

#[test]
fn a_new_import_takes_the_name_and_leaves_running_containers_alone() {
    let host = TestHost::create();
    host.imports_busybox(&["-c", "ENV VERSION=1"]);
    host.minirun("run -d --name old busybox sleep 1000")
        .succeeds();
    host.imports_busybox(&["-c", "ENV VERSION=2"]);
    host.in_busybox("", "echo $VERSION")
        .succeeds()
        .stdout_is("2");
    host.minirun("exec old sh -c env")
        .succeeds()
        .stdout_has_line("VERSION=1");
    host.minirun("restart -t 0 old").succeeds();
    host.minirun("exec old env")
        .succeeds()
        .stdout_has_line("VERSION=1");
    host.removes("old");
    host.finish();
}

#[test]
fn a_path_that_leads_out_of_the_root_is_refused() {
    let host = TestHost::create();
    makes(
        &host,
        "echo x >file; tar -cPf up.tar --transform 's,^,../../../run/escaped-,' file; \
         tar -cPf absolute.tar --transform 's,^file,/run/source/../escaped,' file; \
         ln -s / out; tar -cf link.tar out; tar -rPf link.tar --transform 's,^file,out/run/escaped,' file",
    );
    is_refused(&host, "/run/source/up.tar", "../../../run/escaped-file");
    is_refused(&host, "/run/source/absolute.tar", "escaped");
    is_refused(
        &host,
        "/run/source/link.tar",
        "leads out of the image's root",
    );
    host.command("sh", ["-c", "ls -d /run/escaped*"]).fails();
    host.finish();
}

#[test]
fn a_device_node_where_none_may_be_is_refused() {
    let host = TestHost::create();
    makes(
        &host,
        "mkdir bad good; echo x >good/file; \
         tar -cf good.tar -C good .; tar -cf device.tar -C good .; \
         tar -rf device.tar -C / --transform 's,^dev/null,etc/disk,' dev/null",
    );
    is_refused(
        &host,
        "/run/source/device.tar",
        "`etc/disk` is a device node where none may be",
    );
    host.minirun("import /run/source/good.tar good").succeeds();
    host.finish();
}

#[test]
fn an_archive_that_ends_too_early_is_refused() {
    let host = TestHost::create();
    let directory = host.makes_busybox_root();
    makes(
        &host,
        &format!(
            "head -c 1000000 {directory}/rootfs.tar >cut.tar; \
             gzip -c {directory}/rootfs.tar | head -c 400000 >cut.tar.gz; \
             zstd -q -c {directory}/rootfs.tar | head -c 400000 >cut.tar.zst"
        ),
    );
    for name in ["cut.tar", "cut.tar.gz", "cut.tar.zst"] {
        is_refused(&host, &format!("/run/source/{name}"), "truncated");
    }
    host.finish();
}

#[test]
fn what_is_no_archive_is_refused() {
    let host = TestHost::create();
    makes(
        &host,
        "echo hello >text; : >empty; mkdir hollow; xz -z <text >text.xz || printf '\\3757zXZ\\0' >text.xz",
    );
    is_refused(&host, "/run/source/text", "no tar archive");
    is_refused(&host, "/run/source/empty", "nothing in it");
    is_refused(&host, "/run/source/hollow", "nothing in it");
    is_refused(&host, "/run/source/text.xz", "compressed with xz");
    is_refused(&host, "/run/source/nosuch", "`/run/source/nosuch`");
    host.minirun("import /run/source/text UPPER")
        .fails_with(125);
    host.finish();
}

#[test]
fn an_import_that_is_killed_leaves_nothing_after_the_next() {
    let host = TestHost::create();
    let directory = host.makes_busybox_root();
    host.minirun("run --rm demo true").succeeds();
    let before = store(&host);
    // The rest of the archive never comes, so the import is killed in the middle.
    let script = format!(
        "(head -c 1000000 {directory}/rootfs.tar; exec cat /run/pipe) | minirun import - busybox"
    );
    host.command("mkfifo", "/run/pipe").succeeds();
    let running = host.place().program("sh", ["-c", &script]).spawn();
    while store(&host) == before {
        assert!(
            !running.process().ends_within(std::time::Duration::ZERO),
            "the import should wait for the rest"
        );
    }
    host.kills_everything();
    drop(running);
    host.imports_busybox(&[]);
    host.in_busybox("", "true").succeeds();
    host.minirun("rmi busybox").succeeds();
    assert_eq!(store(&host), before);
    host.finish();
}
