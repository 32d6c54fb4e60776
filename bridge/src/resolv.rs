//! A container's `/etc/resolv.conf`, made from the host's: pure text work.

mod word;

use std::net::{IpAddr, Ipv4Addr};

use word::option_name;
pub use word::{ResolverOption, ResolverOptionError, SearchDomain, SearchDomainError};

/// The host's own file.
pub const HOST_RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where systemd-resolved keeps the servers that its stub at 127.0.0.53 asks.
pub const SYSTEMD_RESOLV_CONF: &str = "/run/systemd/resolve/resolv.conf";

/// The address of the stub of systemd-resolved, which only the host itself can reach.
const SYSTEMD_STUB: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// The name server that answers a container about the others on its networks. It is inside the container's own network namespace, at the
/// address where programs that know Docker expect it.
pub const EMBEDDED_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// The option that makes the resolver library ask for a name without dots as it is, before it tries the search domains: the names of
/// containers have no dots.
const EMBEDDED_OPTION: &str = "ndots:0";

/// Whether the container's network carries IPv6, so that a nameserver with an IPv6 address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv6 {
    /// IPv6 nameservers of the host are kept.
    Available,
    /// IPv6 nameservers of the host are left out.
    Unavailable,
}

/// What the user asked for instead of what the host has; an empty list keeps the host's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolvOverrides {
    /// `--dns`: IPv4 or IPv6 addresses, taken as they are. Behind our own server they do not stand in the file; it asks them.
    pub nameservers: Vec<IpAddr>,
    /// `--dns-search`: domains; a single `.` means none.
    pub search: Vec<SearchDomain>,
    /// `--dns-option`: options as resolv.conf(5) has them.
    pub options: Vec<ResolverOption>,
}

/// What a resolv.conf says; [`ResolvConf::render`] makes the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolvConf {
    /// Whom to ask, in order. An empty list stays empty: no public resolver is ever put in the place of the host's.
    pub nameservers: Vec<IpAddr>,
    /// Domains that are tried behind a short name.
    pub search: Vec<String>,
    /// Options of the resolver library.
    pub options: Vec<String>,
}

impl ResolvConf {
    /// What a container without a server of ours gets on a host whose resolv.conf is `text`. Where that leads only to the stub of systemd-resolved
    /// ([`is_systemd_stub`]), `stub_text` is used instead: the content of [`SYSTEMD_RESOLV_CONF`] if it could be read. Servers on the
    /// loopback interface are left out, because the container's loopback is another one; so are link-local ones with a zone, because
    /// the zone names an interface of the host.
    pub fn from_host(
        text: &str,
        stub_text: Option<&str>,
        overrides: &ResolvOverrides,
        ipv6: Ipv6,
    ) -> Self {
        let mut conf = Self::parse(behind_stub(text, stub_text));
        conf.nameservers
            .retain(|server| is_reachable(*server, ipv6));
        if !overrides.nameservers.is_empty() {
            conf.nameservers.clone_from(&overrides.nameservers);
        }
        conf.override_words(overrides);
        conf
    }

    /// What a container with a server of ours gets: that server alone ([`EMBEDDED_SERVER`]), and the search domains and options of the
    /// host or of `overrides`, chosen as in [`ResolvConf::from_host`]. `ndots:0` is added unless there is an `ndots` already.
    pub fn embedded(text: &str, stub_text: Option<&str>, overrides: &ResolvOverrides) -> Self {
        let mut conf = Self::parse(behind_stub(text, stub_text));
        conf.nameservers = vec![EMBEDDED_SERVER.into()];
        conf.override_words(overrides);
        if !conf.options.iter().any(|word| option_name(word) == "ndots") {
            conf.options.push(EMBEDDED_OPTION.to_owned());
        }
        conf
    }

    /// Replaces the search domains and the options that the user gave others for.
    fn override_words(&mut self, overrides: &ResolvOverrides) {
        if !overrides.search.is_empty() {
            let domains = overrides.search.iter().filter(|domain| !domain.is_none());
            self.search = domains.map(ToString::to_string).collect();
        }
        if !overrides.options.is_empty() {
            self.options = overrides.options.iter().map(ToString::to_string).collect();
        }
    }

    /// The text of the file. Whatever else the host's file held, comments above all, is gone.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for server in &self.nameservers {
            text.push_str(&format!("nameserver {server}\n"));
        }
        for (keyword, words) in [("search", &self.search), ("options", &self.options)] {
            if !words.is_empty() {
                text.push_str(&format!("{keyword} {}\n", words.join(" ")));
            }
        }
        text
    }

    /// Reads the three kinds of lines that matter as resolv.conf(5) says: the last `search` or `domain` holds, options add up.
    fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        for line in text.lines() {
            let mut words = line
                .split_whitespace()
                .take_while(|word| !word.starts_with(['#', ';']));
            match words.next() {
                Some("nameserver") => {
                    let server: Option<IpAddr> = words.next().and_then(|word| word.parse().ok());
                    conf.nameservers.extend(server);
                }
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => conf.options.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        conf
    }
}

/// Whether a host's resolv.conf names the stub of systemd-resolved and nobody else, so that [`SYSTEMD_RESOLV_CONF`] is worth reading.
pub fn is_systemd_stub(text: &str) -> bool {
    let servers = ResolvConf::parse(text).nameservers;
    !servers.is_empty() && servers.iter().all(|server| *server == SYSTEMD_STUB)
}

/// Whether a container can ask this server of the host. An unspecified address means the loopback to the resolver library.
fn is_reachable(server: IpAddr, ipv6: Ipv6) -> bool {
    let server = server.to_canonical();
    let has_family = server.is_ipv4() || ipv6 == Ipv6::Available;
    has_family && !server.is_loopback() && !server.is_unspecified()
}

/// The text that counts: the host's own, or what stands behind the stub that is all the host's own names.
fn behind_stub<'a>(text: &'a str, stub_text: Option<&'a str>) -> &'a str {
    stub_text.filter(|_| is_systemd_stub(text)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from_host(text: &str) -> String {
        let overrides = ResolvOverrides::default();
        ResolvConf::from_host(text, None, &overrides, Ipv6::Unavailable).render()
    }

    fn overridden(search: &[&str], options: &[&str]) -> ResolvOverrides {
        ResolvOverrides {
            nameservers: Vec::new(),
            search: search.iter().map(|word| word.parse().unwrap()).collect(),
            options: options.iter().map(|word| word.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn servers_search_and_options_of_the_host_are_kept_and_comments_are_not() {
        let host = "# made by hand\nnameserver 10.0.0.1 # first\n; other\nnameserver 10.0.0.2\nsearch example.org corp.example.org\noptions ndots:2\noptions timeout:1 rotate\nsortlist 10.0.0.0\n";
        assert_eq!(
            from_host(host),
            "nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch example.org corp.example.org\noptions ndots:2 timeout:1 rotate\n"
        );
    }

    #[test]
    fn the_last_search_or_domain_holds() {
        assert_eq!(from_host("search a b\ndomain c\n"), "search c\n");
    }

    #[test]
    fn servers_that_only_the_host_can_reach_are_left_out_and_no_public_one_takes_their_place() {
        let host = "nameserver 127.0.0.1\nnameserver ::1\nnameserver 0.0.0.0\nnameserver ::ffff:127.0.0.1\nnameserver fe80::1%eth0\nnameserver nonsense\nnameserver\n";
        assert_eq!(from_host(host), "");
        assert_eq!(from_host(""), "");
    }

    #[test]
    fn ipv6_servers_are_kept_only_where_ipv6_is() {
        let host = "nameserver 2001:db8::53\nnameserver 10.0.0.1\n";
        assert_eq!(from_host(host), "nameserver 10.0.0.1\n");
        let overrides = ResolvOverrides::default();
        let conf = ResolvConf::from_host(host, None, &overrides, Ipv6::Available);
        assert_eq!(conf.render(), host);
    }

    #[test]
    fn behind_the_stub_of_systemd_are_the_servers_it_asks() {
        let host = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n";
        let systemd = "nameserver 192.168.1.1\nsearch home.arpa\n";
        let overrides = ResolvOverrides::default();
        assert!(is_systemd_stub(host));
        let conf = ResolvConf::from_host(host, Some(systemd), &overrides, Ipv6::Unavailable);
        assert_eq!(conf.render(), systemd);
        let conf = ResolvConf::from_host(host, None, &overrides, Ipv6::Unavailable);
        assert!(conf.nameservers.is_empty());
    }

    #[test]
    fn the_servers_of_systemd_are_not_used_for_another_host_file() {
        let overrides = ResolvOverrides::default();
        for host in [
            "nameserver 10.0.0.1\n",
            "nameserver 127.0.0.53\nnameserver 10.0.0.1\n",
        ] {
            assert!(!is_systemd_stub(host));
            let systemd = Some("nameserver 192.168.1.1\n");
            let conf = ResolvConf::from_host(host, systemd, &overrides, Ipv6::Unavailable);
            assert_eq!(conf.render(), "nameserver 10.0.0.1\n");
        }
        assert!(!is_systemd_stub(""));
    }

    #[test]
    fn what_the_user_asks_for_replaces_the_part_it_is_about() {
        let host = "nameserver 10.0.0.1\nsearch example.org\noptions rotate\n";
        let overrides = ResolvOverrides {
            nameservers: vec!["127.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
            ..ResolvOverrides::default()
        };
        let conf = ResolvConf::from_host(host, None, &overrides, Ipv6::Unavailable);
        assert_eq!(
            conf.render(),
            "nameserver 127.0.0.1\nnameserver 2001:db8::1\nsearch example.org\noptions rotate\n"
        );
        let overrides = overridden(&["mydomain"], &["ndots:9"]);
        let conf = ResolvConf::from_host(host, None, &overrides, Ipv6::Unavailable);
        assert_eq!(
            conf.render(),
            "nameserver 10.0.0.1\nsearch mydomain\noptions ndots:9\n"
        );
    }

    #[test]
    fn a_single_dot_means_no_search_domain() {
        let overrides = overridden(&["."], &[]);
        let conf = ResolvConf::from_host("search a\n", None, &overrides, Ipv6::Unavailable);
        assert_eq!(conf.render(), "");
    }

    #[test]
    fn behind_our_server_search_and_options_are_the_hosts_and_names_without_dots_are_asked_first() {
        let host = "nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch example.org\noptions rotate\n";
        let conf = ResolvConf::embedded(host, None, &ResolvOverrides::default());
        assert_eq!(
            conf.render(),
            "nameserver 127.0.0.11\nsearch example.org\noptions rotate ndots:0\n"
        );
        let conf = ResolvConf::embedded("", None, &ResolvOverrides::default());
        assert_eq!(conf.render(), "nameserver 127.0.0.11\noptions ndots:0\n");
    }

    #[test]
    fn behind_our_server_the_servers_of_the_user_are_not_in_the_file() {
        let overrides = ResolvOverrides {
            nameservers: vec!["10.0.0.53".parse().unwrap()],
            ..overridden(&["a", "b"], &["timeout:1"])
        };
        let conf = ResolvConf::embedded("search c\noptions rotate\n", None, &overrides);
        assert_eq!(
            conf.render(),
            "nameserver 127.0.0.11\nsearch a b\noptions timeout:1 ndots:0\n"
        );
        let conf = ResolvConf::embedded("search c\n", None, &overridden(&["."], &[]));
        assert_eq!(conf.render(), "nameserver 127.0.0.11\noptions ndots:0\n");
    }

    #[test]
    fn behind_our_server_an_ndots_that_was_given_stays_alone() {
        let given = overridden(&[], &["ndots:2"]);
        for (host, overrides) in [
            ("options ndots:2\n", &ResolvOverrides::default()),
            ("options ndots:1 rotate\n", &given),
        ] {
            let conf = ResolvConf::embedded(host, None, overrides);
            assert_eq!(conf.options, ["ndots:2"], "{host}");
        }
    }

    #[test]
    fn behind_our_server_and_the_stub_of_systemd_is_what_systemd_says() {
        let systemd = Some("nameserver 192.168.1.1\nsearch home.arpa\n");
        let overrides = ResolvOverrides::default();
        let conf = ResolvConf::embedded("nameserver 127.0.0.53\nsearch .\n", systemd, &overrides);
        assert_eq!(conf.search, ["home.arpa"]);
        let conf = ResolvConf::embedded("nameserver 10.0.0.1\n", systemd, &overrides);
        assert!(conf.search.is_empty());
    }

    proptest! {
        #[test]
        fn what_was_rendered_reads_back_the_same(text in "((nameserver|search|domain|options|#|;) ?[a-z0-9.:# ]{0,20}\n){0,8}") {
            let conf = ResolvConf::parse(&text);
            prop_assert_eq!(ResolvConf::parse(&conf.render()), conf);
        }

        #[test]
        fn a_container_never_gets_a_loopback_server_from_the_host(servers: Vec<IpAddr>) {
            let text: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
            let overrides = ResolvOverrides::default();
            let conf = ResolvConf::from_host(&text, None, &overrides, Ipv6::Available);
            prop_assert!(conf.nameservers.iter().all(|server| !server.to_canonical().is_loopback()));
        }
    }
}
