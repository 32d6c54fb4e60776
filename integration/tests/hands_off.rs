//! Hands off: what minirun is told not to touch stays as it is, and what cannot be had without it is refused.

use std::net::SocketAddrV4;

use minirun_integration::TestHost;
use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect};
use nix::sys::signal::Signal;

/// All that the kernel filters by, byte for byte, without counters.
fn ruleset(host: &TestHost) -> String {
    host.command("nft", "--stateless list ruleset")
        .succeeds()
        .stdout()
        .to_owned()
}

/// The ways to forbid minirun every rule: a flag, or the configuration file.
const WITHOUT_RULES: [(&str, &str); 3] = [
    ("--iptables=false", ""),
    ("", "iptables = false\n"),
    ("", "firewall = \"none\"\n"),
];

#[test]
fn without_iptables_no_byte_of_the_rules_changes() {
    for (flag, configuration) in WITHOUT_RULES {
        let host = TestHost::create();
        // Rules of the administrator, and rules of an earlier run that was allowed to make them.
        host.command("iptables", "-w -A INPUT -s 203.0.113.0/24 -j DROP")
            .succeeds();
        host.command("nft", "add table inet own").succeeds();
        host.minirun("run -d --name early -p 8080:80 demo sleep infinity")
            .succeeds();
        host.removes("early");
        host.write_file("/etc/minirun/minirun.toml", configuration);
        let before = ruleset(&host);
        for command in [
            "run -d --name web1 demo httpd -p 80",
            "run -d --name web2 --link web1:web demo sleep infinity",
            "network create net1",
            "run -d --name web3 --network net1 demo sleep infinity",
            "network connect net1 web1",
            "network reload",
            "ps",
            "restart -t 0 web1",
            "network disconnect net1 web1",
            "rm -f web1 web2 web3",
            "network rm net1",
        ] {
            host.minirun(format!("{flag} {command}")).succeeds();
            assert_eq!(ruleset(&host), before, "{flag} {configuration} {command}");
        }
        host.finish();
    }
}

/// Regression test: what was taken down without rules kept its published port open, and nobody noticed.
#[test]
fn what_changes_without_rules_is_seen_by_the_next_command_that_makes_them() {
    let host = TestHost::create();
    let program = host.idles("web1", "-p 8080:80").process();
    let monitor = program.parent();
    monitor.signal(Signal::SIGKILL);
    assert!(monitor.ends_within(LONG_WAIT));
    assert!(program.ends_within(LONG_WAIT));
    host.minirun("--iptables=false rm -f web1").succeeds();
    assert_eq!(host.rules("nat").with(&["--dport 8080"]).len(), 1);
    host.minirun("run -d --name web2 -p 8081:80 demo sleep infinity")
        .succeeds();
    host.rules("nat").lack(&["8080"]).have(&["8081"]);
    host.removes("web2");
    host.finish();
}

#[test]
fn without_iptables_containers_and_their_host_reach_each_other() {
    let host = TestHost::create();
    host.minirun("--iptables=false run -d --name web1 demo httpd -p 80")
        .succeeds();
    host.minirun("--iptables=false run -d --name web2 --link web1:web demo sleep infinity")
        .succeeds();
    let web1 = host.container("web1");
    web1.awaits_tcp(80);
    let target = SocketAddrV4::new(web1.address(), 80);
    assert_eq!(host.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    host.minirun("--iptables=false exec web2 wget -T 10 -qO- http://web/")
        .succeeds();
    host.minirun("--iptables=false rm -f web1 web2").succeeds();
    host.finish();
}

#[test]
fn without_iptables_what_needs_rules_is_refused_and_says_why() {
    for (flag, configuration) in WITHOUT_RULES {
        let host = TestHost::create();
        host.minirun("network create --icc=false closed").succeeds();
        host.write_file("/etc/minirun/minirun.toml", configuration);
        let before = ruleset(&host);
        for command in [
            "network create --icc=false net1",
            "network update bridge --icc=false",
            "run -d --name web1 --network closed demo sleep infinity",
            "run -d --name web1 -p 8080:80 demo httpd -p 80",
        ] {
            let told = host.minirun(format!("{flag} {command}")).fails();
            assert!(
                told.stderr().contains("firewall") || told.stderr().contains("iptables"),
                "{flag} {configuration} {command}: {}",
                told.stderr()
            );
            assert!(
                told.stderr().contains("hint: "),
                "{command}: {}",
                told.stderr()
            );
        }
        assert_eq!(ruleset(&host), before);
        host.write_file("/etc/minirun/minirun.toml", "");
        host.minirun("ps -aq").succeeds().stdout_is("");
        host.minirun("network ls").succeeds().stdout_lacks("net1");
        host.minirun("network rm closed").succeeds();
        host.finish();
    }
}

#[test]
fn closed_by_default_and_without_iptables_exclude_each_other() {
    let host = TestHost::create();
    host.write_file("/etc/minirun/minirun.toml", "icc = false\n");
    host.minirun("--iptables=false run --rm demo true")
        .fails_with(125)
        .stderr_contains("icc")
        .stderr_contains("hint: ");
    host.minirun("run --rm demo true").succeeds();
    host.write_file("/etc/minirun/minirun.toml", "");
    host.finish();
}

/// Both switches of forwarding, as the host has them.
fn forwarding(host: &TestHost) -> [String; 2] {
    [
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/net/ipv6/conf/all/forwarding",
    ]
    .map(|path| host.read_file(path).trim_end().to_owned())
}

#[test]
fn with_ip_forward_false_nothing_is_ever_written_to_the_switches() {
    for (flag, configuration) in [("--ip-forward=false", ""), ("", "ip_forward = false\n")] {
        for value in ["0", "1"] {
            let host = TestHost::create();
            host.write_file("/etc/minirun/minirun.toml", configuration);
            host.set_sysctl("net/ipv4/ip_forward", value);
            host.set_sysctl("net/ipv6/conf/all/forwarding", value);
            for command in [
                "run --rm -p 8080:80 demo true",
                "network create --ipv6 net1",
                "run -d --name web1 --network net1 -p 8080:80 demo sleep infinity",
                "network reload",
                "rm -f web1",
                "network rm net1",
            ] {
                host.minirun(format!("{flag} {command}")).succeeds();
                assert_eq!(forwarding(&host), [value, value], "{flag} {command}");
            }
            host.finish();
        }
    }
}

#[test]
fn a_host_without_networks_of_ipv6_is_not_made_to_forward_it() {
    let host = TestHost::create();
    for name in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
        host.set_sysctl(name, "0");
    }
    host.minirun("run --rm demo true").succeeds();
    assert_eq!(forwarding(&host), ["1", "0"]);
    host.minirun("network create --ipv6 net1").succeeds();
    host.minirun("run --rm --network net1 demo true").succeeds();
    assert_eq!(forwarding(&host), ["1", "1"]);
    host.minirun("network rm net1").succeeds();
    host.finish();
}
