//! The firewall rules of a host, as `iptables -S` and `ip6tables -S` show them.

use crate::host::TestHost;

/// Rules of one table, one a line.
#[derive(Debug, Clone)]
pub struct Rules {
    text: String,
}

impl Rules {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// Those that hold every one of the fragments, in the order of the table.
    pub fn with(&self, fragments: &[&str]) -> Vec<&str> {
        let matches = |line: &&str| fragments.iter().all(|fragment| line.contains(fragment));
        self.text.lines().filter(matches).collect()
    }

    /// Expects a rule that holds every fragment.
    #[track_caller]
    pub fn have(&self, fragments: &[&str]) -> &Self {
        assert!(
            !self.with(fragments).is_empty(),
            "there should be a rule with {fragments:?} among\n{}",
            self.text
        );
        self
    }

    /// Expects no rule that holds every fragment.
    #[track_caller]
    pub fn lack(&self, fragments: &[&str]) -> &Self {
        assert!(
            self.with(fragments).is_empty(),
            "there should be no rule with {fragments:?} among\n{}",
            self.text
        );
        self
    }
}

impl TestHost {
    /// The IPv4 rules of one table (`filter`, `nat`, `raw`).
    #[track_caller]
    pub fn rules(&self, table: &str) -> Rules {
        self.rules_by("iptables", table)
    }

    /// The IPv6 rules of one table.
    #[track_caller]
    pub fn rules6(&self, table: &str) -> Rules {
        self.rules_by("ip6tables", table)
    }

    /// What minirun's own table of nftables says, as `nft` lists it.
    #[track_caller]
    pub fn table(&self) -> Rules {
        let listed = self.command("nft", "list table inet minirun");
        Rules::new(listed.succeeds().stdout())
    }

    #[track_caller]
    fn rules_by(&self, program: &str, table: &str) -> Rules {
        let listed = self.command(program, ["-w", "-t", table, "-S"]);
        Rules::new(listed.succeeds().stdout())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_must_hold_every_fragment() {
        let rules = Rules::new("-A FORWARD -i a -j DROP\n-A FORWARD -i b -j ACCEPT\n");
        assert_eq!(rules.with(&["-i a", "DROP"]), ["-A FORWARD -i a -j DROP"]);
        rules.have(&["-i b"]).lack(&["-i a", "ACCEPT"]);
    }
}
