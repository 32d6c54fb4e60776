//! What containers may have left behind on a host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::finished::Finished;
use crate::host::TestHost;
use crate::leftover_elements;
use crate::link_news::LinkNews;

/// The default network's bridge stays when its last container has gone.
const BRIDGE: &str = "minirun0";

/// One sentence for each process, with its command line.
pub fn processes(pids: &[i32]) -> Vec<String> {
    let describe = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!(
            "process {pid}: {}",
            String::from_utf8_lossy(&line).replace('\0', " ").trim_end()
        )
    };
    pids.iter().map(describe).collect()
}

/// One sentence for each control group that is not minirun's empty parent of all containers.
pub fn control_groups(paths: &[PathBuf]) -> Vec<String> {
    let unexpected = paths.iter().filter(|path| !path.ends_with("minirun"));
    unexpected
        .map(|path| format!("control group `{}`", path.display()))
        .collect()
}

/// The interfaces in the calling thread's network. Some kernels put more than `lo` and what was made into a new one (`tunl0`, `sit0`).
pub fn interfaces() -> Vec<String> {
    let lines = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    let name = |line: &str| line.split_once(':').map(|(name, _)| name.trim().to_owned());
    lines.lines().filter_map(name).collect()
}

/// Links, addresses, rules, mounts and files; `known` are the interfaces that the host had when it was made.
///
/// Links have up to `patience` to be gone: the kernel takes those of a network namespace down after its last process has ended.
pub fn on_host(host: &TestHost, known: &[String], patience: Duration) -> Vec<String> {
    let links = host.inside(|| unknown_links(known, Instant::now() + patience));
    let addresses = [
        "-oneline -4 address show",
        "-oneline -6 address show scope global",
    ]
    .map(|arguments| host.command("ip", arguments));
    let rules = ["iptables-save", "ip6tables-save"].map(|program| host.command(program, ""));
    let present = host.inside(interfaces);
    let mounts =
        host.inside(|| fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default());
    let mut left: Vec<_> = links
        .into_iter()
        .map(|name| format!("link `{name}`"))
        .collect();
    left.extend(
        addresses
            .iter()
            .flat_map(|one| unknown_addresses(one.stdout())),
    );
    for rules in rules.iter().map(Finished::stdout) {
        left.extend(rules_of_containers(rules));
        left.extend(rules_of_networks(rules, &present));
    }
    let is_present = |name: &str| name == BRIDGE || present.iter().any(|one| one == name);
    left.extend(leftover_elements::on_host(host, is_present));
    left.extend(mounts_of_containers(&mounts));
    left.extend(host.inside(files_of_containers));
    left.extend(host.inside(|| volumes(Path::new("/var/lib/minirun/volumes"))));
    left.extend(host.inside(|| files_of_networks(Path::new("/var/lib/minirun/networks"))));
    left
}

/// The interfaces that are neither the bridge nor known, once there are none or `deadline` has come.
fn unknown_links(known: &[String], deadline: Instant) -> Vec<String> {
    let news = LinkNews::listen();
    loop {
        let mut links = interfaces();
        links.retain(|name| name != BRIDGE && !known.contains(name));
        if links.is_empty() || !news.wait(deadline) {
            return links;
        }
    }
}

/// Lines of `ip -oneline address` look like `2: uplink0    inet 192.0.2.1/24 …`.
fn unknown_addresses(lines: &str) -> Vec<String> {
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.nth(1)?.to_owned(), words.nth(1)?.to_owned()))
    };
    let unknown =
        |(name, _): &(String, String)| !["lo", "uplink0", BRIDGE].contains(&name.as_str());
    let found = lines.lines().filter_map(parse).filter(unknown);
    found
        .map(|(name, address)| format!("address {address} on `{name}`"))
        .collect()
}

/// What the default network needs by itself names neither a single address of it nor a port. What the administrator has written
/// is nobody else's to remove.
fn rules_of_containers(rules: &str) -> Vec<String> {
    let of_container = |line: &&str| {
        line.starts_with("-A")
            && !line.starts_with("-A MINIRUN-USER")
            && (names_single_address(line) || line.contains("port "))
    };
    rules
        .lines()
        .filter(of_container)
        .map(|line| format!("rule `{line}`"))
        .collect()
}

/// The addresses of the host and its neighbour are a test's own business.
fn names_single_address(rule: &str) -> bool {
    let of_lan = |word: &str| word.starts_with("192.0.2.") || word.starts_with("2001:db8:0:1:");
    rule.split_whitespace()
        .any(|word| (word.ends_with("/32") || word.ends_with("/128")) && !of_lan(word))
}

/// Our rules for an interface that there is not: those of a network that was removed.
fn rules_of_networks(rules: &str, present: &[String]) -> Vec<String> {
    let is_absent = |name: &str| name != BRIDGE && !present.iter().any(|one| one == name);
    let names_absent = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        words
            .windows(2)
            .any(|pair| matches!(pair[0], "-i" | "-o") && is_absent(pair[1]))
    };
    rules
        .lines()
        .filter(|line| line.starts_with("-A MINIRUN"))
        .filter(names_absent)
        .map(|line| format!("rule `{line}`"))
        .collect()
}

/// One sentence for each network with a record, but the default one.
fn files_of_networks(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.strip_suffix(".json").map(str::to_owned)
    };
    entries
        .filter_map(name)
        .filter(|name| name != "bridge")
        .map(|name| format!("network `{name}`"))
        .collect()
}

/// One sentence for each volume that somebody named; what holds an id is found as a file.
fn volumes(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !holds_id(name))
        .map(|name| format!("volume `{name}`"))
        .collect()
}

/// The fifth field of a line is the mount point; the host's own file system on `/var/lib` is not below minirun's directories.
fn mounts_of_containers(mounts: &str) -> Vec<String> {
    let point = |line: &str| line.split(' ').nth(4).map(str::to_owned);
    let below = |point: &String| {
        ["/run/minirun", "/var/lib/minirun", "/run/netns"]
            .iter()
            .any(|top| point.starts_with(top))
    };
    mounts
        .lines()
        .filter_map(point)
        .filter(below)
        .map(|point| format!("mount on `{point}`"))
        .collect()
}

fn files_of_containers() -> Vec<String> {
    let mut left = Vec::new();
    for top in ["/run/minirun", "/var/lib/minirun"] {
        search(Path::new(top), &mut left);
    }
    left
}

/// Images stay, and so do locks, the cursor of the leases, the marks of addresses freed a short time ago, and empty directories of
/// what dies with the boot; what bears or points to a container's id does not.
fn search(directory: &Path, left: &mut Vec<String>) {
    let holds_containers = ["containers", "names"]
        .iter()
        .any(|name| directory.ends_with(name))
        || directory.starts_with("/run/minirun/ports");
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if may_stay(&path, &name) {
            continue;
        }
        let target = fs::read_link(&path)
            .map(|target| target.to_string_lossy().into_owned())
            .unwrap_or_default();
        let is_directory = path.is_dir() && !path.is_symlink();
        // Ports are kept in a directory for each protocol and each port, which may stay.
        let is_port_directory = is_directory && directory.starts_with("/run/minirun/ports");
        if !is_port_directory && (holds_containers || holds_id(&name) || holds_id(&target)) {
            left.push(
                format!("file `{}` {target}", path.display())
                    .trim_end()
                    .to_owned(),
            );
        } else if is_directory {
            search(&path, left);
        }
    }
}

fn may_stay(path: &Path, name: &str) -> bool {
    let empty = || {
        path.is_dir()
            && !path.is_symlink()
            && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
    };
    name == "images"
        || name == "cursor"
        || name.ends_with(".freed")
        || name.ends_with("lock")
        || path.starts_with("/run/minirun") && empty()
}

/// Whether the text has 64 hexadecimal digits in a row.
fn holds_id(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_hexdigit())
        .any(|run| run.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_an_interface_of_a_container_is_left_over() {
        let lines = "2: uplink0    inet 192.0.2.1/24 scope global uplink0\n7: veth1    inet 172.17.0.9/16 scope global veth1\n";
        assert_eq!(
            unknown_addresses(lines),
            ["address 172.17.0.9/16 on `veth1`"]
        );
    }

    #[test]
    fn a_rule_for_one_address_or_one_port_is_left_over() {
        let rules = "-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE\n-A X -d 172.17.0.2/32 -j ACCEPT\n-A X -p tcp --dport 80 -j ACCEPT\n";
        assert_eq!(rules_of_containers(rules).len(), 2);
    }

    #[test]
    fn our_rule_for_an_interface_that_is_gone_is_left_over() {
        let rules = "-A MINIRUN -i minirun0 -j DROP\n-A MINIRUN -i br-1 -o br-1 -j ACCEPT\n-A MINE -i br-2 -j DROP\n";
        assert_eq!(
            rules_of_networks(rules, &[String::from("lo")]),
            ["rule `-A MINIRUN -i br-1 -o br-1 -j ACCEPT`"]
        );
        assert_eq!(rules_of_networks(rules, &[String::from("br-1")]).len(), 0);
    }

    #[test]
    fn a_rule_for_the_neighbour_is_none_of_ours() {
        assert!(!names_single_address("-A X ! -s 192.0.2.2/32 -j DROP"));
        assert!(names_single_address("-A X -s fd00::2/128 -j ACCEPT"));
    }

    #[test]
    fn the_own_file_systems_of_the_host_are_not_left_over() {
        let mounts = "1 2 0:1 / /var/lib rw - tmpfs tmpfs rw\n1 2 0:1 / /var/lib/minirun/containers/x/merged rw - overlay o rw\n";
        assert_eq!(
            mounts_of_containers(mounts),
            ["mount on `/var/lib/minirun/containers/x/merged`"]
        );
    }

    #[test]
    fn sixty_four_hexadecimal_digits_are_an_id() {
        assert!(holds_id(&format!("../{}/x", "a1".repeat(32))));
        assert!(!holds_id(&"a1".repeat(31)));
    }
}
