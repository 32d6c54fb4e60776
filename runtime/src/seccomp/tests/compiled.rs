//! Random policies: what is compiled says what was written.

use std::borrow::Cow;

use proptest::prelude::*;

use super::interpreter::{Call, answer};
use super::reading::Reading;
use crate::seccomp::action::Action;
use crate::seccomp::architecture::Architecture;
use crate::seccomp::condition::{ArgumentIndex, Comparison, Condition, SmallNumbers};
use crate::seccomp::filter::Filter;
use crate::seccomp::policy::{FilterFlags, Policy, Rule};

const NAMES: [&str; 12] = [
    "read",
    "write",
    "socket",
    "socketcall",
    "bind",
    "semop",
    "semget",
    "ipc",
    "ioctl",
    "clone3",
    "waitpid",
    "nonsense",
];

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::Allow),
        Just(Action::Log),
        (0..4096_u16).prop_map(Action::Errno),
        any::<u16>().prop_map(Action::Trace),
        Just(Action::Trap),
        Just(Action::KillThread),
        Just(Action::KillProcess),
    ]
}

/// Few values, near each other and on both sides of the halves, so that arguments meet them.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..4_u64,
        30..34_u64,
        Just(63),
        Just(64),
        Just(0xffff_ffff),
        Just(0x1_0000_0000),
        Just(0x1_0000_0001),
        Just(u64::MAX),
        any::<u64>(),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let comparison = prop_oneof![
        value().prop_map(Comparison::Equal),
        value().prop_map(Comparison::NotEqual),
        value().prop_map(Comparison::Less),
        value().prop_map(Comparison::LessOrEqual),
        value().prop_map(Comparison::Greater),
        value().prop_map(Comparison::GreaterOrEqual),
        (value(), value()).prop_map(|(mask, value)| Comparison::MaskedEqual { mask, value }),
        (0..64_u64, 0..64_u64)
            .prop_map(|range| Comparison::Among(SmallNumbers::in_ranges(&[range, (1, 2)]))),
    ];
    (0..6_u64, comparison).prop_map(|(index, comparison)| Condition {
        argument: ArgumentIndex::new(index).expect("there are six"),
        comparison,
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let names = prop::collection::vec(prop::sample::select(&NAMES[..]), 1..4);
    let conditions = prop::collection::vec(condition(), 0..3);
    (names, action(), conditions).prop_map(|(names, action, conditions)| Rule {
        names: names.into_iter().map(Cow::Borrowed).collect(),
        action,
        conditions,
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let architectures = prop::sample::select(vec![
        vec![Architecture::X86_64],
        vec![Architecture::X86_64, Architecture::X32],
        Architecture::HERE.to_vec(),
    ]);
    let rules = prop::collection::vec(rule(), 0..40);
    (action(), architectures, rules).prop_map(|(otherwise, architectures, rules)| Policy {
        otherwise,
        architectures,
        rules,
        flags: FilterFlags::USUAL,
    })
}

fn calls() -> impl Strategy<Value = Vec<([u64; 6], u32)>> {
    prop::collection::vec((prop::array::uniform6(value()), any::<u32>()), 8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_compiled_is_what_was_written(policy in policy(), calls in calls()) {
        let filter = Filter::compile(&policy).expect("it is short enough");
        let reading = Reading::of(&policy);
        let numbers = |architecture: &Architecture| {
            let architecture = *architecture;
            NAMES.iter().filter_map(move |name| architecture.number(name)).map(move |number| (architecture, number))
        };
        for (arguments, random) in calls {
            let known = Architecture::HERE.iter().flat_map(numbers);
            let odd = [u32::MAX, 0x4000_0000, 0x3fff_ffff, random, 600].map(|number| (Architecture::X86_64, number));
            for (architecture, number) in known.chain(odd) {
                if !policy.architectures.contains(&architecture) && architecture != Architecture::X32 {
                    continue;
                }
                let call = Call { number, audit: architecture.audit(), arguments };
                prop_assert_eq!(answer(filter.instructions(), call), reading.answer(call).code(), "{:x?}", call);
            }
        }
    }

    #[test]
    fn a_call_is_permitted_for_certain_if_its_arguments_do_not_matter(policy in policy(), calls in calls()) {
        let filter = Filter::compile(&policy).expect("it is short enough");
        let reading = Reading::of(&policy);
        for name in NAMES {
            let Some(number) = Architecture::NATIVE.number(name) else {
                continue;
            };
            let actions = calls.iter().map(|(arguments, _)| {
                let call = Call { number, audit: Architecture::NATIVE.audit(), arguments: *arguments };
                reading.answer(call)
            });
            let about = policy.rules.iter().filter(|rule| rule.names.iter().any(|its| its == name));
            let depends = about.clone().any(|rule| !rule.conditions.is_empty());
            let allowed = actions.into_iter().all(|action| action == Action::Allow);
            let permitted = filter.permits(number.into());
            prop_assert!(allowed || !permitted, "{} is refused", name);
            prop_assert!(permitted || depends || !allowed, "{} is permitted", name);
        }
    }
}
