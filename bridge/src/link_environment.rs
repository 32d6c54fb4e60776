//! The variables that a link puts into the environment of the container that links: where the target is, what it
//! exposes, and its own variables. The form is that of Docker's legacy links.
//!
//! Docker turns only `-` into `_`, which leaves names that no shell can expand; here every name is one a shell can use.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::environment::EnvironmentVariable;
use crate::name::{Alias, ContainerName};
use crate::port::{ExposedPort, Protocol};

/// Variables of the target that say something about its own root file system, and so nothing to anybody else.
const PRIVATE_NAMES: [&str; 2] = ["HOME", "PATH"];

/// What a link needs to know about the container it leads to.
#[derive(Debug, Clone, Copy)]
pub struct LinkTarget<'a> {
    /// Its address on the network that both containers share.
    pub address: Ipv4Addr,
    /// What it exposes: by its image, `--expose` and the container side of every `-p`.
    pub exposed: &'a BTreeSet<ExposedPort>,
    /// Its configured environment: that of its image and `-e`.
    pub environment: &'a [EnvironmentVariable],
}

/// The variables for a link from the container `source` under `alias`: ports in their order, then the name, then the
/// target's own variables by name. No name occurs twice.
///
/// With alias `web` and port 80/tcp exposed: `WEB_PORT`, `WEB_PORT_80_TCP`, `…_ADDR`, `…_PORT`, `…_PROTO`, for two or
/// more consecutive ports `…_START`, `…_PORT_START`, `…_END`, `…_PORT_END`, then `WEB_NAME=/source/web` and one
/// `WEB_ENV_NAME` for each variable of the target but `HOME` and `PATH`.
pub fn link_environment(
    source: &ContainerName,
    alias: &Alias,
    target: &LinkTarget<'_>,
) -> Vec<EnvironmentVariable> {
    let prefix = shell_name(&alias.as_str().to_ascii_uppercase());
    let mut variables = Vec::new();
    if let Some(first) = target.exposed.first() {
        variables.push(variable(
            format!("{prefix}_PORT"),
            url(target.address, *first),
        ));
    }
    for run in runs(target.exposed) {
        for port in run.iter().copied() {
            variables.extend(port_variables(&prefix, target.address, port));
        }
        if let [first, .., last] = run[..] {
            variables.extend(range_variables(&prefix, target.address, (first, last)));
        }
    }
    variables.push(variable(
        format!("{prefix}_NAME"),
        format!("/{source}/{alias}"),
    ));
    variables.extend(
        target_variables(target.environment)
            .into_iter()
            .map(|(name, value)| variable(format!("{prefix}_ENV_{name}"), value)),
    );
    variables
}

fn port_variables(prefix: &str, address: Ipv4Addr, port: ExposedPort) -> [EnvironmentVariable; 4] {
    let key = port_key(prefix, port);
    [
        variable(key.clone(), url(address, port)),
        variable(format!("{key}_ADDR"), address.to_string()),
        variable(format!("{key}_PORT"), port.port.to_string()),
        variable(format!("{key}_PROTO"), port.protocol.to_string()),
    ]
}

/// What the variables of a link with this alias begin with.
pub fn variable_prefix(alias: &Alias) -> String {
    shell_name(&alias.as_str().to_ascii_uppercase())
}

/// The variables that describe consecutive ports by their ends, under the key of the first.
fn range_variables(
    prefix: &str,
    address: Ipv4Addr,
    (first, last): (ExposedPort, ExposedPort),
) -> [EnvironmentVariable; 4] {
    let key = port_key(prefix, first);
    [
        variable(format!("{key}_START"), url(address, first)),
        variable(format!("{key}_PORT_START"), first.port.to_string()),
        variable(format!("{key}_END"), url(address, last)),
        variable(format!("{key}_PORT_END"), last.port.to_string()),
    ]
}

/// The exposed ports in order, cut wherever the next is not the following number of the same protocol.
fn runs(exposed: &BTreeSet<ExposedPort>) -> Vec<Vec<ExposedPort>> {
    let mut runs: Vec<Vec<ExposedPort>> = Vec::new();
    for port in exposed {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| follows(*last, *port)) => run.push(*port),
            _ => runs.push(vec![*port]),
        }
    }
    runs
}

fn follows(last: ExposedPort, next: ExposedPort) -> bool {
    last.protocol == next.protocol && last.port.get().checked_add(1) == Some(next.port.get())
}

/// The target's variables under names a shell can use. Where two names become one, the one that needed no change
/// wins, then the one that comes last.
fn target_variables(environment: &[EnvironmentVariable]) -> BTreeMap<String, String> {
    let shared = || {
        environment
            .iter()
            .filter(|variable| !PRIVATE_NAMES.contains(&variable.name.as_str()))
    };
    let mut variables: BTreeMap<String, String> = shared()
        .map(|variable| (usable_characters(&variable.name), variable.value.clone()))
        .collect();
    for variable in shared() {
        if let Some(value) = variables.get_mut(&variable.name) {
            value.clone_from(&variable.value);
        }
    }
    variables
}

fn port_key(prefix: &str, port: ExposedPort) -> String {
    let protocol = match port.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Sctp => "SCTP",
        Protocol::Udp => "UDP",
    };
    format!("{prefix}_PORT_{}_{protocol}", port.port)
}

fn url(address: Ipv4Addr, port: ExposedPort) -> String {
    format!("{}://{address}:{}", port.protocol, port.port)
}

fn variable(name: String, value: String) -> EnvironmentVariable {
    EnvironmentVariable { name, value }
}

/// The text with `_` for every character that no shell allows in a name, and before a digit that would begin it.
fn shell_name(text: &str) -> String {
    let name = usable_characters(text);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    }
}

fn usable_characters(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::port::{Port, parse_expose};

    fn environment(alias: &str, exposed: &[&str], own: &[&str]) -> Vec<String> {
        let exposed = exposed
            .iter()
            .flat_map(|text| parse_expose(text).unwrap())
            .collect();
        let own: Vec<EnvironmentVariable> = own.iter().map(|text| text.parse().unwrap()).collect();
        let target = LinkTarget {
            address: Ipv4Addr::new(172, 0, 17, 3),
            exposed: &exposed,
            environment: &own,
        };
        let source = "web".parse().unwrap();
        link_environment(&source, &alias.parse().unwrap(), &target)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn one_exposed_port_gives_the_five_port_variables_and_the_name() {
        assert_eq!(
            environment("db", &["5432"], &[]),
            [
                "DB_PORT=tcp://172.0.17.3:5432",
                "DB_PORT_5432_TCP=tcp://172.0.17.3:5432",
                "DB_PORT_5432_TCP_ADDR=172.0.17.3",
                "DB_PORT_5432_TCP_PORT=5432",
                "DB_PORT_5432_TCP_PROTO=tcp",
                "DB_NAME=/web/db",
            ]
        );
    }

    #[test]
    fn consecutive_ports_also_give_the_ends_of_their_range() {
        let variables = environment("redis", &["6379-6381", "6382/udp", "6300/udp"], &[]);
        for expected in [
            "REDIS_PORT=tcp://172.0.17.3:6379",
            "REDIS_PORT_6379_TCP_START=tcp://172.0.17.3:6379",
            "REDIS_PORT_6379_TCP_PORT_START=6379",
            "REDIS_PORT_6379_TCP_END=tcp://172.0.17.3:6381",
            "REDIS_PORT_6379_TCP_PORT_END=6381",
            "REDIS_PORT_6382_UDP=udp://172.0.17.3:6382",
            "REDIS_PORT_6300_UDP_PROTO=udp",
            "REDIS_NAME=/web/redis",
        ] {
            assert!(
                variables.iter().any(|variable| variable == expected),
                "{expected} in {variables:#?}"
            );
        }
        assert_eq!(variables.len(), 1 + 5 * 4 + 4 + 1);
    }

    #[test]
    fn a_range_stops_where_the_protocol_changes() {
        let variables = environment("dns", &["52-53", "54/udp"], &[]);
        assert!(variables.contains(&"DNS_PORT_52_TCP_PORT_END=53".to_owned()));
        assert!(
            !variables
                .iter()
                .any(|variable| variable.starts_with("DNS_PORT_54_UDP_START"))
        );
    }

    #[test]
    fn a_target_that_exposes_nothing_still_has_a_name_and_an_environment() {
        assert_eq!(
            environment("db", &[], &["HOME=/root", "PATH=/bin", "USER=me", "EMPTY="]),
            ["DB_NAME=/web/db", "DB_ENV_EMPTY=", "DB_ENV_USER=me"]
        );
    }

    #[test]
    fn names_are_such_that_a_shell_can_expand_them() {
        let variables = environment("1my.db-x", &["80"], &["a.b=c"]);
        assert!(variables.contains(&"_1MY_DB_X_NAME=/web/1my.db-x".to_owned()));
        assert!(variables.contains(&"_1MY_DB_X_PORT_80_TCP_ADDR=172.0.17.3".to_owned()));
        assert!(variables.contains(&"_1MY_DB_X_ENV_a_b=c".to_owned()));
    }

    #[test]
    fn of_two_names_that_become_one_the_unchanged_wins() {
        assert_eq!(
            environment("db", &[], &["a_b=right", "a.b=wrong"])[1..],
            ["DB_ENV_a_b=right"]
        );
        assert_eq!(
            environment("db", &[], &["a=first", "a=second"])[1..],
            ["DB_ENV_a=second"]
        );
    }

    fn is_shell_name(name: &str) -> bool {
        !name.starts_with(|first: char| first.is_ascii_digit())
            && !name.is_empty()
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '_')
    }

    proptest! {
        #[test]
        fn every_name_is_a_shell_name_and_occurs_once(
            alias in "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,12}",
            ports in prop::collection::btree_set((1u16.., 0usize..3), 0..12),
            names in prop::collection::vec("[^=\0]{1,8}", 0..6),
        ) {
            let exposed = ports
                .into_iter()
                .map(|(port, protocol)| ExposedPort {
                    port: Port::new(port).unwrap(),
                    protocol: [Protocol::Tcp, Protocol::Sctp, Protocol::Udp][protocol],
                })
                .collect();
            let own: Vec<_> = names.iter().map(|name| EnvironmentVariable::new(name, "x").unwrap()).collect();
            let target = LinkTarget { address: Ipv4Addr::LOCALHOST, exposed: &exposed, environment: &own };
            let variables = link_environment(&"web".parse().unwrap(), &alias.parse().unwrap(), &target);
            for variable in &variables {
                prop_assert!(is_shell_name(&variable.name), "{}", variable.name);
            }
            let names: BTreeSet<_> = variables.iter().map(|variable| &variable.name).collect();
            prop_assert_eq!(names.len(), variables.len());
        }
    }
}
