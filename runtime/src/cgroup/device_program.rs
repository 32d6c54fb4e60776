//! The program by which the kernel (version 2) decides whether a device may be used: a policy as instructions.
//!
//! It is asked each time a node is made or opened, with three words in memory: what is wanted (high half) of which kind of
//! device (low half), the major number, and the minor number. It answers 1 for yes and 0 for no. Every start loads its own, for
//! which the kernel takes a microsecond or two an instruction: so rules that differ in the minor number only share the rest.

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

/// How many instructions an answer takes, and a check of the access.
const ANSWERS: usize = 2;
const CHECKS_OF_ACCESS: usize = 3;

/// How many minor numbers are asked for at once; a jump reaches 32767 instructions.
const MOST_MINORS: usize = 10_000;

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
    let rules: Vec<DeviceRule> = policy.rules().collect();
    for alike in rules.chunk_by(differ_in_minor_only) {
        for some in alike.chunks(MOST_MINORS) {
            permit(&mut code, some);
        }
    }
    answer(&mut code, 0);
    code.into_bytes().to_vec()
}

fn differ_in_minor_only(one: &DeviceRule, other: &DeviceRule) -> bool {
    (one.kind, one.major, one.access) == (other.kind, other.major, other.access)
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

/// Answers with yes what the rules permit, which differ in minor numbers only, and goes on behind that with everything else.
fn permit(code: &mut BpfCode, rules: &[DeviceRule]) {
    let [first, ..] = rules else { return };
    let kind = first.kind.map(|kind| (KIND, number_of(kind)));
    let major = one(first.major).map(|major| (MAJOR, major));
    let equal: Vec<(u8, i32)> = [kind, major].into_iter().flatten().collect();
    // One rule for every minor number makes the others superfluous.
    let minors: Option<Vec<i32>> = rules.iter().map(|rule| one(rule.minor)).collect();
    let minors = minors.unwrap_or_default();
    let forbidden = DeviceAccess::ALL.bits() & !first.access.bits();
    let checks = if forbidden == 0 { 0 } else { CHECKS_OF_ACCESS };
    let mut rest = (equal.len() + checks + minors.len() + ANSWERS) as i16;
    for (register, value) in equal {
        rest -= 1;
        jump(code, Cond::NotEquals, (register, value), rest);
    }
    if forbidden != 0 {
        mask_access(code, forbidden);
        rest -= CHECKS_OF_ACCESS as i16;
        jump(code, Cond::NotEquals, (QUESTION, 0), rest);
    }
    let mut left = minors.len() as i16;
    for minor in minors {
        left -= 1;
        match left {
            0 => jump(code, Cond::NotEquals, (MINOR, minor), ANSWERS as i16),
            left => jump(code, Cond::Equals, (MINOR, minor), left),
        }
    }
    answer(code, 1);
}

/// Leaves in a scratch register what of the request is forbidden.
fn mask_access(code: &mut BpfCode, forbidden: u8) {
    code.mov(Source::Reg, Arch::X32)
        .set_dst(QUESTION)
        .set_src(ACCESS)
        .push();
    code.bit_and(Source::Imm, Arch::X32)
        .set_dst(QUESTION)
        .set_imm(forbidden.into())
        .push();
}

/// Leaves out the next instructions if the register equals the value, or if it does not.
fn jump(code: &mut BpfCode, condition: Cond, (register, value): (u8, i32), left_out: i16) {
    code.jump_conditional(condition, Source::Imm)
        .set_dst(register)
        .set_imm(value)
        .set_off(left_out)
        .push();
}

fn one(wanted: NumberWanted) -> Option<i32> {
    match wanted {
        NumberWanted::One(number) => Some(number as i32),
        NumberWanted::Any => None,
    }
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
    fn the_usual_program_is_short_because_each_start_pays_for_it() {
        let program = device_program(&DevicePolicy::usual());
        assert!(
            program.len() / INSTRUCTION <= 46,
            "{}",
            program.len() / INSTRUCTION
        );
    }
}
