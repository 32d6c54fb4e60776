//! How much of the disk is used, compared with what is on it.

use minirun_integration::TestHost;
use serde_json::Value;

/// What the machine itself counts below a directory, directories not counted.
fn counted(host: &TestHost, directory: &str) -> u64 {
    let script = format!("find {directory} -xdev ! -type d -printf '%i %s\\n' | sort -u");
    let listed = host.command("sh", ["-c", &script]).succeeds();
    let sizes = listed.stdout().lines().map(|line| {
        let (_, size) = line.split_once(' ').expect("a number and a size");
        size.parse::<u64>().expect("a size")
    });
    sizes.sum()
}

fn rows(host: &TestHost) -> Vec<Value> {
    let shown = host.minirun("system df --format json").succeeds();
    let rows = shown.stdout().lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().expect("every line is JSON")
}

#[test]
fn images_containers_and_volumes_are_measured() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script =
        "head -c 300000 /dev/zero > /big; ln /big /again; ln -s /big /link; sleep 1000 & wait";
    host.runs_script("web", "", &format!("echo ready; {script}"));
    host.container("web").awaits_log("ready");
    host.minirun(["exec", "web", "sh", "-c", "until test -L /link; do :; done"])
        .succeeds();
    host.minirun([
        "run",
        "--name",
        "job",
        "busybox",
        "sh",
        "-c",
        "head -c 100000 /dev/zero > /small",
    ])
    .succeeds();
    host.minirun("volume create data").succeeds();
    host.write_file("/var/lib/minirun/volumes/data/_data/file", &"x".repeat(36));
    let rows = rows(&host);
    let row = |kind: &str| {
        rows.iter()
            .find(|row| row["Type"] == kind)
            .expect("a row")
            .clone()
    };
    assert_eq!(
        row("Containers"),
        serde_json::json!({
            // The link has the length of its target.
            "Active": "1", "Reclaimable": "100kB (24%)", "Size": "400kB", "TotalCount": "2", "Type": "Containers",
        })
    );
    assert_eq!(
        row("Local Volumes"),
        serde_json::json!({
            "Active": "0", "Reclaimable": "36B (100%)", "Size": "36B", "TotalCount": "1", "Type": "Local Volumes",
        })
    );
    assert_eq!(row("Images")["TotalCount"], "1");
    assert_eq!(row("Images")["Active"], "1");
    assert_eq!(row("Images")["Reclaimable"], "0B (0%)");
    let size = host
        .minirun([
            "inspect",
            "--size",
            "--format",
            "{{.SizeRw}} {{.SizeRootFs}}",
            "web",
        ])
        .succeeds();
    let (writable, root) = size.line().split_once(' ').expect("two sizes");
    assert_eq!(writable, "300004");
    let id = host.container("web").inspect()["Id"]
        .to_string()
        .replace('"', "");
    let upper = format!("/var/lib/minirun/containers/{id}/upper");
    assert_eq!(counted(&host, &upper), 300_004);
    assert!(root.parse::<u64>().expect("a size") > 300_004);
    host.minirun("ps -as --filter name=web --format {{.Size}}")
        .succeeds()
        .stdout_contains("300kB (virtual ");
    host.inside(|| std::fs::remove_dir_all("/var/lib/minirun/volumes").expect("it is ours"));
    host.removes("web job");
    host.finish();
}

#[test]
fn a_layer_that_images_share_counts_once() {
    let host = TestHost::create();
    let archive = format!("{}/rootfs.tar", host.makes_busybox_root());
    host.minirun(["import", &archive, "busybox"]).succeeds();
    host.minirun(["import", "-c", "ENV A=b", &archive, "other"])
        .succeeds();
    let verbose = host.minirun("system df -v --format json").succeeds().json();
    let image = &verbose["Images"][0];
    assert_eq!(verbose["Images"].as_array().map(Vec::len), Some(2));
    assert_eq!(image["SharedSize"], image["Size"]);
    assert_eq!(image["UniqueSize"], "0B");
    let row = &rows(&host)[0];
    assert_eq!(row["Size"], image["Size"]);
    assert_eq!(row["Active"], "0");
    assert!(
        row["Reclaimable"]
            .as_str()
            .is_some_and(|text| text.ends_with("(100%)"))
    );
    host.finish();
}

#[test]
fn neither_mounts_nor_links_are_followed() {
    let host = TestHost::create();
    host.minirun("create --name box demo").succeeds();
    let upper = host.command("sh", ["-c", "echo /var/lib/minirun/containers/*/upper"]);
    let upper = upper.succeeds().line().to_owned();
    let script = format!(
        "mkdir -p {upper}/mounted {upper}/bound /var/lib/outside && head -c 5000 /dev/zero > /var/lib/outside/file
         mount -t tmpfs none {upper}/mounted && head -c 70000 /dev/zero > {upper}/mounted/file
         mount --bind /var/lib/outside {upper}/bound
         ln -s /var/lib/outside {upper}/out
         head -c 10 /dev/zero > {upper}/own"
    );
    host.command("sh", ["-c", &script]).succeeds();
    let shown = host
        .minirun(["inspect", "-s", "-f", "{{.SizeRw}}", "box"])
        .succeeds();
    let own = 10 + "/var/lib/outside".len();
    assert_eq!(shown.line(), own.to_string());
    host.command(
        "sh",
        ["-c", &format!("umount {upper}/mounted {upper}/bound")],
    )
    .succeeds();
    host.removes("box");
    host.finish();
}

#[test]
fn nothing_takes_nothing() {
    let host = TestHost::create();
    host.minirun("system df").succeeds().stdout_is(
        "\
TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          0         0         0B        0B
Containers      0         0         0B        0B
Local Volumes   0         0         0B        0B",
    );
    host.minirun("system df --format {{.Nonsense}}")
        .fails_with(1)
        .stderr_contains("`Reclaimable`");
    host.finish();
}
