//! Mounts under attack: by images and volumes whose symbolic links lead elsewhere, and by containers that change them meanwhile.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use minirun_integration::TestHost;

const VOLUMES: &str = "/var/lib/minirun/volumes";

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.write_file("/run/secret/file", "of the host");
    host.write_file("/run/bound/file", "bound");
    host
}

/// Imports the image `evil`: busybox with symbolic links of these names and targets.
fn imports_evil(host: &TestHost, links: &[(&str, &str)]) {
    let root = format!("{}/root", host.makes_busybox_root());
    host.inside(|| {
        for (name, target) in links {
            symlink(target, Path::new(&root).join(name)).expect("a link");
        }
    });
    host.minirun(["import", &root, "evil"]).succeeds();
}

/// Expects that nothing of the host was covered or changed.
#[track_caller]
fn is_untouched(host: &TestHost) {
    let entries = host.command("ls", "/run/secret").succeeds();
    assert_eq!(entries.line(), "file");
    assert_eq!(host.read_file("/run/secret/file"), "of the host");
    let mounts = host.read_file("/proc/thread-self/mountinfo");
    let strange = mounts.lines().find(|line| {
        line.split(' ')
            .nth(4)
            .is_some_and(|point| point.contains("/bound"))
    });
    assert_eq!(strange, None);
    assert!(!host.inside(|| Path::new("/planted").exists()));
}

#[test]
fn links_of_an_image_never_lead_a_mount_out_of_the_container() {
    let host = host_with_busybox();
    imports_evil(
        &host,
        &[
            ("root-link", "/"),
            ("climb", "../../../../.."),
            ("magic", "/proc/self/root"),
            ("cwd", "/proc/self/cwd"),
            ("kernel", "/proc/sys/kernel"),
            ("outside", "/run/secret"),
            ("ring", "ring"),
        ],
    );
    let refusals = [
        (
            "/root-link",
            "a symbolic link on the way leads to the root directory, into /proc",
        ),
        (
            "/climb",
            "a symbolic link on the way leads to the root directory, into /proc",
        ),
        (
            "/climb/climb",
            "a symbolic link on the way leads to the root directory, into /proc",
        ),
        (
            "/kernel",
            "a symbolic link on the way leads to the root directory, into /proc",
        ),
        ("/magic", "Too many symbolic links"),
        ("/magic/planted", "Too many symbolic links"),
        ("/cwd/planted", "Too many symbolic links"),
        ("/ring/x", "Too many symbolic links"),
    ];
    for (destination, reason) in refusals {
        for option in ["-v /run/bound:", "-v vol:", "--tmpfs "] {
            host.minirun(format!("run --rm {option}{destination} evil true"))
                .fails_with(125)
                .stderr_contains(reason);
        }
    }
    host.minirun("run --rm -v /run/bound:/kernel/planted evil true")
        .fails_with(125);
    for (destination, place) in [
        ("/climb/planted", "/planted"),
        ("/root-link/planted", "/planted"),
        ("/outside/planted", "/run/secret/planted"),
        ("/outside", "/run/secret"),
    ] {
        host.minirun(format!(
            "run -d --name web -v /run/bound:{destination} evil sleep 1000"
        ))
        .succeeds();
        assert!(
            host.container("web").mounted(place).is_some(),
            "{destination}"
        );
        host.removes("web");
        is_untouched(&host);
    }
    host.minirun("volume prune -af").succeeds();
    host.finish();
}

#[test]
fn links_in_a_volume_never_lead_a_mount_out_of_the_container() {
    let host = host_with_busybox();
    host.in_busybox(
        "-v vol:/data",
        "cd /data; ln -s / top; ln -s ../../../../run/secret climb; ln -s /proc/1/root magic",
    )
    .succeeds();
    for (destination, place) in [
        ("/data/top/planted", Some("/planted")),
        ("/data/climb", Some("/run/secret")),
        ("/data/climb/planted", Some("/run/secret/planted")),
        ("/data/magic/planted", None),
        ("/data/top", None),
    ] {
        let started = host.minirun(format!(
            "run -d --name web -v vol:/data -v /run/bound:{destination} busybox sleep 1000"
        ));
        match place {
            Some(place) => {
                started.succeeds();
                assert!(
                    host.container("web").mounted(place).is_some(),
                    "{destination}"
                );
            }
            None => {
                started.fails_with(125);
            }
        }
        host.removes("web");
        is_untouched(&host);
    }
    host.minirun("volume rm vol").succeeds();
    host.finish();
}

#[test]
fn a_part_of_a_volume_is_never_a_part_of_the_host() {
    let host = host_with_busybox();
    host.in_busybox(
        "-v vol:/data",
        "cd /data; ln -s /run/secret absolute; ln -s ../../../../../../run/secret climb; ln -s /proc/self/root magic; mkdir in; ln -s ../in in/good",
    )
    .succeeds();
    for part in ["absolute", "absolute/file", "climb", "magic/run/secret"] {
        let problem = format!("cannot mount `{VOLUMES}/vol/_data/{part}` on `/x`");
        for option in [
            format!("--mount source=vol,dst=/x,volume-subpath={part}"),
            // Whoever names the path on the host is asked no other question: containers write there.
            format!("--mount type=bind,src={VOLUMES}/vol/_data/{part},dst=/x"),
        ] {
            let answer = host
                .minirun(format!("run --rm {option} busybox cat /x/file"))
                .fails_with(125);
            assert!(
                answer.stderr().contains(&problem) || answer.stderr().contains("does not exist"),
                "{option}: {}",
                answer.stderr()
            );
        }
    }
    host.minirun("run --rm --mount source=vol,dst=/x,volume-subpath=in/good busybox ls /x")
        .succeeds()
        .stdout_is("good");
    host.minirun("run --rm --mount source=vol,dst=/x,volume-subpath=../../vol busybox true")
        .fails_with(125)
        .stderr_contains("is not a relative path inside of the volume");
    host.minirun("volume rm vol").succeeds();
    host.finish();
}

/// Exchanges a directory and a link to the host's root as fast as it can. `real/run/secret/file` is the volume's own.
const EXCHANGE: &str = "cd /data; mkdir -p real/run/secret; echo of the volume >real/run/secret/file; ln -s / link; \
                        mv real part; echo ready; while :; do mv part real; mv link part; mv part link; mv real part; done";

#[test]
fn a_container_that_exchanges_links_wins_no_race_for_a_part_of_its_volume() {
    let host = host_with_busybox();
    host.runs_script("attacker", "-v vol:/data", EXCHANGE);
    host.container("attacker").awaits_log("ready");
    let mut mounted = 0;
    for _ in 0..60 {
        let answer = host.minirun("run --rm --network none --mount source=vol,dst=/x,volume-subpath=part/run/secret busybox cat /x/file");
        match answer.code() {
            Some(0) => {
                assert_eq!(answer.line(), "of the volume");
                mounted += 1;
            }
            code => assert_eq!(code, Some(125), "{}", answer.stderr()),
        }
    }
    assert!(
        mounted > 0,
        "the race is no race if nothing is ever mounted"
    );
    host.removes("attacker");
    is_untouched(&host);
    host.minirun("volume rm vol").succeeds();
    host.finish();
}

#[test]
fn a_container_that_exchanges_links_wins_no_race_for_a_destination() {
    let host = host_with_busybox();
    host.runs_script("attacker", "-v vol:/data", EXCHANGE);
    host.container("attacker").awaits_log("ready");
    host.minirun("create --name victim --network none -v vol:/data -v /run/bound:/data/part/run/secret/planted/deep busybox sleep 1000")
        .succeeds();
    let mut mounted = 0;
    for _ in 0..40 {
        // Where it is mounted depends on what stood there at that moment; whether it starts, too. Outside nothing happens.
        let started = host.minirun("restart -t 0 victim");
        if started.code() == Some(0) {
            let victim = host.container("victim");
            let bound: Vec<_> = victim
                .all_mounted()
                .into_iter()
                .filter(|mount| mount.root.ends_with("/bound"))
                .collect();
            // The attacker owns the volume. When a directory that was made in the wrong moment is in its way, it copies and
            // removes it, and the kernel takes off what somebody else has mounted there (`detach_mounts` in `fs/namespace.c`).
            assert!(bound.len() <= 1, "{bound:?}");
            mounted += bound.len();
        }
        is_untouched(&host);
    }
    assert!(
        mounted > 0,
        "the race is no race if nothing is ever mounted"
    );
    host.removes("attacker victim");
    host.minirun("volume rm vol").succeeds();
    host.finish();
}

#[test]
fn a_container_cannot_replace_the_directory_of_its_volume() {
    let host = host_with_busybox();
    host.in_busybox(
        "-v vol:/data",
        "rmdir /data; mv /data /other; rm -rf /data; ln -sfn /run/secret /data; ls -d /data",
    )
    .succeeds()
    .stdout_is("/data")
    .stderr_contains("busy");
    let data = format!("{VOLUMES}/vol/_data");
    assert!(host.inside(|| fs::symlink_metadata(&data).unwrap().is_dir()));
    host.in_busybox("-v vol:/x", "readlink /x/secret || echo nothing else")
        .succeeds();
    is_untouched(&host);
    host.minirun("volume rm vol").succeeds();
    host.finish();
}

#[test]
fn what_an_image_has_for_a_volume_is_copied_as_it_is_and_from_nowhere_else() {
    let host = host_with_busybox();
    let root = format!("{}/root", host.makes_busybox_root());
    let script = format!(
        "cd {root} && mkdir data && ln -s /run/secret/file data/link && ln -s /run/secret data/directory && \
         mkfifo data/pipe && echo x >data/file && ln data/file data/same && ln -s ../../../../../run/secret aside"
    );
    host.command("sh", ["-c", &script]).succeeds();
    host.minirun(["import", &root, "evil"]).succeeds();
    host.minirun("run --rm -v vol:/data evil true").succeeds();
    let data = format!("{VOLUMES}/vol/_data");
    host.inside(|| {
        let path = |name: &str| Path::new(&data).join(name);
        assert_eq!(
            fs::read_link(path("link")).unwrap(),
            Path::new("/run/secret/file")
        );
        assert_eq!(
            fs::read_link(path("directory")).unwrap(),
            Path::new("/run/secret")
        );
        assert_eq!(fs::read_dir(&data).unwrap().count(), 5);
    });
    host.minirun("run --rm -v other:/aside evil true")
        .succeeds();
    let copied = host.inside(|| {
        fs::read_dir(format!("{VOLUMES}/other/_data"))
            .unwrap()
            .count()
    });
    assert_eq!(copied, 0, "the host's directory is not the image's");
    // Pruning and measuring follow no link either.
    host.minirun("volume rm other").succeeds();
    host.minirun("volume prune -af")
        .succeeds()
        .stdout_contains("Total reclaimed space: 29B");
    is_untouched(&host);
    host.finish();
}

/// The kernel refuses such a link when it mounts; what is missing was made before, through the link.
#[test]
fn a_link_in_a_volume_makes_no_directory_outside_of_it() {
    let host = host_with_busybox();
    host.command("mkdir", ["/run/victim"]).succeeds();
    host.minirun("run --name web1 --network none -v vol:/data busybox ln -s /run/victim /data/out")
        .succeeds();
    let made = format!("{VOLUMES}/vol/_data/out/made");
    host.minirun(format!("run --network none -v {made}:/x busybox true"))
        .fails();
    host.command("ls", ["-A", "/run/victim"])
        .succeeds()
        .stdout_is("");
    host.removes("web1");
    host.minirun("volume rm vol").succeeds();
    host.finish();
}
