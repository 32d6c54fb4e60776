//! The account files of images: a name that is not listed never becomes anybody, and a number is itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_runtime::user::resolve_in;

fuzz_target!(|input: (&str, &str, &str)| {
    let (user, passwd, group) = input;
    if let Ok(request) = user.parse() {
        let _ = resolve_in(&request, passwd, group);
    }
    let number = "12345:54321".parse().expect("two numbers");
    let resolved = resolve_in(&number, passwd, group).expect("numbers need no account");
    assert_eq!((resolved.uid, resolved.gid), (12345, 54321));
    let name = "nobody-has-this\u{1}".parse().expect("a name");
    let is_listed = passwd.contains("nobody-has-this\u{1}");
    assert!(is_listed || resolve_in(&name, passwd, group).is_err());
});
