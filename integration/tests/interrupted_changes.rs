//! Commands that change a running container and are killed half way: the next command finishes what the record says.
//!
//! A kill is played by putting the files back to what they are at that moment: the sign that a change is under way, and the
//! record of before or after.

use std::fs::File;
use std::net::SocketAddrV4;
use std::time::Instant;

use minirun_integration::probe::{LONG_WAIT, Reach, tcp_connect};
use minirun_integration::{Container, HOST_ADDRESS, TestHost};

fn directory(container: &Container<'_>) -> String {
    let id = container.inspect()["Id"].as_str().map(str::to_owned);
    format!(
        "/var/lib/minirun/containers/{}",
        id.expect("a container has an id")
    )
}

fn record(container: &Container<'_>) -> String {
    format!("{}/container.json", directory(container))
}

/// Waits until nobody is at work on the container. Its monitor gives the lock back a moment after it has told of the start, and
/// whoever finds a container locked leaves an interrupted change of it alone.
#[track_caller]
fn awaits_nobody_at_work(host: &TestHost, container: &Container<'_>) {
    let path = directory(container);
    host.inside(|| {
        let file = File::open(&path).expect("the container has a directory");
        file.lock().expect("it can be locked");
        // To close it would not do: a program that another test is just starting may hold it open as well.
        file.unlock().expect("it is ours");
    });
}

#[test]
fn a_connection_that_was_not_recorded_is_taken_back() {
    let host = TestHost::create();
    let network = host.network("net1", "");
    let web1 = host.idles("web1", "");
    let (path, sign) = (record(&web1), format!("{}/changing", directory(&web1)));
    let before = host.read_file(&path);
    host.minirun("network connect net1 web1").succeeds();
    let address = web1.address_on("net1");
    host.write_file(&path, &before);
    host.write_file(&sign, "");
    host.minirun("ps").succeeds();
    assert_eq!(web1.networks(), ["bridge"]);
    web1.command("ip", "link show eth1").fails();
    assert_eq!(network.inspect()["Containers"], serde_json::json!({}));
    // Its address is free again.
    host.minirun(format!("run --rm --network net1 --ip {address} demo true"))
        .succeeds();
    host.removes("web1");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_disconnection_that_was_recorded_is_carried_out_and_ports_and_routes_follow() {
    let host = TestHost::create();
    host.network("net1", "");
    let web1 = host.serves(
        "web1",
        "--network name=net1,gw-priority=1 --network bridge -p 8080:80",
        80,
    );
    let (path, sign) = (record(&web1), format!("{}/changing", directory(&web1)));
    let both = host.read_file(&path);
    let mut one: serde_json::Value = serde_json::from_str(&both).expect("a record is JSON");
    one["network"]["memberships"]
        .as_array_mut()
        .expect("memberships are a list")
        .remove(0);
    awaits_nobody_at_work(&host, &web1);
    host.write_file(&path, &one.to_string());
    host.write_file(&sign, "");
    host.minirun("ps").succeeds();
    assert_eq!(web1.networks(), ["bridge"]);
    web1.command("ip", "link show eth0").fails();
    assert!(web1.default_route("-4").contains("172.17.0.1"));
    let published = SocketAddrV4::new(HOST_ADDRESS, 8080);
    assert_eq!(
        host.neighbour()
            .inside(|| tcp_connect(published, LONG_WAIT)),
        Reach::Open
    );
    host.removes_networks("net1");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_renaming_that_was_recorded_is_made_known_to_everybody() {
    let host = TestHost::create();
    host.network("net1", "--icc false");
    host.serves("old", "--network net1 --expose 80", 80);
    let source = host.idles("source", "--network net1 --link old:web");
    let target = host.container("old");
    let (path, sign) = (record(&target), format!("{}/changing", directory(&target)));
    let mut renamed: serde_json::Value =
        serde_json::from_str(&host.read_file(&path)).expect("a record is JSON");
    renamed["name"] = "new".into();
    let id = target.inspect()["Id"].as_str().map(str::to_owned);
    host.command(
        "ln",
        format!("-s {} /var/lib/minirun/names/new", id.expect("an id")),
    )
    .succeeds();
    awaits_nobody_at_work(&host, &target);
    awaits_nobody_at_work(&host, &source);
    host.write_file(&sign, "old\n");
    host.write_file(&path, &renamed.to_string());
    host.minirun("ps").succeeds().stdout_contains("new");
    host.minirun("exec source wget -qO- http://web/").succeeds();
    source.finds(&["new"], &[host.container("new").address_on("net1")]);
    let links = source.inspect()["HostConfig"]["Links"].clone();
    assert_eq!(links, serde_json::json!(["/new:/source/web"]));
    // The old name is free.
    host.minirun("run --rm --name old demo true").succeeds();
    host.removes("new source");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_name_that_a_killed_renaming_took_is_free_for_it_and_for_others() {
    let host = TestHost::create();
    let web1 = host.idles("web1", "");
    let id = web1.inspect()["Id"]
        .as_str()
        .map(str::to_owned)
        .expect("an id");
    for renamed in [false, true] {
        host.command("ln", format!("-s {id} /var/lib/minirun/names/taken"))
            .succeeds();
        if renamed {
            host.minirun("rename web1 taken").succeeds();
            host.minirun("rename taken web1").succeeds();
        } else {
            host.idles("taken", "");
            host.removes("taken");
        }
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn what_changes_while_a_restart_waits_holds_afterwards() {
    let host = TestHost::create();
    host.network("net1", "");
    host.minirun("run -d --name slow --stop-signal WINCH --stop-timeout 60 demo sleep infinity")
        .succeeds();
    let restart = host.spawn_minirun("restart slow");
    // It has found the container by its old name when it holds one of its processes.
    restart.process().awaits_open_file("pidfd");
    host.minirun("rename slow fast").succeeds();
    host.minirun("network connect net1 fast").succeeds();
    // It ends now, and not in the midst of a change because its time to obey happens to be over.
    host.minirun("kill fast").succeeds();
    restart.finish().succeeds();
    let fast = host.container("fast");
    assert_eq!(fast.networks(), ["bridge", "net1"]);
    fast.finds(&["fast"], &[fast.address_on("net1")]);
    host.removes("fast");
    host.removes_networks("net1");
    host.finish();
}

/// Guards that what is finished for a container is not done to the host, whose network it uses.
#[test]
fn finishing_a_change_leaves_the_network_of_the_host_alone() {
    let host = TestHost::create();
    let guest = host.idles("guest", "--network host");
    let routes = |family| {
        let shown = host
            .command("ip", format!("{family} route show"))
            .succeeds();
        shown.stdout().to_owned()
    };
    let before = ["-4", "-6"].map(routes);
    host.write_file(&format!("{}/changing", directory(&guest)), "old\n");
    host.minirun("ps").succeeds();
    host.minirun("rename guest visitor").succeeds();
    assert_eq!(["-4", "-6"].map(routes), before);
    host.removes("visitor");
    host.finish();
}

#[test]
fn a_renaming_waits_for_links_that_others_are_at_work_on() {
    let host = TestHost::create();
    host.network("net1", "--icc false");
    host.serves("old", "--network net1 --expose 80", 80);
    let source = host.idles("source", "--network net1 --link old:web");
    let path = directory(&source);
    let held = host.inside(|| {
        let file = File::open(&path).expect("the container has a directory");
        file.lock().expect("nobody holds it");
        file
    });
    let renaming = host.spawn_minirun("rename old new");
    // The name stays the container's until no link leads to it any more.
    let began = Instant::now();
    while host.minirun("inspect new").code() != Some(0) {
        assert!(began.elapsed() < LONG_WAIT, "the record changes at once");
    }
    host.minirun("run --rm --name old demo true")
        .fails_with(125);
    drop(held);
    renaming.finish().succeeds();
    let links = source.inspect()["HostConfig"]["Links"].clone();
    assert_eq!(links, serde_json::json!(["/new:/source/web"]));
    host.minirun("exec source wget -qO- http://web/").succeeds();
    host.minirun("run --rm --name old demo true").succeeds();
    host.removes("new source");
    host.removes_networks("net1");
    host.finish();
}

#[test]
fn a_time_limit_that_was_recorded_is_told_to_the_monitor() {
    let host = TestHost::create();
    let web1 = host.idles("web1", "--timeout 1h");
    let (path, sign) = (record(&web1), format!("{}/changing", directory(&web1)));
    let mut limited: serde_json::Value =
        serde_json::from_str(&host.read_file(&path)).expect("a record is JSON");
    limited["time_limit"]["after"] = serde_json::json!({"secs": 0, "nanos": 1});
    awaits_nobody_at_work(&host, &web1);
    host.write_file(&path, &limited.to_string());
    host.write_file(&sign, "");
    host.minirun("ps").succeeds();
    host.minirun("wait web1").succeeds().stdout_is("124");
    host.removes("web1");
    host.finish();
}
