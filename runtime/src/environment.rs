//! The environment of a process inside a container, put together from what is fixed, what links add and what was asked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use minirun_bridge::environment::EnvironmentVariable;
use minirun_bridge::name::Hostname;

/// Where programs are looked for when neither image nor user says so.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What an environment is made of.
#[derive(Clone, Copy, Debug)]
pub struct EnvironmentInputs<'a> {
    /// The container's host name.
    pub hostname: &'a Hostname,
    /// What its links add.
    pub link_environment: &'a [EnvironmentVariable],
    /// What the image and the user set; wins over all the rest, and within itself the last one wins.
    pub configured: &'a [EnvironmentVariable],
    /// The home directory of the process's user, as a path inside the container.
    pub home: &'a str,
    /// Whether the process has a terminal.
    pub terminal: bool,
}

/// The whole environment, in Docker's order: `PATH`, `HOSTNAME`, `TERM` with a terminal, links, what was configured, and `HOME` last if nobody
/// set it. A variable that replaces another takes its place; no name occurs twice.
pub fn process_environment(inputs: &EnvironmentInputs<'_>) -> Vec<EnvironmentVariable> {
    let mut environment = vec![
        variable("PATH", DEFAULT_PATH),
        variable("HOSTNAME", inputs.hostname.as_ref()),
    ];
    if inputs.terminal {
        environment.push(variable("TERM", "xterm"));
    }
    // A link to many exposed ports adds hundreds of thousands, so each is looked up and not searched for.
    let mut places = HashMap::from([("PATH", 0), ("HOSTNAME", 1)]);
    places.extend(inputs.terminal.then_some(("TERM", 2)));
    for added in inputs.link_environment.iter().chain(inputs.configured) {
        match places.entry(added.name.as_str()) {
            Entry::Occupied(place) => environment[*place.get()] = added.clone(),
            Entry::Vacant(place) => {
                place.insert(environment.len());
                environment.push(added.clone());
            }
        }
    }
    // An empty HOME counts as none, as it does for runc.
    match places.get("HOME") {
        None => environment.push(variable("HOME", inputs.home)),
        Some(place) if environment[*place].value.is_empty() => {
            environment[*place] = variable("HOME", inputs.home);
        }
        Some(_) => {}
    }
    environment
}

fn variable(name: &str, value: &str) -> EnvironmentVariable {
    EnvironmentVariable {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compose(links: &[&str], configured: &[&str]) -> Vec<String> {
        let parse = |words: &[&str]| -> Vec<EnvironmentVariable> {
            words.iter().map(|word| word.parse().unwrap()).collect()
        };
        let inputs = EnvironmentInputs {
            hostname: &"box.example.org".parse().unwrap(),
            link_environment: &parse(links),
            configured: &parse(configured),
            home: "/root",
            terminal: false,
        };
        let environment = process_environment(&inputs);
        environment.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn path_host_name_links_and_configured_variables_come_in_this_order_and_home_last() {
        let environment = compose(&["WEB_NAME=/a/web"], &["A=b"]);
        assert_eq!(
            environment,
            [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOSTNAME=box.example.org",
                "WEB_NAME=/a/web",
                "A=b",
                "HOME=/root",
            ]
        );
    }

    #[test]
    fn what_was_configured_replaces_defaults_and_links_in_their_place() {
        let environment = compose(
            &["WEB_PORT=tcp://1"],
            &["WEB_PORT=mine", "HOME=/here", "PATH=/bin", "A=1", "A=2"],
        );
        assert_eq!(
            environment,
            [
                "PATH=/bin",
                "HOSTNAME=box.example.org",
                "WEB_PORT=mine",
                "HOME=/here",
                "A=2",
            ]
        );
    }

    #[test]
    fn a_link_to_every_port_there_is_takes_no_noticeable_time() {
        let many: Vec<EnvironmentVariable> = (0..4 * 65_535)
            .map(|number| variable(&format!("WEB_PORT_{number}"), "x"))
            .collect();
        let environment = process_environment(&EnvironmentInputs {
            hostname: &"box".parse().unwrap(),
            link_environment: &many,
            configured: &many,
            home: "/",
            terminal: false,
        });
        assert_eq!(environment.len(), many.len() + 3);
        assert_eq!(environment[2..many.len() + 2], many);
    }

    #[test]
    fn an_empty_home_is_filled_in() {
        assert!(compose(&[], &["HOME="]).contains(&"HOME=/root".to_owned()));
    }
}
