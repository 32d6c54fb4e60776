//! What is told of links: refusals, warnings, the environment, and where they are shown.

use minirun_integration::TestHost;

fn clear(host: TestHost, containers: &str, networks: &str) {
    host.removes(containers);
    host.removes_networks(networks);
    host.finish();
}

#[test]
fn a_link_that_cannot_be_is_refused_with_a_hint_and_leaves_nothing() {
    let host = TestHost::create();
    host.network("net1", "");
    host.network("net2", "");
    host.idles("target", "--network net1");
    host.idles("other", "--network net1");
    host.idles("hosted", "--network host");
    for (options, fragments) in [
        ("--network net2 --link target:web", ["`net1`", "`net2`"]),
        ("--link target:web", ["`target`", "`net1`"]),
        (
            "--network net1 --link nosuch:web",
            ["`nosuch`", "container"],
        ),
        ("--network net1 --link source:web", ["`source`", ""]),
        ("--network net1 --link hosted:web", ["`hosted`", "host"]),
        (
            "--network net1 --link target:web --link other:web",
            ["`web`", "`other`"],
        ),
        ("--network host --link target:web", ["host", "link"]),
        ("--network none --link target:web", ["none", "link"]),
        (
            "--network container:other --link target:web",
            ["container", "link"],
        ),
    ] {
        let told = host
            .minirun(format!(
                "run -d --name source {options} demo sleep infinity"
            ))
            .fails_with(125);
        for fragment in fragments {
            assert!(
                told.stderr().contains(fragment),
                "{options}: {}",
                told.stderr()
            );
        }
        assert!(
            told.stderr().contains("hint: "),
            "{options}: {}",
            told.stderr()
        );
        host.minirun("ps -a").succeeds().stdout_lacks("source");
    }
    host.minirun("run --rm --link a:b:c demo true")
        .fails_with(125)
        .stderr_contains("a:b:c");
    clear(host, "target other hosted", "net1 net2");
}

#[test]
fn one_chooses_what_of_the_target_the_environment_tells() {
    let host = TestHost::create();
    host.network("net1", "");
    let address = host
        .serves("target", "--network net1 --expose 80 -e SECRET=word", 80)
        .address_on("net1");
    let environment = |options: &str| {
        host.minirun(format!(
            "run --rm --name source --network net1 --link target:web {options} demo env"
        ))
        .succeeds()
    };
    let port = format!("WEB_PORT_80_TCP=tcp://{address}:80");
    for options in ["", "--link-env full", "--link-env=full"] {
        environment(options)
            .stdout_has_line(&port)
            .stdout_has_line("WEB_NAME=/source/web")
            .stdout_has_line("WEB_ENV_SECRET=word");
    }
    environment("--link-env address")
        .stdout_has_line(&port)
        .stdout_has_line("WEB_NAME=/source/web")
        .stdout_lacks("WEB_ENV_");
    environment("--link-env none").stdout_lacks("WEB_");
    host.minirun("run --rm --link-env some demo true")
        .fails_with(125)
        .stderr_contains("full")
        .stderr_contains("address")
        .stderr_contains("none");
    clear(host, "target", "net1");
}

#[test]
fn links_are_shown_as_docker_shows_them() {
    let host = TestHost::create();
    host.minirun("network update bridge --icc=false").succeeds();
    host.idles("web1", "--expose 80 --expose 53/udp");
    host.idles("web2", "--link /web1:/web2/web --link web1:alias");
    let shown = host.container("web2").inspect();
    let mut links: Vec<_> = shown["HostConfig"]["Links"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|link| link.as_str())
        .collect();
    links.sort_unstable();
    assert_eq!(links, ["/web1:/web2/alias", "/web1:/web2/web"]);
    let linked = &shown["NetworkSettings"]["LinkedPorts"];
    for opened in linked.as_array().expect("a list") {
        assert_eq!(opened["Network"], "bridge");
        assert_eq!(opened["Target"], "web1");
        assert_eq!(opened["Ports"].to_string(), "[\"80/tcp\",\"53/udp\"]");
    }
    assert_eq!(linked[0]["Alias"], "web");
    host.minirun("ps --no-trunc")
        .succeeds()
        .stdout_contains("web1,web2/alias,web2/web");
    host.minirun("ps").succeeds().stdout_lacks("web2/web");
    host.minirun("stop -t 0 web1").succeeds();
    let linked = host.container("web2").inspect()["NetworkSettings"]["LinkedPorts"].take();
    assert_eq!(
        linked[0]["Ports"].to_string(),
        "[]",
        "nothing is open to what does not run"
    );
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_link_that_opens_nothing_is_warned_of_where_that_matters() {
    let host = TestHost::create();
    host.network("open", "");
    host.network("closed", "--icc=false");
    for (network, warned) in [("open", false), ("closed", true)] {
        host.idles("target", &format!("--network {network}"));
        let told = host
            .minirun(format!(
                "run --rm --network {network} --link target:web demo true"
            ))
            .succeeds();
        assert_eq!(
            told.stderr().contains("exposes no port"),
            warned,
            "{}",
            told.stderr()
        );
        assert_eq!(
            told.stderr().contains("--expose"),
            warned,
            "{}",
            told.stderr()
        );
        host.removes("target");
    }
    host.removes_networks("open closed");
    host.finish();
}
