//! File systems in memory: `--tmpfs`, `--mount type=tmpfs` and `--shm-size`.

use minirun_integration::TestHost;

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

#[test]
fn the_proxy_of_seed_001_writes_to_memory_only() {
    let host = host_with_busybox();
    let mut options = String::from("-d --name nginx-secure --read-only");
    for (key, name) in [
        ("destination", "proxy"),
        ("dst", "client"),
        ("target", "fastcgi"),
    ] {
        options.push_str(&format!(
            " --mount type=tmpfs,{key}=/tmp/{name}_temp,tmpfs-size=2m"
        ));
    }
    host.minirun(format!("run {options} busybox sleep 1000"))
        .succeeds();
    let proxy = host.container("nginx-secure");
    for name in ["proxy", "client", "fastcgi"] {
        let mount = proxy
            .mounted(&format!("/tmp/{name}_temp"))
            .expect("it is mounted");
        assert_eq!(mount.kind, "tmpfs");
        for option in ["rw", "noexec", "nosuid", "nodev", "size=2048k"] {
            assert!(mount.has(option), "{option}: {mount:?}");
        }
    }
    host.minirun("exec nginx-secure dd if=/dev/zero of=/tmp/proxy_temp/x bs=1024k count=3")
        .fails()
        .stderr_contains("No space left on device");
    host.minirun("exec nginx-secure touch /tmp/file")
        .fails()
        .stderr_contains("Read-only file system");
    host.removes("nginx-secure");
    host.finish();
}

#[test]
fn a_tmpfs_runs_no_programs_unless_it_is_told_to() {
    let host = host_with_busybox();
    let script = "cp /bin/busybox /x/ && /x/busybox echo ran";
    host.in_busybox("--tmpfs /x", script)
        .fails()
        .stderr_contains("Permission denied");
    host.in_busybox("--tmpfs /x:exec", script)
        .succeeds()
        .stdout_is("ran");
    host.in_busybox("--tmpfs /x:ro", "touch /x/file")
        .fails()
        .stderr_contains("Read-only file system");
    host.finish();
}

#[test]
fn size_mode_and_owner_are_as_asked_for() {
    let host = host_with_busybox();
    for (options, mode, owner) in [
        ("--tmpfs /x:size=1m,mode=750,uid=5,gid=6", "750", "5:6"),
        (
            "--mount type=tmpfs,dst=/x,tmpfs-size=1048576,tmpfs-mode=1700",
            "1700",
            "0:0",
        ),
        ("--tmpfs /x:size=1m", "1777", "0:0"),
    ] {
        host.in_busybox(
            options,
            "stat -c '%a %u:%g' /x; df -k /x | tail -1 | awk '{print $2}'",
        )
        .succeeds()
        .stdout_is(&format!("{mode} {owner}\n1024"));
    }
    host.finish();
}

#[test]
fn a_directory_of_the_image_keeps_its_mode_under_a_tmpfs() {
    let host = host_with_busybox();
    for (options, mode) in [
        ("--tmpfs /root", "755"),
        ("--tmpfs /tmp", "1777"),
        ("--tmpfs /root:mode=700", "700"),
        ("--mount type=tmpfs,dst=/root,tmpfs-mode=711", "711"),
    ] {
        let path = if options.contains("/tmp ") || options.ends_with("/tmp") {
            "/tmp"
        } else {
            "/root"
        };
        host.in_busybox(options, &format!("stat -c %a {path}"))
            .succeeds()
            .stdout_is(mode);
    }
    host.finish();
}

#[test]
fn shared_memory_has_the_size_that_is_asked_for() {
    let host = host_with_busybox();
    let web = host.idles("web", "--shm-size 128m");
    assert!(web.mounted("/dev/shm").unwrap().has("size=131072k"));
    host.removes("web");
    for options in ["", "--shm-size 0"] {
        let web = host.idles("web", options);
        assert!(web.mounted("/dev/shm").unwrap().has("size=65536k"));
        assert_eq!(web.inspect()["HostConfig"]["ShmSize"], 64 << 20);
        host.removes("web");
    }
    host.in_busybox(
        "--shm-size 1m",
        "dd if=/dev/zero of=/dev/shm/x bs=1024k count=2",
    )
    .fails()
    .stderr_contains("No space left on device");
    host.finish();
}

#[test]
fn what_is_in_memory_is_gone_with_a_restart() {
    let host = host_with_busybox();
    host.minirun("run -d --name web --tmpfs /x busybox sleep 1000")
        .succeeds();
    host.minirun("exec web touch /x/file").succeeds();
    host.minirun("restart -t 0 web").succeeds();
    host.minirun("exec web ls /x").succeeds().stdout_is("");
    host.removes("web");
    host.finish();
}
