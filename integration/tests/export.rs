//! `export`: a container's root file system as an archive, of which an image can be made again.

use std::ffi::CString;

use minirun_integration::TestHost;

/// Everything that can be said of a root file system from inside, without what is mounted and where that lies.
const LOOK: &str = "cd /; find . -xdev ! -path './proc*' ! -path './sys*' ! -path './dev*' ! -path './etc/host*' \
     ! -path ./etc/resolv.conf ! -path ./etc ! -path . | sort | while read -r name; do stat -c '%N %f %u:%g %Y %h %s' \"$name\"; \
     test ! -f \"$name\" -o -L \"$name\" || sha256sum \"$name\"; done";

fn host_with_container() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    let script = "mkdir -p /srv/deep; cd /srv; echo x >one; ln one two; ln -s two three; mkfifo pipe; rm /etc/group; \
         chown 1234:70000 one; chmod 4711 one; mkdir -m 1777 open; touch -d '1960-01-02 03:04:05' old; \
         long=$(seq 100 | tr '\\n' -); mkdir -p $long/$long; echo long >$long/$long/$long; ln $long/$long/$long deep/$long; \
         ln -s $long/$long/$long deep/link; dd if=/dev/urandom of=noise bs=1000 count=777 2>/dev/null; \
         dd if=/dev/zero of=holes bs=1 count=0 seek=10000000 2>/dev/null; rm -r /root; mkdir -m 711 /root; : >'a b\\c'; echo ready; exec sleep 1000";
    host.runs_script("web1", "--network none", script);
    host.container("web1").awaits_log("ready");
    host
}

/// Sets an extended attribute of a file of the host.
fn set_attribute(host: &TestHost, path: &str, (name, value): (&str, &[u8])) {
    let [path, name] = [path, name].map(|text| CString::new(text).expect("no zero byte"));
    host.inside(|| {
        // SAFETY: path and name are C strings, the value is as long as said, and the call keeps none of them.
        let outcome = unsafe {
            libc::setxattr(
                path.as_ptr(),
                name.as_ptr(),
                value.as_ptr().cast(),
                value.len(),
                0,
            )
        };
        assert_eq!(outcome, 0, "{}", std::io::Error::last_os_error());
    });
}

#[test]
fn an_export_makes_an_image_with_the_same_content() {
    let host = host_with_container();
    let before = host.minirun(["exec", "web1", "sh", "-c", LOOK]).succeeds();
    assert!(before.stdout().lines().count() > 100, "{}", before.stdout());
    host.minirun("export -o /run/running.tar web1")
        .succeeds()
        .stdout_is("")
        .stderr_is("");
    host.minirun("stop -t 0 web1").succeeds();
    host.command(
        "sh",
        [
            "-c",
            "minirun export web1 >/run/stopped.tar && cmp /run/running.tar /run/stopped.tar",
        ],
    )
    .succeeds();
    host.minirun("import /run/running.tar again").succeeds();
    host.minirun([
        "run",
        "--rm",
        "--network",
        "none",
        "again",
        "sh",
        "-c",
        LOOK,
    ])
    .succeeds()
    .stdout_is(before.line());
    // The other program that reads archives agrees.
    host.command("sh", ["-c", "tar -tf /run/running.tar | sed 's,^\\./,,; /^$/d' | wc -l; tar -tvf /run/running.tar ./ | cut -c1-14"])
        .succeeds()
        .stdout_contains("drwxr-xr-x 0/0");
    host.removes("web1");
    host.finish();
}

#[test]
fn extended_attributes_go_along() {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host.minirun("create --name web1 --network none busybox true")
        .succeeds();
    host.command("sh", ["-c", "echo x >/run/program; chmod 755 /run/program"])
        .succeeds();
    // CAP_NET_RAW, effective, in the form of version 2.
    let capability = [
        1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    set_attribute(&host, "/run/program", ("security.capability", &capability));
    set_attribute(&host, "/run/program", ("user.note", b"a\0b"));
    host.minirun("cp -q /run/program web1:/program").succeeds();
    host.minirun("export -o /run/root.tar web1").succeeds();
    host.minirun("import /run/root.tar again").succeeds();
    host.minirun("create --name web2 --network none again true")
        .succeeds();
    for (container, options, expected) in [
        ("web1", "-a", "security.capability user.note"),
        ("web2", "-a", "security.capability user.note"),
        // What gives privileges does not come to the host by itself.
        ("web2", "", "user.note"),
    ] {
        host.minirun(format!("cp -q {options} {container}:/program /run/back"))
            .succeeds();
        let names = host.inside(|| attributes("/run/back"));
        assert_eq!(names, expected, "{container} {options}");
    }
    host.removes("web1 web2");
    host.finish();
}

/// The names of a file's extended attributes.
fn attributes(path: &str) -> String {
    let path = CString::new(path).expect("no zero byte");
    let mut buffer = [0_u8; 1000];
    // SAFETY: the path is a C string and the buffer is as long as said.
    let length =
        unsafe { libc::listxattr(path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let length = usize::try_from(length).expect("it has attributes");
    let mut names: Vec<String> = buffer[..length]
        .split(|byte| *byte == 0)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .filter(|name| name == "security.capability" || name.starts_with("user."))
        .collect();
    names.sort();
    names.join(" ")
}

#[test]
fn an_archive_is_whole_or_not_there() {
    let host = host_with_container();
    host.command("sh", ["-c", "mkdir /run/small; mount -t tmpfs -o size=1M tmpfs /run/small; echo old >/run/small/root.tar"])
        .succeeds();
    host.minirun("export -o /run/small/root.tar web1")
        .fails_with(1)
        .stderr_contains("No space left on device");
    host.command("sh", ["-c", "ls -A /run/small; cat /run/small/root.tar"])
        .succeeds()
        .stdout_is("root.tar\nold");
    host.minirun("export -o /run/nosuch/root.tar web1")
        .fails_with(1)
        .stderr_contains("cannot write `/run/nosuch/root.tar`");
    host.minirun("export nosuch").fails_with(1).stdout_is("");
    host.command("sh", ["-c", "minirun export web1 >/dev/full"])
        .fails_with(1)
        .stderr_contains("error: ");
    host.removes("web1");
    host.finish();
}

#[test]
fn what_is_mounted_is_not_exported_but_what_lies_below_is() {
    let host = TestHost::create();
    let root = host.makes_busybox_root();
    host.command("sh", ["-c", &format!("cd {root}/root; echo below >proc/below; echo mine >etc/hosts; minirun import . busybox")])
        .succeeds();
    host.minirun("run -d --name web1 --network none busybox sleep 1000")
        .succeeds();
    host.minirun(["exec", "web1", "sh", "-c", "echo x >/dev/shm/x"])
        .succeeds();
    host.command("sh", ["-c", "minirun export web1 | tar -xO -f - proc/below etc/hosts; minirun export web1 | tar -tf - | grep -e ^proc/ -e shm"])
        .succeeds()
        .stdout_is("mine\nbelow\nproc/\nproc/below");
    host.removes("web1");
    host.finish();
}
