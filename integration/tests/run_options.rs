//! The options of `run`: the program's environment, user, directory, input, host name and network.

use minirun_integration::TestHost;
use nix::sys::signal::Signal;

fn host_with_busybox() -> TestHost {
    let host = TestHost::create();
    host.imports_busybox(&[]);
    host
}

#[test]
fn input_and_its_end_are_passed_on() {
    let host = TestHost::create();
    let with_input = |command: &str| host.place().program("minirun", command).input("hi\n").run();
    with_input("run -i --rm demo cat")
        .succeeds()
        .stdout_is("hi");
    with_input("run --rm demo cat").succeeds().stdout_is("");
    let much = "0123456789abcde\n".repeat(1 << 17);
    let copied = host
        .place()
        .program("minirun", "run -i --rm demo cat")
        .input(much.clone())
        .run()
        .succeeds();
    assert!(
        copied.stdout() == much,
        "{} of {} bytes",
        copied.stdout().len(),
        much.len()
    );
    host.finish();
}

#[test]
fn variables_come_from_options_files_and_the_callers_environment() {
    let host = TestHost::create();
    host.write_file(
        "/run/variables",
        "# a comment\n\nFROM_FILE=one two\nBOTH=file\nINHERITED\nABSENT\n",
    );
    let environment = host
        .command(
            "env",
            "INHERITED=yes ALSO=too minirun run --rm --hostname box --env-file /run/variables -e BOTH=option -e ALSO -e NEITHER -e EMPTY= demo env",
        )
        .succeeds();
    for line in [
        "FROM_FILE=one two",
        "BOTH=option",
        "INHERITED=yes",
        "ALSO=too",
        "EMPTY=",
        "HOSTNAME=box",
        "HOME=/",
        "PATH=/bin",
    ] {
        environment.clone().stdout_has_line(line);
    }
    environment
        .stdout_lacks("ABSENT")
        .stdout_lacks("NEITHER")
        .stdout_lacks("BOTH=file")
        .stdout_lacks("MINIRUN");
    host.minirun("run --rm --env-file /run/nosuch demo env")
        .fails_with(125)
        .stderr_contains("`/run/nosuch`");
    host.finish();
}

#[test]
fn the_working_directory_is_made_where_it_is_missing() {
    let host = host_with_busybox();
    host.in_busybox("", "pwd").succeeds().stdout_is("/");
    host.in_busybox("-w /tmp", "pwd")
        .succeeds()
        .stdout_is("/tmp");
    host.in_busybox("-w /made/for/it", "pwd")
        .succeeds()
        .stdout_is("/made/for/it");
    host.in_busybox("-w relative", "pwd")
        .fails_with(125)
        .stderr_contains("`relative`");
    host.finish();
}

#[test]
fn the_user_is_a_name_or_a_number_of_the_image() {
    let host = host_with_busybox();
    let script = "id -u; id -g; id -G; echo $HOME; grep CapEff /proc/self/status";
    host.in_busybox("-u alice", script)
        .succeeds()
        .stdout_is("1000\n1001\n1001 10\n/home/alice\nCapEff:\t0000000000000000");
    host.in_busybox("-u 1234:55", script)
        .succeeds()
        .stdout_is("1234\n55\n55\n/\nCapEff:\t0000000000000000");
    host.in_busybox("-u alice:wheel", "id -g")
        .succeeds()
        .stdout_is("10");
    host.in_busybox("-u nobody", "true")
        .fails_with(125)
        .stderr_contains("nobody");
    host.finish();
}

#[test]
fn the_entry_point_can_be_replaced() {
    let host = TestHost::create();
    host.imports_busybox(&["-c", "ENTRYPOINT [\"echo\"]", "-c", "CMD [\"hello\"]"]);
    host.minirun("run --rm busybox")
        .succeeds()
        .stdout_is("hello");
    host.minirun("run --rm busybox other words")
        .succeeds()
        .stdout_is("other words");
    host.minirun("run --rm --entrypoint cat busybox /etc/hostname")
        .succeeds();
    host.minirun([
        "run",
        "--rm",
        "--entrypoint",
        "",
        "busybox",
        "basename",
        "/a/b",
    ])
    .succeeds()
    .stdout_is("b");
    host.minirun(["run", "--rm", "--entrypoint", "", "busybox"])
        .fails_with(125)
        .stderr_contains("command");
    host.finish();
}

#[test]
fn the_host_name_is_the_short_id_unless_one_is_given() {
    let host = host_with_busybox();
    host.in_busybox("--hostname box.example", "hostname; cat /etc/hostname")
        .succeeds()
        .stdout_is("box.example\nbox.example");
    // Docker's short form, which asks for help everywhere else.
    host.in_busybox("-h short.example", "hostname")
        .succeeds()
        .stdout_is("short.example");
    host.in_busybox(
        "--hostname box.example --ip 172.17.0.9",
        "grep box /etc/hosts",
    )
    .succeeds()
    .stdout_is("172.17.0.9\tbox.example box");
    let id = host
        .minirun("run -d --name web1 demo sleep infinity")
        .succeeds();
    host.minirun("exec web1 hostname")
        .succeeds()
        .stdout_is(&id.line()[..12]);
    host.removes("web1");
    host.finish();
}

#[test]
fn labels_are_kept_and_shown() {
    let host = TestHost::create();
    host.imports_busybox(&["-c", "LABEL of=image both=image"]);
    host.minirun("create --name web1 --label a=b -l both=option --label bare busybox true")
        .succeeds();
    let labels = host.container("web1").inspect()["Config"]["Labels"].clone();
    assert_eq!(
        labels,
        serde_json::json!({"a": "b", "bare": "", "both": "option", "of": "image"})
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn a_read_only_root_refuses_writes_and_leaves_shared_memory() {
    let host = host_with_busybox();
    host.in_busybox("--read-only", "echo x >/file")
        .fails_with(1)
        .stderr_contains("Read-only file system");
    host.in_busybox("--read-only", "echo x >/etc/hosts")
        .fails_with(1)
        .stderr_contains("Read-only file system");
    host.in_busybox(
        "--read-only",
        "echo x >/dev/shm/file && cat /dev/shm/file && echo y >/dev/null",
    )
    .succeeds()
    .stdout_is("x");
    host.in_busybox("", "echo x >/file && cat /file")
        .succeeds()
        .stdout_is("x");
    host.finish();
}

#[test]
fn a_read_only_root_has_room_where_something_is_mounted_and_hosts_that_follow_links() {
    let host = host_with_busybox();
    host.in_busybox(
        "--read-only --tmpfs /memory -v /run/bound:/bound -v vol:/deep/volume",
        "for place in /memory /bound /deep/volume /dev/shm; do echo x >$place/file || exit 1; done; \
         head -c 1 /dev/urandom >/dev/null && test -d /proc/self && test -e /dev/pts/ptmx && touch /dev/file",
    )
    .succeeds()
    .stderr_is("");
    host.in_busybox("--read-only -v /run/bound:/bound:ro", "echo x >/bound/file")
        .fails_with(1)
        .stderr_contains("Read-only file system");
    host.minirun("volume rm vol").succeeds();

    host.idles("web1", "");
    host.idles("web2", "--read-only --link web1:web");
    let named = || {
        let hosts = host.minirun("exec web2 cat /etc/hosts").succeeds();
        let line = hosts
            .stdout()
            .lines()
            .find(|line| line.contains("web"))
            .map(str::to_owned);
        line.and_then(|line| line.split_whitespace().next().map(str::to_owned))
    };
    assert_eq!(named(), Some(host.container("web1").address().to_string()));
    host.minirun("rm -f web1").succeeds();
    host.idles("other", "");
    host.idles("web1", "");
    assert_eq!(named(), Some(host.container("web1").address().to_string()));
    assert!(
        host.container("web2")
            .mounted("/etc/hosts")
            .unwrap()
            .has("ro")
    );
    host.removes("web1 web2 other");
    host.finish();
}

#[test]
fn what_one_container_writes_no_other_sees() {
    let host = host_with_busybox();
    host.minirun([
        "run",
        "--name",
        "writer",
        "busybox",
        "sh",
        "-c",
        "echo mine >/file; rm /bin/vi",
    ])
    .succeeds();
    host.in_busybox("", "test ! -e /file && test -e /bin/vi")
        .succeeds();
    host.minirun("rm writer").succeeds();
    host.finish();
}

#[test]
fn without_a_network_there_is_only_loopback() {
    let host = host_with_busybox();
    host.in_busybox(
        "--network none",
        "ls /sys/class/net | grep -v -e tunl -e sit -e gre -e ip_vti -e ip6; ip -o -4 address; ip route",
    )
    .succeeds()
    .stdout_lacks("eth0")
    .stdout_contains("lo")
    .stdout_contains("inet 127.0.0.1/8")
    .stdout_lacks("default");
    host.finish();
}

#[test]
fn the_network_of_the_host_can_be_used() {
    let host = host_with_busybox();
    let script = "ip -o -4 address show uplink0; hostname; cat /etc/hosts";
    host.in_busybox("--network host", script)
        .succeeds()
        .stdout_contains("inet 192.0.2.1/24")
        .stdout_contains("127.0.0.1\tlocalhost");
    host.in_busybox("--network host -p 8080:80", "true")
        .succeeds()
        .stderr_contains("warning: published ports are ignored");
    host.in_busybox("--network nosuch", "true")
        .fails_with(125)
        .stderr_contains("nosuch");
    host.finish();
}

#[test]
fn address_and_hardware_address_can_be_chosen() {
    let host = host_with_busybox();
    let options = "--ip 172.17.3.4 --mac-address 02:00:00:00:00:07";
    host.in_busybox(
        options,
        "ip -o -4 address show eth0; cat /sys/class/net/eth0/address",
    )
    .succeeds()
    .stdout_contains("inet 172.17.3.4/16 brd 172.17.255.255")
    .stdout_contains("02:00:00:00:00:07");
    host.in_busybox("--mac-address 01:00:00:00:00:07", "true")
        .fails_with(125)
        .stderr_contains("01:00:00:00:00:07");
    host.finish();
}

#[test]
fn lines_can_be_added_to_the_hosts_file_and_name_servers_replaced() {
    let host = host_with_busybox();
    host.in_busybox(
        "--add-host db:10.1.2.3 --add-host up:host-gateway",
        "cat /etc/hosts",
    )
    .succeeds()
    .stdout_has_line("10.1.2.3\tdb")
    .stdout_has_line("172.17.0.1\tup")
    .stdout_has_line("127.0.0.1\tlocalhost");
    host.in_busybox(
        "--dns 192.0.2.7 --dns 192.0.2.8",
        "grep ^nameserver /etc/resolv.conf",
    )
    .succeeds()
    .stdout_is("nameserver 192.0.2.7\nnameserver 192.0.2.8");
    host.finish();
}

#[test]
fn an_interrupt_from_the_keyboard_reaches_the_program() {
    let host = host_with_busybox();
    let script =
        "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 1000 & wait $!; done";
    let mut running = host.spawn_minirun(["run", "--rm", "busybox", "sh", "-c", script]);
    running.read_until("ready\n");
    running.signal(Signal::SIGINT);
    running
        .finish()
        .fails_with(5)
        .stdout_is("ready\ninterrupted");
    host.finish();
}

#[test]
fn a_program_that_cannot_be_started_leaves_the_reason() {
    let host = TestHost::create();
    host.minirun("run --rm demo nosuch")
        .fails_with(127)
        .stderr_contains("error: command `nosuch` not found in the container");
    host.minirun("create --name web1 demo nosuch").succeeds();
    host.minirun("start web1")
        .fails_with(1)
        .stderr_contains("command `nosuch` not found in the container");
    assert_eq!(host.container("web1").exit_code(), 127);
    host.removes("web1");
    host.finish();
}
