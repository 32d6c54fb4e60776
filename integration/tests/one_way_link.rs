//! A link opens the way from its source to its target, and no way back.

use std::net::SocketAddrV4;

use minirun_integration::TestHost;
use minirun_integration::probe::{
    LONG_WAIT, Reach, SHORT_WAIT, tcp_connect, tcp_connect_from, tcp_listen,
};

/// A target that exposes port 80 and a source that is linked to it, both idle, with communication off.
fn linked_pair(host: &TestHost) {
    host.minirun("network update bridge --icc=false").succeeds();
    host.minirun("run -d --name web1 --expose 80 demo sleep infinity")
        .succeeds();
    host.minirun("run -d --name web2 --link web1:web demo sleep infinity")
        .succeeds();
}

#[test]
fn a_target_that_binds_its_exposed_port_cannot_connect_to_its_source() {
    let host = TestHost::create();
    linked_pair(&host);
    let (target, source) = (host.container("web1"), host.container("web2"));
    let unrelated = source.inside(|| tcp_listen(9999));
    let back = SocketAddrV4::new(source.address(), 9999);
    for value in ["0", "1"] {
        // A kernel without br_netfilter behaves as with 0, so there the second look is at the same thing.
        host.set_sysctl("net/bridge/bridge-nf-call-iptables", value);
        let listener = target.inside(|| tcp_listen(80));
        let forth = SocketAddrV4::new(target.address(), 80);
        assert_eq!(source.inside(|| tcp_connect(forth, LONG_WAIT)), Reach::Open);
        drop(listener);
        assert_eq!(
            target.inside(|| tcp_connect_from(80, back, SHORT_WAIT)),
            Reach::Silent
        );
        assert_eq!(
            target.inside(|| tcp_connect(back, SHORT_WAIT)),
            Reach::Silent
        );
    }
    drop(unrelated);
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn two_sources_of_one_target_cannot_reach_each_other() {
    let host = TestHost::create();
    linked_pair(&host);
    host.serves("web3", "--link web1:web --expose 80", 80);
    let sibling = SocketAddrV4::new(host.container("web3").address(), 80);
    assert_eq!(
        host.container("web2")
            .inside(|| tcp_connect(sibling, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1 web2 web3");
    host.finish();
}

#[test]
fn a_link_names_its_target_by_alias_name_and_hostname() {
    let host = TestHost::create();
    let target = host.serves("web1", "--expose 80 --hostname first", 80);
    host.minirun("run -d --name web2 --link web1:web demo sleep infinity")
        .succeeds();
    let line = format!("{}\tweb first web1", target.address());
    host.minirun("exec web2 cat /etc/hosts")
        .succeeds()
        .stdout_has_line(&line);
    for name in ["web", "first", "web1"] {
        host.minirun(format!("exec web2 wget -qO- http://{name}/"))
            .succeeds();
    }
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_link_describes_its_target_in_the_environment() {
    let host = TestHost::create();
    let target = host.serves("web1", "--expose 80 -e COLOUR=red", 80);
    let address = target.address();
    let environment = host
        .minirun("run --rm --name web2 --link web1:web-server demo env")
        .succeeds();
    for line in [
        String::from("WEB_SERVER_NAME=/web2/web-server"),
        format!("WEB_SERVER_PORT=tcp://{address}:80"),
        format!("WEB_SERVER_PORT_80_TCP=tcp://{address}:80"),
        format!("WEB_SERVER_PORT_80_TCP_ADDR={address}"),
        String::from("WEB_SERVER_PORT_80_TCP_PORT=80"),
        String::from("WEB_SERVER_PORT_80_TCP_PROTO=tcp"),
        String::from("WEB_SERVER_ENV_COLOUR=red"),
    ] {
        assert!(
            environment.stdout().lines().any(|one| one == line),
            "`{line}` should be among\n{}",
            environment.stdout()
        );
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn a_link_to_a_stopped_container_opens_when_that_is_started() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    host.minirun("create --name web1 --expose 80 demo httpd -p 80")
        .succeeds();
    host.minirun("run -d --name web2 --link web1:web demo sleep infinity")
        .succeeds()
        .stderr_is("warning: `web1` is not running: the link works as soon as it is started");
    host.minirun("exec web2 cat /etc/hosts")
        .succeeds()
        .stdout_lacks("\tweb ");
    host.minirun("start web1").succeeds().stdout_is("web1");
    let target = host.container("web1");
    target.awaits_tcp(80);
    host.minirun("exec web2 cat /etc/hosts")
        .succeeds()
        .stdout_contains(&format!("{}\tweb ", target.address()));
    host.minirun("exec web2 wget -T 10 -qO- http://web/")
        .succeeds();
    host.minirun("exec web2 env")
        .succeeds()
        .stdout_has_line(&format!("WEB_PORT=tcp://{}:80", target.address()));
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_link_ends_with_its_source() {
    let host = TestHost::create();
    linked_pair(&host);
    let listener = host.container("web1").inside(|| tcp_listen(80));
    let address = host.container("web2").address();
    host.removes("web2");
    host.minirun(format!(
        "run -d --name heir --ip {address} demo sleep infinity"
    ))
    .succeeds();
    let target = SocketAddrV4::new(host.container("web1").address(), 80);
    assert_eq!(
        host.container("heir")
            .inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    drop(listener);
    host.removes("web1 heir");
    host.finish();
}
