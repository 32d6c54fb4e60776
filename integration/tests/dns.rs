//! Names on networks with a name server: who is known to whom, under which names, and for how long.

use std::net::{Ipv4Addr, SocketAddrV4};

use minirun_integration::probe::Transport;
use minirun_integration::{DnsUpstream, NEIGHBOUR_ADDRESS, TestHost, Zone};
use simple_dns::{PacketFlag, RCODE, TYPE};

/// The host's only name server, on its neighbour; it knows no name.
fn upstream_that_knows_nothing(host: &TestHost) -> DnsUpstream {
    host.write_file(
        "/etc/resolv.conf",
        &format!("nameserver {NEIGHBOUR_ADDRESS}\n"),
    );
    let address = SocketAddrV4::new(NEIGHBOUR_ADDRESS, 53);
    host.neighbour()
        .inside(|| DnsUpstream::start(address, Zone::of(&[])))
}

#[test]
fn a_container_is_known_by_name_alias_hostname_and_short_id_with_and_without_its_network() {
    let host = TestHost::create();
    let upstream = upstream_that_knows_nothing(&host);
    host.network("net1", "");
    host.idles(
        "web1",
        "--network net1 --network-alias web --network-alias www --hostname first",
    );
    host.idles("web2", "--network net1");
    let (target, asking) = (host.container("web1"), host.container("web2"));
    let address = target.address_on("net1");
    let id = target.inspect()["Id"].as_str().expect("an id")[..12].to_owned();
    for name in ["web1", "web", "www", "first", &id] {
        for spelling in [
            name.to_owned(),
            name.to_uppercase(),
            format!("{name}."),
            format!("{name}.net1"),
            format!("{name}.NET1."),
        ] {
            asking.finds(&[&spelling], &[address]);
            target.finds(&[&spelling], &[address]);
        }
    }
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = asking.asks_over(transport, TYPE::A, "wEb1");
        answer.is(&[&address.to_string()]);
        assert_eq!(
            answer.question, "wEb1",
            "the question is repeated as it was asked"
        );
        assert!(answer.has(PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE));
        assert!(answer.time_to_live <= 5, "names change at once");
    }
    assert_eq!(
        upstream.takes_names(),
        [""; 0],
        "own names are nobody else's business"
    );
    drop(upstream);
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_container_without_a_name_is_known_by_the_one_it_was_given() {
    let host = TestHost::create();
    host.network("net1", "");
    let id = host
        .minirun("run -d --network net1 demo sleep infinity")
        .succeeds()
        .line()
        .to_owned();
    let container = host.container(&id);
    let name = container.inspect()["Name"].as_str().expect("a name")[1..].to_owned();
    container.finds(&[&name, &id[..12]], &[container.address_on("net1")]);
    host.removes(&name);
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_known_name_without_such_a_record_is_empty_and_is_asked_of_nobody() {
    let host = TestHost::create();
    let upstream = upstream_that_knows_nothing(&host);
    host.network("net1", "");
    host.idles("web1", "--network net1");
    let web1 = host.container("web1");
    for kind in [
        TYPE::AAAA,
        TYPE::MX,
        TYPE::TXT,
        TYPE::SRV,
        TYPE::HTTPS,
        TYPE::SOA,
    ] {
        for name in ["web1", "web1.net1"] {
            web1.asks(kind, name).is_known_but_empty();
        }
    }
    assert_eq!(upstream.takes_names(), [""; 0]);
    drop(upstream);
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn containers_on_different_networks_do_not_know_each_other_but_one_on_both_knows_all() {
    let host = TestHost::create();
    let upstream = upstream_that_knows_nothing(&host);
    host.network("net1", "");
    host.network("net2", "");
    host.idles("web1", "--network net1");
    host.idles("web2", "--network net2");
    host.idles("both", "--network net1 --network net2");
    let [web1, web2, both] = ["web1", "web2", "both"].map(|name| host.container(name));
    for (asking, name) in [(&web1, "web2"), (&web1, "web2.net2"), (&web2, "web1")] {
        asking.asks(TYPE::A, name).fails_with(RCODE::NameError);
    }
    assert_eq!(upstream.takes_names(), ["web2", "web2.net2", "web1"]);
    both.finds(&["web1", "web1.net1"], &[web1.address_on("net1")]);
    both.finds(&["web2", "web2.net2"], &[web2.address_on("net2")]);
    both.asks(TYPE::A, "web1.net2").fails_with(RCODE::NameError);
    let own = ["net1", "net2"].map(|network| both.address_on(network));
    both.finds(&["both"], &own);
    both.finds(&["both.net2"], &own[1..]);
    web1.finds(&["both", "both.net1"], &own[..1]);
    drop(upstream);
    host.removes("web1 web2 both");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn connecting_makes_names_known_on_the_new_network_alone_and_disconnecting_ends_it() {
    let host = TestHost::create();
    for network in ["net1", "net2", "net3"] {
        host.network(network, "");
    }
    host.idles("web1", "--network net1");
    host.idles("web2", "--network net2");
    host.idles("web3", "--network net3");
    let [web1, web2, web3] = ["web1", "web2", "web3"].map(|name| host.container(name));
    web2.finds(&["web1", "late"], &[]);
    host.minirun("network connect --alias late net2 web1")
        .succeeds();
    web2.finds(&["web1", "late", "late.net2"], &[web1.address_on("net2")]);
    web1.finds(&["web2"], &[web2.address_on("net2")]);
    web3.finds(&["web1", "late"], &[]);
    web1.finds(&["late.net1"], &[]);
    host.minirun("network disconnect net2 web1").succeeds();
    web2.finds(&["web1", "late"], &[]);
    web1.finds(&["web2"], &[]);
    host.removes("web1 web2 web3");
    host.removes_networks("net1 net2 net3");
    host.finish();
}

#[test]
fn everybody_who_shares_an_alias_is_found_under_it_in_changing_order() {
    let host = TestHost::create();
    host.network("net1", "");
    let names: Vec<_> = (0..4).map(|number| format!("web{number}")).collect();
    for name in &names {
        host.idles(name, "--network net1 --network-alias pool");
    }
    let addresses: Vec<_> = names
        .iter()
        .map(|name| host.container(name).address_on("net1"))
        .collect();
    host.container("web0")
        .finds(&["pool", "POOL.net1"], &addresses);
    host.minirun("stop -t 0 web3").succeeds();
    host.container("web0").finds(&["pool"], &addresses[..3]);
    host.removes(&names.join(" "));
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn names_with_dots_are_tried_whole_and_as_a_name_on_a_network() {
    let host = TestHost::create();
    let upstream = upstream_that_knows_nothing(&host);
    host.network("br.net1", "");
    host.idles("c1.net1", "--network br.net1 --hostname c1.example.test");
    host.idles("c2", "--network br.net1");
    let address = host.container("c1.net1").address_on("br.net1");
    let asking = host.container("c2");
    for known in [
        "c1.net1",
        "c1.net1.br.net1",
        "c1.example.test",
        "C1.Net1.Br.Net1.",
    ] {
        asking.finds(&[known], &[address]);
    }
    for unknown in [
        "c1.net1.br.net1.google.test",
        "c1",
        "net1",
        "c1.br.net1.br.net1",
    ] {
        asking.asks(TYPE::A, unknown).fails_with(RCODE::NameError);
        assert_eq!(upstream.takes_names(), [unknown]);
    }
    drop(upstream);
    host.removes("c1.net1 c2");
    host.removes_networks("br.net1");
    host.finish();
}

#[test]
fn addresses_have_names_and_those_of_others_are_asked_for_elsewhere() {
    let host = TestHost::create();
    let upstream = upstream_that_knows_nothing(&host);
    host.network("net1", "--ipv6");
    host.idles("web1", "--network net1 --network-alias web");
    host.idles("web2", "--network net1");
    let (web1, web2) = (host.container("web1"), host.container("web2"));
    web2.asks_whose(web1.address_on("net1")).is(&["web1.net1"]);
    web2.asks_whose(web1.ipv6_on("net1")).is(&["web1.net1"]);
    assert_eq!(upstream.takes_names(), [""; 0]);
    web2.asks_whose(Ipv4Addr::new(198, 51, 100, 1))
        .fails_with(RCODE::NameError);
    assert_eq!(upstream.takes_names(), ["1.100.51.198.in-addr.arpa"]);
    drop(upstream);
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_container_with_ipv6_has_records_of_both_types() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.idles("web1", "--network net1");
    host.idles("web2", "--network net1");
    let (web1, web2) = (host.container("web1"), host.container("web2"));
    web2.asks(TYPE::A, "web1")
        .is(&[&web1.address_on("net1").to_string()]);
    web2.asks(TYPE::AAAA, "web1")
        .is(&[&web1.ipv6_on("net1").to_string()]);
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn names_end_when_their_container_stops_and_follow_it_to_a_new_address() {
    let host = TestHost::create();
    host.network("net1", "");
    host.idles("web1", "--network net1");
    host.idles("web2", "--network net1");
    let (web1, web2) = (host.container("web1"), host.container("web2"));
    let before = web1.address_on("net1");
    web2.finds(&["web1"], &[before]);
    host.minirun("stop -t 0 web1").succeeds();
    web2.finds(&["web1"], &[]);
    host.removes("web1");
    host.idles("web1", "--network net1");
    let after = web1.address_on("net1");
    assert_ne!(before, after);
    web2.finds(&["web1"], &[after]);
    host.removes("web1 web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn renaming_a_running_container_renames_it_for_everybody() {
    let host = TestHost::create();
    host.network("net1", "");
    host.idles("web1", "--network net1 --network-alias web");
    host.idles("web2", "--network net1");
    let asking = host.container("web2");
    let address = host.container("web1").address_on("net1");
    host.minirun("rename web1 shop").succeeds();
    asking.finds(&["shop", "shop.net1", "web"], &[address]);
    asking.finds(&["web1"], &[]);
    asking.asks_whose(address).is(&["shop.net1"]);
    host.minirun("rename shop web2")
        .fails()
        .stderr_contains("`web2`");
    asking.finds(&["shop"], &[address]);
    host.removes("shop web2");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn programs_in_containers_find_each_other_by_name() {
    let host = TestHost::create();
    host.network("net1", "");
    host.serves("web1", "--network net1", 80);
    // Who asks outlives who is asked: a server that closes its end of a connection when the other has gone with its network is
    // answered by nobody, and the kernel keeps its network, and so its link, for more than a minute.
    host.idles("client", "--network net1");
    host.minirun("exec client wget -T 10 -qO- http://web1/")
        .succeeds();
    host.minirun("exec client wget -T 10 -qO- http://web1.net1/")
        .succeeds();
    host.minirun("run --rm demo wget -T 1 -qO- http://web1/")
        .fails();
    host.removes("web1");
    host.removes("client");
    host.removes_networks("net1");
    host.finish();
}
