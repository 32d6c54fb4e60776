//! What a container is told in its `/etc/resolv.conf`, `/etc/hosts` and hostname.

use minirun_integration::TestHost;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Runs a container with options and gives what its `/etc/resolv.conf` holds besides comments.
fn resolver_configuration(host: &TestHost, options: &str) -> Vec<String> {
    let printed = host
        .minirun(format!("run --rm {options} demo cat {RESOLV_CONF}"))
        .succeeds();
    let lines = printed
        .stdout()
        .lines()
        .filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_a_container_is_told_of_resolving() {
    let host = TestHost::create();
    let text = "nameserver 127.0.0.1\nnameserver 192.0.2.2\nsearch corp.test\noptions timeout:1\n";
    host.write_file(RESOLV_CONF, text);
    host.network("net1", "");
    let own = "nameserver 127.0.0.11";
    for (options, expected) in [
        (
            "",
            vec![
                "nameserver 192.0.2.2",
                "search corp.test",
                "options timeout:1",
            ],
        ),
        (
            "--dns 192.0.2.9",
            vec![
                "nameserver 192.0.2.9",
                "search corp.test",
                "options timeout:1",
            ],
        ),
        (
            "--dns 192.0.2.9 --dns-search mydomain --dns-option ndots:9",
            vec!["nameserver 192.0.2.9", "search mydomain", "options ndots:9"],
        ),
        (
            "--network net1",
            vec![own, "search corp.test", "options timeout:1 ndots:0"],
        ),
        (
            "--network net1 --dns 192.0.2.9",
            vec![own, "search corp.test", "options timeout:1 ndots:0"],
        ),
        (
            "--network net1 --dns-search .",
            vec![own, "options timeout:1 ndots:0"],
        ),
        (
            "--network net1 --dns-search a.test --dns-search b.test --dns-option ndots:2 --dns-option rotate",
            vec![own, "search a.test b.test", "options ndots:2 rotate"],
        ),
    ] {
        assert_eq!(
            resolver_configuration(&host, options),
            expected,
            "{options}"
        );
    }
    host.minirun(format!("run --rm --network host demo cat {RESOLV_CONF}"))
        .succeeds()
        .stdout_is(text.trim_end());
    for bad in ["--dns not-an-address", "--dns-search a\tb", "--dns-option "] {
        let (option, value) = bad.split_once(' ').expect("an option and its value");
        host.minirun(["run", "--rm", option, value, "demo", "true"])
            .fails_with(125)
            .stderr_contains(option);
    }
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn names_of_hosts_files_and_hostnames_with_domains() {
    let host = TestHost::create();
    host.network("net1", "");
    let hosts = host
        .minirun(
            "run --rm --network net1 --hostname foo.bar.test --add-host gate:host-gateway \
             --add-host six=[2001:db8::5] demo cat /etc/hosts",
        )
        .succeeds();
    let hosts = hosts.stdout_has_line("2001:db8::5\tsix");
    let mut lines = hosts.stdout().lines();
    let gate = lines.find_map(|line| line.strip_suffix("\tgate"));
    let gate = gate.unwrap_or_else(|| panic!("no gate in\n{}", hosts.stdout()));
    host.command("ip", "-oneline address")
        .succeeds()
        .stdout_contains(&format!("inet {gate}/"));
    assert!(
        hosts
            .stdout()
            .lines()
            .any(|line| line.ends_with("\tfoo.bar.test foo")),
        "{}",
        hosts.stdout()
    );
    host.minirun("run --rm --hostname foo.bar.test demo hostname")
        .succeeds()
        .stdout_is("foo.bar.test");
    host.removes_networks("net1");
    host.finish();
}
