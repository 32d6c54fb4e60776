//! How much time of the processors a container may use, and how it shares them with others.

use super::error::ResourcesError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Nanoseconds of processor time in each second: as many as one processor has.
const WHOLE_CPU: u64 = 1_000_000_000;

/// The period, in microseconds, that limits are kept in unless another is named; the kernel's own.
pub const USUAL_PERIOD: u64 = 100_000;

/// The share that who has no other has; the kernel's own.
pub const USUAL_SHARES: u64 = 1024;

/// A number of processors, which need not be whole: `1.5`. Counted in billionths, as Docker's `NanoCpus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoCpus(pub u64);

impl NanoCpus {
    /// So many whole processors.
    pub fn whole(count: usize) -> NanoCpus {
        NanoCpus((count as u64).saturating_mul(WHOLE_CPU))
    }

    /// Microseconds of processor time in each usual period.
    pub fn quota(self) -> u64 {
        self.0 / (WHOLE_CPU / USUAL_PERIOD)
    }
}

impl FromStr for NanoCpus {
    type Err = ResourcesError;

    fn from_str(text: &str) -> Result<NanoCpus, ResourcesError> {
        let malformed = || ResourcesError::Cpus(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
        let is_too_long = whole.len() > 9 || fraction.len() > 9;
        if text.is_empty() || text == "." || is_too_long {
            return Err(malformed());
        }
        if !is_number(whole) || !is_number(fraction) {
            return Err(malformed());
        }
        let digits = format!("{whole}{fraction:0<9}");
        match digits.parse() {
            Ok(0) | Err(_) => Err(malformed()),
            Ok(nanos) => Ok(NanoCpus(nanos)),
        }
    }
}

impl fmt::Display for NanoCpus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / WHOLE_CPU, self.0 % WHOLE_CPU);
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// A container's weight when processors are scarce; 1024 is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CpuShares(u64);

impl CpuShares {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The same weight on the scale of version 2, from 1 to 10000, as runc converts it.
    pub fn weight(self) -> u64 {
        1 + (self.0 - 2) * 9999 / 262_142
    }
}

impl FromStr for CpuShares {
    type Err = ResourcesError;

    fn from_str(text: &str) -> Result<CpuShares, ResourcesError> {
        match text.parse() {
            // What the kernel can tell apart.
            Ok(shares @ 2..=262_144) => Ok(CpuShares(shares)),
            _ => Err(ResourcesError::CpuShares(text.to_owned())),
        }
    }
}

/// Microseconds of processor time in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CpuQuota(u64);

impl CpuQuota {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for CpuQuota {
    type Err = ResourcesError;

    fn from_str(text: &str) -> Result<CpuQuota, ResourcesError> {
        match text.parse() {
            // Between what the kernel takes as the least, and what it can count.
            Ok(quota @ 1_000..=0xf_ffff_ffff) => Ok(CpuQuota(quota)),
            _ => Err(ResourcesError::CpuQuota(text.to_owned())),
        }
    }
}

/// The length of a period, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CpuPeriod(u64);

impl CpuPeriod {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for CpuPeriod {
    type Err = ResourcesError;

    fn from_str(text: &str) -> Result<CpuPeriod, ResourcesError> {
        match text.parse() {
            Ok(period @ 1_000..=1_000_000) => Ok(CpuPeriod(period)),
            _ => Err(ResourcesError::CpuPeriod(text.to_owned())),
        }
    }
}

/// How much processor time a container may use, in one of two ways to say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CpuTime {
    /// As much as there is.
    #[default]
    Unlimited,
    /// That of so many processors.
    Cpus(NanoCpus),
    /// So much in each period.
    Quota {
        /// How much; none is no limit.
        quota: Option<CpuQuota>,
        /// The period; none is the usual one.
        period: Option<CpuPeriod>,
    },
}

impl CpuTime {
    /// Microseconds of processor time in each period, if they are limited, and the period.
    pub fn in_period(self) -> (Option<u64>, u64) {
        match self {
            CpuTime::Unlimited => (None, USUAL_PERIOD),
            CpuTime::Cpus(cpus) => (Some(cpus.quota()), USUAL_PERIOD),
            CpuTime::Quota { quota, period } => (
                quota.map(CpuQuota::get),
                period.map_or(USUAL_PERIOD, CpuPeriod::get),
            ),
        }
    }

    /// The quota and the period, if it is said in that way.
    pub fn as_quota(self) -> (Option<CpuQuota>, Option<CpuPeriod>) {
        match self {
            CpuTime::Quota { quota, period } => (quota, period),
            CpuTime::Unlimited | CpuTime::Cpus(_) => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_of_processors_is_read_to_the_billionth() {
        for (text, nanos, written) in [
            ("1", 1_000_000_000, "1"),
            ("1.5", 1_500_000_000, "1.5"),
            (".25", 250_000_000, "0.25"),
            ("2.", 2_000_000_000, "2"),
            ("0.000000001", 1, "0.000000001"),
        ] {
            let cpus: NanoCpus = text.parse().unwrap();
            assert_eq!((cpus.0, cpus.to_string().as_str()), (nanos, written));
        }
        for text in [
            "",
            ".",
            "0",
            "0.0",
            "-1",
            "1,5",
            "1e3",
            "0.0000000001",
            "1/2",
        ] {
            assert!(text.parse::<NanoCpus>().is_err(), "{text}");
        }
        assert_eq!("1.5".parse::<NanoCpus>().unwrap().quota(), 150_000);
    }

    #[test]
    fn shares_become_weights_as_runc_converts_them() {
        let weight = |text: &str| text.parse::<CpuShares>().unwrap().weight();
        assert_eq!(
            [weight("2"), weight("1024"), weight("262144")],
            [1, 39, 10_000]
        );
        assert!("1".parse::<CpuShares>().is_err());
        assert!("262145".parse::<CpuShares>().is_err());
    }

    #[test]
    fn quota_and_period_have_the_kernels_bounds() {
        assert!("999".parse::<CpuQuota>().is_err());
        assert!("1000".parse::<CpuQuota>().is_ok());
        assert!("999".parse::<CpuPeriod>().is_err());
        assert!("1000001".parse::<CpuPeriod>().is_err());
        let period = Some("50000".parse().unwrap());
        let time = CpuTime::Quota {
            quota: None,
            period,
        };
        assert_eq!(time.in_period(), (None, 50_000));
        assert_eq!(
            CpuTime::Cpus(NanoCpus::whole(2)).in_period(),
            (Some(200_000), 100_000)
        );
    }

    proptest! {
        #[test]
        fn processors_survive_being_written_and_read(nanos in 1..=999_999_999_999_999_999_u64) {
            let cpus = NanoCpus(nanos);
            prop_assert_eq!(cpus.to_string().parse::<NanoCpus>().ok(), Some(cpus));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "([0-9.]{0,25}|\\PC*)") {
            let _ = text.parse::<NanoCpus>();
        }
    }
}
