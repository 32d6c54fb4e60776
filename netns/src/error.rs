//! Everything that can fail in this crate, by the step that failed.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::address::InterfaceAddress;
use crate::request_error::RequestError;

/// A step that failed. The message is whole: it names the thing and says why, so there is no further source to print.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// A namespace's file could not be opened.
    #[error("cannot open the network namespace `{path}`: {cause}")]
    OpenNamespace {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is not a network namespace.
    #[error("`{path}` is not a network namespace: name a file such as `/proc/PID/ns/net`")]
    NotANetworkNamespace {
        /// The file.
        path: PathBuf,
    },
    /// A namespace could not be entered.
    #[error("cannot enter the network namespace `{path}`: {cause}")]
    EnterNamespace {
        /// The file it was opened by.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The thread could not go back to the namespace it came from.
    #[error("cannot return to the network namespace that the thread came from: {cause}")]
    LeaveNamespace {
        /// Why.
        cause: io::Error,
    },
    /// There is no connection to the kernel.
    #[error("cannot connect to the kernel's network configuration: {cause}")]
    OpenNetlink {
        /// Why.
        cause: io::Error,
    },
    /// A bridge was not made.
    #[error("cannot create the bridge `{name}`: {cause}")]
    CreateBridge {
        /// Its name.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A veth pair was not made.
    #[error("cannot create the veth pair `{host}` and `{container}`: {cause}")]
    CreateVeth {
        /// The name of the host end.
        host: String,
        /// The name of the other end.
        container: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be looked up.
    #[error("cannot look up the interface `{name}`: {cause}")]
    FindLink {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link is not there, although it must be.
    #[error("there is no interface `{name}`")]
    NoSuchLink {
        /// Its name.
        name: String,
    },
    /// A link could not be set up.
    #[error("cannot set the interface `{name}` up: {cause}")]
    SetUp {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be set down.
    #[error("cannot set the interface `{name}` down: {cause}")]
    SetDown {
        /// Its name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link could not be deleted.
    #[error("cannot delete the interface `{name}`: {cause}")]
    DeleteLink {
        /// Its name.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A bridge port could not be set.
    #[error("cannot set the bridge port `{name}`: {cause}")]
    SetBridgePort {
        /// The name of its link, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The ports of a bridge could not be listed.
    #[error("cannot list the ports of the bridge `{name}`: {cause}")]
    ListPorts {
        /// The bridge's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A link did not get its address.
    #[error("cannot give the interface `{name}` the address `{address}`: {cause}")]
    AddAddress {
        /// The address.
        address: InterfaceAddress,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The addresses of a link could not be listed.
    #[error("cannot list the addresses of the interface `{name}`: {cause}")]
    ListAddresses {
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A default route was not made.
    #[error("cannot add the default route by the gateway `{gateway}` through `{name}`: {cause}")]
    AddDefaultRoute {
        /// The router.
        gateway: Ipv4Addr,
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// The routes could not be listed.
    #[error("cannot list the routes of this host: {cause}")]
    ListRoutes {
        /// Why.
        cause: RequestError,
    },
    /// The neighbours of a link could not be forgotten.
    #[error("cannot forget the neighbours of the interface `{name}`: {cause}")]
    FlushNeighbours {
        /// The link's name, or `#` and its number.
        name: String,
        /// Why.
        cause: RequestError,
    },
    /// A name is no path below `/proc/sys`.
    #[error(
        "`{name}` is not the name of a kernel setting: write its path below `/proc/sys`, as in `net/ipv4/ip_forward`"
    )]
    SysctlName {
        /// The name as given.
        name: String,
    },
    /// A kernel setting could not be read.
    #[error("cannot read the kernel setting `{name}`: {cause}")]
    ReadSysctl {
        /// Its name.
        name: String,
        /// Why.
        cause: io::Error,
    },
    /// A kernel setting could not be written.
    #[error("cannot set the kernel setting `{name}` to `{value}`: {cause}")]
    WriteSysctl {
        /// Its name.
        name: String,
        /// The value it should get.
        value: String,
        /// Why.
        cause: io::Error,
    },
    /// The kernel gave no random bytes.
    #[error("cannot get random bytes for a MAC address: {cause}")]
    Random {
        /// Why.
        cause: io::Error,
    },
}

impl NetnsError {
    /// The positive error number of errno(3) that the kernel gave, where it gave one.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            NetnsError::OpenNamespace { cause, .. }
            | NetnsError::EnterNamespace { cause, .. }
            | NetnsError::LeaveNamespace { cause, .. }
            | NetnsError::OpenNetlink { cause, .. }
            | NetnsError::ReadSysctl { cause, .. }
            | NetnsError::WriteSysctl { cause, .. }
            | NetnsError::Random { cause, .. } => cause.raw_os_error(),
            NetnsError::CreateBridge { cause, .. }
            | NetnsError::CreateVeth { cause, .. }
            | NetnsError::FindLink { cause, .. }
            | NetnsError::SetUp { cause, .. }
            | NetnsError::SetDown { cause, .. }
            | NetnsError::DeleteLink { cause, .. }
            | NetnsError::SetBridgePort { cause, .. }
            | NetnsError::ListPorts { cause, .. }
            | NetnsError::AddAddress { cause, .. }
            | NetnsError::ListAddresses { cause, .. }
            | NetnsError::AddDefaultRoute { cause, .. }
            | NetnsError::ListRoutes { cause, .. }
            | NetnsError::FlushNeighbours { cause, .. } => cause.raw_os_error(),
            NetnsError::NotANetworkNamespace { .. }
            | NetnsError::NoSuchLink { .. }
            | NetnsError::SysctlName { .. } => None,
        }
    }

    /// What the reader can do about it, where a cure is known.
    pub fn hint(&self) -> Option<String> {
        let errno = self.raw_os_error()?;
        match (self, errno) {
            (_, libc::EPERM) => Some("run it as root".to_string()),
            (NetnsError::OpenNamespace { .. }, libc::ENOENT) => {
                Some("the process may have ended".to_string())
            }
            (NetnsError::WriteSysctl { name, value, .. }, libc::EROFS | libc::EACCES) => {
                Some(format!(
                    "`/proc/sys` cannot be written here; run `sysctl -w {name}={value}` on the host"
                ))
            }
            (NetnsError::AddDefaultRoute { gateway, .. }, libc::ENETUNREACH) => Some(format!(
                "the gateway must be in the network of the interface; `{gateway}` is not"
            )),
            _ => self.creation_hint(errno),
        }
    }

    fn creation_hint(&self, errno: i32) -> Option<String> {
        let (name, module) = match self {
            NetnsError::CreateBridge { name, .. } => (name, "bridge"),
            NetnsError::CreateVeth { host, .. } => (host, "veth"),
            _ => return None,
        };
        match errno {
            libc::EEXIST => Some(format!(
                "an interface of that name exists; `ip link show {name}` shows it"
            )),
            libc::EOPNOTSUPP => Some(format!(
                "the kernel lacks the module `{module}`; try `modprobe {module}`"
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(errno: i32) -> RequestError {
        RequestError::Refused { errno, words: None }
    }

    #[test]
    fn a_message_names_the_thing_and_the_reason() {
        let error = NetnsError::CreateVeth {
            host: "mr1".to_string(),
            container: "eth0".to_string(),
            cause: refused(libc::EEXIST),
        };
        assert_eq!(
            error.to_string(),
            "cannot create the veth pair `mr1` and `eth0`: File exists (os error 17)"
        );
        assert!(std::error::Error::source(&error).is_none());
    }

    #[test]
    fn a_missing_module_is_hinted_at() {
        let error = NetnsError::CreateBridge {
            name: "minirun0".to_string(),
            cause: refused(libc::EOPNOTSUPP),
        };
        assert_eq!(
            error.hint().as_deref(),
            Some("the kernel lacks the module `bridge`; try `modprobe bridge`")
        );
    }

    #[test]
    fn lacking_rights_are_hinted_at_whatever_the_step() {
        let error = NetnsError::ListRoutes {
            cause: refused(libc::EPERM),
        };
        assert_eq!(error.hint().as_deref(), Some("run it as root"));
    }

    #[test]
    fn without_an_error_number_there_is_no_hint() {
        let error = NetnsError::ListRoutes {
            cause: RequestError::Unstable,
        };
        assert_eq!((error.raw_os_error(), error.hint()), (None, None));
    }
}
