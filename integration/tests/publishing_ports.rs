//! Which host port a publication gets, who else may have it, and what happens to those who keep sending.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen, udp_echo};
use minirun_integration::{HOST_ADDRESS, TestHost};

/// The lines of `minirun port NAME`, each as the container's port and the host's address and port.
fn published(host: &TestHost, name: &str) -> Vec<(String, SocketAddr)> {
    let printed = host.minirun(["port", name]).succeeds();
    let parse = |line: &str| {
        let (inner, outer) = line.split_once(" -> ").expect("two sides");
        (
            inner.to_owned(),
            outer.parse().expect("an address and a port"),
        )
    };
    printed.stdout().lines().map(parse).collect()
}

/// The distinct host ports of a container.
fn host_ports(host: &TestHost, name: &str) -> BTreeSet<u16> {
    let lines = published(host, name);
    lines.iter().map(|(_, outer)| outer.port()).collect()
}

#[test]
fn one_random_port_serves_both_families_and_stays_through_restarts_and_connects() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    host.network("net2", "");
    host.idles(
        "web1",
        "--network net1 -p 80 -p 81 -p 53/udp -P --expose 90",
    );
    let before = published(&host, "web1");
    for inner in ["80/tcp", "81/tcp", "90/tcp", "53/udp"] {
        let of_inner: Vec<_> = before.iter().filter(|(one, _)| one == inner).collect();
        assert_eq!(of_inner.len(), 2, "{inner}: {before:?}");
        assert_eq!(of_inner[0].1.port(), of_inner[1].1.port(), "{inner}");
        assert!(
            of_inner[0].1.is_ipv4() && of_inner[1].1.is_ipv6(),
            "{inner}"
        );
    }
    for command in [
        "restart -t 0 web1",
        "network connect net2 web1",
        "network disconnect net2 web1",
        "restart -t 0 web1",
    ] {
        host.minirun(command).succeeds();
        assert_eq!(published(&host, "web1"), before, "{command}");
    }
    host.removes("web1");
    host.removes_networks("net1 net2");
    host.finish();
}

#[test]
fn ranges_are_taken_pairwise_or_as_a_choice() {
    let host = TestHost::create();
    host.idles("pairs", "-p 9800-9803:80-83");
    for (offset, (inner, outer)) in (0..).zip(published(&host, "pairs")) {
        assert_eq!(inner, format!("{}/tcp", 80 + offset));
        assert_eq!(outer.port(), 9800 + offset);
    }
    host.minirun("ps")
        .succeeds()
        .stdout_contains("0.0.0.0:9800-9803->80-83/tcp");
    for name in ["one", "two", "three"] {
        host.idles(name, "-p 8000-8002:80");
    }
    let chosen: BTreeSet<_> = ["one", "two", "three"]
        .iter()
        .flat_map(|name| host_ports(&host, name))
        .collect();
    assert_eq!(chosen, BTreeSet::from([8000, 8001, 8002]));
    host.minirun("run -d --name four -p 8000-8002:80 demo sleep infinity")
        .fails_with(125)
        .stderr_contains("8000")
        .stderr_contains("8002");
    host.removes("two");
    host.idles("four", "-p 8000-8002:80");
    host.removes("pairs one three four");
    host.finish();
}

#[test]
fn what_cannot_be_a_publication_is_refused_before_anything_is_made() {
    let host = TestHost::create();
    for wrong in [
        "9800-9803:80-82",
        "9090-9089:80",
        "9090-:80",
        "-9090:80",
        "hostname:80:80",
        "80:",
        "0",
        "65536",
        "8080:80/icmp",
        "[::1]8080:80",
        "1.2.3:80:80",
    ] {
        host.minirun(["run", "-d", &format!("--publish={wrong}"), "demo", "true"])
            .fails_with(125)
            .stderr_contains(wrong);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.finish();
}

#[test]
fn wildcards_conflict_with_every_address_and_distinct_addresses_do_not() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let run = |options: &str| {
        host.minirun(format!(
            "run -d --name late --network net1 {options} demo sleep infinity"
        ))
    };
    for (first, second) in [
        ("8080", "0.0.0.0:8080"),
        ("8080", "[::]:8080"),
        ("8080", "127.0.0.1:8080"),
        ("127.0.0.1:8080", "8080"),
        ("[::]:8080", "[::1]:8080"),
        ("8080", "8080"),
    ] {
        host.idles("early", &format!("--network net1 -p {first}:80"));
        run(&format!("-p {second}:80"))
            .fails_with(125)
            .stderr_contains("8080")
            .stderr_contains("`early`");
        host.removes("early");
        run(&format!("-p {first}:80 -p {second}:81"))
            .fails_with(125)
            .stderr_contains("8080");
        host.minirun("ps -a").succeeds().stdout_lacks("late");
    }
    for options in [
        "-p 127.0.0.1:8000:80 -p 127.0.0.2:8000:81",
        "-p 53:53/tcp -p 53:53/udp",
        "-p 0.0.0.0:8000:80 -p [::]:8000:81",
        "-p 8000:80 -p 8001:80",
    ] {
        run(options).succeeds();
        host.removes("late");
    }
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_random_port_is_never_a_reserved_one_or_one_asked_for_later_on_the_line() {
    let host = TestHost::create();
    host.set_sysctl("net/ipv4/ip_local_port_range", "40000 40003");
    host.set_sysctl("net/ipv4/ip_local_reserved_ports", "40000,40002");
    host.idles("web1", "-p 80 -p 40001:81");
    assert_eq!(host_ports(&host, "web1"), BTreeSet::from([40001, 40003]));
    host.minirun("run -d --name web2 -p 80 demo sleep infinity")
        .fails_with(125)
        .stderr_contains("40000");
    host.idles("web2", "-p 40002:80");
    assert_eq!(host_ports(&host, "web2"), BTreeSet::from([40002]));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn twenty_containers_at_once_get_twenty_ports() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let names: Vec<_> = (0..20).map(|number| format!("web{number}")).collect();
    let running: Vec<_> = names
        .iter()
        .map(|name| {
            host.spawn_minirun(format!(
                "run -d -P --expose 80 --name {name} --network net1 demo sleep infinity"
            ))
        })
        .collect();
    for one in running {
        one.finish().succeeds();
    }
    let ports: Vec<_> = names
        .iter()
        .flat_map(|name| host_ports(&host, name))
        .collect();
    assert_eq!(ports.len(), names.len(), "one port for both families each");
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    let addresses: BTreeSet<_> = names
        .iter()
        .flat_map(|name| host.container(name).addresses_on("net1"))
        .collect();
    assert_eq!(addresses.len(), 2 * names.len());
    host.removes(&names.join(" "));
    host.removes_networks("net1");
    host.finish();
}

/// Sends from one socket, as a client does that knows of no restart, until an answer begins with `wanted`.
fn is_answered(client: &UdpSocket, wanted: &str) -> bool {
    let mut buffer = [0; 256];
    // Each attempt waits for a moment at most; one is enough once the way is open.
    (0..30).any(|_| {
        client.send(wanted.as_bytes()).ok();
        client
            .recv(&mut buffer)
            .is_ok_and(|length| buffer[..length].starts_with(wanted.as_bytes()))
    })
}

#[test]
fn a_client_that_keeps_sending_meets_the_container_that_came_later_and_the_next() {
    for inner in [5353, 53] {
        let host = TestHost::create();
        let client = host
            .neighbour()
            .inside(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))
            .expect("a port is free");
        let server = SocketAddrV4::new(HOST_ADDRESS, 5353);
        client.connect(server).expect("there is a route");
        client
            .set_read_timeout(Some(SHORT_WAIT))
            .expect("a wait is longer than nothing");
        // Refused by the host, this is a flow that the kernel remembers.
        client.send(b"nobody").expect("the wire is up");
        for round in ["first", "second"] {
            let name = format!("{round}-{inner}");
            let container = host.idles(&name, &format!("-p 5353:{inner}/udp"));
            let echo = container.inside(|| udp_echo(inner));
            assert!(is_answered(&client, round), "{name}");
            drop(echo);
            host.minirun(format!("restart -t 0 {name}")).succeeds();
            let echo = container.inside(|| udp_echo(inner));
            assert!(is_answered(&client, "restarted"), "{name}");
            drop(echo);
            host.removes(&name);
            client.send(b"nobody").ok();
        }
        host.finish();
    }
}

#[test]
fn sctp_is_published_where_the_kernel_has_it_and_refused_clearly_elsewhere() {
    let host = TestHost::create();
    let present = host.read_file("/proc/net/protocols").contains("SCTP");
    let run = host.minirun("run -d --name web1 -p 8080:80/sctp demo sleep infinity");
    if present {
        run.succeeds();
        host.minirun("port web1")
            .succeeds()
            .stdout_is("80/sctp -> 0.0.0.0:8080");
        host.removes("web1");
    } else {
        run.fails_with(125).stderr_contains("sctp");
        host.minirun("ps -a").succeeds().stdout_lacks("web1");
    }
    host.finish();
}

#[test]
fn an_address_that_the_host_does_not_have_is_refused() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    for address in ["203.0.113.1", "[2001:db8:ffff::1]"] {
        host.minirun(format!(
            "run -d --network net1 -p {address}:8080:80 demo sleep infinity"
        ))
        .fails_with(125)
        .stderr_contains(address);
    }
    host.minirun("ps -aq").succeeds().stdout_is("");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn the_configuration_names_the_address_that_is_bound_when_none_is_given() {
    let host = TestHost::create();
    host.network("net1", "-o host_binding=127.0.0.1");
    host.serves("web1", "--network net1 -p 8080:80 -p 192.0.2.1:8081:80", 80);
    host.minirun("port web1 80")
        .succeeds()
        .stdout_has_line("127.0.0.1:8080")
        .stdout_has_line("192.0.2.1:8081");
    for (port, expected) in [(8080, Reach::Refused), (8081, Reach::Open)] {
        let target = SocketAddrV4::new(HOST_ADDRESS, port);
        let reach = host.neighbour().inside(|| tcp_connect(target, LONG_WAIT));
        assert_eq!(reach, expected, "{target}");
    }
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_port_that_a_program_holds_on_one_family_is_given_to_nobody_on_either() {
    let host = TestHost::create();
    host.network("net1", "--ipv6");
    let held = host.inside(|| tcp_listen(8080));
    host.minirun("run -d --network net1 -p 8080:80 demo sleep infinity")
        .fails_with(125)
        .stderr_contains("8080");
    host.minirun("ps -aq").succeeds().stdout_is("");
    drop(held);
    host.idles("web1", "--network net1 -p 8080:80");
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}
