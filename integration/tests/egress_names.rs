//! Names that carry data out: whom a container may ask for them under `--egress`.

use std::net::SocketAddr;

use minirun_integration::{DnsUpstream, NEIGHBOUR_ADDRESS, TestHost, Zone};
use simple_dns::{RCODE, TYPE};

#[test]
fn names_of_others_are_asked_for_only_where_that_is_allowed() {
    let host = TestHost::create();
    host.write_file("/etc/resolv.conf", "nameserver 192.0.2.2\n");
    let zone = Zone::of(&[("a.test", "198.51.100.1")]);
    let address = SocketAddr::from((NEIGHBOUR_ADDRESS, 53));
    let server = host
        .neighbour()
        .inside(|| DnsUpstream::start(address, zone));
    host.network("net1", "");
    host.idles("peer", "--network net1");
    for (name, options, answers) in [
        ("web1", "--egress none", false),
        ("web2", "--egress 192.0.2.2:443", false),
        ("web3", "--egress dns", true),
        ("web4", "--egress-deny private", true),
        ("web5", "--egress 192.0.2.2:53/udp --dns 192.0.2.2", true),
        ("web6", "--egress none --dns 192.0.2.2", false),
        ("web7", "--egress dns --dns 192.0.2.2", true),
    ] {
        let container = host.idles(name, &format!("--network net1 {options}"));
        let own = host.container("peer").address_on("net1").to_string();
        container.asks(TYPE::A, "peer").is(&[&own]);
        let answer = container.asks(TYPE::A, "a.test");
        match answers {
            true => answer.is(&["198.51.100.1"]),
            false => answer.fails_with(RCODE::ServerFailure),
        };
        assert_eq!(server.takes_names().is_empty(), !answers, "{options}");
    }
    // On the default network the container asks by itself.
    for (name, options, answers) in [
        ("web8", "--egress none", false),
        ("web9", "--egress dns", true),
    ] {
        let container = host.idles(name, options);
        let asked = container.command("busybox", "nslookup a.test 192.0.2.2");
        assert_eq!(asked.code() == Some(0), answers, "{options}");
    }
    drop(server);
    host.removes("peer web1 web2 web3 web4 web5 web6 web7 web8 web9");
    host.removes_networks("net1");
    host.finish();
}
