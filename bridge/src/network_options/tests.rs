use proptest::prelude::*;

use super::*;

fn read(texts: &[&str]) -> (NetworkOptions, Vec<String>) {
    let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
    let (options, problems) = NetworkOptions::read(&texts);
    (options, problems.iter().map(ToString::to_string).collect())
}

fn problem(text: &str) -> String {
    let (options, problems) = read(&[text]);
    assert_eq!(options, NetworkOptions::default(), "{text}");
    problems.into_iter().next().unwrap()
}

#[test]
fn every_spelling_of_a_key_means_the_same() {
    for (spellings, option) in [
        (
            &["bridge_name", "com.docker.network.bridge.name"][..],
            NetworkOption::BridgeName("1".parse().unwrap()),
        ),
        (
            &["icc", "enable_icc", "com.docker.network.bridge.enable_icc"],
            NetworkOption::Icc(Icc::Enabled),
        ),
        (
            &[
                "masquerade",
                "enable_ip_masquerade",
                "com.docker.network.bridge.enable_ip_masquerade",
            ],
            NetworkOption::Masquerade(Masquerade::Enabled),
        ),
        (&["dns"], NetworkOption::Names(Names::Dns)),
        (
            &["ipv6", "com.docker.network.enable_ipv6"],
            NetworkOption::Ipv6(Ipv6Wanted::Yes),
        ),
    ] {
        for spelling in spellings {
            assert_eq!(format!("{spelling}=1").parse(), Ok(option.clone()));
        }
    }
    for spelling in ["mtu", "com.docker.network.driver.mtu"] {
        let option = format!("{spelling}=1400").parse();
        assert_eq!(option, Ok(NetworkOption::Mtu(1400)));
    }
    for spelling in [
        "gateway_mode",
        "gateway_mode_ipv4",
        "gateway_mode_ipv6",
        "com.docker.network.bridge.gateway_mode_ipv4",
        "com.docker.network.bridge.gateway_mode_ipv6",
    ] {
        let option = format!("{spelling}=routed").parse();
        assert_eq!(option, Ok(NetworkOption::GatewayMode(GatewayMode::Routed)));
    }
    for spelling in [
        "host_binding",
        "host_binding_ipv4",
        "com.docker.network.bridge.host_binding_ipv4",
    ] {
        let option = format!("{spelling}=127.0.0.1").parse();
        let address = "127.0.0.1".parse().unwrap();
        assert_eq!(option, Ok(NetworkOption::PublishAddress(address)));
    }
}

#[test]
fn truth_has_the_words_that_go_knows() {
    for word in ["1", "t", "T", "true", "TRUE", "True"] {
        let option = format!("icc={word}").parse();
        assert_eq!(option, Ok(NetworkOption::Icc(Icc::Enabled)), "{word}");
    }
    for word in ["0", "f", "F", "false", "FALSE", "False"] {
        let option = format!("dns={word}").parse();
        assert_eq!(option, Ok(NetworkOption::Names(Names::HostsFile)), "{word}");
    }
    for word in ["", "yes", "on", "tRUE"] {
        assert_eq!(
            problem(&format!("icc={word}")),
            format!("option `icc` cannot be `{word}`; write `true` or `false`")
        );
    }
}

#[test]
fn what_cannot_be_read_is_said_with_what_to_write() {
    for (text, expected) in [
        (
            "mtu",
            "option `mtu` has no value; write `KEY=VALUE`, such as `mtu=1400`",
        ),
        (
            "mtu=67",
            "option `mtu` cannot be `67`; write a number of bytes from 68 to 65535",
        ),
        (
            "com.docker.network.driver.mtu=65536",
            "option `com.docker.network.driver.mtu` cannot be `65536`; write a number of bytes from 68 to 65535",
        ),
        (
            "host_binding=localhost",
            "option `host_binding` cannot be `localhost`; write an address of the host such as `127.0.0.1`",
        ),
        (
            "gateway_mode=nat-unprotected",
            "gateway mode `nat-unprotected` is not supported; write `nat` or `routed`",
        ),
        (
            "gateway_mode_ipv6=isolated",
            "gateway mode `isolated` is not supported; write `nat` or `routed`",
        ),
        (
            "gateway_mode=bridge",
            "unknown gateway mode `bridge`; write `nat` or `routed`",
        ),
        (
            "parent=eth0",
            "unknown option `parent`; the options are `bridge_name`, `icc`, `masquerade`, `host_binding`, `mtu`, `gateway_mode`, `dns`, `ipv6` and Docker's names of them",
        ),
    ] {
        assert_eq!(problem(text), expected);
    }
}

#[test]
fn all_wrong_options_are_reported_and_the_others_read() {
    let (options, problems) = read(&["mtu=1", "icc=false", "colour=red"]);
    assert_eq!(problems.len(), 2);
    assert_eq!(options.icc, Some(Icc::Disabled));
}

#[test]
fn two_choices_for_one_thing_must_agree() {
    let (options, problems) = read(&["mtu=1400", "com.docker.network.driver.mtu=1400"]);
    assert_eq!((options.mtu, problems.len()), (Some(1400), 0));
    let (options, problems) = read(&["mtu=1400", "mtu=1500"]);
    assert_eq!(options.mtu, Some(1400));
    assert_eq!(
        problems,
        ["mtu is given twice, as `1400` and as `1500`; leave one of them out"]
    );
}

#[test]
fn one_gateway_mode_serves_both_families() {
    let (options, problems) = read(&["gateway_mode_ipv4=nat", "gateway_mode_ipv6=routed"]);
    assert_eq!(options.gateway_mode, Some(GatewayMode::Nat));
    assert_eq!(
        problems,
        [
            "gateway modes `nat` and `routed` do not go together: one mode serves both families; write `gateway_mode=nat` or `gateway_mode=routed` alone"
        ]
    );
    let (_, problems) = read(&["gateway_mode_ipv4=routed", "gateway_mode_ipv6=routed"]);
    assert!(problems.is_empty());
}

#[test]
fn a_bridge_name_is_one_the_kernel_takes_and_rules_understand() {
    for good in ["br0", "br-web.1_x", "minirun0", "abcdefghijklmno", "br@7"] {
        assert_eq!(good.parse::<BridgeName>().unwrap().as_str(), good);
    }
    for bad in [
        "",
        ".",
        "..",
        "all",
        "default",
        "-i",
        "a/b",
        "a:b",
        "a b",
        "a\tb",
        "br%d",
        "br+",
        "br*",
        "!br",
        "br\"",
        "brücke",
        "abcdefghijklmnop",
    ] {
        assert!(bad.parse::<BridgeName>().is_err(), "{bad}");
    }
    assert_eq!(
        problem("bridge_name=br+"),
        "bridge name `br+` has `+` in it; use letters, digits, `_`, `.` and `-`, such as `br-web`"
    );
}

proptest! {
    #[test]
    fn no_text_is_too_strange_for_an_option(text in any::<String>()) {
        let _ = text.parse::<NetworkOption>();
        let _ = format!("bridge_name={text}").parse::<NetworkOption>();
    }
}
