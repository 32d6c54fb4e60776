//! Binds: files and directories of the host in a container, and how they are mounted.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use minirun_integration::TestHost;

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// Mounts a tmpfs on the host.
fn mounts_tmpfs(host: &TestHost, point: &str) {
    host.command("mkdir", ["-p", point]).succeeds();
    host.command("mount", ["-t", "tmpfs", "tmpfs", point])
        .succeeds();
}

#[test]
fn a_directory_of_the_host_can_be_read_and_written() {
    let host = host_with_busybox();
    host.write_file("/run/bound/file", "from the host");
    host.in_busybox(
        "-v /run/bound:/data",
        "cat /data/file; echo back >/data/answer",
    )
    .succeeds()
    .stdout_is("from the host");
    assert_eq!(host.read_file("/run/bound/answer"), "back\n");
    let web = host.idles("web", "-v /run/bound:/deep/er/data");
    let mount = web.mounted("/deep/er/data").expect("it is mounted");
    assert!(mount.root.ends_with("/bound"), "{mount:?}");
    assert!(mount.has("rw"), "{mount:?}");
    assert!(mount.propagation.is_empty(), "{mount:?}");
    host.minirun("restart -t 0 web").succeeds();
    assert!(web.mounted("/deep/er/data").is_some());
    host.removes("web");
    assert_eq!(host.read_file("/run/bound/file"), "from the host");
    host.finish();
}

#[test]
fn a_single_file_can_be_mounted_and_nothing_of_another_kind() {
    let host = host_with_busybox();
    host.write_file("/run/bound/file", "text");
    host.in_busybox("-v /run/bound/file:/etc/new/file", "cat /etc/new/file")
        .succeeds()
        .stdout_is("text");
    host.in_busybox("-v /run/bound/file:/etc", "true")
        .fails_with(125)
        .stderr_is("error: cannot mount `/run/bound/file` on `/etc`: Not a directory\nhint: a directory can only be mounted on a directory, and a file on a file");
    host.in_busybox("-v /run/bound:/etc/passwd", "true")
        .fails_with(125)
        .stderr_contains("cannot mount `/run/bound` on `/etc/passwd`: Not a directory");
    host.finish();
}

#[test]
fn a_source_that_is_missing_is_made_by_v_and_refused_by_mount() {
    let host = host_with_busybox();
    host.in_busybox("-v /run/made/by/it:/data", "touch /data/file")
        .succeeds();
    assert!(host.inside(|| Path::new("/run/made/by/it/file").exists()));
    host.in_busybox("--mount type=bind,src=/run/nosuch,dst=/data", "true")
        .fails_with(125)
        .stderr_is("error: cannot mount `/run/nosuch`: it does not exist\nhint: make it first, or let it be made as a directory: `-v /run/nosuch:DESTINATION`");
    assert!(!host.inside(|| Path::new("/run/nosuch").exists()));
    host.in_busybox(
        "--mount type=bind,src=/run/wanted,dst=/data,bind-create-src",
        "true",
    )
    .succeeds();
    assert!(host.inside(|| Path::new("/run/wanted").is_dir()));
    host.minirun("create --name web --mount type=bind,src=/run/wanted,dst=/data demo true")
        .succeeds();
    host.inside(|| fs::remove_dir("/run/wanted")).unwrap();
    host.minirun("start web")
        .fails()
        .stderr_contains("cannot mount `/run/wanted`: it does not exist");
    host.minirun("rm web").succeeds();
    host.finish();
}

#[test]
fn a_relative_source_continues_the_callers_directory() {
    let host = host_with_busybox();
    host.write_file("/run/here/sub/file", "here");
    for options in [
        "-v ./sub:/data",
        "-v ../here/sub:/data",
        "--mount type=bind,src=./sub,dst=/data",
    ] {
        let script =
            format!("cd /run/here && exec minirun run --rm {options} busybox cat /data/file");
        host.command("sh", ["-c", &script])
            .succeeds()
            .stdout_is("here");
    }
    host.in_busybox("-v sub/x:/data", "true")
        .fails_with(125)
        .stderr_contains("begin a path with `/` or `./`");
    host.finish();
}

#[test]
fn a_read_only_bind_is_so_with_everything_below_it_unless_told_otherwise() {
    let host = host_with_busybox();
    mounts_tmpfs(&host, "/run/bound/sub");
    let mount = "type=bind,src=/run/bound,dst=/data";
    for (options, top, below) in [
        ("-v /run/bound:/data", "rw", Some("rw")),
        ("-v /run/bound:/data:ro", "ro", Some("ro")),
        (&format!("--mount {mount},readonly"), "ro", Some("ro")),
        (
            &format!("--mount {mount},ro,bind-recursive=writable"),
            "ro",
            Some("rw"),
        ),
        (
            &format!("--mount {mount},ro,bind-recursive=disabled"),
            "ro",
            None,
        ),
        (&format!("--mount {mount},bind-nonrecursive"), "rw", None),
        (
            &format!("--mount {mount},ro,bind-recursive=readonly,bind-propagation=rprivate"),
            "ro",
            Some("ro"),
        ),
    ] {
        let web = host.idles("web", options);
        let access = |point: &str| {
            let mount = web.mounted(point)?;
            let is_access = |word: &&String| ["ro", "rw"].contains(&word.as_str());
            mount.options.iter().find(is_access).cloned()
        };
        assert_eq!(access("/data").as_deref(), Some(top), "{options}");
        assert_eq!(access("/data/sub").as_deref(), below, "{options}");
        host.removes("web");
    }
    host.finish();
}

#[test]
fn mounts_within_mounts_are_made_from_the_outside_in() {
    let host = host_with_busybox();
    host.write_file("/run/inner/file", "inner");
    host.write_file("/run/outer/file", "outer");
    host.in_busybox(
        "-v /run/inner:/a/b/c -v /run/outer:/a --tmpfs /a/b",
        "cat /a/file /a/b/c/file; ls /a/b",
    )
    .succeeds()
    .stdout_is("outerinnerc");
    assert!(
        host.inside(|| Path::new("/run/outer/b").is_dir()),
        "the place was made"
    );
    host.in_busybox("-v /run/outer:/a:ro -v /run/inner:/a/new", "true")
        .fails_with(125)
        .stderr_contains("cannot mount `/run/inner` on `/a/new`: Read-only file system")
        .stderr_contains("make it there first");
    host.in_busybox("-v /run/outer:/a:ro -v /run/inner:/a/b", "cat /a/b/file")
        .succeeds()
        .stdout_is("inner");
    host.finish();
}

#[test]
fn what_the_user_mounts_takes_the_place_of_what_every_container_has() {
    let host = host_with_busybox();
    host.write_file("/run/bound/hosts", "192.0.2.7 mine\n");
    host.in_busybox(
        "-v /run/bound/hosts:/etc/hosts:ro",
        "cat /etc/hosts; head -c 10 /etc/hostname | wc -c",
    )
    .succeeds()
    .stdout_is("192.0.2.7 mine\n10");
    host.in_busybox(
        "-v /run/bound:/etc",
        "grep -c localhost /etc/hosts; ls /etc",
    )
    .succeeds()
    .stdout_contains("resolv.conf");
    let web = host.idles("web", "-v /run/bound:/dev/shm --tmpfs /dev/mqueue:size=1m");
    assert!(web.mounted("/dev/shm").unwrap().root.ends_with("/bound"));
    assert_eq!(web.mounted("/dev/mqueue").unwrap().kind, "tmpfs");
    let points = web.all_mounted();
    let count = |point: &str| points.iter().filter(|mount| mount.point == point).count();
    assert_eq!((count("/dev/shm"), count("/dev/mqueue")), (1, 1));
    host.removes("web");
    host.write_file("/run/bound/meminfo", "MemTotal: 1 kB\n");
    host.in_busybox("-v /run/bound/meminfo:/proc/meminfo", "cat /proc/meminfo")
        .succeeds()
        .stdout_is("MemTotal: 1 kB");
    host.finish();
}

#[test]
fn bad_words_are_refused_before_anything_is_touched() {
    let host = TestHost::create();
    for (options, problem) in [
        ("-v /run/x:/", "the destination is the container's root"),
        ("-v /run/x:/proc", "is in /proc"),
        ("-v /run/x:/proc/sys/kernel", "is in /proc"),
        ("-v /run/x:data", "the destination `data` is not absolute"),
        ("-v /run/x:/y:colour", "unknown option `colour`"),
        ("-v /run/x:/y:ro,rw", "`ro` and `rw` cannot both hold"),
        (
            "-v /run/x:/y -v /run/z:/y/",
            "several mounts have the destination `/y`",
        ),
        (
            "-v /run/x:/y --tmpfs /y",
            "several mounts have the destination `/y`",
        ),
        ("--mount type=bind,dst=/y", "a bind needs a source"),
        (
            "--mount type=colour,dst=/y",
            "`colour` cannot be the value of `type`",
        ),
        ("--tmpfs y", "not absolute"),
        ("--shm-size much", "`much` is not a size"),
        ("--storage-opt colour=red", "the only one is `size=SIZE`"),
        ("--volumes-from :ro", "names no container"),
    ] {
        host.minirun(format!("run {options} demo true"))
            .fails_with(125)
            .stderr_contains(problem);
    }
    assert!(!host.inside(|| Path::new("/run/x").exists()));
    host.finish();
}

#[test]
fn each_mount_is_told_with_its_command() {
    let host = TestHost::create();
    mounts_tmpfs(&host, "/run/shared");
    host.command("mount", "--make-rshared /run/shared")
        .succeeds();
    let told = host
        .minirun(
            "run --rm --explain -v /run/shared:/a:ro,rshared -v db:/b --tmpfs /c:size=1m demo true",
        )
        .succeeds();
    for command in [
        "$ mount --rbind /run/shared a && mount --make-rshared a && mount -o remount,bind,ro=recursive a",
        "$ mount --rbind /var/lib/minirun/volumes/db/_data b",
        "$ mkdir -p c && mount -t tmpfs -o noexec,nosuid,nodev,size=1m tmpfs c",
    ] {
        assert!(
            told.stderr().contains(command),
            "{command}\n{}",
            told.stderr()
        );
    }
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn a_size_that_the_file_system_cannot_keep_is_refused_in_words() {
    let host = TestHost::create();
    host.minirun("run --rm --storage-opt size=10m demo true")
        .fails_with(125)
        .stderr_contains("error: `--storage-opt size` cannot be kept: the file system of `/var/lib/minirun/containers` has no project quotas")
        .stderr_contains("hint: keep containers on ext4 or xfs mounted with `prjquota`");
    host.finish();
}

#[test]
fn links_on_the_way_to_a_source_are_the_hosts_own() {
    let host = host_with_busybox();
    host.write_file("/run/real/file", "real");
    host.inside(|| symlink("/run/real", "/run/alias")).unwrap();
    host.in_busybox("-v /run/alias:/data", "cat /data/file")
        .succeeds()
        .stdout_is("real");
    host.finish();
}
