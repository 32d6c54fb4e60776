//! The filter that nearly every container has, made once: that of the default policy for the default capabilities. It lies
//! in `default_filter_x86_64.txt`, as text, so that a change of the policy is seen as a change of the filter. A test
//! holds the two together; `UPDATE_DEFAULT_FILTER=1 cargo test -p minirun-runtime default_filter` writes it anew.

use super::default_policy::relevant_capabilities;
use super::filter::Filter;
use super::instruction::{Instruction, LINE};
use super::policy::FilterFlags;

/// Of the capabilities that the policy asks for, those that a container has by default: `CAP_SYS_CHROOT`.
const USUAL_CAPABILITIES: u64 = 1 << 18;

#[cfg(target_arch = "x86_64")]
const TEXT: &[u8] = include_bytes!("default_filter_x86_64.txt");
/// None is made for other machines yet: there the filter is compiled when a container is created.
#[cfg(not(target_arch = "x86_64"))]
const TEXT: &[u8] = &[];

/// The first line says the flags, which are the usual ones.
const LENGTH: usize = (TEXT.len() / LINE).saturating_sub(1);

static INSTRUCTIONS: [Instruction; LENGTH] = instructions();

/// The default policy's filter for these capabilities, if it is part of this program.
pub fn default_filter(capabilities: u64) -> Option<Filter> {
    let fits = capabilities & relevant_capabilities() == USUAL_CAPABILITIES;
    (fits && LENGTH > 0).then(|| Filter::fixed(&INSTRUCTIONS, FilterFlags::USUAL))
}

const fn instructions() -> [Instruction; LENGTH] {
    let mut instructions = [Instruction {
        code: 0,
        jump_true: 0,
        jump_false: 0,
        operand: 0,
    }; LENGTH];
    let mut line = 0;
    while line < LENGTH {
        match Instruction::in_line(TEXT, line + 1) {
            Some(instruction) => instructions[line] = instruction,
            None => panic!("the file of the default filter is damaged"),
        }
        line += 1;
    }
    instructions
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::capabilities::CapabilityMask;
    use crate::seccomp::default_policy::default_policy;

    #[test]
    fn the_default_filter_is_that_of_the_default_policy() {
        let usual = CapabilityMask::usual().bits();
        let compiled = Filter::compile(&default_policy(usual)).expect("it is short enough");
        if std::env::var_os("UPDATE_DEFAULT_FILTER").is_some() {
            let here = Path::new(env!("CARGO_MANIFEST_DIR"));
            let file = here.join("src/seccomp/default_filter_x86_64.txt");
            fs::write(file, compiled.text()).expect("the file can be written");
            return;
        }
        let built_in = default_filter(usual).expect("it is part of the program");
        assert!(
            built_in == compiled,
            "the policy has changed: UPDATE_DEFAULT_FILTER=1 cargo test -p minirun-runtime default_filter"
        );
        assert_eq!(TEXT, compiled.text().as_bytes());
    }

    #[test]
    fn only_capabilities_that_the_policy_asks_for_make_another_filter() {
        let usual = CapabilityMask::usual().bits();
        assert!(default_filter(usual & !caps::Capability::CAP_MKNOD.bitmask()).is_some());
        assert!(default_filter(usual | caps::Capability::CAP_NET_ADMIN.bitmask()).is_some());
        assert!(default_filter(usual | caps::Capability::CAP_SYS_ADMIN.bitmask()).is_none());
        assert!(default_filter(0).is_none());
    }
}
