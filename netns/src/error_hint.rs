//! What the reader of an error can do about it.

use crate::error::NetnsError;

impl NetnsError {
    /// What the reader can do about it, where a cure is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            NetnsError::NoSourceChecks => Some(
                "a container with `--egress` or `--egress-deny` needs a kernel whose nf_tables filters bridges \
                 (CONFIG_NF_TABLES_BRIDGE): try `modprobe nf_tables`"
                    .to_string(),
            ),
            NetnsError::NoNfTables { .. } => Some("try `modprobe nf_tables`".to_string()),
            NetnsError::KernelWithoutIpv6 { .. } => Some(
                "start the host's kernel without `ipv6.disable=1`, load its module `ipv6`, or do without IPv6 on the network"
                    .to_string(),
            ),
            NetnsError::InterfaceWithoutIpv6 { .. } => {
                Some("IPv6 needs an MTU of 1280 bytes or more".to_string())
            }
            _ => self.refusal_hint(self.raw_os_error()?),
        }
    }

    fn refusal_hint(&self, errno: i32) -> Option<String> {
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
            (
                NetnsError::AddDefaultRoute { gateway, .. },
                libc::ENETUNREACH | libc::EHOSTUNREACH,
            ) => Some(format!(
                "the gateway must be in the network of the interface; `{gateway}` is not"
            )),
            (NetnsError::CreateVeth { .. } | NetnsError::SetController { .. }, libc::EXFULL) => {
                Some("a bridge has 1023 ports at most".to_string())
            }
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
