//! Tests of what errors say.

use super::*;
use std::net::Ipv4Addr;

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

#[test]
fn a_default_route_that_stays_is_named_by_its_gateway_where_it_has_one() {
    let error = |gateway| NetnsError::DeleteDefaultRoute {
        gateway,
        cause: refused(libc::EPERM),
    };
    let reason = "Operation not permitted (os error 1)";
    assert_eq!(
        error(Some("fd00::1".parse().unwrap())).to_string(),
        format!("cannot delete the default route by the gateway `fd00::1`: {reason}")
    );
    assert_eq!(
        error(None).to_string(),
        format!("cannot delete the default route: {reason}")
    );
}

#[test]
fn a_kernel_without_nf_tables_is_told_apart_from_a_refusal() {
    let redirect = PortRedirect {
        address: Ipv4Addr::new(127, 0, 0, 11),
        from: 53,
        to: 40053,
    };
    let error = NetnsError::NoNfTables { redirect };
    assert_eq!(
        error.to_string(),
        "cannot redirect port 53 of 127.0.0.11 to port 40053: the kernel has no nf_tables for IPv4"
    );
    assert_eq!(error.hint().as_deref(), Some("try `modprobe nf_tables`"));
    let cause = CommitError::Failed {
        cause: refused(libc::EPERM),
    };
    let error = NetnsError::RedirectPort { redirect, cause };
    assert_eq!(error.hint().as_deref(), Some("run it as root"));
}
