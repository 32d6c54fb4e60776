//! Volumes: what containers leave behind for others, and what becomes of it.

use minirun_integration::TestHost;
use serde_json::json;

const VOLUMES: &str = "/var/lib/minirun/volumes";

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

fn names(host: &TestHost, filters: &str) -> Vec<String> {
    let listed = host.minirun(format!("volume ls -q {filters}")).succeeds();
    listed.stdout().lines().map(str::to_owned).collect()
}

#[test]
fn data_in_a_named_volume_outlives_its_containers() {
    let host = host_with_busybox();
    host.in_busybox("-v db:/data", "echo kept >/data/file")
        .succeeds()
        .stderr_is("");
    host.in_busybox("-v db:/other:ro", "cat /other/file; echo x >/other/file")
        .fails_with(1)
        .stdout_is("kept")
        .stderr_contains("Read-only file system");
    let container = host.idles("web", "-v db:/data");
    let mount = container.mounted("/data").expect("it is mounted");
    assert!(
        mount.root.ends_with("/minirun/volumes/db/_data"),
        "{mount:?}"
    );
    assert!(mount.has("rw"), "{mount:?}");
    assert!(mount.propagation.is_empty(), "{mount:?}");
    host.minirun("restart -t 0 web").succeeds();
    assert_eq!(
        host.minirun("exec web cat /data/file").succeeds().line(),
        "kept"
    );
    host.removes("web");
    assert_eq!(names(&host, ""), ["db"]);
    host.minirun("volume rm db").succeeds().stdout_is("db");
    host.finish();
}

#[test]
fn a_volume_that_a_container_has_cannot_be_removed() {
    let host = TestHost::create();
    host.minirun("create --name web -v db:/data demo true")
        .succeeds();
    host.minirun("volume rm db")
        .fails_with(1)
        .stderr_is("error: volume `db` is used by container `web`\nhint: remove what uses it first: `minirun rm web`");
    host.minirun("volume prune -af")
        .succeeds()
        .stdout_is("Total reclaimed space: 0B");
    host.minirun("rm web").succeeds();
    host.minirun("volume prune -f")
        .succeeds()
        .stdout_is("Total reclaimed space: 0B");
    host.minirun("volume prune -af")
        .succeeds()
        .stdout_is("Deleted Volumes:\ndb\n\nTotal reclaimed space: 0B");
    host.minirun("volume rm db")
        .fails_with(1)
        .stderr_contains("no volume is called `db`");
    host.minirun("volume rm -f db").succeeds();
    host.finish();
}

#[test]
fn an_anonymous_volume_goes_with_its_container_when_that_is_asked_for() {
    let host = host_with_busybox();
    host.in_busybox("-v /data -v db:/db", "echo x >/data/file")
        .succeeds();
    assert_eq!(names(&host, ""), ["db"], "`--rm` removes what nobody named");

    host.minirun("run --name one -v /data busybox true")
        .succeeds();
    host.minirun("run --name two -v /data -v db:/db busybox true")
        .succeeds();
    host.minirun("rm -v two").succeeds();
    let left = names(&host, "--filter dangling=false");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].len(), 64);
    host.minirun("rm one").succeeds();
    assert_eq!(names(&host, "").len(), 2, "`rm` alone keeps volumes");
    let dangling = names(&host, "--filter dangling=true");
    assert!(dangling.contains(&left[0]));

    host.in_busybox("-v /x", "head -c 1000 /dev/zero >/x/zeroes; exit 3")
        .fails_with(3);
    host.minirun("run --name three -v /data busybox dd if=/dev/zero of=/data/x bs=1000 count=5")
        .succeeds();
    host.minirun("rm three").succeeds();
    host.minirun("volume prune --force")
        .succeeds()
        .stdout_contains("Total reclaimed space: 5kB");
    assert_eq!(names(&host, ""), ["db"]);
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn volumes_are_made_listed_shown_and_pruned() {
    let host = TestHost::create();
    host.minirun("volume create --label tier=back stock")
        .succeeds()
        .stdout_is("stock");
    host.minirun("volume create stock")
        .succeeds()
        .stdout_is("stock");
    let anonymous = host.minirun("volume create").succeeds().line().to_owned();
    assert_eq!(anonymous.len(), 64);
    host.minirun("volume ls --filter name=stock")
        .succeeds()
        .stdout_is("DRIVER    VOLUME NAME\nlocal     stock");
    assert_eq!(names(&host, "--filter label=tier=back"), ["stock"]);
    host.minirun([
        "volume",
        "ls",
        "--filter",
        "name=stock",
        "--format",
        "{{.Name}} {{.Driver}} {{.Mountpoint}}",
    ])
    .succeeds()
    .stdout_is(&format!("stock local {VOLUMES}/stock/_data"));
    let document = host.minirun("volume inspect stock").succeeds().json();
    assert_eq!(document[0]["Mountpoint"], format!("{VOLUMES}/stock/_data"));
    assert_eq!(document[0]["Labels"], json!({"tier": "back"}));
    assert_eq!(document[0]["Driver"], "local");
    host.minirun("volume inspect nosuch")
        .fails_with(1)
        .stdout_is("[]")
        .stderr_contains("no volume is called `nosuch`");
    host.minirun("volume prune")
        .fails_with(1)
        .stderr_contains("nobody can confirm this");
    host.minirun("volume prune -f")
        .succeeds()
        .stdout_contains(&format!("Deleted Volumes:\n{anonymous}\n"));
    host.minirun("volume prune -af --filter label!=tier")
        .succeeds();
    assert_eq!(names(&host, ""), ["stock"]);
    host.minirun("volume prune -af --filter label=tier")
        .succeeds();
    for (words, problem) in [
        ("volume create a", "too short"),
        ("volume create ../x", "holds a `/`"),
        ("volume create -d nfs stock", "the only one is `local`"),
        ("volume ls --filter colour=red", "unknown filter `colour`"),
    ] {
        host.minirun(words).fails_with(125).stderr_contains(problem);
    }
    host.finish();
}

#[test]
fn only_root_can_look_into_the_directory_of_volumes() {
    let host = TestHost::create();
    host.minirun("volume create db").succeeds();
    host.command("stat", ["-c", "%a", VOLUMES])
        .succeeds()
        .stdout_is("700");
    host.command("stat", ["-c", "%a %u:%g", &format!("{VOLUMES}/db/_data")])
        .succeeds()
        .stdout_is("755 0:0");
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn a_container_can_have_what_another_has() {
    let host = host_with_busybox();
    host.write_file("/run/bound/file", "bound");
    host.minirun("run -d --name one -v db:/db -v /anonymous -v /run/bound:/bound:ro --tmpfs /memory busybox sh -c echo${IFS}x>/anonymous/file;sleep${IFS}1000")
        .succeeds();
    let two = host.idles("two", "--volumes-from one");
    let one = host.container("one");
    for point in ["/db", "/anonymous", "/bound"] {
        let (there, here) = (one.mounted(point).unwrap(), two.mounted(point).unwrap());
        assert_eq!(
            (there.root, there.options),
            (here.root, here.options),
            "{point}"
        );
    }
    assert_eq!(two.mounted("/memory"), None);
    assert_eq!(two.inspect()["HostConfig"]["VolumesFrom"], json!(["one"]));

    let three = host.idles("three", "--volumes-from one:ro -v /run/bound:/db");
    assert!(three.mounted("/anonymous").unwrap().has("ro"));
    assert!(three.mounted("/db").unwrap().root.ends_with("/bound"));
    host.minirun("rm -fv one three").succeeds();
    assert_eq!(
        names(&host, "").len(),
        2,
        "the anonymous volume is used by `two`"
    );
    host.minirun("rm -fv two").succeeds();
    assert_eq!(
        names(&host, ""),
        ["db"],
        "nobody has the anonymous volume any more"
    );
    host.minirun("run --rm --volumes-from nosuch demo true")
        .fails_with(125)
        .stderr_contains("no container is called `nosuch`");
    host.minirun("volume prune -af").succeeds();
    host.finish();
}

#[test]
fn what_is_mounted_is_shown() {
    let host = TestHost::create();
    let web = host.idles(
        "web",
        "-v db:/db:ro -v /run/a-long-name-indeed:/bound:private --mount type=tmpfs,dst=/memory,tmpfs-size=1m,tmpfs-mode=700 --tmpfs /t:size=2m --shm-size 1m",
    );
    let document = web.inspect();
    assert_eq!(
        document["Mounts"],
        json!([
            {"Type": "volume", "Name": "db", "Source": format!("{VOLUMES}/db/_data"), "Destination": "/db", "Driver": "local", "Mode": "ro", "RW": false, "Propagation": ""},
            {"Type": "bind", "Source": "/run/a-long-name-indeed", "Destination": "/bound", "Mode": "private", "RW": true, "Propagation": "private"},
            {"Type": "tmpfs", "Source": "", "Destination": "/memory", "Mode": "", "RW": true, "Propagation": ""},
        ])
    );
    let asked = &document["HostConfig"];
    assert_eq!(
        asked["Binds"],
        json!(["db:/db:ro", "/run/a-long-name-indeed:/bound:private"])
    );
    assert_eq!(asked["Tmpfs"], json!({"/t": "size=2m"}));
    assert_eq!(asked["ShmSize"], 1 << 20);
    assert_eq!(
        asked["Mounts"],
        json!([{"Type": "tmpfs", "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o700}, "Target": "/memory"}])
    );
    let row = |options: &str| {
        let words = format!("ps {options} --format {{{{.Mounts}}}}/{{{{.LocalVolumes}}}}");
        host.minirun(words).succeeds().line().to_owned()
    };
    assert_eq!(row(""), "db,/run/a-long-na…/1");
    assert_eq!(row("--no-trunc"), "db,/run/a-long-name-indeed/1");
    for (filter, expected) in [("db", "web"), ("/bound", "web"), ("other", "")] {
        host.minirun(format!(
            "ps --filter volume={filter} --format {{{{.Names}}}}"
        ))
        .succeeds()
        .stdout_is(expected);
    }
    host.removes("web");
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn a_command_that_fails_leaves_no_volume_behind() {
    let host = TestHost::create();
    host.minirun("volume create old").succeeds();
    host.minirun("create --name web demo true").succeeds();
    for (options, problem) in [
        ("--name web", "the name `web` is taken"),
        ("--mount type=bind,src=/nosuch,dst=/y", "it does not exist"),
        (
            "-v other:/data",
            "several mounts have the destination `/data`",
        ),
        ("--storage-opt size=10m", "has no project quotas"),
    ] {
        host.minirun(format!(
            "run {options} -v new:/data -v old:/old -v /anonymous demo true"
        ))
        .fails_with(125)
        .stderr_contains(problem);
        assert_eq!(names(&host, ""), ["old"], "{options}");
    }
    host.minirun("rm web").succeeds();
    host.minirun("volume rm old").succeeds();
    host.finish();
}

#[test]
fn a_volume_that_is_gone_is_missed_when_its_container_starts() {
    let host = TestHost::create();
    host.minirun("create --name web -v db:/data demo true")
        .succeeds();
    host.inside(|| std::fs::remove_dir_all(format!("{VOLUMES}/db")))
        .unwrap();
    host.minirun("start web").fails().stderr_is(
        "error: volume `db` of container `web` does not exist any more\nhint: make it anew, empty: `minirun volume create db`",
    );
    host.minirun("volume create db").succeeds();
    host.minirun("start -a web").succeeds();
    host.minirun("rm web").succeeds();
    host.minirun("volume rm db").succeeds();
    host.finish();
}

/// A removal and a creation that cross must not leave a container without its volume.
#[test]
fn no_volume_is_removed_under_a_container_that_is_being_made() {
    let host = TestHost::create();
    for round in 0..10 {
        let names: Vec<String> = (0..3).map(|number| format!("c{round}-{number}")).collect();
        let creating: Vec<_> = names
            .iter()
            .map(|name| {
                host.spawn_minirun(format!(
                    "create --name {name} -v db:/data -v other:/x demo true"
                ))
            })
            .collect();
        let removing: Vec<_> = (0..4)
            .map(|_| host.spawn_minirun("volume rm db other"))
            .collect();
        for command in creating {
            command.finish().succeeds();
        }
        for command in removing {
            command.finish();
        }
        for name in &names {
            host.minirun(format!("start -a {name}")).succeeds();
        }
        host.minirun(format!("rm {}", names.join(" "))).succeeds();
    }
    host.minirun("volume rm -f db other").succeeds();
    host.finish();
}
