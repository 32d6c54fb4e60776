//! The words of `--egress` and `--egress-deny`: what is refused, and how they are shown.

use minirun_integration::TestHost;
use serde_json::json;

#[test]
fn what_cannot_be_enforced_or_understood_is_refused_before_anything_is_made() {
    let host = TestHost::create();
    host.idles("web1", "");
    for (options, message) in [
        (
            "--network host --egress none",
            "error: `--egress` needs a bridge network, and the container has `--network host`\n\
             hint: leave out `--network`, or use `--network bridge`",
        ),
        (
            "--network container:web1 --egress-deny private",
            "error: `--egress-deny` needs a bridge network, and the container has `--network container:web1`\n\
             hint: give `--egress-deny` to container `web1`, whose network it is",
        ),
        (
            "--egress example.org",
            "error: --egress: `example.org` is no destination; write an address such as `192.0.2.1`, \
             `192.0.2.0/24:443/tcp` or `[2001:db8::/32]:443`",
        ),
        (
            "--egress dns --egress none",
            "error: --egress: `none` stands alone, and cannot be combined with others",
        ),
    ] {
        let run = format!("run --name web2 {options} demo true");
        host.minirun(run).fails_with(125).stderr_is(message);
    }
    host.write_file("/etc/minirun/minirun.toml", "firewall = \"none\"\n");
    host.minirun("run --name web2 --egress none demo true")
        .fails_with(125)
        .stderr_contains("cannot restrict what a container may reach without a firewall driver");
    host.minirun("run --rm --network none --egress none demo true")
        .succeeds();
    host.configures("");
    host.minirun("ps -aq").succeeds().stdout_has_line(
        &host.container("web1").inspect()["Id"]
            .as_str()
            .expect("an id")[..12],
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn inspect_shows_it_and_explain_says_how_it_is_done() {
    let host = TestHost::create();
    let web1 = host.idles(
        "web1",
        "--egress 192.0.2.2:443 --egress dns --egress-deny private",
    );
    let inspected = web1.inspect();
    assert_eq!(
        inspected["HostConfig"]["Egress"],
        json!("dns,192.0.2.2/32:443/tcp")
    );
    assert_eq!(inspected["HostConfig"]["EgressDeny"], json!("private"));
    let free = host.idles("web2", "").inspect();
    assert_eq!(free["HostConfig"]["Egress"], json!("any"));
    assert_eq!(free["HostConfig"]["EgressDeny"], json!("none"));
    let warning = "warning: `--egress` leaves the other containers of network `bridge` within reach, and whoever they pass on \
                   to: a network with `--icc=false` keeps them apart";
    host.minirun("run --rm --egress none demo true")
        .succeeds()
        .stderr_is(warning);
    host.network("net1", "--icc=false");
    host.minirun("run --rm --network net1 --egress none demo true")
        .succeeds()
        .stderr_is("");
    host.removes_networks("net1");
    host.minirun("run --rm --explain --egress 192.0.2.2 demo true")
        .succeeds()
        .stderr_contains("-m conntrack --ctorigdst 192.0.2.2/32 -j RETURN")
        .stderr_contains("nft add element bridge minirun sources4 '{ \"veth");
    host.removes("web1 web2");
    host.finish();
}
