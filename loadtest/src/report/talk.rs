//! What a run of talk groups found.

use serde::{Deserialize, Serialize};

/// Times in milliseconds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TalkReport {
    pub members: usize,
    pub groups: usize,
    /// Presses that gave the floor at once.
    pub grants: usize,
    pub queued: u64,
    pub denied: u64,
    pub grant_p50_ms: f64,
    pub grant_p99_ms: f64,
    pub grant_max_ms: f64,
    /// Over all answers: granted, queued, denied.
    pub answer_p99_ms: f64,
    /// From the wish to listen to the first packet of the voice; absent without sound.
    pub late_entry_p50_ms: Option<f64>,
    pub late_entry_p95_ms: Option<f64>,
    /// Packets of members without the floor that somebody heard.
    pub unheard_packets: u64,
    pub max_grant_p99_ms: f64,
}

/// Nearest rank; 0 of nothing.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

impl TalkReport {
    /// Of (members, groups), (granted, answered) in ms, (queued, denied), and (late
    /// entries in ms, packets that should not have passed).
    #[must_use]
    pub fn new(
        (members, groups): (usize, usize),
        (mut granted, mut answered): (Vec<f64>, Vec<f64>),
        (queued, denied): (u64, u64),
        (mut late, unheard_packets): (Vec<f64>, u64),
        max_grant_p99_ms: f64,
    ) -> Self {
        for times in [&mut granted, &mut answered, &mut late] {
            times.sort_by(f64::total_cmp);
        }
        let of_late = |percent| (!late.is_empty()).then(|| percentile(&late, percent));
        Self {
            members,
            groups,
            grants: granted.len(),
            queued,
            denied,
            grant_p50_ms: percentile(&granted, 50),
            grant_p99_ms: percentile(&granted, 99),
            grant_max_ms: granted.last().copied().unwrap_or(0.0),
            answer_p99_ms: percentile(&answered, 99),
            late_entry_p50_ms: of_late(50),
            late_entry_p95_ms: of_late(95),
            unheard_packets,
            max_grant_p99_ms,
        }
    }

    /// Somebody spoke, in time, and nobody was heard without the floor.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.grants > 0 && self.grant_p99_ms <= self.max_grant_p99_ms && self.unheard_packets == 0
    }
}

impl std::fmt::Display for TalkReport {
    /// `name: value` lines.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "floor_members: {}", self.members)?;
        writeln!(f, "floor_groups: {}", self.groups)?;
        writeln!(f, "floor_grants: {}", self.grants)?;
        writeln!(f, "floor_queued: {}", self.queued)?;
        writeln!(f, "floor_denied: {}", self.denied)?;
        writeln!(f, "floor_grant_p50_ms: {:.1}", self.grant_p50_ms)?;
        writeln!(f, "floor_grant_p99_ms: {:.1}", self.grant_p99_ms)?;
        writeln!(f, "floor_grant_max_ms: {:.1}", self.grant_max_ms)?;
        writeln!(f, "floor_answer_p99_ms: {:.1}", self.answer_p99_ms)?;
        if let (Some(p50), Some(p95)) = (self.late_entry_p50_ms, self.late_entry_p95_ms) {
            writeln!(f, "late_entry_p50_ms: {p50:.1}")?;
            writeln!(f, "late_entry_p95_ms: {p95:.1}")?;
        }
        writeln!(f, "unheard_packets: {}", self.unheard_packets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values_and_a_voice_without_the_floor_fails() {
        let granted: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let report = |unheard| {
            let times = (granted.clone(), granted.clone());
            TalkReport::new((600, 48), times, (1, 2), (vec![80.0, 90.0], unheard), 200.0)
        };
        let good = report(0);
        assert_eq!((good.grant_p50_ms, good.grant_p99_ms), (100.0, 198.0));
        assert_eq!(good.late_entry_p95_ms, Some(90.0));
        assert!(good.passed());
        assert!(!report(1).passed());
    }
}
