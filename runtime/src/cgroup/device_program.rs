//! The program by which the kernel (version 2) decides whether a device may be used: a policy as instructions.
//!
//! It is asked each time a node is made or opened, with three words in memory: what is wanted (high half) of which kind of
//! device (low half), the major number, and the minor number. It answers 1 for yes and 0 for no.

use crate::devices::access::DeviceAccess;
use crate::devices::number::{DeviceKind, NumberWanted};
use crate::devices::policy::DevicePolicy;
use crate::devices::rule::DeviceRule;
use rbpf::insn_builder::{Arch, BpfCode, Cond, Instruction, IntoBytes, MemSize, Source};

/// The register of the answer.
const ANSWER: u8 = 0;
/// Where the question is in memory; then a scratch register.
const QUESTION: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// The length of an instruction.
pub(super) const INSTRUCTION: usize = 8;

/// The program as the kernel reads it.
pub(super) fn device_program(policy: &DevicePolicy) -> Vec<u8> {
    let mut code = BpfCode::new();
    load(&mut code, KIND, 0);
    code.mov(Source::Reg, Arch::X32)
        .set_dst(ACCESS)
        .set_src(KIND)
        .push();
    code.right_shift(Source::Imm, Arch::X32)
        .set_dst(ACCESS)
        .set_imm(16)
        .push();
    code.bit_and(Source::Imm, Arch::X32)
        .set_dst(KIND)
        .set_imm(0xffff)
        .push();
    load(&mut code, MAJOR, 4);
    load(&mut code, MINOR, 8);
    for rule in policy.rules() {
        permit(&mut code, &rule);
    }
    answer(&mut code, 0);
    code.into_bytes().to_vec()
}

fn load(code: &mut BpfCode, register: u8, offset: i16) {
    code.load_x(MemSize::Word)
        .set_dst(register)
        .set_src(QUESTION)
        .set_off(offset)
        .push();
}

fn answer(code: &mut BpfCode, value: i32) {
    code.mov(Source::Imm, Arch::X32)
        .set_dst(ANSWER)
        .set_imm(value)
        .push();
    code.exit().push();
}

/// Answers with yes what the rule permits, and goes on behind that with everything else.
fn permit(code: &mut BpfCode, rule: &DeviceRule) {
    let numbers =
        [(MAJOR, rule.major), (MINOR, rule.minor)].map(|(register, wanted)| match wanted {
            NumberWanted::One(number) => Some((register, number as i32)),
            NumberWanted::Any => None,
        });
    let kind = rule.kind.map(|kind| (KIND, number_of(kind)));
    let equal: Vec<(u8, i32)> = [kind].into_iter().chain(numbers).flatten().collect();
    let checks_access = rule.access != DeviceAccess::ALL;
    // The three instructions that check the access, and the two of the answer.
    let mut rest = equal.len() as i16 + if checks_access { 5 } else { 2 };
    for (register, value) in equal {
        rest -= 1;
        unless_equal(code, (register, value), rest);
    }
    if checks_access {
        let forbidden = DeviceAccess::ALL.bits() & !rule.access.bits();
        code.mov(Source::Reg, Arch::X32)
            .set_dst(QUESTION)
            .set_src(ACCESS)
            .push();
        code.bit_and(Source::Imm, Arch::X32)
            .set_dst(QUESTION)
            .set_imm(forbidden.into())
            .push();
        unless_equal(code, (QUESTION, 0), 2);
    }
    answer(code, 1);
}

/// Leaves out the next instructions unless the register holds the value.
fn unless_equal(code: &mut BpfCode, (register, value): (u8, i32), left_out: i16) {
    code.jump_conditional(Cond::NotEquals, Source::Imm)
        .set_dst(register)
        .set_imm(value)
        .set_off(left_out)
        .push();
}

/// The kernel's number for it (`BPF_DEVCG_DEV_…`).
fn number_of(kind: DeviceKind) -> i32 {
    match kind {
        DeviceKind::Block => 1,
        DeviceKind::Character => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::policy::DeviceRequest;
    use proptest::prelude::*;
    use rbpf::EbpfVmRaw;

    /// What the program says, run by an interpreter.
    fn answers(policy: &DevicePolicy, request: &DeviceRequest) -> bool {
        let program = device_program(policy);
        let machine = EbpfVmRaw::new(Some(&program)).unwrap();
        let first = u32::from(request.access.bits()) << 16 | number_of(request.kind) as u32;
        let mut question: Vec<u8> = [first, request.number.0, request.number.1]
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        machine.execute_program(&mut question).unwrap() == 1
    }

    fn access() -> impl Strategy<Value = DeviceAccess> {
        let one = prop_oneof![
            Just(DeviceAccess::READ),
            Just(DeviceAccess::WRITE),
            Just(DeviceAccess::MAKE)
        ];
        prop::collection::vec(one, 1..4)
            .prop_map(|all| all.into_iter().reduce(DeviceAccess::with).unwrap())
    }

    fn kind() -> impl Strategy<Value = DeviceKind> {
        prop_oneof![Just(DeviceKind::Block), Just(DeviceKind::Character)]
    }

    /// Few numbers, so that rules and requests meet.
    fn number(highest: u32) -> impl Strategy<Value = u32> {
        prop_oneof![0..4_u32, Just(136), Just(highest)]
    }

    fn wanted(highest: u32) -> impl Strategy<Value = NumberWanted> {
        prop_oneof![
            Just(NumberWanted::Any),
            number(highest).prop_map(NumberWanted::One)
        ]
    }

    fn rule() -> impl Strategy<Value = DeviceRule> {
        let numbers = (wanted(4095), wanted(1_048_575));
        (prop::option::of(kind()), numbers, access()).prop_map(|(kind, (major, minor), access)| {
            DeviceRule {
                kind,
                major,
                minor,
                access,
            }
        })
    }

    fn request() -> impl Strategy<Value = DeviceRequest> {
        let number = (number(4095), number(1_048_575));
        (kind(), number, access()).prop_map(|(kind, number, access)| DeviceRequest {
            kind,
            number,
            access,
        })
    }

    proptest! {
        #[test]
        fn the_program_says_what_the_policy_says(
            rules in prop::collection::vec(rule(), 0..12),
            requests in prop::collection::vec(request(), 1..60),
        ) {
            let mut policy = DevicePolicy::usual();
            rules.iter().for_each(|rule| policy.permit(rule));
            for request in requests {
                prop_assert_eq!(answers(&policy, &request), policy.permits(&request), "{:?}", request);
            }
        }
    }

    #[test]
    fn the_usual_program_is_short() {
        let program = device_program(&DevicePolicy::usual());
        assert!(
            program.len() / INSTRUCTION < 80,
            "{}",
            program.len() / INSTRUCTION
        );
    }
}
