//! What can be wrong with `-o KEY=VALUE`.

use super::key::known_keys;
use super::{BridgeNameError, GatewayMode};

/// Why an option cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionProblem {
    /// There is no `=`.
    #[error("option `{0}` has no value; write `KEY=VALUE`, such as `mtu=1400`")]
    NoValue(String),
    /// Nobody knows the key.
    #[error("unknown option `{0}`; the options are {keys} and Docker's names of them", keys = known_keys())]
    UnknownKey(String),
    /// The key does not take such a value.
    #[error("option `{key}` cannot be `{value}`; write {wanted}")]
    Value {
        /// The key as typed.
        key: String,
        /// The value as typed.
        value: String,
        /// What the key takes, in words.
        wanted: &'static str,
    },
    /// No device can have the name.
    #[error(transparent)]
    BridgeName(#[from] BridgeNameError),
    /// Docker has this mode, we do not.
    #[error("gateway mode `{0}` is not supported; write `nat` or `routed`")]
    GatewayModeNotSupported(String),
    /// Nobody has this mode.
    #[error("unknown gateway mode `{0}`; write `nat` or `routed`")]
    UnknownGatewayMode(String),
    /// Two gateway modes were chosen.
    #[error(
        "gateway modes `{earlier}` and `{later}` do not go together: one mode serves both families; write `gateway_mode={earlier}` or `gateway_mode={later}` alone"
    )]
    GatewayModesDiffer {
        /// The mode that was chosen first.
        earlier: GatewayMode,
        /// The mode that was chosen next.
        later: GatewayMode,
    },
    /// Two different choices for one thing.
    #[error("{setting} is given twice, as `{earlier}` and as `{later}`; leave one of them out")]
    Contradiction {
        /// What was to be chosen.
        setting: &'static str,
        /// What was chosen first.
        earlier: String,
        /// What was chosen next.
        later: String,
    },
}
