//! Percentiles of a set of measured times.

use serde::{Deserialize, Serialize};

/// Nearest-rank percentiles: each is a value that was really measured.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Distribution {
    pub count: u32,
    pub p50: f64,
    pub p95: f64,
    pub max: f64,
}

impl Distribution {
    /// `None` of an empty set.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let max = *values.last()?;
        let rank = |percent: usize| {
            // Nearest rank: the smallest value with at least so many percent at or below it.
            let rank = (values.len() * percent).div_ceil(100).max(1);
            values[rank - 1]
        };
        Some(Self {
            count: values.len() as u32,
            p50: rank(50),
            p95: rank(95),
            max,
        })
    }
}

impl std::fmt::Display for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms ({})",
            self.p50, self.p95, self.max, self.count
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let d = Distribution::of((1..=20).rev().map(f64::from).collect()).unwrap();
        assert_eq!((d.count, d.p50, d.p95, d.max), (20, 10.0, 19.0, 20.0));
        let one = Distribution::of(vec![7.5]).unwrap();
        assert_eq!((one.p50, one.p95, one.max), (7.5, 7.5, 7.5));
    }

    #[test]
    fn nothing_measured_gives_nothing() {
        assert_eq!(Distribution::of(Vec::new()), None);
    }
}
