//! What does not go together with users of a container's own.

use crate::create::CreateRequest;
use crate::error::RuntimeError;
use crate::network_place::NetworkWanted;
use crate::security::Privilege;
use crate::security::user_namespace::UserNamespaceChoice;
use crate::storage::{BindOwners, KindWanted};

/// Options that contradict `--userns`.
pub(crate) fn check_user_namespace(request: &CreateRequest) -> Result<(), RuntimeError> {
    let shifts = request.storage.mounts.iter().any(
        |mount| matches!(&mount.kind, KindWanted::Bind(bind) if bind.owners == BindOwners::Container),
    );
    if request.security.user_namespace == UserNamespaceChoice::Host {
        return match shifts {
            true => Err(RuntimeError::NeedsUserNamespace { option: "idmap" }),
            false => Ok(()),
        };
    }
    let contradictions = [
        (
            "--privileged",
            request.security.privilege == Privilege::Privileged,
        ),
        ("--network host", request.network == NetworkWanted::Host),
    ];
    match contradictions.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(RuntimeError::UserNamespaceConflict { option }),
        None => Ok(()),
    }
}
