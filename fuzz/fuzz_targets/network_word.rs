//! Words about networks: names, options, hosts and resolvers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::extra_host::ExtraHostRequest;
use minirun_bridge::name::{Alias, ContainerName, Hostname, NetworkName};
use minirun_bridge::network_options::{BridgeName, NetworkOption};
use minirun_bridge::resolv::{ResolverOption, SearchDomain};
use minirun_fuzz::shows_itself;

fuzz_target!(|text: &str| {
    shows_itself::<ContainerName>(text);
    shows_itself::<Alias>(text);
    shows_itself::<NetworkName>(text);
    shows_itself::<Hostname>(text);
    shows_itself::<ExtraHostRequest>(text);
    let _ = text.parse::<BridgeName>();
    let _ = text.parse::<NetworkOption>();
    let _ = text.parse::<SearchDomain>();
    let _ = text.parse::<ResolverOption>();
});
