//! The root file system that a program finds.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::errno::Errno;
use serde_json::json;

use super::super::*;
use super::fixture::*;

#[test]
fn the_usual_devices_and_links_are_there() {
    let fixture = Fixture::new();
    let text = fixture.script(
        "cd /dev; stat -c '%n %a %t:%T' null zero full random urandom tty; \
         stat -c %N fd stdin stdout stderr ptmx core",
    );
    let expected = [
        "null 666 1:3",
        "zero 666 1:5",
        "full 666 1:7",
        "random 666 1:8",
        "urandom 666 1:9",
        "tty 666 5:0",
        "'fd' -> '/proc/self/fd'",
        "'stdin' -> '/proc/self/fd/0'",
        "'stdout' -> '/proc/self/fd/1'",
        "'stderr' -> '/proc/self/fd/2'",
        "'ptmx' -> 'pts/ptmx'",
        "'core' -> '/proc/kcore'",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn nothing_of_the_host_is_left_in_the_mount_table() {
    let fixture = Fixture::new();
    let text = fixture.script("cat /proc/self/mountinfo");
    let points: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .collect();
    assert_eq!(
        points[..8],
        [
            "/",
            "/proc",
            "/dev",
            "/dev/pts",
            "/sys",
            "/sys/fs/cgroup",
            "/dev/mqueue",
            "/dev/shm"
        ]
    );
    assert!(!text.contains("minirun-test"), "{text}");
    let host = fixture.directory_name();
    let elsewhere = text.lines().skip(1).find(|line| line.contains(&host));
    assert_eq!(elsewhere, None);
}

#[test]
fn a_file_of_the_host_is_shown_where_the_image_has_none() {
    let fixture = Fixture::new();
    fs::write(fixture.path("hosts"), "127.0.0.1 localhost\n").expect("a file");
    let mut spec = spec_of_script("cat /etc/hosts; echo changed > /etc/hosts");
    add_mount(
        &mut spec,
        bind(&fixture.path("hosts"), "/etc/hosts", &["rbind"]),
    );
    let (exit, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(
        (exit, text.as_str()),
        (Exit::Code(0), "127.0.0.1 localhost")
    );
    let changed = fs::read_to_string(fixture.path("hosts")).expect("a file");
    assert_eq!(changed, "changed\n");
}

#[test]
fn a_read_only_bind_mount_refuses_writes() {
    let fixture = Fixture::new();
    fs::write(fixture.path("hosts"), "kept\n").expect("a file");
    let mut spec = spec_of_script("echo changed > /etc/hosts");
    add_mount(
        &mut spec,
        bind(&fixture.path("hosts"), "/etc/hosts", &["bind", "ro"]),
    );
    let (exit, text) = fixture.run(&spec).expect("it runs");
    assert_ne!(exit, Exit::Code(0));
    assert!(text.contains("Read-only"), "{text}");
}

#[test]
fn a_link_in_the_image_does_not_lead_a_mount_out_of_the_root() {
    let fixture = Fixture::new();
    fs::write(fixture.path("hosts"), "inside\n").expect("a file");
    fs::remove_dir(fixture.path("layer/etc")).expect("an empty directory");
    symlink(fixture.path("outside"), fixture.path("layer/etc")).expect("a link");
    let mut spec = spec_of_script("cat /etc/hosts");
    add_mount(
        &mut spec,
        bind(&fixture.path("hosts"), "/etc/hosts", &["bind"]),
    );
    let (exit, text) = fixture.run(&spec).expect("it runs");
    assert_eq!((exit, text.as_str()), (Exit::Code(0), "inside"));
    let outside = fs::read_dir(fixture.path("outside")).expect("a directory");
    assert_eq!(outside.count(), 0);
}

#[test]
fn an_image_whose_proc_is_a_link_is_refused() {
    let fixture = Fixture::new();
    symlink(fixture.path("outside"), fixture.path("layer/proc")).expect("a link");
    match fixture.run(&spec_of(&["true"])) {
        Err(error @ ProcessError::Mount { errno, .. }) => {
            assert_eq!(errno, Errno::ELOOP);
            assert_eq!(error.exit_code(), 125);
            assert!(
                error.to_string().contains("mount `proc` on `/proc`"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_working_directory_is_made_and_entered() {
    let fixture = Fixture::new();
    let mut spec = spec_of(&["pwd"]);
    spec["process"]["cwd"] = "/srv/app/data".into();
    let (_, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(text, "/srv/app/data");
    assert!(fixture.path("upper/srv/app/data").is_dir());
}

#[test]
fn a_read_only_root_still_gets_its_working_directory() {
    let fixture = Fixture::new();
    let mut spec = spec_of_script("pwd; touch /dev/shm/fine; touch /file");
    spec["root"]["readonly"] = true.into();
    spec["process"]["cwd"] = "/srv".into();
    let (exit, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(exit, Exit::Code(1));
    assert_eq!(text, "/srv\ntouch: /file: Read-only file system");
}

#[test]
fn what_is_written_goes_to_the_upper_directory() {
    let fixture = Fixture::new();
    fixture.script("echo hello > /file");
    let text = fs::read_to_string(fixture.path("upper/file")).expect("a file");
    assert_eq!(text, "hello\n");
    assert!(!fixture.path("layer/file").exists());
}

#[test]
fn layers_whose_paths_do_not_fit_in_one_page_are_mounted_all_the_same() {
    let fixture = Fixture::new();
    let mut root = fixture.root();
    for index in 0..90 {
        let layer = fixture.path(format!("layer-of-a-great-image-{index:010}"));
        fs::create_dir(&layer).expect("a directory");
        fs::write(layer.join(format!("file-{index}")), "").expect("a file");
        root.layers.push(layer);
    }
    let spec = serde_json::from_value(spec_of_script("ls -d /file-*")).expect("a Spec");
    let plan = InitPlan::prepare(
        (&spec, None),
        &root,
        (FirstProcess::Program, NewInterfaces::AsUsual),
        Path::new("/nowhere"),
    )
    .expect("it is prepared");
    let (output, input) = std::io::pipe().expect("a pipe");
    let nothing = fs::File::open("/dev/null").expect("/dev/null");
    let held = spawn(&plan, stdio(&nothing, &input), (None, None)).expect("it is spawned");
    let process = held.release().expect("it runs");
    drop(input);
    assert_eq!(read_all(output).lines().count(), 90);
    assert_eq!(process.wait().expect("it ends"), Exit::Code(0));
}

#[test]
fn the_hostname_and_kernel_parameters_are_set() {
    let fixture = Fixture::new();
    let mut spec = spec_of_script(
        "hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range",
    );
    spec["linux"]["sysctl"] = json!({
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.ping_group_range": "0 2147483647",
    });
    let (_, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(text, "fixture\n0\n0\t2147483647");
}
