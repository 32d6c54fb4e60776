//! Whom the host asks: its resolv.conf, read again when it has changed.

use std::fs;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::net::if_::if_nametoindex;

use super::upstream::{PORT, is_ourselves};
use crate::resolv::HOST_RESOLV_CONF;

/// The current servers of the host. Nothing is watched: the file is looked at when somebody is to be asked, so a host
/// that changes networks costs nothing until then, and a file put in its place by a rename is seen like any other.
#[derive(Debug)]
pub struct HostResolver {
    path: PathBuf,
    stamp: Option<Stamp>,
    servers: Vec<Server>,
}

/// By what a changed file is told from the one that was read.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

#[derive(Debug, PartialEq, Eq)]
struct Server {
    address: IpAddr,
    /// The interface of a link-local address. Its number can change while the file stays, so the name is kept.
    zone: Option<String>,
}

impl Default for HostResolver {
    fn default() -> Self {
        HostResolver::new(HOST_RESOLV_CONF)
    }
}

impl HostResolver {
    /// Follows the file at `path`. It is not read yet and need not exist.
    pub fn new(path: impl Into<PathBuf>) -> HostResolver {
        HostResolver {
            path: path.into(),
            stamp: None,
            servers: Vec::new(),
        }
    }

    /// The servers as the file has them now, in its order.
    pub(super) fn servers(&mut self) -> Vec<SocketAddr> {
        let stamp = stamp(&self.path);
        if stamp.is_none() || stamp != self.stamp {
            self.servers = fs::read(&self.path)
                .map(|text| parse(&String::from_utf8_lossy(&text)))
                .unwrap_or_default();
            self.stamp = stamp;
        }
        self.servers.iter().filter_map(Server::socket).collect()
    }
}

impl Server {
    /// Reads an address with or without a zone, as in `fe80::1%eth0`.
    fn parse(text: &str) -> Option<Server> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone.to_owned())),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        (!is_ourselves(address)).then_some(Server { address, zone })
    }

    /// Where to send to; none while its interface is missing.
    fn socket(&self) -> Option<SocketAddr> {
        let (IpAddr::V6(address), Some(zone)) = (self.address, &self.zone) else {
            return Some(SocketAddr::new(self.address, PORT));
        };
        let index = match zone.parse() {
            Ok(index) => index,
            Err(_) => if_nametoindex(zone.as_str()).ok()?,
        };
        Some(SocketAddrV6::new(address, PORT, 0, index).into())
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok()?;
    let modified = (data.mtime(), data.mtime_nsec());
    let changed = (data.ctime(), data.ctime_nsec());
    Some((data.dev(), data.ino(), data.size(), modified, changed))
}

fn parse(text: &str) -> Vec<Server> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver")).then(|| Server::parse(words.next()?))?
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(resolver: &mut HostResolver) -> Vec<String> {
        let servers = resolver.servers();
        servers.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn servers_come_in_order_without_ourselves_and_with_their_zone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("resolv.conf");
        fs::write(
            &path,
            "# comment\nsearch example.org\nnameserver 127.0.0.53 # stub\n;nameserver 9.9.9.9\nnameserver 127.0.0.11\n\
             nameserver ::ffff:127.0.0.11\nnameserver fe80::1%lo\nnameserver fe80::2%no-such-link\nnameserver nonsense\n\
             nameserver\nnameserver 2001:db8::53\n",
        )
        .unwrap();
        assert_eq!(
            shown(&mut HostResolver::new(&path)),
            ["127.0.0.53:53", "[fe80::1%1]:53", "[2001:db8::53]:53"]
        );
    }

    #[test]
    fn a_changed_a_replaced_and_a_missing_file_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("resolv.conf");
        let mut resolver = HostResolver::new(&path);
        assert_eq!(shown(&mut resolver), Vec::<String>::new());
        fs::write(&path, "nameserver 10.0.0.1\n").unwrap();
        assert_eq!(shown(&mut resolver), ["10.0.0.1:53"]);
        let new = directory.path().join("new");
        fs::write(&new, "nameserver 10.0.0.2\n").unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!(shown(&mut resolver), ["10.0.0.2:53"]);
        fs::write(&path, "nameserver 10.0.0.30\n").unwrap();
        assert_eq!(shown(&mut resolver), ["10.0.0.30:53"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(shown(&mut resolver), Vec::<String>::new());
    }
}
