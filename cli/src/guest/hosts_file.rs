//! Reading `/etc/hosts`, which is where links put their names.

use std::net::IpAddr;

/// Where the file is.
pub const PATH: &str = "/etc/hosts";

/// The addresses that the text of a hosts file gives `name`, in order and each once. Case does not matter, as in DNS.
pub fn addresses_of(text: &str, name: &str) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for line in text.lines() {
        let entry = line.split('#').next().unwrap_or_default();
        let mut words = entry.split_whitespace();
        let address = words.next().and_then(|word| word.parse().ok());
        if let Some(address) = address
            && words.any(|word| word.eq_ignore_ascii_case(name))
            && !addresses.contains(&address)
        {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n\
        # 9.9.9.9 web\n172.17.0.2\tweb 4f1c0a9b7d2e web1 # the target\n172.17.0.3\tweb2\n172.17.0.2 web\nnonsense web\n";

    fn found(name: &str) -> Vec<String> {
        addresses_of(TEXT, name)
            .iter()
            .map(IpAddr::to_string)
            .collect()
    }

    #[test]
    fn every_name_of_a_line_leads_to_its_address() {
        for name in ["web", "4f1c0a9b7d2e", "web1", "WEB1"] {
            assert_eq!(found(name), ["172.17.0.2"], "{name}");
        }
    }

    #[test]
    fn a_name_may_have_several_addresses() {
        assert_eq!(found("localhost"), ["127.0.0.1", "::1"]);
    }

    #[test]
    fn comments_and_parts_of_names_do_not_count() {
        assert!(found("target").is_empty());
        assert!(found("we").is_empty());
        assert!(found("172.17.0.3").is_empty());
    }
}
