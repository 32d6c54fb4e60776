//! Seed 001: a proxy in front of an application, with communication between containers off.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use minirun_integration::probe::{LONG_WAIT, Relay, SHORT_WAIT, http_get, tcp_connect, tcp_relay};
use minirun_integration::{Container, TestHost};

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080);

/// The proxy's container does nothing by itself; the test plays the proxy in its network, by the name that its link gave.
fn relay_to_todos(proxy: &Container, host: &TestHost, patience: Duration) -> Relay {
    let hosts = host.minirun("exec nginx-secure cat /etc/hosts").succeeds();
    let line = hosts
        .stdout()
        .lines()
        .find(|line| line.split_whitespace().nth(1) == Some("todos"))
        .expect("the link names its target");
    let address = line
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a line begins with an address");
    proxy.inside(|| tcp_relay(8080, SocketAddrV4::new(address, 8080), patience))
}

#[test]
fn with_a_link_and_an_exposed_port_the_host_is_served_through_the_proxy() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    host.serves("todos-secure", "--read-only --expose 8080", 8080);
    host.minirun("run -d --name nginx-secure --read-only --link todos-secure:todos -p 8080:8080 demo sleep infinity").succeeds().stderr_is("");
    let proxy = host.container("nginx-secure");
    let relay = relay_to_todos(&proxy, &host, LONG_WAIT);
    let page = host
        .inside(|| http_get(PUBLISHED, "/"))
        .expect("the page comes through the proxy");
    assert!(
        page.contains(&proxy.address().to_string()),
        "the application sees the proxy's address in\n{page}"
    );
    host.minirun("ps")
        .succeeds()
        .stdout_contains("0.0.0.0:8080->8080/tcp");
    drop(relay);
    host.removes("nginx-secure todos-secure");
    host.finish();
}

#[test]
fn without_the_exposed_port_minirun_warns_and_the_proxy_hangs() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    let application = host.serves("todos-secure", "--read-only", 8080);
    host.minirun("run -d --name nginx-secure --read-only --link todos-secure:todos -p 8080:8080 demo sleep infinity")
        .succeeds()
        .stderr_contains("todos-secure")
        .stderr_contains("--expose");
    let proxy = host.container("nginx-secure");
    let target = SocketAddrV4::new(application.address(), 8080);
    assert_eq!(
        proxy.inside(|| tcp_connect(target, SHORT_WAIT)),
        minirun_integration::probe::Reach::Silent
    );
    let relay = relay_to_todos(&proxy, &host, SHORT_WAIT);
    assert!(host.inside(|| http_get(PUBLISHED, "/")).is_err());
    drop(relay);
    host.removes("nginx-secure todos-secure");
    host.finish();
}

#[test]
fn a_container_without_a_link_is_served_until_communication_is_switched_off() {
    let host = TestHost::create();
    let application = host.serves("todos-secure", "--read-only --expose 8080", 8080);
    let page = format!("http://{}:8080/", application.address());
    // What must come has as long as a busy machine may need.
    host.minirun(format!("run --rm demo wget -T 10 -qO- {page}"))
        .succeeds();
    host.minirun("network update bridge --icc=false").succeeds();
    host.minirun(format!("run --rm demo wget -T 1 -qO- {page}"))
        .fails_with(1)
        .stderr_contains("timed out");
    host.removes("todos-secure");
    host.finish();
}
