//! The files that commands leave for each other: one that is cut off or damaged is understood or refused, and what was understood is
//! written so that it means the same.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use minirun_bridge::endpoint::{Endpoint, HostsRecord};
use minirun_bridge::network::Network;
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::events::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Expects that a record which can be read is written as one that says the same.
fn reads<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<T>(bytes) {
        let written = serde_json::to_vec(&record).expect("a record can be written");
        assert_eq!(
            serde_json::from_slice::<T>(&written).expect("it can be read"),
            record
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    reads::<ContainerConfig>(bytes);
    reads::<Network>(bytes);
    reads::<Endpoint>(bytes);
    reads::<HostsRecord>(bytes);
    reads::<Event>(bytes);
});
