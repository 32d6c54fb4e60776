//! Firewalls of others on a host, and what is to be seen of them.

use minirun_integration::TestHost;

/// What firewalld makes of a host with one zone, as far as forwarded packets are concerned.
pub const FIREWALLD: &str = r#"
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_FORWARD_ZONES
		reject with icmpx admin-prohibited
	}

	chain filter_FORWARD_ZONES {
		goto filter_FWD_public
	}

	chain filter_FWD_public {
		jump filter_FWD_public_allow
		reject with icmpx admin-prohibited
	}

	chain filter_FWD_public_allow {
	}
}
"#;

/// What an administrator writes who lets nothing through.
pub const CLOSED: &str = r#"
table inet fw {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip daddr 192.0.2.2 tcp dport 444 drop
		log prefix "refused: "
	}
}
"#;

/// Loads rules as `nft` reads them.
#[track_caller]
pub fn loads(host: &TestHost, rules: &str) {
    let load = host.place().program("nft", "-f -").input(rules);
    load.run().succeeds();
}

/// A chain as `nft` lists it.
#[track_caller]
pub fn listed(host: &TestHost, chain: &str) -> String {
    let listed = host.command("nft", format!("list chain {chain}"));
    listed.succeeds().stdout().to_owned()
}

/// What `info` says of the firewalls of others.
#[track_caller]
pub fn told(host: &TestHost) -> Vec<String> {
    let info = host.minirun("info").succeeds();
    let lines = info.stdout().lines();
    let lines = lines.filter_map(|line| line.strip_prefix("Foreign firewall: "));
    lines.map(str::to_owned).collect()
}
