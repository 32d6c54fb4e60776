//! The older iptables, whose rules nf_tables knows nothing of.

use super::{ForeignChain, Owner, Refusal, Standing};
use std::fs;
use std::process::Command;

/// The program that asks for them where the other iptables is installed as well.
pub(super) const PROGRAM: &str = "iptables-legacy";

/// The tables of it that a network namespace has.
const TABLES: &str = "/proc/net/ip_tables_names";

/// Its chain for forwarded packets, if that refuses by its policy. Where it has no table, nothing is asked.
pub(super) fn refusing_chain() -> Option<ForeignChain> {
    let tables = fs::read_to_string(TABLES).ok()?;
    if !tables.lines().any(|table| table == "filter") {
        return None;
    }
    let output = Command::new(PROGRAM)
        .args(["-w", "-S"])
        .env("PATH", super::super::iptables::search_path())
        .output()
        .ok()?;
    understand(&String::from_utf8_lossy(&output.stdout))
}

/// Its rules as it prints them.
fn understand(rules: &str) -> Option<ForeignChain> {
    let has = |prefix: &str| rules.lines().any(|line| line.starts_with(prefix));
    if !has("-P FORWARD DROP") {
        return None;
    }
    let owners = [
        (Owner::Docker, has("-N DOCKER")),
        (Owner::Ufw, has("-N ufw-")),
    ];
    let owners = owners.into_iter().filter(|(_, is_there)| *is_there);
    Some(ForeignChain {
        owners: owners.map(|(owner, _)| owner).collect(),
        place: format!("{PROGRAM} FORWARD"),
        refusal: Refusal::Policy,
        standing: Standing::Blocked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_drops_is_found_with_whose_it_is() {
        let rules = "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N DOCKER-USER\n";
        let chain = understand(rules).unwrap();
        assert_eq!(
            chain.to_string(),
            "policy drop of `iptables-legacy FORWARD`"
        );
        assert_eq!(chain.owner_words(), "Docker");
        assert_eq!(
            chain.hint("minirun0"),
            "`iptables-legacy -I FORWARD -i minirun0 -j ACCEPT` and `iptables-legacy -I FORWARD -o minirun0 -j ACCEPT` let it through"
        );
        assert_eq!(understand("-P FORWARD ACCEPT\n"), None);
    }
}
