//! What containers and networks may have left behind in minirun's table of nftables.

use crate::host::TestHost;

/// The sets that a network fills; every other one belongs to containers.
const OF_NETWORKS: [&str; 11] = [
    "within",
    "into",
    "out",
    "internal",
    "translating",
    "sealed4",
    "sealed6",
    "hidden4",
    "hidden6",
    "homes4",
    "homes6",
];

/// One sentence for each element or chain of a container, and for each element of a network whose bridge is not `present`.
pub fn on_host(host: &TestHost, is_present: impl Fn(&str) -> bool) -> Vec<String> {
    let listed = host.command("nft", "list table inet minirun");
    of_table(listed.stdout(), is_present)
}

/// The same of a table as `nft list table` prints it; nothing if there is none.
fn of_table(listing: &str, is_present: impl Fn(&str) -> bool) -> Vec<String> {
    let mut left = Vec::new();
    let mut within = String::new();
    let mut among_elements = false;
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["set" | "map", name, "{"] => within = (*name).to_owned(),
            ["chain", name, "{"] if name.starts_with("egress") => {
                left.push(format!("chain `{name}`"));
            }
            ["elements", ..] => among_elements = true,
            _ => {}
        }
        if !among_elements {
            continue;
        }
        let is_absent = line
            .split('"')
            .skip(1)
            .step_by(2)
            .any(|name| !is_present(name));
        if is_absent || !OF_NETWORKS.contains(&within.as_str()) {
            left.push(format!("element of `{within}`: `{}`", line.trim()));
        }
        among_elements = !line.trim_end().ends_with('}');
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "table inet minirun {\n\tset out {\n\t\ttype nf_proto . ifname\n\
        \t\telements = { ipv4 . \"minirun0\",\n\t\t\t     ipv4 . \"mr-1\" }\n\t}\n\n\tset links4 {\n\
        \t\ttype ipv4_addr . ipv4_addr . inet_proto . inet_service\n\
        \t\telements = { 172.17.0.3 . 172.17.0.2 . tcp . 80 }\n\t}\n\n\tchain user {\n\t}\n\n\tchain egress4-veth1 {\n\t}\n}\n";

    #[test]
    fn elements_of_containers_and_of_networks_that_are_gone_are_left_over() {
        assert_eq!(
            of_table(LISTING, |name| name == "minirun0"),
            [
                "element of `out`: `ipv4 . \"mr-1\" }`",
                "element of `links4`: `elements = { 172.17.0.3 . 172.17.0.2 . tcp . 80 }`",
                "chain `egress4-veth1`",
            ]
        );
    }
}
