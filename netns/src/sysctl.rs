//! Kernel settings below `/proc/sys`.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::error::NetnsError;
use crate::explain::{Explain, Explanation};

/// A kernel setting. Those below `net` are per network namespace; the calling thread's is the one meant
/// ([`Namespace::run`](crate::Namespace::run) leads into another). Written as people write it, `net.ipv4.ip_forward`; with
/// slashes where a part holds a dot itself, `net/ipv4/conf/eth0.100/forwarding`, which sysctl(8) understands as well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sysctl {
    components: Vec<String>,
}

/// What [`Sysctl::ensure`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// It had another value and was written.
    Changed,
    /// It had the value already and was not written.
    Unchanged,
}

/// Setting a kernel setting, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysctlChange {
    /// Which one.
    pub sysctl: Sysctl,
    /// The value it gets.
    pub value: String,
}

impl Sysctl {
    /// Names a setting by its path below `/proc/sys`, as in `net/ipv4/ip_forward`. Parts are separated by slashes, because an
    /// interface's name may hold dots.
    pub fn new(path: &str) -> Sysctl {
        Sysctl {
            components: path.split('/').map(str::to_string).collect(),
        }
    }

    /// Its path below `/proc/sys`, by which [`Sysctl::new`] names it again.
    pub fn relative_path(&self) -> String {
        self.components.join("/")
    }

    /// Names the setting of one interface: `net/ipv4/conf/INTERFACE/KEY`.
    pub fn of_interface(interface: &str, key: &str) -> Sysctl {
        Sysctl::of_link("ipv4", "conf", [interface, key])
    }

    /// Names the IPv6 setting of one interface: `net/ipv6/conf/INTERFACE/KEY`.
    pub fn of_interface_v6(interface: &str, key: &str) -> Sysctl {
        Sysctl::of_link("ipv6", "conf", [interface, key])
    }

    /// Names a setting of the IPv4 neighbours behind one interface: `net/ipv4/neigh/INTERFACE/KEY`.
    pub fn of_neighbours(interface: &str, key: &str) -> Sysctl {
        Sysctl::of_link("ipv4", "neigh", [interface, key])
    }

    /// Names a setting of the IPv6 neighbours behind one interface: `net/ipv6/neigh/INTERFACE/KEY`.
    pub fn of_neighbours_v6(interface: &str, key: &str) -> Sysctl {
        Sysctl::of_link("ipv6", "neigh", [interface, key])
    }

    fn of_link(family: &str, subject: &str, [interface, key]: [&str; 2]) -> Sysctl {
        let components = ["net", family, subject, interface, key];
        Sysctl {
            components: components.map(str::to_string).to_vec(),
        }
    }

    /// Its value, without the line's end.
    ///
    /// # Errors
    ///
    /// Fails when the name is no path below `/proc/sys`, there is no such setting (`ENOENT`), or it cannot be read.
    pub fn read(&self) -> Result<String, NetnsError> {
        let text = std::fs::read_to_string(self.path()?);
        let text = text.map_err(|cause| NetnsError::ReadSysctl {
            name: self.to_string(),
            cause,
        })?;
        Ok(text.trim_end().to_string())
    }

    /// Makes it have a value. It is read first and written only if it differs, so that a setting which is right already needs
    /// no right to write it. Values of several numbers are equal however they are spaced.
    ///
    /// # Errors
    ///
    /// As [`Sysctl::read`], and when it cannot be written or the kernel does not accept the value.
    pub fn ensure(&self, value: &str) -> Result<Ensured, NetnsError> {
        let present = self.read()?;
        if present.split_whitespace().eq(value.split_whitespace()) {
            return Ok(Ensured::Unchanged);
        }
        self.write(value).map_err(|cause| NetnsError::WriteSysctl {
            name: self.to_string(),
            value: value.to_string(),
            cause,
        })?;
        Ok(Ensured::Changed)
    }

    /// Writes a value without a look at the present one.
    pub(crate) fn write(&self, value: &str) -> io::Result<()> {
        let path = self.path().map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut file = OpenOptions::new().write(true).open(path)?;
        // The kernel takes a value in one piece.
        file.write_all(value.as_bytes())
    }

    fn path(&self) -> Result<PathBuf, NetnsError> {
        let is_plain = |part: &String| {
            !matches!(part.as_str(), "" | "." | "..") && !part.contains(['/', '\0'])
        };
        if !self.components.iter().all(is_plain) {
            return Err(NetnsError::SysctlName {
                name: self.components.join("/"),
            });
        }
        Ok(["/proc/sys"]
            .into_iter()
            .chain(self.components.iter().map(String::as_str))
            .collect())
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds_dot = self.components.iter().any(|part| part.contains('.'));
        let separator = if holds_dot { "/" } else { "." };
        formatter.write_str(&self.components.join(separator))
    }
}

impl Explain for SysctlChange {
    fn explain(&self) -> Explanation {
        let SysctlChange { sysctl, value } = self;
        let quote = if value.contains(char::is_whitespace) {
            "'"
        } else {
            ""
        };
        Explanation {
            sentence: format!("set the kernel setting `{sysctl}` to {value}"),
            command: format!("sysctl -w {quote}{sysctl}={value}{quote}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge_device::BridgeDevice;
    use crate::netlink::Netlink;
    use crate::scratch::in_fresh_namespace;
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    /// Makes `/proc/sys` read-only for the calling thread, in a mount namespace of its own.
    fn forbid_writing() {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        mount(Some("/proc/sys"), "/proc/sys", none, MsFlags::MS_BIND, none).unwrap();
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(none, "/proc/sys", none, flags, none).unwrap();
    }

    #[test]
    fn ensuring_changes_once_and_then_leaves_alone() {
        in_fresh_namespace(|| {
            let forward = Sysctl::new("net/ipv4/ip_forward");
            assert_eq!(forward.ensure("1").unwrap(), Ensured::Changed);
            assert_eq!(forward.read().unwrap(), "1");
            assert_eq!(forward.ensure("1").unwrap(), Ensured::Unchanged);
            assert_eq!(forward.ensure("0").unwrap(), Ensured::Changed);
        });
    }

    #[test]
    fn an_equal_value_is_not_written_even_where_it_could_not_be() {
        in_fresh_namespace(|| {
            let forward = Sysctl::new("net/ipv4/ip_forward");
            forward.ensure("0").unwrap();
            forbid_writing();
            assert_eq!(forward.ensure("0").unwrap(), Ensured::Unchanged);
            let error = forward.ensure("1").unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EROFS));
            assert!(error.hint().is_some());
        });
    }

    #[test]
    fn values_of_several_numbers_are_compared_by_the_numbers() {
        in_fresh_namespace(|| {
            let range = Sysctl::new("net/ipv4/ip_local_port_range");
            range.ensure("40000 40010").unwrap();
            assert_eq!(range.ensure("40000  40010").unwrap(), Ensured::Unchanged);
        });
    }

    #[test]
    fn an_interface_whose_name_holds_a_dot_is_reached() {
        in_fresh_namespace(|| {
            let mut device = BridgeDevice::for_tests();
            device.name = "mini.0".to_string();
            Netlink::open().unwrap().create_bridge(&device).unwrap();
            let shown = [
                Sysctl::of_interface("mini.0", "proxy_arp_pvlan"),
                Sysctl::of_interface_v6("mini.0", "proxy_ndp"),
                Sysctl::of_neighbours("mini.0", "proxy_delay"),
                Sysctl::of_neighbours_v6("mini.0", "proxy_delay"),
            ]
            .map(|sysctl| {
                assert_eq!(sysctl.ensure("1").unwrap(), Ensured::Changed);
                sysctl.to_string()
            });
            let expected = [
                "net/ipv4/conf/mini.0/proxy_arp_pvlan",
                "net/ipv6/conf/mini.0/proxy_ndp",
                "net/ipv4/neigh/mini.0/proxy_delay",
                "net/ipv6/neigh/mini.0/proxy_delay",
            ];
            assert_eq!(shown, expected);
        });
    }

    #[test]
    fn a_missing_setting_is_named() {
        let error = Sysctl::new("net/ipv4/no_such_thing").read().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        assert!(
            error.to_string().contains("`net.ipv4.no_such_thing`"),
            "{error}"
        );
    }

    #[test]
    fn a_name_cannot_lead_out_of_proc_sys() {
        for path in [
            "",
            "/etc/passwd",
            "net/../../version",
            "net//ipv4",
            "net/./ipv4",
        ] {
            let error = Sysctl::new(path).read().unwrap_err();
            assert!(matches!(error, NetnsError::SysctlName { .. }), "{error}");
        }
        assert!(Sysctl::of_interface("a/b", "forwarding").read().is_err());
    }

    #[test]
    fn the_step_prints_its_command() {
        let change = |path, value: &str| SysctlChange {
            sysctl: Sysctl::new(path),
            value: value.to_string(),
        };
        assert_eq!(
            change("net/ipv4/ip_forward", "1").explain().command,
            "sysctl -w net.ipv4.ip_forward=1"
        );
        assert_eq!(
            change("net/ipv4/ip_local_port_range", "40000 40010")
                .explain()
                .command,
            "sysctl -w 'net.ipv4.ip_local_port_range=40000 40010'"
        );
    }
}
