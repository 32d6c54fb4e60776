//! The kernel's error numbers.

use crate::error::NetnsError;

impl NetnsError {
    /// The positive error number of errno(3) that the kernel gave, where it gave one.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            NetnsError::OpenNamespace { cause, .. }
            | NetnsError::EnterNamespace { cause, .. }
            | NetnsError::LeaveNamespace { cause, .. }
            | NetnsError::OpenNetlink { cause, .. }
            | NetnsError::OpenNetfilter { cause, .. }
            | NetnsError::ReadSysctl { cause, .. }
            | NetnsError::WriteSysctl { cause, .. }
            | NetnsError::Random { cause, .. } => cause.raw_os_error(),
            NetnsError::CreateBridge { cause, .. }
            | NetnsError::CreateVeth { cause, .. }
            | NetnsError::FindLink { cause, .. }
            | NetnsError::SetUp { cause, .. }
            | NetnsError::SetDown { cause, .. }
            | NetnsError::DeleteLink { cause, .. }
            | NetnsError::SetController { cause, .. }
            | NetnsError::SetBridgePort { cause, .. }
            | NetnsError::ListPorts { cause, .. }
            | NetnsError::AddAddress { cause, .. }
            | NetnsError::ListAddresses { cause, .. }
            | NetnsError::DeleteAddress { cause, .. }
            | NetnsError::ListLocalAddresses { cause, .. }
            | NetnsError::DeleteDefaultRoute { cause, .. }
            | NetnsError::AddProxyNeighbour { cause, .. }
            | NetnsError::PinStation { cause, .. }
            | NetnsError::UnpinStation { cause, .. }
            | NetnsError::DeleteProxyNeighbour { cause, .. }
            | NetnsError::ListProxyNeighbours { cause, .. }
            | NetnsError::AddDefaultRoute { cause, .. }
            | NetnsError::ListRoutes { cause, .. }
            | NetnsError::FlushNeighbours { cause, .. }
            | NetnsError::ReadGeneration { cause, .. }
            | NetnsError::ReadForwardFilter { cause, .. }
            | NetnsError::OpenPassage { cause, .. }
            | NetnsError::ListFlows { cause, .. }
            | NetnsError::ForgetFlow { cause, .. } => cause.raw_os_error(),
            NetnsError::RedirectPort { cause, .. } | NetnsError::CheckSources { cause } => {
                cause.raw_os_error()
            }
            NetnsError::NotANetworkNamespace { .. }
            | NetnsError::NoNfTables { .. }
            | NetnsError::NoSourceChecks
            | NetnsError::NoSuchLink { .. }
            | NetnsError::KernelWithoutIpv6 { .. }
            | NetnsError::InterfaceWithoutIpv6 { .. }
            | NetnsError::SysctlName { .. } => None,
        }
    }
}
