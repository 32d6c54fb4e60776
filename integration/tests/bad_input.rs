//! Bad input: a clear error, the right exit code, and nothing left.

use minirun_integration::TestHost;

/// Runs every command line, expects the exit code and the name of what is wrong, and that nothing came of it.
#[track_caller]
fn each_is_refused(commands: &[(&[&str], &str)], code: i32) {
    let host = TestHost::create();
    for (command, named) in commands {
        let refused = host
            .minirun(*command)
            .fails_with(code)
            .stdout_is("")
            .stderr_contains(named);
        assert!(
            refused.stderr().starts_with("error: "),
            "{}",
            refused.stderr()
        );
        host.minirun("ps -aq").succeeds().stdout_is("");
    }
    host.finish();
}

#[test]
fn an_unknown_image_is_refused() {
    each_is_refused(
        &[
            (&["run", "nosuch", "true"], "`nosuch`"),
            (&["create", "nosuch"], "`nosuch`"),
        ],
        125,
    );
}

#[test]
fn an_unknown_container_is_named() {
    let host = TestHost::create();
    for command in [
        "start", "stop", "restart", "kill", "rm", "wait", "logs", "inspect", "port",
    ] {
        host.minirun([command, "nosuch"])
            .fails()
            .stderr_contains("`nosuch`");
    }
    host.minirun("exec nosuch true")
        .fails()
        .stderr_contains("`nosuch`");
    host.finish();
}

#[test]
fn a_malformed_port_is_refused() {
    let ports = [
        "",
        "80:",
        "a:80",
        "0",
        "65536",
        "9090-9089:80",
        "9800-9803:80-82",
        "1.2.3:80:80",
        "name:80:80",
        "80/xyz",
    ];
    let commands = ports.map(|port| ["run", "-d", "-p", port, "demo", "true"]);
    let commands: Vec<(&[&str], &str)> = commands
        .iter()
        .map(|command| (command.as_slice(), command[3]))
        .collect();
    each_is_refused(&commands, 125);
}

#[test]
fn publishing_on_an_ipv6_address_is_refused() {
    each_is_refused(
        &[(
            &["run", "-d", "-p", "[::1]:8080:80", "demo", "true"],
            "IPv6",
        )],
        125,
    );
}

#[test]
fn a_malformed_link_is_refused() {
    let links = ["", ":web", "web1:", "web1:web:again"];
    let commands = links.map(|link| ["run", "-d", "--link", link, "demo", "true"]);
    let commands: Vec<(&[&str], &str)> = commands
        .iter()
        .map(|command| (command.as_slice(), command[3]))
        .collect();
    each_is_refused(&commands, 125);
}

#[test]
fn a_link_to_an_unknown_container_is_refused() {
    each_is_refused(
        &[(
            &["run", "-d", "--link", "nosuch:web", "demo", "true"],
            "`nosuch`",
        )],
        125,
    );
}

#[test]
fn a_link_to_itself_is_refused() {
    each_is_refused(
        &[(
            &[
                "run", "-d", "--name", "web1", "--link", "web1", "demo", "true",
            ],
            "`web1`",
        )],
        125,
    );
}

#[test]
fn options_that_need_a_bridge_are_refused_on_other_networks() {
    let host = TestHost::create();
    host.serves("web1", "--expose 80", 80);
    for (network, option) in [
        ("none", "--link web1"),
        ("host", "--ip 172.17.0.9"),
        ("none", "--mac-address 02:42:ac:11:00:09"),
    ] {
        let name = option.split(' ').next().expect("an option has a name");
        host.minirun(format!("run --rm --network {network} {option} demo true"))
            .fails_with(125)
            .stderr_contains(name)
            .stderr_contains(network);
    }
    host.removes("web1");
    host.finish();
}

#[test]
fn two_links_under_one_alias_are_refused() {
    let host = TestHost::create();
    host.serves("web1", "--expose 80", 80);
    host.serves("web2", "--expose 80", 80);
    host.minirun("run -d --name web3 --link web1:web --link web2:web demo true")
        .fails_with(125)
        .stderr_contains("`web`");
    host.removes("web1 web2");
    host.finish();
}

#[test]
fn a_malformed_environment_variable_is_refused() {
    each_is_refused(
        &[
            (&["run", "-d", "-e", "", "demo", "true"], "-e"),
            (&["run", "-d", "-e", "=value", "demo", "true"], "=value"),
        ],
        125,
    );
}

#[test]
fn an_address_outside_the_subnet_is_refused() {
    each_is_refused(
        &[(
            &["run", "-d", "--ip", "10.1.2.3", "demo", "true"],
            "10.1.2.3",
        )],
        125,
    );
}

#[test]
fn the_addresses_that_no_container_may_have_are_refused() {
    let addresses = ["172.17.0.0", "172.17.0.1", "172.17.255.255"];
    let commands = addresses.map(|address| ["run", "-d", "--ip", address, "demo", "true"]);
    let commands: Vec<(&[&str], &str)> = commands
        .iter()
        .map(|command| (command.as_slice(), command[3]))
        .collect();
    each_is_refused(&commands, 125);
}

#[test]
fn an_address_that_another_container_has_is_refused() {
    let host = TestHost::create();
    let address = host.serves("web1", "", 80).address().to_string();
    host.minirun(["run", "-d", "--ip", &address, "demo", "true"])
        .fails_with(125)
        .stderr_contains(&address)
        .stderr_contains("`web1`");
    host.removes("web1");
    host.finish();
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let host = TestHost::create();
    host.serves("web1", "", 80);
    host.minirun("run -d --name web1 demo true")
        .fails_with(125)
        .stderr_contains("`web1`");
    assert_eq!(
        host.minirun("ps -aq").succeeds().stdout().lines().count(),
        1
    );
    host.removes("web1");
    host.finish();
}

#[test]
fn a_malformed_name_is_refused() {
    each_is_refused(
        &[
            (&["run", "-d", "--name", "a b", "demo", "true"], "a b"),
            (&["run", "-d", "--name", "_x", "demo", "true"], "_x"),
        ],
        125,
    );
}

#[test]
fn an_unknown_option_is_refused() {
    each_is_refused(&[(&["run", "--nosuch", "demo", "true"], "--nosuch")], 125);
}

#[test]
fn a_command_that_does_not_exist_is_127() {
    each_is_refused(
        &[
            (&["run", "--rm", "demo", "nosuch"], "`nosuch`"),
            (&["run", "--rm", "demo", "/no/such"], "`/no/such`"),
        ],
        127,
    );
}

#[test]
fn a_command_that_is_not_executable_is_126() {
    each_is_refused(
        &[(&["run", "--rm", "demo", "/etc/hosts"], "`/etc/hosts`")],
        126,
    );
}

#[test]
fn the_exit_code_of_the_program_is_that_of_minirun() {
    let host = TestHost::create();
    host.minirun("run --rm demo true")
        .succeeds()
        .stdout_is("")
        .stderr_is("");
    host.minirun("run --rm demo false")
        .fails_with(1)
        .stderr_is("");
    host.minirun("run -d --name killed demo sleep infinity")
        .succeeds();
    let waiting = host.spawn_minirun("wait killed");
    host.minirun("kill killed").succeeds().stdout_is("killed");
    waiting.finish().succeeds().stdout_is("137");
    host.removes("killed");
    host.finish();
}

#[test]
fn somebody_who_is_not_root_is_told_so() {
    let host = TestHost::create();
    let command = "--reuid=65534 --regid=65534 --clear-groups minirun run --rm demo true";
    host.command("setpriv", command)
        .fails_with(125)
        .stderr_contains("root");
    host.finish();
}
