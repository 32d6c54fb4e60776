//! What a benchmark says about its measurements.

use std::fmt;
use std::time::Duration;

/// The least, the middle and the ninetieth of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The shortest.
    pub minimum: Duration,
    /// As many were shorter as were longer.
    pub median: Duration,
    /// Nine of ten were no longer than this.
    pub ninetieth_percentile: Duration,
}

impl Summary {
    /// Of one or more measurements, in any order. `None` of none.
    pub fn of(mut measurements: Vec<Duration>) -> Option<Self> {
        measurements.sort_unstable();
        let last = measurements.len().checked_sub(1)?;
        let middle = (measurements[last / 2] + measurements[last.div_ceil(2)]) / 2;
        Some(Self {
            minimum: measurements[0],
            median: middle,
            ninetieth_percentile: measurements[(last * 9).div_ceil(10)],
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [minimum, median, ninetieth] = [self.minimum, self.median, self.ninetieth_percentile]
            .map(|duration| duration.as_secs_f64() * 1000.0);
        write!(
            formatter,
            "{minimum:9.2} ms {median:9.2} ms {ninetieth:9.2} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_does_not_depend_on_the_order() {
        let measurements = [5, 1, 4, 2, 3].map(Duration::from_millis).to_vec();
        let summary = Summary::of(measurements).expect("there are measurements");
        assert_eq!(summary.minimum, Duration::from_millis(1));
        assert_eq!(summary.median, Duration::from_millis(3));
        assert_eq!(summary.ninetieth_percentile, Duration::from_millis(5));
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        let summary = Summary::of(vec![Duration::from_millis(2), Duration::from_millis(4)]);
        assert_eq!(
            summary.map(|summary| summary.median),
            Some(Duration::from_millis(3))
        );
    }

    #[test]
    fn nothing_measured_has_no_summary() {
        assert_eq!(Summary::of(Vec::new()), None);
    }
}
