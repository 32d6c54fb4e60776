//! The host's resolv.conf: what is made of it says the same when it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_bridge::resolv::{Ipv6, ResolvConf, ResolvOverrides};

fuzz_target!(|input: (&str, Option<&str>)| {
    let (text, stub) = input;
    let overrides = ResolvOverrides::default();
    let made = ResolvConf::from_host(text, stub, &overrides, Ipv6::Available);
    let again = ResolvConf::from_host(&made.render(), None, &overrides, Ipv6::Available);
    assert_eq!(again.nameservers, made.nameservers);
    let embedded = ResolvConf::embedded(text, stub, &overrides);
    assert!(embedded.render().starts_with("nameserver 127.0.0.11\n"));
});
