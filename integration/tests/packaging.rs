//! The files in `packaging/`: other programs of a host leave alone what is minirun's, and only that.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};

use minirun_integration::TestHost;
use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect};

const SYSCTL: &str = "sysctl.d/60-minirun.conf";
const UNIT: &str = "systemd/minirun.service";

/// What hardening guides say of every interface; all of it the opposite of what minirun needs.
const HARDENING: &str = "
net.ipv4.ip_forward = 0
net.ipv4.conf.*.route_localnet = 0
net.ipv4.conf.*.send_redirects = 1
net.ipv4.conf.*.rp_filter = 1
net.ipv4.neigh.*.proxy_delay = 80
net.ipv6.neigh.*.proxy_delay = 80
net.ipv6.conf.*.accept_ra = 1
net.ipv6.conf.*.autoconf = 1
net.ipv6.conf.*.accept_redirects = 1
net.ipv6.conf.*.accept_dad = 1
";

/// Settings that a bridge has whatever its network is like, in `/proc/sys/net`.
const OF_A_BRIDGE: [&str; 3] = [
    "ipv4/conf/BRIDGE/route_localnet",
    "ipv4/conf/BRIDGE/send_redirects",
    "ipv4/neigh/BRIDGE/proxy_delay",
];

/// Further settings of a bridge with IPv6.
const OF_A_BRIDGE_WITH_IPV6: [&str; 5] = [
    "ipv6/neigh/BRIDGE/proxy_delay",
    "ipv6/conf/BRIDGE/accept_ra",
    "ipv6/conf/BRIDGE/autoconf",
    "ipv6/conf/BRIDGE/accept_redirects",
    "ipv6/conf/BRIDGE/accept_dad",
];

/// Settings that differ from network to network.
const OF_ONE_NETWORK: [&str; 3] = [
    "ipv4/conf/BRIDGE/proxy_arp_pvlan",
    "ipv6/conf/BRIDGE/proxy_ndp",
    "ipv6/conf/BRIDGE/disable_ipv6",
];

/// Devices that are not minirun's: the host's own, and those of Docker, podman, nspawn and people.
const OF_OTHERS: [&str; 9] = [
    "eth0",
    "uplink0",
    "docker0",
    "br-1a2b3c4d5e6f",
    "veth1a2b3c4",
    "veth0",
    "ve-box",
    "vb-box",
    "minirun",
];

fn path_of(file: &str) -> String {
    format!("{}/../packaging/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn text_of(file: &str) -> String {
    let path = path_of(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
}

/// The words behind `key`, which stands once in a file.
fn words_of(file: &str, key: &str, separator: char) -> Vec<String> {
    let text = text_of(file);
    let values: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix(key))
        .collect();
    assert_eq!(values.len(), 1, "`{key}` in {file}");
    values[0].split(separator).map(str::to_owned).collect()
}

/// Whether one of the patterns means the name, by the rules of the shell, which are those of `fnmatch(3)`.
fn means(host: &TestHost, patterns: &[String], name: &str) -> bool {
    let script = "case $1 in $2) ;; *) exit 1 ;; esac";
    patterns.iter().any(|pattern| {
        host.command("sh", ["-c", script, "sh", name, pattern])
            .code()
            == Some(0)
    })
}

fn devices_of(host: &TestHost) -> Vec<String> {
    let listed = host.command("ls", "/sys/class/net").succeeds();
    listed.stdout().lines().map(str::to_owned).collect()
}

fn values(host: &TestHost, bridge: &str, settings: &[&str]) -> Vec<String> {
    let value = |setting: &&str| {
        let name = setting.replace("BRIDGE", bridge);
        format!("{name} = {}", host.sysctl(&format!("net/{name}")))
    };
    settings.iter().map(value).collect()
}

#[test]
fn a_host_without_bridges_takes_the_kernel_settings_without_a_complaint() {
    let host = TestHost::create();
    host.set_sysctl("net/ipv4/ip_forward", "0");
    host.command("sysctl", ["-p", &path_of(SYSCTL)])
        .succeeds()
        .stderr_is("");
    assert_eq!(host.sysctl("net/ipv4/ip_forward"), "1");
    host.finish();
}

#[test]
fn what_sysctl_d_says_of_every_interface_changes_nothing_that_minirun_needs() {
    let host = TestHost::create();
    host.write_file("/etc/sysctl.d/50-hardening.conf", HARDENING);
    let snippet = path_of(SYSCTL);
    let network = host.network("net1", "--ipv6 --icc=false");
    let bridge = network.bridge();
    host.serves("web1", "-p 8080:80", 80);
    host.serves("web2", "--network net1 --expose 80", 80);
    host.idles("client", "--network net1 --link web2:web");
    let kept = |host: &TestHost| {
        let mut all = vec![format!(
            "ip_forward = {}",
            host.sysctl("net/ipv4/ip_forward")
        )];
        all.extend(values(host, "minirun0", &OF_A_BRIDGE));
        all.extend(values(host, "minirun0", &OF_ONE_NETWORK));
        all.extend(values(host, &bridge, &OF_A_BRIDGE));
        all.extend(values(host, &bridge, &OF_A_BRIDGE_WITH_IPV6));
        all
    };
    let before = kept(&host);
    host.command(
        "sysctl",
        ["-p", "/etc/sysctl.d/50-hardening.conf", &snippet],
    )
    .succeeds()
    .stderr_is("");
    assert_eq!(kept(&host), before);
    assert_eq!(host.sysctl("net/ipv4/conf/minirun0/rp_filter"), "1");
    host.minirun("exec client wget -T 10 -qO- http://web/")
        .succeeds();
    let published = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080);
    let reach = host.inside(|| tcp_connect(published, LONG_WAIT));
    assert_eq!(reach, Reach::Open);
    // The servers first: one that closes its end of a connection when the other has gone with its network is answered by nobody,
    // and the kernel keeps its link for more than a minute. Of several, all are killed at the same time.
    host.removes("web1 web2");
    host.removes("client");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn what_no_file_can_keep_comes_back_with_a_reload() {
    let host = TestHost::create();
    let closed = host.network("closed", "--ipv6 --icc=false").bridge();
    let open = host.network("open", "").bridge();
    for (bridge, setting) in [
        (&closed, "ipv4/conf/BRIDGE/proxy_arp_pvlan"),
        (&closed, "ipv6/conf/BRIDGE/proxy_ndp"),
        (&closed, "ipv6/conf/BRIDGE/disable_ipv6"),
        (&open, "ipv4/conf/BRIDGE/proxy_arp_pvlan"),
        (&open, "ipv6/conf/BRIDGE/disable_ipv6"),
    ] {
        let name = format!("net/{}", setting.replace("BRIDGE", bridge));
        let before = host.sysctl(&name);
        host.set_sysctl(&name, if before == "0" { "1" } else { "0" });
        host.minirun("network reload").succeeds();
        assert_eq!(host.sysctl(&name), before, "{setting}");
    }
    host.removes_networks("closed open");
    host.finish();
}

#[test]
fn every_device_of_minirun_is_left_alone_and_no_other() {
    let host = TestHost::create();
    let known = devices_of(&host);
    host.network("net1", "");
    host.idles("first", "");
    host.idles("second", "--network net1 --network bridge");
    let mut devices = devices_of(&host);
    devices.retain(|name| !known.contains(name));
    assert_eq!(devices.len(), 5, "{devices:?}");
    let files = [
        words_of("systemd-networkd/10-minirun.network", "Name=", ' '),
        words_of("systemd-networkd/10-minirun.link", "OriginalName=", ' '),
        words_of("NetworkManager/minirun.conf", "unmanaged-devices+=", ';')
            .iter()
            .map(|word| word.replace("interface-name:", ""))
            .collect(),
    ];
    for patterns in &files {
        for device in &devices {
            assert!(means(&host, patterns, device), "{patterns:?}: {device}");
        }
        for device in OF_OTHERS {
            assert!(!means(&host, patterns, device), "{patterns:?}: {device}");
        }
    }
    host.removes("first second");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn systemd_understands_the_unit_and_finds_its_commands() {
    let host = TestHost::create();
    let unit = text_of(UNIT);
    for line in ["ExecStart=", "ExecStop=", "ExecReload="] {
        let words = words_of(UNIT, line, ' ');
        assert_eq!(words[0], "/usr/local/bin/minirun");
        let words: Vec<_> = words[1..].iter().map(String::as_str).collect();
        host.minirun(words.as_slice()).succeeds().stderr_is("");
    }
    let program = host.command("sh", ["-c", "command -v systemd-analyze"]);
    if program.code() == Some(0) {
        let path = "/run/systemd/verified/minirun.service";
        // It wants programs to exist.
        host.write_file(path, &unit.replace("/usr/local/bin/minirun", "/bin/true"));
        host.command("systemd-analyze", ["verify", "--recursive-errors=no", path])
            .succeeds()
            .stderr_is("");
    }
    host.finish();
}
