//! What once went wrong with networks, each with what it guards.

use std::net::{Ipv6Addr, SocketAddrV4, SocketAddrV6};

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect};
use minirun_integration::{HOST_ADDRESS, TestHost};

/// Guards that a bridge which had its address already is not taken for one that is complete.
#[test]
fn an_adopted_bridge_is_closed_to_other_networks_and_gets_its_settings_back() {
    let host = TestHost::create();
    host.has_bridge("br-own", "10.7.0.1/24");
    let paths = [
        "net/ipv4/conf/br-own/route_localnet",
        "net/ipv4/conf/br-own/send_redirects",
        "net/ipv4/conf/br-own/proxy_arp_pvlan",
        "net/ipv6/conf/br-own/proxy_ndp",
        "net/ipv6/conf/br-own/accept_ra",
    ];
    let before = paths.map(|path| host.sysctl(path));
    let caller = host.idles("caller", "");
    host.network("net1", "--icc false -o bridge_name=br-own");
    let target = host.serves("web1", "--network net1", 80);
    let address = SocketAddrV4::new(target.address_on("net1"), 80);
    assert_eq!(host.inside(|| tcp_connect(address, LONG_WAIT)), Reach::Open);
    assert_eq!(
        caller.inside(|| tcp_connect(address, SHORT_WAIT)),
        Reach::Silent
    );
    host.rules("nat").have(&["! -o br-own -j MASQUERADE"]);
    host.removes("web1 caller");
    host.removes_networks("net1");
    assert_eq!(paths.map(|path| host.sysctl(path)), before);
    host.command("ip", "link delete br-own").succeeds();
    host.finish();
}

/// Guards that packets for 127.0.0.0/8 are let in only where a rule keeps those of strangers out.
#[test]
fn without_rules_the_hosts_loopback_stays_closed_to_containers() {
    let host = TestHost::create();
    host.minirun("--iptables=false run -d --name web1 demo sleep infinity")
        .succeeds();
    assert_eq!(host.sysctl("net/ipv4/conf/minirun0/route_localnet"), "0");
    host.minirun("--iptables=false rm -f web1").succeeds();
    host.finish();
}

/// Guards that the path of the monitor's socket may be longer than an address of a socket.
#[test]
fn the_state_directory_may_lie_deep() {
    let host = TestHost::create();
    let state = format!("/run/{}/minirun", "deep/".repeat(20));
    let minirun = |words: &str| host.minirun(format!("--state {state} {words}")).succeeds();
    minirun("network create net1");
    minirun("run -d --name web1 demo sleep infinity");
    minirun("network connect net1 web1");
    minirun("exec web1 cat /etc/resolv.conf").stdout_contains("127.0.0.11");
    minirun("rm -f web1");
    minirun("network rm net1");
    host.finish();
}

/// Guards that a link which waits for a name opens when another container takes that name.
#[test]
fn a_container_that_is_renamed_to_what_a_link_waits_for_is_linked() {
    let host = TestHost::create();
    host.network("net1", "--icc false");
    host.idles("first", "--network net1 --expose 80");
    host.idles("source", "--network net1 --link first:web");
    host.removes("first");
    host.serves("second", "--network net1 --expose 80", 80);
    host.minirun("rename second first").succeeds();
    host.minirun("exec source wget -qO- http://web/").succeeds();
    host.minirun("rename first third").succeeds();
    host.minirun("exec source wget -qO- http://web/").succeeds();
    // The server first: one that closes its end of a connection when the other has gone with its network is answered by nobody,
    // and the kernel keeps its link for more than a minute. Of several, all are killed at the same time.
    host.removes("third");
    host.removes("source");
    host.removes_networks("net1");
    host.finish();
}

/// Guards that a port published on one address of the host is open there and nowhere else.
#[test]
fn without_masquerade_a_port_published_on_loopback_is_closed_at_the_containers_own_address() {
    let host = TestHost::create();
    let network = host.network("net1", "-o masquerade=false");
    let web1 = host.serves("web1", "--network net1 -p 127.0.0.1:8080:80", 80);
    host.neighbour()
        .command(
            "ip",
            format!("route add {} via {HOST_ADDRESS}", network.subnet()),
        )
        .succeeds();
    let address = SocketAddrV4::new(web1.address_on("net1"), 80);
    assert_eq!(
        host.neighbour().inside(|| tcp_connect(address, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// Guards that whoever tries `::1` for `localhost` first goes on to 127.0.0.1 at once.
#[test]
fn a_port_published_everywhere_is_refused_at_the_ipv6_loopback() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.serves("web1", "--network net1 -p 8080:80", 80);
    let loopback = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 8080, 0, 0);
    assert_eq!(
        host.inside(|| tcp_connect(loopback, LONG_WAIT)),
        Reach::Refused
    );
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// Guards that two host ports for one port of a container make one way in, and that it stays until both are gone.
#[test]
fn two_host_ports_for_one_port_make_no_rule_twice() {
    let host = TestHost::create();
    host.network("net1", "");
    host.serves("web1", "-p 8080:80 -p 8081:80", 80);
    let doubled = || {
        let rules = host.rules("filter");
        let mut lines = rules.with(&[]);
        lines.sort_unstable();
        lines.windows(2).any(|pair| pair[0] == pair[1])
    };
    assert!(!doubled());
    host.minirun("network connect --gw-priority 1 net1 web1")
        .succeeds();
    assert!(!doubled());
    for port in [8080, 8081] {
        let published = SocketAddrV4::new(HOST_ADDRESS, port);
        assert_eq!(
            host.neighbour()
                .inside(|| tcp_connect(published, LONG_WAIT)),
            Reach::Open
        );
    }
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// Guards that a container which is on no network any more does not believe in its last address.
#[test]
fn the_last_line_of_the_hosts_file_goes_with_the_last_network() {
    let host = TestHost::create();
    let network = host.network("net1", "");
    let web1 = host.idles("web1", "--network net1");
    let address = web1.address_on("net1").to_string();
    host.minirun("network disconnect net1 web1").succeeds();
    host.minirun("exec web1 cat /etc/hosts")
        .succeeds()
        .stdout_lacks(&address);
    drop(network);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// Guards an idiom of scripts: `network inspect $(network ls -q)`.
#[test]
fn every_id_that_is_listed_can_be_inspected() {
    let host = TestHost::create();
    let listed = host.minirun("network ls -q").succeeds();
    let ids: Vec<&str> = listed.stdout().split_whitespace().collect();
    let shown = host
        .minirun(format!("network inspect {}", ids.join(" ")))
        .succeeds()
        .json();
    assert_eq!(shown.as_array().map(Vec::len), Some(ids.len()));
    host.finish();
}

/// Guards that a command which comes right behind the end of a container does not meet it on its network any more.
#[test]
fn a_network_can_be_removed_as_soon_as_its_last_container_has_ended() {
    let host = TestHost::create();
    for _ in 0..5 {
        host.network("net1", "--icc false");
        host.minirun("run --rm --network net1 -p 8080:80 demo true")
            .succeeds();
        host.removes_networks("net1");
    }
    host.finish();
}

/// Guards that what cannot be removed is not emptied first.
#[test]
fn the_default_network_keeps_its_containers_when_somebody_tries_to_remove_it() {
    let host = TestHost::create();
    let web1 = host.serves("web1", "-p 8080:80", 80);
    host.minirun("network rm -f bridge")
        .fails()
        .stderr_contains("built in");
    assert_eq!(web1.networks(), ["bridge"]);
    let published = SocketAddrV4::new(HOST_ADDRESS, 8080);
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(published, LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1");
    host.finish();
}

/// Guards that one network whose rules are in place does not speak for another.
#[test]
fn rules_that_one_network_lost_are_missed_although_others_have_theirs() {
    let host = TestHost::create();
    host.network("first", "");
    host.network("second", "");
    host.serves("web1", "--network second -p 8080:80", 80);
    host.command("iptables", "-w -t nat -F MINIRUN").succeeds();
    host.minirun("ps").succeeds();
    let published = SocketAddrV4::new(HOST_ADDRESS, 8080);
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(published, LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1");
    host.removes_networks("first second");
    host.finish();
}

/// Guards that what cannot be mended is told, and keeps nobody from working on anything else.
#[test]
fn a_network_that_cannot_be_mended_holds_up_no_other() {
    let host = TestHost::create();
    host.command("ip", "link add br-own type bridge").succeeds();
    host.network("net1", "-o bridge_name=br-own --subnet 10.7.0.0/24");
    host.idles("web1", "--network net1");
    host.idles("web2", "");
    host.command("ip", "link delete br-own").succeeds();
    host.minirun("ps")
        .succeeds()
        .stdout_contains("web2")
        .stderr_contains("`br-own`");
    host.removes("web2");
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

/// Guards that nobody is advised to remove the container whose own name it is.
#[test]
fn a_container_cannot_be_renamed_to_its_own_name() {
    let host = TestHost::create();
    host.idles("web1", "");
    host.minirun("rename web1 web1")
        .fails()
        .stderr_is("error: container `web1` is called that already");
    host.removes("web1");
    host.finish();
}

/// The default network knows names when it is told to, also those of containers that run already.
#[test]
fn the_default_network_can_be_given_a_dns() {
    let host = TestHost::create();
    let web1 = host.idles("web1", "");
    host.minirun("network update --dns=true bridge").succeeds();
    let web2 = host.idles("web2", "");
    for asker in [&web1, &web2] {
        asker.finds(&["web1"], &[web1.address()]);
        asker.finds(&["web2"], &[web2.address()]);
    }
    host.minirun("network update --dns=false bridge").succeeds();
    host.minirun("exec web1 cat /etc/resolv.conf")
        .succeeds()
        .stdout_lacks("127.0.0.11");
    host.removes("web1 web2");
    host.finish();
}
