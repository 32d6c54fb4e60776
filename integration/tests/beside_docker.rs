//! A real Docker engine on the same host: neither harms the other, whoever comes first.

use std::net::{Ipv4Addr, SocketAddrV4};

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_listen};
use minirun_integration::{DockerEngine, HOST_ADDRESS, NEIGHBOUR_ADDRESS, TestHost};

/// Where minirun's container `web1` is published.
const OURS: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// Where Docker's container `web2` is published.
const DOCKERS: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 9090);

/// A closed default network with a published target, a source that is linked to it, and a stranger.
fn run_our_containers(host: &TestHost) {
    host.minirun("network update bridge --icc=false").succeeds();
    host.serves("web1", "-p 8080:80", 80);
    host.minirun("run -d --name source --link web1:web demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name stranger demo sleep infinity")
        .succeeds();
}

fn run_dockers_container(engine: &DockerEngine<'_>) {
    engine
        .docker("run -d --name web2 --stop-signal KILL -p 9090:90 busybox sleep infinity")
        .succeeds();
}

/// Expects everything that [`run_our_containers`] promises to hold.
#[track_caller]
fn ours_work(host: &TestHost) {
    let target = SocketAddrV4::new(host.container("web1").address(), 80);
    let from = |name: &str, target, patience| {
        host.container(name)
            .inside(|| tcp_connect(target, patience))
    };
    assert_eq!(from("source", target, LONG_WAIT), Reach::Open, "the link");
    assert_eq!(
        from("stranger", target, SHORT_WAIT),
        Reach::Silent,
        "closed"
    );
    assert_eq!(from_lan(host, OURS), Reach::Open, "the published port");
    assert_eq!(
        way_out_of(&host.container("stranger").place(), host),
        Reach::Open,
        "the way out"
    );
}

/// Expects Docker's container to be reached from the LAN, and to reach it.
#[track_caller]
fn dockers_work(host: &TestHost, engine: &DockerEngine<'_>) {
    let listener = engine.place("web2").inside(|| tcp_listen(90));
    assert_eq!(from_lan(host, DOCKERS), Reach::Open, "its published port");
    assert!(
        listener
            .next_peer(LONG_WAIT)
            .is_some_and(|peer| peer.ip() == NEIGHBOUR_ADDRESS),
        "the client should be seen under its own address"
    );
    drop(listener);
    assert_eq!(
        way_out_of(&engine.place("web2"), host),
        Reach::Open,
        "its way out"
    );
}

fn from_lan(host: &TestHost, target: SocketAddrV4) -> Reach {
    host.neighbour().inside(|| tcp_connect(target, LONG_WAIT))
}

fn way_out_of(place: &minirun_integration::Place, host: &TestHost) -> Reach {
    let _outside = host.neighbour().inside(|| tcp_listen(443));
    place.inside(|| tcp_connect(SocketAddrV4::new(NEIGHBOUR_ADDRESS, 443), LONG_WAIT))
}

/// Every rule and policy that is not minirun's, table by table.
fn foreign_rules(host: &TestHost) -> String {
    let tables = ["raw", "nat", "filter"];
    let listed = tables.map(|table| {
        host.command("iptables", ["-w", "-t", table, "-S"])
            .succeeds()
            .stdout()
            .to_owned()
    });
    let foreign = listed
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.to_lowercase().contains("minirun"));
    foreign.collect::<Vec<_>>().join("\n")
}

#[test]
fn containers_work_on_a_host_whose_forward_policy_docker_has_set_to_drop() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    host.rules("filter").have(&["-P FORWARD DROP"]);
    run_dockers_container(&engine);
    run_our_containers(&host);
    ours_work(&host);
    dockers_work(&host, &engine);
    host.rules("filter").have(&["-P FORWARD DROP"]);
    host.removes("web1 source stranger");
    engine.stop();
    host.finish();
}

#[test]
fn containers_go_on_working_when_docker_is_started_after_them_and_again() {
    let host = TestHost::create();
    run_our_containers(&host);
    for round in ["first", "second"] {
        let engine = DockerEngine::start(&host);
        engine.docker("rm -f web2").succeeds();
        run_dockers_container(&engine);
        ours_work(&host);
        dockers_work(&host, &engine);
        // Docker sets this policy only where it has switched forwarding on itself.
        host.command("iptables", "-w -P FORWARD DROP").succeeds();
        ours_work(&host);
        dockers_work(&host, &engine);
        engine.stop();
        ours_work(&host);
        assert!(
            host.command("docker", "version").code() != Some(0),
            "the {round} engine has ended"
        );
    }
    host.removes("web1 source stranger");
    host.finish();
}

#[test]
fn the_rules_of_docker_are_the_same_before_and_after() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    run_dockers_container(&engine);
    // Listing a table makes it where it was not, so the tables are looked at once before.
    foreign_rules(&host);
    let before = foreign_rules(&host);
    run_our_containers(&host);
    assert_eq!(foreign_rules(&host), before, "while containers run");
    host.minirun("network update bridge --icc=true").succeeds();
    host.minirun("restart -t 0 web1").succeeds();
    host.removes("web1 source stranger");
    assert_eq!(foreign_rules(&host), before, "after they have gone");
    engine.stop();
    host.finish();
}

#[test]
fn reloading_leaves_the_rules_of_docker_alone_and_everything_works() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    run_dockers_container(&engine);
    run_our_containers(&host);
    let before = foreign_rules(&host);
    host.minirun("network reload").succeeds();
    assert_eq!(foreign_rules(&host), before);
    ours_work(&host);
    dockers_work(&host, &engine);
    host.removes("web1 source stranger");
    engine.stop();
    host.finish();
}

#[test]
fn the_two_never_share_a_subnet() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    run_dockers_container(&engine);
    assert_eq!(engine.address("web2"), Ipv4Addr::new(172, 17, 0, 2));
    let ours = host.serves("web1", "-p 8080:80", 80).address();
    assert_ne!(ours.octets()[..2], [172, 17], "{ours}");
    host.minirun("network create net1").succeeds();
    let subnet =
        host.minirun("network inspect net1").succeeds().json()[0]["IPAM"]["Config"][0]["Subnet"]
            .take();
    let subnet = subnet.as_str().expect("a subnet").to_owned();
    assert!(!subnet.starts_with("172.17."), "{subnet}");
    host.minirun("network create --subnet 172.17.9.0/24 net2")
        .fails()
        .stderr_contains("172.17.0.0/16")
        .stderr_contains("docker0");
    host.minirun("network rm net1").succeeds();
    host.removes("web1");
    engine.stop();
    host.finish();
}

#[test]
fn a_container_of_docker_reaches_what_is_published_and_nothing_else() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    run_dockers_container(&engine);
    let inner = host.serves("web1", "-p 8080:80", 80).address();
    let place = engine.place("web2");
    assert_eq!(
        place.inside(|| tcp_connect(OURS, LONG_WAIT)),
        Reach::Open,
        "through the host"
    );
    for icc in ["true", "false"] {
        host.minirun(format!("network update bridge --icc={icc}"))
            .succeeds();
        let straight = SocketAddrV4::new(inner, 80);
        assert_eq!(
            place.inside(|| tcp_connect(straight, SHORT_WAIT)),
            Reach::Silent,
            "straight, icc={icc}"
        );
    }
    let listener = place.inside(|| tcp_listen(90));
    assert_eq!(
        host.container("web1")
            .inside(|| tcp_connect(DOCKERS, LONG_WAIT)),
        Reach::Open,
        "the other way round"
    );
    drop(listener);
    host.removes("web1");
    engine.stop();
    host.finish();
}

#[test]
fn one_host_port_belongs_to_one_of_them() {
    let host = TestHost::create();
    let engine = DockerEngine::start(&host);
    run_dockers_container(&engine);
    host.minirun("run -d --name late -p 9090:80 demo httpd -p 80")
        .fails_with(125)
        .stderr_contains("9090");
    host.minirun("ps -a").succeeds().stdout_lacks("late");
    host.serves("web1", "-p 8080:80", 80);
    engine
        .docker("run -d --name late -p 8080:80 busybox sleep infinity")
        .fails()
        .stderr_contains("8080");
    assert_eq!(from_lan(&host, OURS), Reach::Open);
    host.removes("web1");
    engine.stop();
    host.finish();
}
