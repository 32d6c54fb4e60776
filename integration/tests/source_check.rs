//! A container speaks from its own addresses only, whatever it may do inside.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{Container, HOST_ADDRESS, TestHost};

/// Runs `ip` in the container's namespace, with more rights than a container ever has there.
fn ip(container: &Container<'_>, arguments: impl Into<String>) {
    container.command("ip", arguments.into()).succeeds();
}

/// Its Ethernet address, which follows from its address.
fn station(container: &Container<'_>) -> String {
    let [a, b, c, d] = container.address().octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// What becomes of a connection.
fn reach(container: &Container<'_>, address: IpAddr) -> Reach {
    container.inside(|| tcp_connect(SocketAddr::new(address, 80), SHORT_WAIT))
}

/// The table as it is.
fn table(host: &TestHost) -> String {
    let listing = host.command("nft", "list table bridge minirun").succeeds();
    listing.stdout().to_string()
}

/// Expects the same rules as in `before`, and no element.
#[track_caller]
fn checks_nobody(host: &TestHost, before: &str) {
    let rules = |table: &str| table[table.find("\tchain").expect("there are rules")..].to_owned();
    let now = table(host);
    assert_eq!(rules(&now), rules(before));
    assert!(!now.contains("elements"), "{now}");
}

#[test]
fn who_takes_the_address_of_another_does_not_pass_for_it() {
    let host = TestHost::create();
    host.network("net1", "--icc=false --ipv6");
    let web1 = host.idles("web1", "--network net1 --expose 80");
    let web2 = host.idles("web2", "--network net1 --link web1");
    let web3 = host.idles("web3", "--network net1");
    let listener = web1.inside(|| tcp_listen(80));
    let targets = web1.addresses_on("net1");
    for (target, taken) in targets.iter().zip(web2.addresses_on("net1")) {
        assert_eq!(reach(&web2, *target), Reach::Open);
        let length = if target.is_ipv4() { "16" } else { "64" };
        let own = web3.addresses_on("net1");
        let own = own.iter().find(|own| own.is_ipv4() == target.is_ipv4());
        let own = own.expect("it has both");
        ip(&web3, format!("address add {taken}/{length} dev eth0"));
        let family = if target.is_ipv4() { "-4" } else { "-6" };
        ip(
            &web3,
            format!("{family} route add {target} dev eth0 src {taken}"),
        );
        assert_ne!(reach(&web3, *target), Reach::Open, "as {taken}");
        ip(
            &web3,
            format!("{family} route delete {target} dev eth0 src {taken}"),
        );
        ip(&web3, format!("address delete {taken}/{length} dev eth0"));
        assert_ne!(reach(&web3, *target), Reach::Open, "as {own}");
        // Whose address it is still has it.
        assert_eq!(reach(&web2, *target), Reach::Open);
    }
    drop(listener);
    host.removes("web1 web2 web3");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn who_takes_another_ethernet_address_is_heard_by_nobody_until_it_has_its_own_again() {
    let host = TestHost::create();
    let web1 = host.idles("web1", "");
    let web2 = host.idles("web2", "");
    let (own, other) = (station(&web1), station(&web2));
    let listeners = [
        host.inside(|| tcp_listen(80)),
        web2.inside(|| tcp_listen(80)),
    ];
    let everybody = [IpAddr::V4(HOST_ADDRESS), web2.address().into()];
    for target in everybody {
        assert_eq!(reach(&web1, target), Reach::Open);
    }
    for address in ["02:00:00:00:00:09", &other] {
        ip(&web1, format!("link set eth0 address {address}"));
        for target in everybody {
            assert_ne!(
                reach(&web1, target),
                Reach::Open,
                "as {address}, to {target}"
            );
        }
    }
    ip(&web1, format!("link set eth0 address {own}"));
    for target in everybody {
        let again = web1.inside(|| tcp_connect(SocketAddr::new(target, 80), LONG_WAIT));
        assert_eq!(again, Reach::Open, "to {target}");
    }
    drop(listeners);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn containers_add_elements_which_go_when_their_ports_are_gone_and_the_rules_stay() {
    let host = TestHost::create();
    host.network(
        "net1",
        "--ipv6 --subnet 172.30.0.0/16 --subnet fd00:30::/64",
    );
    let web1 = host.idles("web1", "--network net1 --ip 172.30.0.2 --ip6 fd00:30::2");
    let table_with = table(&host);
    let elements = table_with.lines().filter(|line| line.contains("\"veth"));
    assert_eq!(elements.count(), 7, "{table_with}");
    for element in [
        "02:42:ac:1e:00:02 . 172.30.0.2",
        "02:42:ac:1e:00:02 . fd00:30::2",
        "02:42:ac:1e:00:02 . fe80::42:acff:fe1e:2",
        "0xfd000030000000000000000000000002",
        "0xfe800000000000000042acfffe1e0002",
    ] {
        assert!(table_with.contains(element), "{element} in {table_with}");
    }
    // On another network it has another interface.
    host.network("net2", "");
    host.minirun("network connect net2 web1").succeeds();
    // Three of its own, one of the new address on the old interface, and three of the old addresses on the new one.
    assert_eq!(table(&host).matches("\"veth").count(), 7 + 3 + 1 + 3);
    host.minirun("network disconnect net2 web1").succeeds();
    assert_eq!(table(&host), table_with);
    drop(web1);
    host.minirun("kill web1").succeeds();
    host.minirun("wait web1").succeeds();
    assert_eq!(table(&host), table_with);
    // At its next start it has a port of another name.
    host.minirun("start web1").succeeds();
    assert_eq!(table(&host).matches("\"veth").count(), 7 + 7);
    host.removes("web1");
    let began = Instant::now();
    let ports = || {
        host.command("ip", "-oneline link show type veth")
            .succeeds()
    };
    while ports().stdout().contains(": veth") {
        assert!(began.elapsed() < LONG_WAIT, "its port goes");
    }
    host.removes_networks("net1 net2");
    checks_nobody(&host, &table_with);
    host.finish();
}

/// A socket that is handed on keeps a network alive, and the port that leads to it.
#[test]
fn the_port_of_a_container_that_has_ended_is_kept_to_its_addresses_as_long_as_it_is_there() {
    let host = TestHost::create();
    let web1 = host.idles("web1", "");
    let web2 = host.idles("web2", "");
    let listener = web1.inside(|| tcp_listen(80));
    let target = SocketAddr::new(web1.address().into(), 80);
    let held = web2.place();
    drop(web2);
    host.removes("web2");
    held.command("ip", "address add 172.17.0.99/16 dev eth0")
        .succeeds();
    let route = format!("{} dev eth0 src 172.17.0.99", target.ip());
    let connect = || held.inside(|| tcp_connect(target, SHORT_WAIT));
    // The second time all is made afresh.
    for harm in ["list ruleset", "flush set bridge minirun ports"] {
        host.command("nft", harm).succeeds();
        host.minirun("ps").succeeds();
        assert_eq!(connect(), Reach::Open, "after {harm}");
        held.command("ip", format!("route add {route}")).succeeds();
        assert_ne!(connect(), Reach::Open, "after {harm}");
        held.command("ip", format!("route delete {route}"))
            .succeeds();
    }
    // What was open to everybody is closed for it, too, when it is closed.
    host.minirun("network update bridge --icc=false").succeeds();
    let links = held.command("ip", "-oneline link show eth0").succeeds();
    links.stdout_lacks("LOWER_UP");
    drop((held, listener, web1));
    host.removes("web1");
    host.finish();
}

#[test]
fn a_port_that_was_kept_from_something_is_set_down_when_its_container_ends() {
    let host = TestHost::create();
    host.network("lan", "");
    // Whether it is up before and after the end of its container, whose namespace is held.
    let is_up = |options: &str| {
        let web1 = host.idles("web1", options);
        let held = web1.place();
        drop(web1);
        let look = || {
            let links = held.command("ip", "-oneline link show eth0").succeeds();
            links.stdout().contains("LOWER_UP> mtu 1500")
        };
        let before = look();
        host.removes("web1");
        (before, look())
    };
    assert_eq!(is_up("--egress 192.0.2.2"), (true, false));
    assert!(!table(&host).contains("\"veth"), "{}", table(&host));
    // Others stay, kept to their addresses.
    assert_eq!(is_up("-p 8080:80"), (true, true));
    assert!(table(&host).contains("\"veth"), "{}", table(&host));
    assert_eq!(is_up("--network bridge --network lan"), (true, false));
    host.removes_networks("lan");
    host.finish();
}

#[test]
fn what_is_said_of_ports_that_are_gone_is_forgotten_when_there_are_many_of_them() {
    /// How many ended containers make it worth looking.
    const MANY: usize = 64;
    let host = TestHost::create();
    let web1 = host.idles("web1", "");
    let with_web1 = table(&host).matches("\"veth").count();
    let told = || table(&host).matches("\"veth").count();
    let script = format!(
        "for i in $(seq {}); do minirun run --rm demo true || exit; done",
        MANY - 1
    );
    host.command("sh", ["-c", &script]).succeeds();
    assert_eq!(told(), with_web1 * MANY);
    host.minirun("run --rm demo true").succeeds();
    // Its monitor looks after it has told us of the end. The ports of the last ones may be there for some milliseconds more.
    let began = Instant::now();
    while told() >= with_web1 * MANY {
        assert!(began.elapsed() < LONG_WAIT, "{}", table(&host));
    }
    drop(web1);
    host.removes("web1");
    host.finish();
}

#[test]
fn what_somebody_took_away_is_made_again_by_the_next_command() {
    let host = TestHost::create();
    let web1 = host.idles("web1", "");
    let before = table(&host);
    for harm in [
        "delete table bridge minirun",
        "flush ruleset",
        "flush chain bridge minirun frames",
        "flush set bridge minirun ports",
        "delete chain bridge minirun frames",
    ] {
        host.command("nft", harm).succeeds();
        host.minirun("ps").succeeds();
        assert_eq!(table(&host), before, "after {harm}");
    }
    // A start, and an end, of another container.
    host.command("nft", "flush set bridge minirun ports")
        .succeeds();
    host.idles("web2", "--egress 192.0.2.2");
    assert_eq!(table(&host).matches("\"veth").count(), 6);
    host.command("nft", "flush set bridge minirun ports")
        .succeeds();
    host.removes("web2");
    host.minirun("ps").succeeds();
    assert_eq!(table(&host), before);
    drop(web1);
    host.removes("web1");
    host.finish();
}

#[test]
fn without_a_firewall_nobody_is_checked() {
    let host = TestHost::create();
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"none\"\n");
    host.idles("web1", "");
    let listing = host.command("nft", "list ruleset").succeeds();
    listing.stdout_lacks("veth");
    host.removes("web1");
    host.finish();
}
