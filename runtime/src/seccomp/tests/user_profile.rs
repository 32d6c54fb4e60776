//! Profiles in Docker's grammar.

use proptest::prelude::*;

use crate::seccomp::action::Action;
use crate::seccomp::architecture::Architecture;
use crate::seccomp::circumstances::Circumstances;
use crate::seccomp::filter::Filter;
use crate::seccomp::policy::{FilterFlags, Policy};
use crate::seccomp::profile::Profile;

fn policy_with(text: &str, capabilities: u64) -> Policy {
    let profile: Profile = text.parse().expect("a profile");
    profile.policy(&Circumstances {
        capabilities,
        kernel: "6.18".parse().expect("a version"),
    })
}

/// The names that count, in order.
fn names(text: &str, capabilities: u64) -> Vec<String> {
    let rules = policy_with(text, capabilities).rules;
    let names = rules.iter().flat_map(|rule| &rule.names);
    names.map(ToString::to_string).collect()
}

#[track_caller]
fn refused(text: &str, message: &str) {
    let error = text.parse::<Profile>().expect_err("no profile");
    assert_eq!(error.to_string(), message);
}

#[test]
fn entries_count_by_capabilities_architecture_and_kernel() {
    let text = r#"{
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
            {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}],
        "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": null, "includes": {}, "excludes": {}},
            {"name": "write", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"name": "open", "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"name": "close", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_OF_TOMORROW"]}},
            {"name": "stat", "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x86"]}},
            {"name": "poll", "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
            {"name": "mmap", "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}},
            {"name": "dup", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
            {"name": "pipe", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "7.0"}},
            {"name": "kill", "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "6.18"}, "comment": "old"}
        ]}"#;
    assert_eq!(names(text, 0), ["read", "open", "stat", "dup"]);
    assert_eq!(names(text, 1 << 21), ["read", "write", "stat", "dup"]);
    let policy = policy_with(text, 0);
    assert_eq!(
        policy.architectures,
        [Architecture::X86_64, Architecture::X86]
    );
    assert_eq!(policy.flags, FilterFlags::USUAL);
    assert_eq!(policy.otherwise, Action::Errno(1));
}

#[test]
fn all_actions_and_operators_are_understood() {
    for (word, action) in [
        ("SCMP_ACT_ALLOW", Action::Allow),
        ("SCMP_ACT_LOG", Action::Log),
        ("SCMP_ACT_ERRNO", Action::Errno(1)),
        ("SCMP_ACT_TRACE", Action::Trace(1)),
        ("SCMP_ACT_TRAP", Action::Trap),
        ("SCMP_ACT_KILL", Action::KillThread),
        ("SCMP_ACT_KILL_THREAD", Action::KillThread),
        ("SCMP_ACT_KILL_PROCESS", Action::KillProcess),
    ] {
        let policy = policy_with(&format!(r#"{{"defaultAction": "{word}"}}"#), 0);
        assert_eq!(policy.otherwise, action);
        assert!(policy.rules.is_empty());
    }
    for word in ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"] {
        let text = format!(
            r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"names": ["read"], "action": "SCMP_ACT_ERRNO",
                "errnoRet": 38, "args": [{{"index": 5, "value": 18446744073709551615, "valueTwo": 1, "op": "SCMP_CMP_{word}"}}]}}]}}"#
        );
        let policy = policy_with(&text, 0);
        assert_eq!(policy.rules[0].action, Action::Errno(38));
        assert_eq!(policy.rules[0].conditions.len(), 1);
    }
}

#[test]
fn conditions_on_one_argument_are_alternatives() {
    let text = |second: u32| {
        format!(
            r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{{"name": "socket", "action": "SCMP_ACT_ALLOW", "args": [
                {{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}}, {{"index": {second}, "value": 2, "op": "SCMP_CMP_EQ"}}]}}]}}"#
        )
    };
    assert_eq!(policy_with(&text(0), 0).rules.len(), 2);
    assert_eq!(policy_with(&text(1), 0).rules.len(), 1);
}

/// A profile whose only entry is this.
fn with_entry(entry: &str) -> String {
    format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{entry}]}}"#)
}

#[test]
fn slips_of_the_pen_are_said() {
    refused(
        "{}",
        "it has no `defaultAction`: write `\"defaultAction\": \"SCMP_ACT_ERRNO\"`",
    );
    refused(
        r#"{"defaultAction": "SCMP_ACT_REFUSE"}"#,
        "unknown action `SCMP_ACT_REFUSE` in `defaultAction`: use `SCMP_ACT_ALLOW`, `SCMP_ACT_ERRNO` or `SCMP_ACT_KILL_PROCESS`",
    );
    refused(
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]}"#,
        "it has both `architectures` and `archMap`: use one of them",
    );
    refused(
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["amd64"]}"#,
        "unknown architecture `amd64`: write it like `SCMP_ARCH_X86_64`",
    );
    refused(
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "listenerPath": "/socket"}"#,
        "`listenerPath` asks another program for the answer, which this version does not have: use `SCMP_ACT_ERRNO`",
    );
    refused(
        &with_entry(r#"{"names": ["read"], "action": "SCMP_ACT_NOTIFY"}"#),
        "entry 1 of `syscalls` asks another program for the answer, which this version does not have: use `SCMP_ACT_ERRNO`",
    );
    refused(
        &with_entry(r#"{"action": "SCMP_ACT_ALLOW"}"#),
        "entry 1 of `syscalls` names no system call: give it `names`",
    );
    refused(
        &with_entry(r#"{"name": "read", "names": ["write"], "action": "SCMP_ACT_ALLOW"}"#),
        "entry 1 of `syscalls` has both `name` and `names`: use one of them",
    );
    refused(
        &with_entry(r#"{"name": "read", "action": "SCMP_ACT_ERRNO", "errnoRet": 4096}"#),
        "the error number 4096 in entry 1 of `syscalls` is too large: the highest is 4095",
    );
    refused(
        &with_entry(
            r#"{"name": "read", "action": "SCMP_ACT_ALLOW", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}"#,
        ),
        "entry 1 of `syscalls` has a condition on argument 6: they are counted from 0 to 5",
    );
    refused(
        &with_entry(
            r#"{"name": "read", "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "=="}]}"#,
        ),
        "unknown operator `==` in entry 1 of `syscalls`: use `SCMP_CMP_EQ`, `_NE`, `_LT`, `_LE`, `_GT`, `_GE` or `_MASKED_EQ`",
    );
    refused(
        &with_entry(
            r#"{"name": "read", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "new"}}"#,
        ),
        "invalid `minKernel` `new` in entry 1 of `syscalls`: write it like `4.8`",
    );
    let error = with_entry(r#"{"nmae": "read", "action": "SCMP_ACT_ALLOW"}"#)
        .parse::<Profile>()
        .expect_err("no profile");
    assert!(
        error.to_string().starts_with("unknown field `nmae`"),
        "{error}"
    );
}

#[test]
fn names_that_are_no_system_calls_are_told() {
    let profile: Profile = r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["read", "raed", "riscv_hwprobe", "semop", "socketcall"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["nonsense"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}}]}"#
        .parse()
        .expect("a profile");
    assert_eq!(profile.unknown_names(), ["raed"]);
}

proptest! {
    #[test]
    fn nothing_that_is_written_is_a_surprise(text in "\\PC*", word in "[a-z_]{1,12}", number: u64) {
        let _ = text.parse::<Profile>();
        let text = format!(
            r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{{"names": ["{word}", "socket"], "action":
                "SCMP_ACT_ALLOW", "args": [{{"index": 0, "value": {number}, "op": "SCMP_CMP_LT"}}]}}]}}"#
        );
        let filter = Filter::compile(&policy_with(&text, number)).expect("it is short enough");
        prop_assert_eq!(Filter::from_text(&filter.text()), Some(filter));
    }
}
