//! What somebody else takes away, or a killed command leaves half done, is put right by the next command.

use std::net::SocketAddrV4;

use minirun_integration::probe::{LONG_WAIT, Reach, SHORT_WAIT, tcp_connect};
use minirun_integration::{Driver, HOST_ADDRESS, TestHost};

const PUBLISHED: SocketAddrV4 = SocketAddrV4::new(HOST_ADDRESS, 8080);

/// The rules of a table as `iptables -S` lists them.
fn listed(host: &TestHost, table: &str) -> String {
    host.command("iptables", format!("-w -t {table} -S"))
        .succeeds()
        .stdout()
        .to_owned()
}

#[test]
fn a_closed_network_is_closed_again_at_the_next_start_after_the_rules_were_flushed() {
    let host = TestHost::using(Driver::Iptables);
    host.minirun("network update bridge --icc=false").succeeds();
    let web1 = host.serves("web1", "", 80);
    let target = SocketAddrV4::new(web1.address(), 80);
    let before = listed(&host, "filter");
    host.command("iptables", "-w -F").succeeds();
    host.minirun("run -d --name web2 demo sleep infinity")
        .succeeds();
    assert_eq!(
        host.container("web2")
            .inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    assert_eq!(listed(&host, "filter"), before);
    host.removes("web1");
    host.removes("web2");
    host.finish();
}

#[test]
fn flushed_rules_come_back_with_the_next_published_port_for_all_containers() {
    let host = TestHost::using(Driver::Iptables);
    host.serves("web1", "-p 8080:80", 80);
    let tables = ["raw", "nat", "filter"];
    let before = tables.map(|table| listed(&host, table));
    for table in tables {
        host.command("iptables", format!("-w -t {table} -F"))
            .succeeds();
    }
    host.minirun("run --rm --name web2 -p 9090:90 demo true")
        .succeeds();
    // Its monitor may still be taking its rules away, which this waits for.
    host.removes("web2");
    host.minirun("ps -a").succeeds();
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(PUBLISHED, LONG_WAIT)),
        Reach::Open
    );
    host.removes("web1");
    host.minirun("run -d --name web1 -p 8080:80 demo httpd -p 80")
        .succeeds();
    assert_eq!(tables.map(|table| listed(&host, table)).len(), before.len());
    assert_eq!(listed(&host, "raw"), before[0]);
    host.removes("web1");
    host.finish();
}

#[test]
fn the_administrators_chain_stays_first_when_only_the_jump_behind_it_is_put_back() {
    let host = TestHost::using(Driver::Iptables);
    host.minirun("run --rm -p 9090:90 demo true").succeeds();
    host.command("iptables", "-w -D FORWARD -j MINIRUN-FORWARD")
        .succeeds();
    host.minirun("run --rm -p 9090:90 demo true").succeeds();
    let rules = listed(&host, "filter");
    let place = |rule: &str| {
        rules
            .find(rule)
            .unwrap_or_else(|| panic!("{rule}: {rules}"))
    };
    assert!(place("-A FORWARD -j MINIRUN-USER") < place("-A FORWARD -j MINIRUN-FORWARD"));
    assert_eq!(rules.matches("-A FORWARD -j MINIRUN-").count(), 2);
    host.finish();
}

#[test]
fn a_bridge_without_its_address_is_completed() {
    let host = TestHost::create();
    host.minirun("run --rm demo true").succeeds();
    host.command("ip", "address flush dev minirun0").succeeds();
    let web1 = host.serves("web1", "", 80);
    let target = SocketAddrV4::new(web1.address(), 80);
    assert_eq!(host.inside(|| tcp_connect(target, LONG_WAIT)), Reach::Open);
    host.removes("web1");
    host.finish();
}

#[test]
fn a_switch_of_icc_that_was_interrupted_is_finished() {
    let host = TestHost::create();
    let web1 = host.serves("web1", "", 80);
    let target = SocketAddrV4::new(web1.address(), 80);
    host.minirun("run -d --name web2 demo sleep infinity")
        .succeeds();
    // This is how far a command comes that is killed right after it has written the record.
    let record = "/var/lib/minirun/networks/bridge.json";
    let open = host.read_file(record);
    host.write_file(record, &open.replace("\"enabled\"", "\"disabled\""));
    assert_ne!(host.read_file(record), open);
    host.command("rm", "/run/minirun/firewall").succeeds();
    host.minirun("ps").succeeds();
    assert_eq!(
        host.container("web2")
            .inside(|| tcp_connect(target, SHORT_WAIT)),
        Reach::Silent
    );
    host.removes("web1");
    host.removes("web2");
    host.finish();
}

#[test]
fn a_container_that_ran_when_the_host_went_down_has_ended_afterwards() {
    let host = TestHost::create();
    host.minirun("run -d --name kept -p 8080:80 demo httpd -p 80")
        .succeeds();
    host.minirun("run -d --rm --name gone demo sleep infinity")
        .succeeds();
    host.kills_everything();
    host.command("sh", ["-c", "rm -r /run/minirun/*"])
        .succeeds();
    host.command("ip", "link delete minirun0").succeeds();
    for table in ["raw", "nat", "filter"] {
        host.command("iptables", format!("-w -t {table} -F"))
            .succeeds();
    }
    host.minirun("ps -a --format json")
        .succeeds()
        .stdout_contains("Exited (137)")
        .stdout_lacks("gone");
    host.minirun("start kept").succeeds();
    host.container("kept").awaits_tcp(80);
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(PUBLISHED, LONG_WAIT)),
        Reach::Open
    );
    host.removes("kept");
    host.finish();
}

#[test]
fn one_name_and_one_port_can_be_used_again_and_again_at_once() {
    let host = TestHost::create();
    for _ in 0..20 {
        host.minirun("run --rm --name again -p 8080:80 demo true")
            .succeeds();
        host.minirun("run --rm -p 8080:80 demo true").succeeds();
    }
    host.finish();
}

#[test]
fn what_containers_write_is_out_of_reach_for_other_users_of_the_host() {
    let host = TestHost::create();
    host.minirun("create --name web1 demo true").succeeds();
    let modes = host.command(
        "sh",
        [
            "-c",
            "stat -c %a /var/lib/minirun/containers /var/lib/minirun/containers/*",
        ],
    );
    modes.succeeds().stdout_is("700\n700");
    host.removes("web1");
    host.finish();
}
