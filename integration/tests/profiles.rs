//! `--profile`: options in a file mean what they mean when they are typed.

use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect, tcp_listen};
use minirun_integration::{Container, ControlGroups, TestHost};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;

/// A host with the controllers of the machine, and a shell.
fn host() -> TestHost {
    let host = TestHost::with(ControlGroups::WithControllers);
    host.imports_busybox(&[]);
    host
}

/// What the kernel says of the program of a container, one line each.
const LOOK: &str = "grep NoNewPrivs /proc/self/status | tr -d '\\t'; ls /sys/class/net; \
                    touch /x 2>&1; touch /tmp/x && echo scratch; \
                    df -m /tmp | tail -1 | awk '{print $2}'";

/// What the kernel says of the first process of a container.
fn of_kernel(container: &Container<'_>, file: &str) -> String {
    let path = format!("/proc/{}/{file}", container.pid());
    fs::read_to_string(path).expect("it runs")
}

#[test]
fn a_judged_program_has_no_network_and_nothing_to_write_to_but_memory() {
    let host = host();
    host.in_busybox("--profile judge", LOOK)
        .succeeds()
        .stdout_is("NoNewPrivs:1\nlo\ntouch: /x: Read-only file system\nscratch\n64");
    host.minirun("create --name web2 --profile judge busybox true")
        .succeeds();
    let timeout = host.container("web2").inspect()["HostConfig"]["Timeout"].take();
    assert_eq!(timeout, 10_000_000_000_u64);
    host.removes("web2");
    // Ten seconds may be too short for all of the looks at it.
    let container = host.runs_script("web1", "--profile judge --timeout 1h", "sleep 1000");
    assert_eq!(
        host.control("web1", ("memory.limit_in_bytes", "memory.max")),
        (256 << 20).to_string()
    );
    assert_eq!(host.control("web1", ("pids.max", "pids.max")), "64");
    let seen = of_kernel(&container, "status");
    assert!(seen.contains("CapBnd:\t0000000000000000\n"), "{seen}");
    let limits = [
        "exec",
        "web1",
        "sh",
        "-c",
        "ulimit -n; ulimit -t; ulimit -c",
    ];
    host.minirun(limits).succeeds().stdout_is("256\n10\n0");
    let config = container.inspect()["HostConfig"].take();
    assert_eq!(config["NanoCpus"], 1_000_000_000);
    assert_eq!(config["Profiles"], json!(["judge"]));
    host.removes("web1");
    host.finish();
}

#[test]
fn a_judged_program_ends_when_its_time_is_over() {
    let host = host();
    let verdict = host.judges(
        "--rm --profile judge --timeout 300ms",
        "while :; do :; done",
    );
    assert_eq!(verdict.end()["timed_out"], true);
    host.finish();
}

#[test]
fn builds_and_agents_gain_no_privileges_and_have_their_limits() {
    let host = host();
    // The first container makes the bridge, whose address is a private one of the host.
    let other = host.runs_script("other", "", "sleep 1000");
    let _listener = host.inside(|| tcp_listen(8125));
    let listening = SocketAddr::from(([172, 17, 0, 1], 8125));
    let from_other = other.inside(|| tcp_connect(listening, LONG_WAIT));
    assert_eq!(from_other, Reach::Open);
    for (profile, memory, pids) in [("ci", 4_u64 << 30, "4096"), ("agent", 2 << 30, "1024")] {
        let options = format!("--profile {profile}");
        host.in_busybox(
            &options,
            "grep NoNewPrivs /proc/self/status | tr -d '\\t'; cat /proc/1/comm",
        )
        .succeeds()
        .stdout_contains("NoNewPrivs:1\n");
        let container = host.runs_script("web1", &options, "sleep 1000");
        let limit = host.control("web1", ("memory.limit_in_bytes", "memory.max"));
        assert_eq!(limit, memory.to_string(), "{profile}");
        assert_eq!(host.control("web1", ("pids.max", "pids.max")), pids);
        let config = host.container("web1").inspect()["HostConfig"].take();
        assert_eq!(config["Init"], true, "{profile}");
        let to_host = container.inside(|| tcp_connect(listening, LONG_WAIT));
        assert_eq!(to_host, Reach::Refused, "{profile}");
        host.removes("web1");
    }
    host.removes("other");
    host.finish();
}

#[test]
fn root_of_an_agent_is_nobody_outside_and_has_what_installing_packages_takes() {
    let host = host();
    let container = host.runs_script("web1", "--profile agent", "sleep 1000");
    let users = of_kernel(&container, "uid_map");
    let words: Vec<&str> = users.split_whitespace().collect();
    assert!(
        matches!(words[..], ["0", first, "65536"] if first != "0"),
        "{users}"
    );
    let seen = of_kernel(&container, "status");
    assert!(seen.contains("CapBnd:\t00000000000004fb\n"), "{seen}");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_profile_is_the_same_as_its_options_typed() {
    let host = host();
    host.write_file(
        "/etc/own.toml",
        "# What a person would type.\n\
         memory = \"64m\"\npids-limit = 9\nread-only = true\ninit = false\n\
         env = [\"A=-1\", \"B=two words\"]\nlabel = \"kind=own\"\ntmpfs = [\"/tmp:size=1m\"]\n\
         network = \"none\"\nhostname = \"box\"\nworkdir = \"/tmp\"\n",
    );
    host.minirun("create --name profile --profile /etc/own.toml busybox true")
        .succeeds();
    host.minirun([
        "create",
        "--name",
        "typed",
        "--memory",
        "64m",
        "--pids-limit",
        "9",
        "--read-only",
        "-e",
        "A=-1",
        "-e",
        "B=two words",
        "-l",
        "kind=own",
        "--tmpfs",
        "/tmp:size=1m",
        "--network",
        "none",
        "-h",
        "box",
        "-w",
        "/tmp",
        "busybox",
        "true",
    ])
    .succeeds();
    let [mut profile, typed] = ["profile", "typed"].map(|name| host.container(name).inspect());
    assert_eq!(profile["HostConfig"]["Profiles"], json!(["/etc/own.toml"]));
    profile["HostConfig"]["Profiles"] = json!(null);
    assert_eq!(profile["HostConfig"], typed["HostConfig"]);
    assert_eq!(profile["Config"], typed["Config"]);
    host.removes("profile typed");
    host.finish();
}

#[test]
fn what_is_typed_is_stronger_and_lists_add_up() {
    let host = host();
    host.write_file(
        "/etc/one.toml",
        "stop-timeout = 1\nworkdir = \"/bin\"\nenv = [\"A=1\", \"B=1\"]\nread-only = true\nnetwork = \"none\"\n",
    );
    host.write_file(
        "/etc/two.toml",
        "stop-timeout = 2\nenv = [\"B=2\", \"C=2\"]\nread-only = false\n",
    );
    let words = "create --profile /etc/one.toml --name web1 --profile /etc/two.toml -e C=3 -w /tmp \
                 busybox echo --profile nonsense";
    host.minirun(words).succeeds();
    let answer = host.container("web1").inspect();
    let config = &answer["Config"];
    assert_eq!(config["StopTimeout"], 2);
    assert_eq!(config["WorkingDir"], "/tmp");
    assert_eq!(config["Env"], json!(["A=1", "B=2", "C=3"]));
    assert_eq!(config["Cmd"], json!(["echo", "--profile", "nonsense"]));
    assert_eq!(answer["HostConfig"]["ReadonlyRootfs"], false);
    host.removes("web1");
    host.minirun("create --profile /etc/one.toml --read-only=false --name web1 busybox true")
        .succeeds();
    let config = host.container("web1").inspect()["HostConfig"].take();
    assert_eq!(config["ReadonlyRootfs"], false);
    host.removes("web1");
    host.finish();
}

#[test]
fn what_would_contradict_a_stronger_word_gives_way_to_it() {
    let host = host();
    host.minirun("network create web").succeeds();
    let of_host = |options: &str, field: &str| {
        let words = format!("create --name web1 {options} busybox true");
        host.minirun(words.as_str()).succeeds();
        let value = host.container("web1").inspect()["HostConfig"][field].take();
        host.removes("web1");
        value
    };
    let judged = of_host("--profile judge --network web", "NetworkMode");
    assert_eq!(judged, "web");
    let twice = of_host("--profile judge --profile judge", "NetworkMode");
    assert_eq!(twice, "none");
    let open = of_host("--profile ci --egress-deny none", "EgressDeny");
    assert_eq!(open, "none");
    let more = of_host("--profile ci --egress-deny 192.0.2.0/24", "EgressDeny");
    assert_eq!(more, "private,192.0.2.0/24");
    let added = of_host("--profile agent --userns host --cap-drop setuid", "CapAdd");
    assert!(!added.to_string().contains("SETUID"), "{added}");
    host.in_busybox(
        "--profile judge --tmpfs /tmp:size=8m",
        "df -m /tmp | tail -1 | awk '{print $2}'",
    )
    .succeeds()
    .stdout_is("8");
    host.minirun("run --rm --profile judge -m 512m busybox true")
        .fails_with(125)
        .stderr_contains("`--memory-swap 512m` is no swap");
    host.minirun("network rm web").succeeds();
    host.finish();
}

#[test]
fn the_configuration_names_a_profile_for_containers_without_one() {
    let host = host();
    host.configures("profile = \"class\"\n");
    host.minirun("run --rm busybox true")
        .fails_with(125)
        .stderr_contains("there is no profile `class`");
    host.write_file(
        "/etc/minirun/profiles/class.toml",
        "userns = \"auto\"\nhostname = \"desk\"\nnetwork = \"none\"\n",
    );
    let look = "hostname; awk '{print $3}' /proc/self/uid_map";
    host.in_busybox("", look)
        .succeeds()
        .stdout_is("desk\n65536");
    host.in_busybox("-h mine --userns host", look)
        .succeeds()
        .stdout_is("mine\n4294967295");
    host.in_busybox("--profile judge -h mine", look)
        .succeeds()
        .stdout_is("mine\n4294967295");
    let container = host.runs_script("web1", "", "sleep 1000");
    let config = container.inspect()["HostConfig"].take();
    assert_eq!(config["Profiles"], json!(["class"]));
    host.minirun("exec web1 hostname")
        .succeeds()
        .stdout_is("desk");
    host.removes("web1");
    host.configures("profile = \"a b\"\n");
    host.minirun("run --rm busybox true")
        .fails_with(125)
        .stderr_contains("configuration file `/etc/minirun/minirun.toml`, `profile`: `a b` is not the name of a profile");
    host.configures("");
    host.finish();
}

#[test]
fn a_profile_of_the_host_replaces_the_one_that_is_built_in() {
    let host = host();
    host.minirun("profile ls -q")
        .succeeds()
        .stdout_is("agent\nci\njudge");
    host.write_file(
        "/etc/minirun/profiles/judge.toml",
        "# Our own.\nhostname = \"court\"\nnetwork = \"none\"\n",
    );
    host.write_file("/etc/minirun/profiles/class.toml", "init = true\n");
    let listed = host.minirun("profile ls").succeeds();
    let row = |name: &str| {
        let line = listed.stdout().lines().find(|line| line.starts_with(name));
        line.expect("it is listed")
            .split("  ")
            .filter(|cell| !cell.is_empty())
            .map(str::trim)
            .collect::<Vec<_>>()
    };
    assert_eq!(row("NAME"), ["NAME", "ORIGIN", "DESCRIPTION"]);
    assert_eq!(
        row("judge"),
        ["judge", "/etc/minirun/profiles/judge.toml", "Our own."]
    );
    assert_eq!(row("class"), ["class", "/etc/minirun/profiles/class.toml"]);
    assert_eq!(row("ci")[1], "built in");
    host.minirun("profile show class")
        .succeeds()
        .stdout_is("init = true");
    host.in_busybox("--profile judge", "hostname")
        .succeeds()
        .stdout_is("court");
    host.finish();
}

#[test]
fn what_is_wrong_in_a_profile_is_named_with_its_line_and_nothing_is_made() {
    let host = host();
    for (text, problem) in [
        ("\nmemroy = \"1g\"", "line 2: there is no option `--memroy`"),
        (
            "memory = [\"1g\"]",
            "line 1: `memory` takes one value, not a list",
        ),
        (
            "# x\n\npids-limit = \"many\"",
            "line 3: `many` is not a number of processes: write one from 1 to 4194304 (of `--pids-limit <NUMBER>`)",
        ),
        (
            "name = \"web1\"",
            "line 1: `name` is for one container and one moment: type `--name`",
        ),
        ("image = \"demo\"", "line 1: there is no option `--image`"),
        (
            "[limits]\nmemory = 1",
            "line 1: `limits` is a table: write a text, a number, `true`, `false` or a list of texts",
        ),
        (
            "publish-all = 1",
            "line 1: `publish-all` is a switch: write `true` or `false`",
        ),
    ] {
        host.write_file("/etc/bad.toml", text);
        host.minirun("run --profile /etc/bad.toml busybox true")
            .fails_with(125)
            .stderr_is(&format!("error: profile `/etc/bad.toml`, {problem}"));
    }
    host.minirun("run --profile jugde busybox true")
        .fails_with(125)
        .stderr_is("error: there is no profile `jugde`: put one into `/etc/minirun/profiles`, or use one of `agent`, `ci`, `judge`");
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}
