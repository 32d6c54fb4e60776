//! What is in a volume before a container writes to it: what its image has there, or a part of what others wrote.

use minirun_integration::TestHost;
use serde_json::json;

const VOLUMES: &str = "/var/lib/minirun/volumes";

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

/// Imports the image `full`, in which `/data` belongs to 5:6, has mode 0750 and holds files, links and a pipe.
fn imports_full(host: &TestHost, changes: &[&str]) {
    let directory = host.makes_busybox_root();
    let script = format!(
        "cd {directory}/root && mkdir -p data/sub && echo one >data/file && ln data/file data/same && \
         ln -s /etc/passwd data/link && mkfifo data/pipe && echo two >data/sub/deep && \
         chown -R 5:6 data && chmod 750 data && chmod 4755 data/sub/deep && ln -s data alias"
    );
    host.command("sh", ["-c", &script]).succeeds();
    let root = format!("{directory}/root");
    let words: Vec<&str> = [&["import"][..], changes, &[root.as_str(), "full"][..]].concat();
    host.minirun(words.as_slice()).succeeds();
}

fn names(host: &TestHost, filters: &str) -> Vec<String> {
    let listed = host.minirun(format!("volume ls -q {filters}")).succeeds();
    listed.stdout().lines().map(str::to_owned).collect()
}

#[test]
fn an_empty_volume_gets_what_the_image_has_at_its_destination() {
    let host = host_with_busybox();
    imports_full(&host, &[]);
    let look = "cd /data && stat -c '%a %u:%g' . && stat -c '%h %F' file && readlink link && \
                stat -c %F pipe && stat -c '%a %u' sub/deep && cat file sub/deep && test file -ef same";
    let expected = "750 5:6\n2 regular file\n/etc/passwd\nfifo\n4755 5\none\ntwo";
    for options in ["-v db:/data", "-v /data", "--mount source=other,dst=/data"] {
        let words = ["run", "--rm"].into_iter().chain(options.split(' '));
        let words: Vec<&str> = words.chain(["full", "sh", "-c", look]).collect();
        host.minirun(words.as_slice())
            .succeeds()
            .stdout_is(expected);
    }
    host.minirun("run --rm -v db:/data full sh -c rm${IFS}/data/file;echo${IFS}new>/data/sub/deep")
        .succeeds();
    host.minirun("run --rm -v db:/data full ls /data")
        .succeeds()
        .stdout_is("link\npipe\nsame\nsub");
    host.minirun("run --rm -v db:/alias full ls /alias")
        .succeeds()
        .stdout_is("link\npipe\nsame\nsub");
    host.minirun("volume rm db other").succeeds();
    host.finish();
}

#[test]
fn nothing_is_copied_where_that_is_not_wanted_or_something_is_there() {
    let host = host_with_busybox();
    imports_full(&host, &[]);
    for options in [
        "-v db:/data:nocopy",
        "--mount source=db,dst=/data,volume-nocopy",
    ] {
        host.minirun(format!("run --rm {options} full ls /data"))
            .succeeds()
            .stdout_is("");
    }
    host.in_busybox("-v db:/x", "echo mine >/x/mine").succeeds();
    host.minirun("run --rm -v db:/data full ls /data")
        .succeeds()
        .stdout_is("mine");
    host.write_file("/run/bound/empty/file", "");
    host.minirun("run --rm -v /run/bound/empty:/data full ls /data")
        .succeeds()
        .stdout_is("file");
    host.minirun("volume rm db").succeeds();
    // An alias that leads to the directory is looked for in the image.
    host.minirun("run --rm -v db:/alias full ls /data/sub")
        .succeeds()
        .stdout_is("deep");
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn an_image_says_what_gets_a_volume() {
    let host = host_with_busybox();
    imports_full(&host, &["-c", "VOLUME [\"/data\", \"/logs\"]"]);
    assert_eq!(
        host.minirun("inspect full").succeeds().json()[0]["Config"]["Volumes"],
        json!({"/data": {}, "/logs": {}})
    );
    host.minirun("run -d --name web -v logs:/logs full sleep 1000")
        .succeeds();
    let web = host.container("web");
    let anonymous = web.mounted("/data").expect("it is mounted").root;
    let name = anonymous
        .rsplit('/')
        .nth(1)
        .expect("a directory")
        .to_owned();
    assert_eq!(name.len(), 64);
    assert_eq!(names(&host, ""), [name.as_str(), "logs"]);
    host.minirun("exec web cat /data/file")
        .succeeds()
        .stdout_is("one");
    host.minirun("rm -fv web").succeeds();
    assert_eq!(names(&host, ""), ["logs"]);

    host.minirun("run -d --name web --tmpfs /data -v /run/bound:/logs full sleep 1000")
        .succeeds();
    assert_eq!(web.mounted("/data").expect("it is mounted").kind, "tmpfs");
    assert_eq!(
        names(&host, ""),
        ["logs"],
        "what the user mounts is stronger"
    );
    host.removes("web");
    host.minirun("volume rm logs").succeeds();
    host.finish();
}

#[test]
fn a_part_of_a_volume_can_be_mounted() {
    let host = host_with_busybox();
    host.in_busybox(
        "-v db:/x",
        "mkdir -p /x/a/b; echo deep >/x/a/b/file; ln -s a/b /x/short",
    )
    .succeeds();
    for (subpath, shown) in [("a/b", "file"), ("short", "file"), ("a", "b")] {
        host.minirun(format!(
            "run --rm --mount source=db,dst=/y,volume-subpath={subpath} busybox ls /y"
        ))
        .succeeds()
        .stdout_is(shown);
    }
    host.minirun("run --rm --mount source=db,dst=/y,volume-subpath=a/b/file busybox cat /y")
        .succeeds()
        .stdout_is("deep");
    host.minirun("run --rm --mount source=db,dst=/y,volume-subpath=nosuch demo true")
        .fails_with(125)
        .stderr_contains("cannot mount `/var/lib/minirun/volumes/db/_data/nosuch` on `/y`: No such file or directory");
    host.minirun("volume rm db").succeeds();
    host.finish();
}

#[test]
fn what_a_killed_command_left_is_finished_by_the_next_one() {
    let host = host_with_busybox();
    // Half removed: the record went first.
    host.minirun("volume create db").succeeds();
    host.write_file(&format!("{VOLUMES}/db/_data/secret"), "old");
    host.inside(|| std::fs::remove_file(format!("{VOLUMES}/db/volume.json")))
        .unwrap();
    host.minirun("volume ls -q").succeeds().stdout_is("");
    assert!(!host.inside(|| std::path::Path::new(VOLUMES).join("db").exists()));
    // Half filled: what is not whole is thrown away, what is whole is moved in, and what a container wrote stays.
    imports_full(&host, &[]);
    host.minirun("volume create db").succeeds();
    host.write_file(&format!("{VOLUMES}/db/_new/half"), "half");
    host.minirun("run --rm -v db:/data full ls /data")
        .succeeds()
        .stdout_is("file\nlink\npipe\nsame\nsub");
    host.minirun("volume rm db").succeeds();
    host.minirun("volume create db").succeeds();
    host.write_file(&format!("{VOLUMES}/db/_ready/rest"), "rest");
    host.write_file(&format!("{VOLUMES}/db/_ready/both"), "image");
    host.write_file(&format!("{VOLUMES}/db/_data/both"), "container");
    host.minirun("run --rm -v db:/data full sh -c cd${IFS}/data;ls;cat${IFS}both")
        .succeeds()
        .stdout_is("both\nrest\ncontainer");
    host.minirun("volume rm db").succeeds();
    host.finish();
}
