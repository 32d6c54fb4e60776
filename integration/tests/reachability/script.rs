//! A random host, as the commands that make it.

use std::fmt;

use crate::random::Random;

/// Whether the kernel shows bridged packets to the host's rules (`br_netfilter`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeRules {
    /// It does.
    Heeded,
    /// It does not.
    Ignored,
}

impl BridgeRules {
    /// The value of `net.bridge.bridge-nf-call-iptables`.
    pub fn value(self) -> &'static str {
        match self {
            Self::Heeded => "1",
            Self::Ignored => "0",
        }
    }
}

/// What containers may reach.
const RESTRICTIONS: [&str; 6] = [
    "",
    "",
    "",
    "--egress none",
    "--egress-deny private",
    "--egress 192.0.2.1:8000-8003,2001:db8:0:1::1 --egress-deny 10.0.0.0/8",
];

/// What they may reach later.
const CHANGES: [&str; 3] = ["--egress none", "--egress any", "--egress-deny private"];

/// The commands, and what there is when they have run.
#[derive(Debug)]
pub struct Script {
    /// What minirun is told, one command after the other.
    pub commands: Vec<String>,
    /// The networks that were made.
    pub networks: Vec<String>,
    /// The containers that run.
    pub containers: Vec<String>,
    /// Containers that were told to publish their port 80, with the host port.
    pub published: Vec<(String, u16)>,
    /// Half of all hosts have it on.
    pub bridge_rules: BridgeRules,
}

/// A container as it was started.
struct Started {
    name: String,
    networks: Vec<String>,
    /// The aliases of its links.
    links: Vec<String>,
}

impl Script {
    /// The host that belongs to a seed: up to three networks, up to six containers, and changes while they run.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::of(seed);
        let mut script = Self {
            commands: Vec::new(),
            networks: Vec::new(),
            containers: Vec::new(),
            published: Vec::new(),
            bridge_rules: match seed % 2 {
                0 => BridgeRules::Heeded,
                _ => BridgeRules::Ignored,
            },
        };
        for number in 0..2 + random.below(2) {
            script.make_network(&format!("net{number}"), &mut random);
        }
        let mut started: Vec<Started> = Vec::new();
        for number in (0..6).take(4 + random.below(3)) {
            let one = script.start_container(number, &started, &mut random);
            started.push(one);
        }
        for _ in 0..random.below(4) {
            script.change(&mut started, &mut random);
        }
        script.containers = started.into_iter().map(|one| one.name).collect();
        script
    }

    fn make_network(&mut self, name: &str, random: &mut Random) {
        let mut options = vec![format!("--icc={}", random.percent(40))];
        if random.percent(60) {
            options.push("--ipv6".into());
        }
        let kind = *random.one_of(&[
            "",
            "",
            "",
            "-o masquerade=false",
            "-o gateway_mode=routed",
            "-o gateway_mode=routed",
            "--internal",
        ]);
        options.push(kind.into());
        self.commands
            .push(format!("network create {} {name}", options.join(" ")));
        self.networks.push(name.into());
    }

    fn start_container(&mut self, number: u16, others: &[Started], random: &mut Random) -> Started {
        let name = format!("c{number}");
        let mut networks = self.networks.clone();
        while networks.len() > 1 && random.percent(55) {
            networks.remove(random.below(networks.len()));
        }
        let priority = |network: &String| match random.percent(30) {
            true => format!("--network name={network},gw-priority=1"),
            false => format!("--network {network}"),
        };
        let mut options: Vec<String> = networks.iter().map(priority).collect();
        let mut links = Vec::new();
        for other in others {
            if random.percent(40) && shares(&networks, &other.networks) {
                options.push(format!("--link {0}:to-{0}", other.name));
                links.push(format!("to-{}", other.name));
            }
        }
        if random.percent(50) {
            options.push("--expose 80".into());
        }
        if random.percent(50) {
            let port = 8000 + number;
            let bound = random.one_of(&["", "", "0.0.0.0:", "192.0.2.1:", "127.0.0.1:"]);
            options.push(format!("-p {bound}{port}:80"));
            self.published.push((name.clone(), port));
        }
        options.push((*random.one_of(&RESTRICTIONS)).into());
        let options = options.join(" ");
        self.commands.push(format!(
            "run -d --name {name} {options} demo sleep infinity"
        ));
        Started {
            name,
            networks,
            links,
        }
    }

    /// Changes something while all run.
    fn change(&mut self, started: &mut [Started], random: &mut Random) {
        let network = random.one_of(&self.networks).clone();
        let other = random.below(started.len());
        let other = (started[other].name.clone(), started[other].networks.clone());
        let which = random.below(started.len());
        let one = &mut started[which];
        let command = match random.below(6) {
            0 => "network reload".into(),
            1 => format!("network update --icc {} {network}", random.percent(50)),
            2 => format!("restart -t 0 {}", one.name),
            3 => format!("update {} {}", random.one_of(&CHANGES), one.name),
            4 if !one.links.is_empty() => {
                let alias = one.links.remove(random.below(one.links.len()));
                format!("rm --link {}/{alias}", one.name)
            }
            _ if one.networks.contains(&network) && one.networks.len() > 1 => {
                one.networks.retain(|joined| *joined != network);
                format!("network disconnect {network} {}", one.name)
            }
            _ if one.networks.contains(&network) => return,
            _ => {
                let link = one.new_link(&network, &other);
                one.networks.push(network.clone());
                format!("network connect {link} {network} {}", one.name)
            }
        };
        self.commands.push(command);
    }
}

impl Started {
    /// The option that links it to another container which is on a network, unless there is such a link.
    fn new_link(&mut self, network: &String, (name, networks): &(String, Vec<String>)) -> String {
        let alias = format!("to-{name}");
        if *name == self.name || !networks.contains(network) || self.links.contains(&alias) {
            return String::new();
        }
        self.links.push(alias.clone());
        format!("--link {name}:{alias}")
    }
}

fn shares(networks: &[String], others: &[String]) -> bool {
    networks.iter().any(|network| others.contains(network))
}

impl fmt::Display for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "sysctl net.bridge.bridge-nf-call-iptables={0} net.bridge.bridge-nf-call-ip6tables={0}",
            self.bridge_rules.value()
        )?;
        for command in &self.commands {
            writeln!(formatter, "minirun {command}")?;
        }
        Ok(())
    }
}
