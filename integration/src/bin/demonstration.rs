//! The main job of minirun, shown step by step on a throw-away host; exits with 1 and says why if any of it does not happen.

use std::process::ExitCode;

use minirun_integration::TestHost;
use minirun_integration::projector::{Projector, Prompt};

fn main() -> ExitCode {
    let host = TestHost::create();
    let mut projector = Projector::default();
    introduce(&mut projector);
    start(&host, &mut projector);
    look_inside(&host, &mut projector);
    ask(&host, &mut projector);
    show_rules(&host, &mut projector);
    find_by_name(&host, &mut projector);
    keep_apart(&host, &mut projector);
    clean_up(&host, &mut projector);
    conclude(&mut projector)
}

fn here(host: &TestHost) -> Prompt<'_> {
    Prompt {
        place: host.place(),
        name: "",
    }
}

fn introduce(projector: &mut Projector) {
    projector.say("minirun: two containers, one link, one published port; and two networks that are worlds apart");
    projector.say("");
    projector.say("Everything below happens on a throw-away host: network, firewall, /run and /var/lib are made");
    projector.say("for it and vanish with it. The network of this machine is not touched.");
    projector.say("");
    projector.say("  192.0.2.1   the host          172.17.0.1   its bridge minirun0");
    projector.say("  192.0.2.2   a neighbour on its LAN");
}

fn start(host: &TestHost, projector: &mut Projector) {
    projector.heading("Two containers");
    let web1 = "minirun run -d --name web1 --expose 80 demo httpd -p 80";
    let started = projector.run(
        here(host),
        "A server that exposes port 80, to whoever is linked to it:",
        web1,
    );
    projector.expect("web1 starts", started.code() == Some(0));
    let closed = "minirun network update bridge --icc=false";
    let closed = projector.run(
        here(host),
        "From now on no container may talk to another (ICC off):",
        closed,
    );
    projector.expect(
        "communication between containers can be switched off",
        closed.code() == Some(0),
    );
    let web2 = "minirun run -d --name web2 --link web1:web -p 8080:80 demo httpd -p 80";
    let started = projector.run(
        here(host),
        "A second one, linked to web1 under the alias `web`, published on port 8080:",
        web2,
    );
    projector.expect("web2 starts", started.code() == Some(0));
    for name in ["web1", "web2"] {
        host.container(name).awaits_tcp(80);
    }
    let list = projector.run(here(host), "Both run:", "minirun ps");
    projector.expect(
        "ps lists web1 and web2",
        ["web1", "web2"]
            .iter()
            .all(|name| list.stdout().contains(name)),
    );
    projector.expect(
        "ps shows the published port",
        list.stdout().contains("0.0.0.0:8080->80/tcp"),
    );
}

fn look_inside(host: &TestHost, projector: &mut Projector) {
    projector.heading("What the link told web2");
    let environment = projector.run(
        here(host),
        "Its environment describes the target:",
        "minirun exec web2 env | grep ^WEB_",
    );
    let address = host.container("web1").address();
    for line in [
        String::from("WEB_NAME=/web2/web"),
        format!("WEB_PORT=tcp://{address}:80"),
        format!("WEB_PORT_80_TCP_ADDR={address}"),
    ] {
        projector.expect(
            &format!("the environment holds {line}"),
            environment.stdout().lines().any(|one| one == line),
        );
    }
    let hosts = projector.run(
        here(host),
        "Its hosts file names the target:",
        "minirun exec web2 cat /etc/hosts",
    );
    let entry = format!("{address}\tweb ");
    projector.expect(
        "the hosts file leads `web` to web1",
        hosts.stdout().lines().any(|line| line.starts_with(&entry)),
    );
}

fn ask(host: &TestHost, projector: &mut Projector) {
    projector.heading("Who gets an answer");
    let linked = "minirun exec web2 wget -qO- http://web/";
    let answer = projector.run(
        here(host),
        "web2 asks `web`: the link lets it through.",
        linked,
    );
    let source = host.container("web2").address().to_string();
    projector.expect(
        "web2 is served by web1",
        answer.code() == Some(0) && answer.stdout().contains(&source),
    );
    let local = "wget -qO- http://127.0.0.1:8080/";
    let answer = projector.run(
        here(host),
        "The host asks its own port 8080: it is web2 that answers.",
        local,
    );
    projector.expect(
        "the host is served on its loopback",
        answer.code() == Some(0) && answer.stdout().contains(&source),
    );
    let lan = Prompt {
        place: host.neighbour(),
        name: "neighbour",
    };
    let answer = projector.run(
        lan,
        "The neighbour asks the host: web2 sees the neighbour's own address.",
        "wget -qO- http://192.0.2.1:8080/",
    );
    projector.expect(
        "the neighbour is served and seen as 192.0.2.2",
        answer.code() == Some(0) && answer.stdout().contains("192.0.2.2"),
    );
    let address = host.container("web1").address();
    let stranger = format!("minirun run --rm demo wget -T 2 -qO- http://{address}/");
    let refused = projector.run(
        here(host),
        "A third container, without a link, asks web1: no answer ever comes.",
        &stranger,
    );
    projector.expect(
        "a container without a link is not served",
        refused.code() == Some(1) && refused.stderr().contains("timed out"),
    );
}

fn show_rules(host: &TestHost, projector: &mut Projector) {
    projector.heading("The rules that did it");
    let (web1, web2) = (
        host.container("web1").address(),
        host.container("web2").address(),
    );
    projector.say("\n  $ iptables -S");
    let filter = host.rules("filter");
    let between = "-i minirun0 -o minirun0";
    let link = format!("-s {web2}/32 -d {web1}/32 {between}");
    let answer = format!("-s {web1}/32 -d {web2}/32 {between}");
    show_rule(
        projector,
        "The link: web2 may open a connection to the exposed port of web1.",
        filter.with(&[&link, "--dport 80", "ACCEPT"]),
    );
    show_rule(
        projector,
        "Its way back: only within a connection that web2 opened.",
        filter.with(&[&answer, "--sport 80", "ESTABLISHED", "ACCEPT"]),
    );
    show_rule(
        projector,
        "The published port: anybody outside may ask web2.",
        filter.with(&[
            &format!("-d {web2}/32"),
            "--dport 80",
            "ACCEPT",
            "! -i minirun0",
        ]),
    );
    show_rule(
        projector,
        "ICC off: any other container to any other, dropped.",
        filter.with(&[between, "-j DROP"]),
    );
    projector.say("\n  $ iptables -t nat -S");
    let translation = host.rules("nat");
    show_rule(
        projector,
        "Port 8080 of the host is port 80 of web2.",
        translation.with(&["--dport 8080", "DNAT"]),
    );
    show_rule(
        projector,
        "Towards the world, containers wear the address of the host.",
        translation.with(&["-s 172.17.0.0/16 ! -o minirun0", "MASQUERADE"]),
    );
}

fn show_rule(projector: &mut Projector, caption: &str, found: Vec<&str>) {
    match found.first() {
        Some(rule) => projector.line(caption, rule),
        None => projector.expect(&format!("there is a rule for this: {caption}"), false),
    }
}

fn find_by_name(host: &TestHost, projector: &mut Projector) {
    projector.heading("A network with names");
    let made = projector.run(
        here(host),
        "Another network, with a bridge, addresses and names of its own:",
        "minirun network create shop",
    );
    projector.expect("the network is made", made.code() == Some(0));
    for (caption, name) in [("A server on it,", "api"), ("and another one:", "front")] {
        let command = format!("minirun run -d --name {name} --network shop demo httpd -p 80");
        let started = projector.run(here(host), caption, &command);
        projector.expect(&format!("{name} starts"), started.code() == Some(0));
        host.container(name).awaits_tcp(80);
    }
    let answer = projector.run(
        here(host),
        "They are not linked, and find each other by name:",
        "minirun exec front wget -qO- http://api/",
    );
    let source = host.container("front").address_on("shop").to_string();
    projector.expect(
        "front is served by api",
        answer.code() == Some(0) && answer.stdout().contains(&source),
    );
}

fn keep_apart(host: &TestHost, projector: &mut Projector) {
    projector.heading("Networks are worlds apart");
    let address = host.container("api").address_on("shop");
    let by_address = format!("minirun exec web2 wget -T 2 -qO- http://{address}/");
    let refused = projector.run(
        here(host),
        "web2 is on the first network. It asks api by its address: no answer ever comes.",
        &by_address,
    );
    projector.expect(
        "a container of another network is not served",
        refused.code() == Some(1) && refused.stderr().contains("timed out"),
    );
    let connected = projector.run(
        here(host),
        "Now it is connected to the second network as well, while it runs,",
        "minirun network connect shop web2",
    );
    projector.expect("web2 is connected", connected.code() == Some(0));
    let answer = projector.run(
        here(host),
        "and finds api by name:",
        "minirun exec web2 wget -qO- http://api/",
    );
    let source = host.container("web2").address_on("shop").to_string();
    projector.expect(
        "web2 is served once it is connected",
        answer.code() == Some(0) && answer.stdout().contains(&source),
    );
}

fn clean_up(host: &TestHost, projector: &mut Projector) {
    projector.heading("Cleaning up");
    let removed = projector.run(
        here(host),
        "All containers are removed, running as they are,",
        "minirun rm -f web1 web2 api front",
    );
    projector.expect("the containers are removed", removed.code() == Some(0));
    let removed = projector.run(
        here(host),
        "and the second network:",
        "minirun network rm shop",
    );
    projector.expect("the network is removed", removed.code() == Some(0));
    let list = projector.run(here(host), "None is left:", "minirun ps -a");
    projector.expect(
        "ps -a lists no container",
        list.stdout().lines().count() == 1,
    );
    let left = host.leftovers();
    projector.run(
        here(host),
        "Nor are their interfaces:",
        "ip -brief link show",
    );
    projector.expect(
        &format!("nothing is left behind, but there is {}", left.join(", ")),
        left.is_empty(),
    );
    if left.is_empty() {
        projector.say("\nNo process, interface, address, rule, mount, control group or file of a container is left.");
    }
}

fn conclude(projector: &mut Projector) -> ExitCode {
    let missed = projector.missed().to_vec();
    if missed.is_empty() {
        projector.say("\nEverything happened as announced.");
        return ExitCode::SUCCESS;
    }
    projector.say("\nThis did not happen:");
    for expectation in missed {
        projector.say(&format!("  {expectation}"));
    }
    ExitCode::FAILURE
}
