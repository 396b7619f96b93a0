//! What a long run found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One look.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Sample {
    pub at_s: f64,
    pub server_rss_kb: u64,
    /// Bots whose media is connected.
    pub connected: u32,
    /// Slots that show nothing of a bot that sends.
    pub stuck: u32,
    /// Slots in which the server says that it sends nothing for want of a line or of CPU.
    #[serde(default)]
    pub paused: u32,
}

/// All looks, and what was done meanwhile.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Soak {
    /// How often each thing was done.
    pub done: BTreeMap<String, u32>,
    pub samples: Vec<Sample>,
    /// Growth of the server's memory over the second half, fitted by least squares.
    pub rss_kb_per_minute: Option<f64>,
}

impl Soak {
    /// Fits the growth: the first half is left out, in which caches fill.
    pub fn fit(&mut self) {
        let later = &self.samples[self.samples.len() / 2..];
        let count = later.len() as f64;
        let mean = |pick: fn(&Sample) -> f64| later.iter().map(pick).sum::<f64>() / count;
        let (at, rss) = (mean(|s| s.at_s), mean(|s| s.server_rss_kb as f64));
        let spread: f64 = later.iter().map(|s| (s.at_s - at).powi(2)).sum();
        let together: f64 = later
            .iter()
            .map(|s| (s.at_s - at) * (s.server_rss_kb as f64 - rss))
            .sum();
        self.rss_kb_per_minute = (spread > 0.0).then(|| together / spread * 60.0);
    }
}

impl std::fmt::Display for Soak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let done: Vec<String> = self
            .done
            .iter()
            .map(|(what, times)| format!("{times} {what}"))
            .collect();
        let growth = self.rss_kb_per_minute.unwrap_or(0.0);
        write!(f, "{}; memory {growth:+.0} kB a minute", done.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_of_the_second_half_is_fitted() {
        let sample = |n: u32, rss: u64| Sample {
            at_s: f64::from(n) * 10.0,
            server_rss_kb: rss,
            ..Sample::default()
        };
        let mut soak = Soak {
            // Grows fast at first, then by 20 kB each ten seconds.
            samples: (0..20)
                .map(|n| sample(n, 50_000 + u64::from(n.min(8)) * 5_000 + u64::from(n) * 20))
                .collect(),
            ..Soak::default()
        };
        soak.fit();
        let growth = soak.rss_kb_per_minute.unwrap();
        assert!((growth - 120.0).abs() < 1e-6, "{growth}");
        let mut short = Soak::default();
        short.fit();
        assert_eq!(short.rss_kb_per_minute, None);
    }
}
