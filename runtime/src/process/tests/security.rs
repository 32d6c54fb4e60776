//! What a program must not be able to do.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::json;

use super::super::*;
use super::fixture::*;

#[test]
fn masked_paths_show_nothing() {
    let fixture = Fixture::new();
    let text =
        fixture.script("stat -c %t:%T /proc/timer_list; cat /proc/timer_list; ls -A /sys/firmware");
    assert_eq!(text, "1:3");
}

#[test]
fn kernel_parameters_cannot_be_written() {
    let fixture = Fixture::new();
    let spec = spec_of_script("cat /proc/sys/kernel/panic > /proc/sys/kernel/panic");
    let (exit, text) = fixture.run(&spec).expect("it runs");
    assert_ne!(exit, Exit::Code(0));
    assert!(text.contains("Read-only file system"), "{text}");
}

#[test]
fn capabilities_are_those_of_the_spec() {
    let fixture = Fixture::new();
    let text = fixture.script("grep -E '^(Cap|NoNew)' /proc/self/status");
    assert_eq!(
        text,
        "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n\
         CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0"
    );
}

#[test]
fn a_user_has_its_ids_and_no_capabilities() {
    let fixture = Fixture::new();
    let mut spec = spec_of_script(
        "id; grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status; echo by name > /dev/stderr",
    );
    spec["process"]["user"] = json!({ "uid": 1000, "gid": 1001, "additionalGids": [5, 1002] });
    spec["process"]["capabilities"] = json!({ "bounding": CAPABILITIES });
    let (_, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(
        text,
        "uid=1000 gid=1001 groups=5,1002\nCapPrm:\t0000000000000000\n\
         CapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nby name"
    );
}

#[test]
fn a_user_may_keep_single_capabilities() {
    let fixture = Fixture::new();
    let mut spec = spec_of_script("grep -E '^Cap(Eff|Amb)' /proc/self/status");
    let one = ["CAP_NET_BIND_SERVICE"];
    spec["process"]["user"]["uid"] = 1000.into();
    spec["process"]["capabilities"] = json!({
        "bounding": one, "permitted": one, "effective": one, "inheritable": one, "ambient": one,
    });
    let (_, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(text, "CapEff:\t0000000000000400\nCapAmb:\t0000000000000400");
}

#[test]
fn no_new_privileges_is_set_when_asked_for() {
    let fixture = Fixture::new();
    let mut spec = spec_of_script("grep NoNewPrivs /proc/self/status; umask");
    spec["process"]["noNewPrivileges"] = true.into();
    let (_, text) = fixture.run(&spec).expect("it runs");
    assert_eq!(text, "NoNewPrivs:\t1\n0022");
}

#[test]
fn no_descriptor_of_the_host_reaches_the_program() {
    let fixture = Fixture::new();
    let kept = File::open("/").expect("the root");
    // SAFETY: makes a copy that exec would keep open, in the manner of a careless parent; it is closed with the
    // process.
    let careless =
        unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&kept), libc::F_DUPFD, 100) };
    assert!(careless >= 100);
    assert_eq!(fixture.script("ls /proc/1/fd; true"), "0\n1\n2");
    // SAFETY: the descriptor was made above and nobody else has it.
    unsafe { libc::close(careless) };
}

#[test]
fn a_working_directory_cannot_be_a_door_to_the_host() {
    for path in [
        "/proc/self/fd/3",
        "/proc/self/fd/7",
        "/proc/self/fd/9/../..",
    ] {
        let fixture = Fixture::new();
        let mut spec = spec_of_script("ls -d layer upper ../layer");
        spec["process"]["cwd"] = path.into();
        let refused = match fixture.run(&spec) {
            Ok((exit, _)) => exit != Exit::Code(0),
            Err(_) => true,
        };
        assert!(refused, "{path}");
    }
}

#[test]
fn a_container_sees_its_own_cgroup_as_the_root() {
    let fixture = Fixture::new();
    let cgroup = fixture.cgroup();
    let directory = File::open(&cgroup.directory).expect("a cgroup");
    let spec = spec_of_script("grep 0:: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs");
    let spec = serde_json::from_value(spec).expect("a Spec");
    let plan = InitPlan::prepare(
        (&spec, None),
        &fixture.root(),
        (FirstProcess::Program, NewInterfaces::AsUsual),
        Path::new("/nowhere"),
    )
    .expect("it is prepared");
    let (output, input) = std::io::pipe().expect("a pipe");
    let nothing = File::open("/dev/null").expect("/dev/null");
    let held = spawn(
        &plan,
        stdio(&nothing, &input),
        (Some(directory.as_fd()), None),
    )
    .expect("spawned");
    let process = held.release().expect("it runs");
    drop(input);
    assert_eq!(read_all(output), "0::/\n1");
    process.wait().expect("it ends");
}

#[test]
fn nodes_that_a_container_makes_cannot_be_opened() {
    let fixture = Fixture::new();
    let text = fixture.script(
        "for place in / /dev/ /dev/shm/; do \
             mknod ${place}mine c 1 3 && stat -c %t:%T ${place}mine; \
             cat ${place}mine 2>&1; \
         done; true",
    );
    let places = ["/", "/dev/", "/dev/shm/"];
    let expected =
        places.map(|place| format!("1:3\ncat: can't open '{place}mine': Permission denied"));
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn the_usual_devices_can_be_opened_and_are_the_containers_own() {
    let before = fs::metadata("/dev/null").expect("a node").mode();
    let fixture = Fixture::new();
    let text = fixture.script(
        "for name in null zero full random urandom; do : < /dev/$name || echo $name; done; \
         echo gone > /dev/null; chmod 600 /dev/null; stat -c %a /dev/null; cat /dev/null",
    );
    assert_eq!(text, "600");
    let after = fs::metadata("/dev/null").expect("a node").mode();
    assert_eq!(before, after);
}

#[test]
fn an_image_that_brings_its_own_null_device_is_refused_unless_it_is_the_one() {
    for (minor, refused) in [(3, false), (5, true)] {
        let fixture = Fixture::new();
        fs::create_dir(fixture.path("layer/dev")).expect("a directory");
        let path = fixture.path("layer/dev/null");
        let path = CString::new(path.as_os_str().as_encoded_bytes()).expect("a path");
        // SAFETY: the pointer names a C string.
        let made = unsafe {
            libc::mknod(
                path.as_ptr(),
                libc::S_IFCHR | 0o666,
                libc::makedev(1, minor),
            )
        };
        assert_eq!(made, 0);
        let mut spec = spec_of_script("echo gone > /dev/null");
        let mounts = spec["mounts"].as_array_mut().expect("a list of mounts");
        mounts.retain(|mount| {
            !mount["destination"]
                .as_str()
                .is_some_and(|path| path.starts_with("/dev"))
        });
        match fixture.run(&spec) {
            Ok((exit, text)) => assert!(!refused && exit == Exit::Code(0), "{text}"),
            Err(error) => assert!(
                refused && error.to_string().contains("/dev/null"),
                "{error}"
            ),
        }
    }
}
