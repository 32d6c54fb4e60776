//! How much of the host a container may use: what was asked for, and the rules that hold between the parts.
//!
//! Nothing here knows how the kernel is told; that is [`crate::cgroup`].

pub mod block;
mod change;
pub mod cpu;
pub mod cpu_set;
pub mod error;
pub mod group_parent;
pub mod limit;
pub mod pids_limit;
mod presence;
pub mod scarce_memory;
pub mod ulimit;

pub use change::ResourcesChange;
pub(crate) use presence::check_presence;

use crate::byte_size::ByteSize;
use block::BlockLimits;
use cpu::{CpuShares, CpuTime};
use cpu_set::CpuSet;
use group_parent::GroupParent;
use limit::MemorySwap;
use pids_limit::PidsLimit;
use scarce_memory::{OomKiller, OomScore, Swappiness};
use serde::{Deserialize, Serialize};
use ulimit::Ulimit;

/// The limits of a container; what is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Memory.
    pub memory: Option<ByteSize>,
    /// Memory and swap together.
    pub memory_swap: MemorySwap,
    /// The memory that is left to it, if at all possible, when the host's is scarce.
    pub memory_reservation: Option<ByteSize>,
    /// Processor time.
    pub cpu_time: CpuTime,
    /// Its weight when processors are scarce.
    pub cpu_shares: Option<CpuShares>,
    /// The processors it runs on.
    pub cpuset_cpus: Option<CpuSet>,
    /// The memory nodes it is given memory of.
    pub cpuset_mems: Option<CpuSet>,
    /// Processes and threads.
    pub pids: Option<PidsLimit>,
    /// Reading from and writing to disks.
    pub block: BlockLimits,
    /// How readily its memory is moved to swap.
    pub swappiness: Option<Swappiness>,
    /// What happens when its memory is at its limit.
    pub oom_killer: OomKiller,
    /// How readily its processes are killed when the host's memory is used up.
    pub oom_score: Option<OomScore>,
    /// What each of its processes may use.
    pub ulimits: Vec<Ulimit>,
    /// Below which control group its own is made.
    pub group_parent: GroupParent,
}

impl Resources {
    /// Memory and swap together; none without a limit.
    pub fn memory_and_swap(&self) -> Option<ByteSize> {
        match (self.memory_swap, self.memory) {
            (MemorySwap::Total(total), _) => Some(total),
            (MemorySwap::TwiceMemory, Some(memory)) => Some(ByteSize(memory.0.saturating_mul(2))),
            (MemorySwap::TwiceMemory, None) | (MemorySwap::Unlimited, _) => None,
        }
    }

    /// Swap alone, as version 2 counts it; none without a limit.
    pub fn swap_alone(&self) -> Option<ByteSize> {
        let memory = self.memory?;
        let total = self.memory_and_swap()?;
        Some(ByteSize(total.0.saturating_sub(memory.0)))
    }
}
