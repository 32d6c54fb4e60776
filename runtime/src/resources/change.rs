//! A change of limits, and the rules that a container's limits keep among themselves.

use super::Resources;
use super::block::{BlockLimits, BlockWeight};
use super::cpu::{CpuPeriod, CpuQuota, CpuShares, CpuTime, NanoCpus};
use super::cpu_set::CpuSet;
use super::error::ResourcesError;
use super::limit::{Limit, MemorySwap};
use super::pids_limit::PidsLimit;
use super::scarce_memory::OomKiller;
use crate::byte_size::ByteSize;

/// The least memory a container may be limited to, as with Docker.
const LEAST_MEMORY: ByteSize = ByteSize(6 << 20);

/// What is to become of limits; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcesChange {
    /// `--memory`.
    pub memory: Option<Limit<ByteSize>>,
    /// `--memory-swap`.
    pub memory_swap: Option<MemorySwap>,
    /// `--memory-reservation`.
    pub memory_reservation: Option<Limit<ByteSize>>,
    /// `--cpus`.
    pub cpus: Option<Limit<NanoCpus>>,
    /// `--cpu-quota`.
    pub cpu_quota: Option<Limit<CpuQuota>>,
    /// `--cpu-period`.
    pub cpu_period: Option<Limit<CpuPeriod>>,
    /// `--cpu-shares`.
    pub cpu_shares: Option<Limit<CpuShares>>,
    /// `--cpuset-cpus`.
    pub cpuset_cpus: Option<Limit<CpuSet>>,
    /// `--cpuset-mems`.
    pub cpuset_mems: Option<Limit<CpuSet>>,
    /// `--pids-limit`.
    pub pids: Option<Limit<PidsLimit>>,
    /// `--blkio-weight`.
    pub block_weight: Option<Limit<BlockWeight>>,
}

impl ResourcesChange {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == ResourcesChange::default()
    }

    /// Processor time by the option that was given; the one given last is the one that holds.
    fn cpu_time(&self, before: CpuTime) -> Result<CpuTime, ResourcesError> {
        let quota_option = match (self.cpu_quota, self.cpu_period) {
            (Some(_), _) => Some("--cpu-quota"),
            (None, Some(_)) => Some("--cpu-period"),
            (None, None) => None,
        };
        match (self.cpus, quota_option) {
            (None, None) => Ok(before),
            (Some(Limit::To(_)), Some(option)) => Err(ResourcesError::CpusTwice(option)),
            (Some(Limit::To(cpus)), None) => Ok(CpuTime::Cpus(cpus)),
            (Some(Limit::Unlimited), None) => Ok(CpuTime::Unlimited),
            (_, Some(_)) => {
                let (quota, period) = before.as_quota();
                let quota = after(self.cpu_quota, &quota);
                let period = after(self.cpu_period, &period);
                Ok(match (quota, period) {
                    (None, None) => CpuTime::Unlimited,
                    (quota, period) => CpuTime::Quota { quota, period },
                })
            }
        }
    }
}

impl Resources {
    /// The limits after a change.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn changed(&self, change: &ResourcesChange) -> Result<Resources, ResourcesError> {
        let resources = Resources {
            memory: after(change.memory, &self.memory),
            memory_swap: change.memory_swap.unwrap_or(self.memory_swap),
            memory_reservation: after(change.memory_reservation, &self.memory_reservation),
            cpu_time: change.cpu_time(self.cpu_time)?,
            cpu_shares: after(change.cpu_shares, &self.cpu_shares),
            cpuset_cpus: after(change.cpuset_cpus.clone(), &self.cpuset_cpus),
            cpuset_mems: after(change.cpuset_mems.clone(), &self.cpuset_mems),
            pids: after(change.pids, &self.pids),
            block: BlockLimits {
                weight: after(change.block_weight, &self.block.weight),
                ..self.block.clone()
            },
            ..self.clone()
        };
        resources.check()?;
        Ok(resources)
    }

    /// Checks that the limits agree with each other.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn check(&self) -> Result<(), ResourcesError> {
        if self.oom_killer == OomKiller::Disabled && self.memory.is_none() {
            return Err(ResourcesError::OomKillerWithoutMemory);
        }
        self.check_memory()
    }

    fn check_memory(&self) -> Result<(), ResourcesError> {
        let amounts = [
            ("--memory", self.memory),
            ("--memory-reservation", self.memory_reservation),
        ];
        for (option, size) in amounts {
            if let Some(size) = size.filter(|size| *size < LEAST_MEMORY) {
                return Err(ResourcesError::TooLittleMemory {
                    option,
                    size,
                    least: LEAST_MEMORY,
                });
            }
        }
        if let (Some(reservation), Some(memory)) = (self.memory_reservation, self.memory)
            && reservation > memory
        {
            return Err(ResourcesError::ReservationAboveMemory {
                reservation,
                memory,
            });
        }
        match (self.memory_swap, self.memory) {
            (MemorySwap::Total(_), None) => Err(ResourcesError::SwapWithoutMemory),
            (MemorySwap::Total(swap), Some(memory)) if swap < memory => {
                Err(ResourcesError::SwapBelowMemory { swap, memory })
            }
            _ => Ok(()),
        }
    }
}

/// A limit after a change.
fn after<T: Clone>(change: Option<Limit<T>>, before: &Option<T>) -> Option<T> {
    match change {
        Some(limit) => limit.value(),
        None => before.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: u64 = 1 << 20;

    fn memory(bytes: u64) -> Option<Limit<ByteSize>> {
        Some(Limit::To(ByteSize(bytes)))
    }

    fn asked(change: ResourcesChange) -> Result<Resources, ResourcesError> {
        Resources::default().changed(&change)
    }

    #[test]
    fn swap_is_twice_the_memory_until_it_is_named() {
        let resources = asked(ResourcesChange {
            memory: memory(64 * M),
            ..ResourcesChange::default()
        })
        .unwrap();
        assert_eq!(resources.memory_and_swap(), Some(ByteSize(128 * M)));
        assert_eq!(resources.swap_alone(), Some(ByteSize(64 * M)));
        let unlimited = resources
            .changed(&ResourcesChange {
                memory_swap: Some(MemorySwap::Unlimited),
                ..ResourcesChange::default()
            })
            .unwrap();
        assert_eq!(unlimited.memory_and_swap(), None);
        assert_eq!(unlimited.swap_alone(), None);
    }

    #[test]
    fn amounts_of_memory_must_agree() {
        for (change, expected) in [
            (
                ResourcesChange {
                    memory: memory(5 * M),
                    ..ResourcesChange::default()
                },
                "5m for `--memory` is too little: the least is 6m",
            ),
            (
                ResourcesChange {
                    memory_swap: Some(MemorySwap::Total(ByteSize(64 * M))),
                    ..ResourcesChange::default()
                },
                "`--memory-swap` needs `--memory`: it is memory and swap together",
            ),
            (
                ResourcesChange {
                    memory: memory(64 * M),
                    memory_swap: Some(MemorySwap::Total(ByteSize(32 * M))),
                    ..ResourcesChange::default()
                },
                "`--memory-swap` is memory and swap together: 32m is less than the 64m of `--memory`; `--memory-swap 64m` is no swap",
            ),
            (
                ResourcesChange {
                    memory: memory(64 * M),
                    memory_reservation: memory(65 * M),
                    ..ResourcesChange::default()
                },
                "`--memory-reservation` of 65m is more than the 64m of `--memory`",
            ),
        ] {
            assert_eq!(asked(change).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn processor_time_is_said_in_one_way_and_the_last_word_holds() {
        let cpus = Some(Limit::To("1.5".parse::<NanoCpus>().unwrap()));
        let quota = Some(Limit::To("50000".parse::<CpuQuota>().unwrap()));
        let both = asked(ResourcesChange {
            cpus,
            cpu_quota: quota,
            ..ResourcesChange::default()
        });
        assert_eq!(both, Err(ResourcesError::CpusTwice("--cpu-quota")));
        let by_number = asked(ResourcesChange {
            cpus,
            ..ResourcesChange::default()
        })
        .unwrap();
        let by_quota = by_number
            .changed(&ResourcesChange {
                cpu_quota: quota,
                ..ResourcesChange::default()
            })
            .unwrap();
        assert_eq!(by_quota.cpu_time.in_period(), (Some(50_000), 100_000));
        let none = by_quota
            .changed(&ResourcesChange {
                cpu_quota: Some(Limit::Unlimited),
                ..ResourcesChange::default()
            })
            .unwrap();
        assert_eq!(none, Resources::default());
    }

    #[test]
    fn what_is_not_named_stays() {
        let change = ResourcesChange {
            memory: memory(64 * M),
            pids: Some(Limit::To("7".parse().unwrap())),
            cpuset_cpus: Some(Limit::To("0".parse().unwrap())),
            ..ResourcesChange::default()
        };
        let resources = asked(change).unwrap();
        assert_eq!(
            resources.changed(&ResourcesChange::default()),
            Ok(resources)
        );
        assert!(ResourcesChange::default().is_empty());
    }
}
