//! The words of limits of disks, of single processes and of scarce memory, and where control groups lie.

#![no_main]

use libfuzzer_sys::fuzz_target;
use minirun_fuzz::shows_itself;
use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::resources::block::{BlockWeight, OnDevice, Operations};
use minirun_runtime::resources::group_parent::GroupParent;
use minirun_runtime::resources::scarce_memory::{OomScore, Swappiness};
use minirun_runtime::resources::ulimit::Ulimit;

fuzz_target!(|text: &str| {
    shows_itself::<Ulimit>(text);
    shows_itself::<GroupParent>(text);
    shows_itself::<OomScore>(text);
    let _ = text.parse::<Swappiness>();
    let _ = text.parse::<OnDevice<BlockWeight>>();
    let _ = text.parse::<OnDevice<ByteSize>>();
    let _ = text.parse::<OnDevice<Operations>>();
});
