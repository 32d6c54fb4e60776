//! A container's `/etc/hosts`: its text, and how it changes under a container that has it mounted.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::extra_host::ExtraHost;
use crate::name::{Alias, ContainerName, Hostname};

/// What every hosts file begins with, the same lines as in Docker's.
const LOCALHOST: &str = "127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
";

/// Every user of the container may read the file, whatever the umask of the caller.
const HOSTS_MODE: u32 = 0o644;

/// What a hosts file says; [`HostsFile::render`] makes the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostsFile {
    /// The container itself at each of its addresses: endpoint by endpoint, IPv4 before IPv6. Empty for a container without a
    /// network.
    pub own: Vec<OwnHost>,
    /// What `--add-host` asked for, in the order it was typed.
    pub extra: Vec<ExtraHost>,
    /// The containers this one is linked to; one with addresses of both families is here twice.
    pub links: Vec<LinkedHost>,
}

/// The container itself at one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnHost {
    /// An IPv4 or IPv6 address of the container.
    pub address: IpAddr,
    /// The container's full host name.
    pub hostname: Hostname,
}

/// The target of a link, at one of its addresses, as the hosts file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedHost {
    /// A present IPv4 or IPv6 address of the target.
    pub address: IpAddr,
    /// The alias of the link, which comes first.
    pub alias: Alias,
    /// The target's full host name.
    pub hostname: Hostname,
    /// The target's name.
    pub name: ContainerName,
}

/// The hosts file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the file `{}`: {source}", path.display())]
pub struct WriteInPlaceError {
    /// The file in question.
    pub path: PathBuf,
    /// What the kernel answered.
    pub source: io::Error,
}

impl HostsFile {
    /// The text of the file, with tabs, in Docker's order: localhost, extra hosts, links, the container itself. The name of a link's
    /// target is left out when it is the alias already; a host name with dots is followed by its first part.
    pub fn render(&self) -> String {
        let mut text = LOCALHOST.to_owned();
        for host in &self.extra {
            push_line(&mut text, host.address, [host.name.as_str()]);
        }
        for link in &self.links {
            let name = Some(link.name.as_str()).filter(|name| *name != link.alias.as_str());
            let names = [link.alias.as_str(), link.hostname.as_str()];
            push_line(&mut text, link.address, names.into_iter().chain(name));
        }
        for OwnHost { address, hostname } in &self.own {
            let short = Some(hostname.short()).filter(|short| *short != hostname.as_str());
            push_line(
                &mut text,
                *address,
                [hostname.as_str()].into_iter().chain(short),
            );
        }
        text
    }
}

/// Makes `text` the content of the file and keeps its inode, because a running container has just that inode mounted and would go on
/// reading the old one after a rename. The new text goes over the old one before the rest is cut off, so the file is never empty. A
/// missing file is created with mode 0644; a symbolic link is not followed.
pub fn write_in_place(path: &Path, text: &str) -> Result<(), WriteInPlaceError> {
    let write = || {
        // First what a container's first start needs.
        match create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created?.write_all(text.as_bytes()),
        }
        let mut file = open(path)?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)
    };
    write().map_err(|source| WriteInPlaceError {
        path: path.to_owned(),
        source,
    })
}

fn push_line<'a>(
    text: &mut String,
    address: impl std::fmt::Display,
    names: impl IntoIterator<Item = &'a str>,
) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{address}");
    for (position, name) in names.into_iter().enumerate() {
        text.push(if position == 0 { '\t' } else { ' ' });
        text.push_str(name);
    }
    text.push('\n');
}

/// Creates the file, with its mode whatever the mask of permissions is.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(HOSTS_MODE)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(HOSTS_MODE))?;
    Ok(file)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn linked(address: &str, alias: &str, hostname: &str, name: &str) -> LinkedHost {
        LinkedHost {
            address: address.parse().unwrap(),
            alias: alias.parse().unwrap(),
            hostname: hostname.parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    fn own(address: &str, hostname: &str) -> OwnHost {
        OwnHost {
            address: address.parse().unwrap(),
            hostname: hostname.parse().unwrap(),
        }
    }

    #[test]
    fn a_container_without_a_network_knows_only_itself() {
        assert_eq!(
            HostsFile::default().render(),
            "127.0.0.1\tlocalhost\n\
             ::1\tlocalhost ip6-localhost ip6-loopback\n\
             fe00::\tip6-localnet\n\
             ff00::\tip6-mcastprefix\n\
             ff02::1\tip6-allnodes\n\
             ff02::2\tip6-allrouters\n"
        );
    }

    #[test]
    fn extra_hosts_links_and_the_container_itself_follow_in_this_order() {
        let file = HostsFile {
            own: vec![own("172.17.0.3", "f00dcafe0123")],
            extra: vec![
                "db:10.0.0.5".parse().unwrap(),
                "six:[2001:db8::1]".parse().unwrap(),
            ],
            links: vec![
                linked("172.17.0.2", "web", "0123456789ab", "web1"),
                linked("172.17.0.4", "cache", "c.example.org", "cache"),
            ],
        };
        let text = file.render();
        assert_eq!(
            text.strip_prefix(LOCALHOST).unwrap(),
            "10.0.0.5\tdb\n\
             2001:db8::1\tsix\n\
             172.17.0.2\tweb 0123456789ab web1\n\
             172.17.0.4\tcache c.example.org\n\
             172.17.0.3\tf00dcafe0123\n"
        );
    }

    #[test]
    fn every_address_of_the_container_and_of_a_link_target_has_a_line() {
        let file = HostsFile {
            own: vec![
                own("172.17.0.3", "web.example.org"),
                own("fd00:17::3", "web.example.org"),
                own("172.18.0.2", "web.example.org"),
            ],
            extra: Vec::new(),
            links: vec![
                linked("172.17.0.2", "db", "db1", "db1"),
                linked("fd00:17::2", "db", "db1", "db1"),
            ],
        };
        let text = file.render();
        assert_eq!(
            text.strip_prefix(LOCALHOST).unwrap(),
            "172.17.0.2\tdb db1 db1\n\
             fd00:17::2\tdb db1 db1\n\
             172.17.0.3\tweb.example.org web\n\
             fd00:17::3\tweb.example.org web\n\
             172.18.0.2\tweb.example.org web\n"
        );
    }

    #[test]
    fn a_full_host_name_is_followed_by_its_first_part() {
        let file = HostsFile {
            own: vec![own("172.17.0.2", "foo.bar.baz")],
            ..HostsFile::default()
        };
        assert!(file.render().ends_with("\n172.17.0.2\tfoo.bar.baz foo\n"));
    }

    #[test]
    fn writing_in_place_keeps_the_inode_and_cuts_off_the_rest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hosts");
        write_in_place(&path, "a long first text\n").unwrap();
        let before = std::fs::metadata(&path).unwrap();
        assert_eq!(before.mode() & 0o777, 0o644);
        let mut reader = File::open(&path).unwrap();
        write_in_place(&path, "short\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), before.ino());
        let mut seen = String::new();
        reader.read_to_string(&mut seen).unwrap();
        assert_eq!(seen, "short\n");
    }

    #[test]
    fn a_symbolic_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        std::fs::write(&target, "untouched").unwrap();
        let path = directory.path().join("hosts");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let error = write_in_place(&path, "text").unwrap_err();
        assert!(error.to_string().contains("hosts`: "), "{error}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "untouched");
    }
}
