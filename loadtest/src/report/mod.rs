//! What a run found, as JSON.
//!
//! Durations are milliseconds, each with `_ms` in its name. A field that
//! nothing was measured for is absent or null, never zero.

mod distribution;
mod load;
mod soak;
mod talk;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use liandong_protocol::RefusalCode;
use serde::{Deserialize, Serialize};

pub use distribution::Distribution;
pub use load::Load;
pub use soak::{Sample, Soak};
pub use talk::TalkReport;

/// One run of a scenario.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Report {
    pub scenario: String,
    pub server: String,
    /// Unix time of the start.
    pub started_at_ms: u64,
    pub seconds: f64,
    pub summary: Summary,
    pub checks: Vec<Check>,
    /// What server and bots took of the machine, where the server's process is known.
    #[serde(default)]
    pub load: Option<Load>,
    #[serde(default)]
    pub soak: Option<Soak>,
    pub bots: Vec<BotReport>,
}

/// Over all bots.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Summary {
    /// Bots in the run, the calling one included.
    pub bots: u32,
    /// Sites that were rung.
    pub rung: u32,
    /// Sites that answered.
    pub answered: u32,
    /// Sites whose media was connected.
    pub joined: u32,
    /// From the caller's order to the moment it saw a site answer, 95th percentile.
    pub answer_p95_ms: Option<f64>,
    /// From the caller's order to the moment it saw a site's media connected, 95th percentile.
    pub joined_p95_ms: Option<f64>,
    pub login_ms: Option<Distribution>,
    /// From the caller's order to the ring's arrival at a site.
    pub order_to_ringing_ms: Option<Distribution>,
    pub ring_to_answered_ms: Option<Distribution>,
    pub order_to_answered_ms: Option<Distribution>,
    pub order_to_joined_ms: Option<Distribution>,
    /// Over all slots of all bots.
    pub first_frame_ms: Option<Distribution>,
    pub packets_sent: u64,
    pub packets_received: u64,
    /// Missing sequence numbers that nothing filled.
    pub packets_lost: u64,
    pub packets_duplicate: u64,
    /// Missing sequence numbers that came late or by retransmission.
    pub packets_repaired: u64,
    pub frames_received: u64,
    pub wrong_slot_frames: u64,
    pub refused: u64,
    pub reconnects: u64,
    pub media_reconnects: u64,
    pub garbled_frames: u64,
    #[serde(default)]
    pub headless_frames: u64,
    pub freezes: u64,
    pub layer_switches: u64,
    /// Sound frames of each encoding, from the smallest.
    pub layer_frames: [u64; 3],
    /// Of the slots that showed somebody: the median, and what one in twenty falls short of.
    pub frames_per_second_p50: Option<f64>,
    pub frames_per_second_p5: Option<f64>,
    pub ice_restarts: u64,
    /// From the loss of a line to the next welcome.
    pub offline_ms: Option<Distribution>,
    /// From the last packet of a media connection to the first of the next one.
    pub media_away_ms: Option<Distribution>,
}

/// One thing that has to hold, and what was found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Check {
    pub name: String,
    pub passed: bool,
    /// The figure or the reason, for a reader.
    pub found: String,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct BotReport {
    pub account: String,
    pub name: String,
    /// The line of the site in the list of sites; 0 is the county.
    pub index: u16,
    pub login_ms: Option<f64>,
    /// From the ring's arrival at the bot to the server's word that it is accepted.
    pub ring_to_answered_ms: Option<f64>,
    /// From the caller's order to the ring's arrival at the bot.
    pub order_to_ringing_ms: Option<f64>,
    /// From the caller's order to the moment the caller saw this site answer.
    pub order_to_answered_ms: Option<f64>,
    /// From the caller's order to the moment the caller saw this site's media connected.
    pub order_to_joined_ms: Option<f64>,
    /// From the bot's offer to its media connection.
    pub media_connect_ms: Option<f64>,
    pub audio_packets_sent: u64,
    pub video_packets_sent: u64,
    /// Keyframes sent because somebody asked (PLI or FIR).
    pub keyframes_on_request: u64,
    /// By the number of the video slot.
    pub video_slots: Vec<SlotReport>,
    pub audio_slots: Vec<SlotReport>,
    /// How often the server said no, and with which code.
    #[serde(default)]
    pub refused: BTreeMap<String, u64>,
    /// WebSocket connections after the first.
    pub reconnects: u64,
    /// Media connections after the first.
    pub media_reconnects: u64,
    #[serde(default)]
    pub ice_restarts: u64,
    /// Of each reconnect: from the loss of the line to the next welcome.
    #[serde(default)]
    pub offline_ms: Vec<f64>,
    /// Of each media reconnect: from the last packet of the old connection to the first of the new.
    #[serde(default)]
    pub media_away_ms: Vec<f64>,
}

/// What came into one slot.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct SlotReport {
    pub slot: u32,
    /// The index of the bot that is in the slot at the moment of the report.
    #[serde(default)]
    pub shows: Option<u16>,
    pub packets: u64,
    pub bytes: u64,
    /// Missing sequence numbers that nothing filled.
    pub lost: u64,
    pub duplicate: u64,
    /// Missing sequence numbers that came late or by retransmission.
    pub repaired: u64,
    /// Complete frames; 0 for sound.
    pub frames: u64,
    pub keyframes: u64,
    /// Frames of another site than the one that the server said is in the slot.
    pub wrong_frames: u64,
    /// Frames with no mark of a bot: of a browser or a camera.
    pub foreign_frames: u64,
    /// Keyframes that were decoded and whose ground was compared with the site's colour.
    pub pictures_checked: u64,
    pub pictures_wrong: u64,
    /// How often another participant was put into the slot, the first one included.
    pub switches: u64,
    /// Of each switch: from the announcement to the first complete keyframe.
    pub first_frame_ms: Vec<f64>,
    #[serde(default)]
    pub health: SlotHealth,
}

/// Whether what came into a video slot could be shown.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct SlotHealth {
    /// Complete frames that a decoder would not show as they were sent: what they build on is
    /// missing or of another encoding, or came later: counted in the order of completion.
    pub garbled_frames: u64,
    /// The same, but before the first keyframe of a media connection, when a decoder shows
    /// nothing yet.
    #[serde(default)]
    pub headless_frames: u64,
    /// Pauses of more than 500 ms between two sound frames of the same site.
    pub freezes: u64,
    /// The length of all freezes.
    pub frozen_ms: f64,
    /// Sound frames of each encoding, from the smallest.
    pub layer_frames: [u64; 3],
    /// From one encoding to another of the same site.
    pub layer_switches: u64,
    /// While somebody was shown.
    pub frames_per_second: Option<f64>,
    /// Somebody is in the slot, nothing has come for eight seconds, and the server does not say
    /// why.
    pub stuck: bool,
    /// The server says that it sends nothing in the slot, because the line or the machine does
    /// not carry it.
    #[serde(default)]
    pub paused: bool,
}

impl BotReport {
    /// Counts one refusal.
    pub fn refuse(&mut self, code: RefusalCode) {
        let name = serde_json::to_value(code)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_else(|| format!("{code:?}"));
        *self.refused.entry(name).or_default() += 1;
    }
}

impl Summary {
    /// Adds up the bots. `rung` is left at zero: only the caller knows it.
    #[must_use]
    pub fn of(bots: &[BotReport]) -> Self {
        let times = |pick: fn(&BotReport) -> Option<f64>| {
            Distribution::of(bots.iter().filter_map(pick).collect())
        };
        let all = |pick: fn(&BotReport) -> &Vec<f64>| {
            Distribution::of(bots.iter().flat_map(pick).copied().collect())
        };
        let slots = || {
            bots.iter()
                .flat_map(|b| b.video_slots.iter().chain(&b.audio_slots))
        };
        // Negative, because percentiles here look for the worst at the upper end.
        let rates = slots().filter_map(|s| s.health.frames_per_second);
        let rates = Distribution::of(rates.map(|rate| -rate).collect());
        let order_to_answered_ms = times(|b| b.order_to_answered_ms);
        let order_to_joined_ms = times(|b| b.order_to_joined_ms);
        Self {
            bots: bots.len() as u32,
            rung: 0,
            answered: order_to_answered_ms.as_ref().map_or(0, |d| d.count),
            joined: order_to_joined_ms.as_ref().map_or(0, |d| d.count),
            answer_p95_ms: order_to_answered_ms.as_ref().map(|d| d.p95),
            joined_p95_ms: order_to_joined_ms.as_ref().map(|d| d.p95),
            login_ms: times(|b| b.login_ms),
            order_to_ringing_ms: times(|b| b.order_to_ringing_ms),
            ring_to_answered_ms: times(|b| b.ring_to_answered_ms),
            order_to_answered_ms,
            order_to_joined_ms,
            first_frame_ms: Distribution::of(
                slots()
                    .flat_map(|s| s.first_frame_ms.iter().copied())
                    .collect(),
            ),
            packets_sent: bots
                .iter()
                .map(|b| b.audio_packets_sent + b.video_packets_sent)
                .sum(),
            packets_received: slots().map(|s| s.packets).sum(),
            packets_lost: slots().map(|s| s.lost).sum(),
            packets_duplicate: slots().map(|s| s.duplicate).sum(),
            packets_repaired: slots().map(|s| s.repaired).sum(),
            frames_received: slots().map(|s| s.frames).sum(),
            wrong_slot_frames: slots().map(|s| s.wrong_frames + s.pictures_wrong).sum(),
            garbled_frames: slots().map(|s| s.health.garbled_frames).sum(),
            headless_frames: slots().map(|s| s.health.headless_frames).sum(),
            freezes: slots().map(|s| s.health.freezes).sum(),
            layer_switches: slots().map(|s| s.health.layer_switches).sum(),
            layer_frames: [0, 1, 2].map(|l| slots().map(|s| s.health.layer_frames[l]).sum()),
            frames_per_second_p50: rates.as_ref().map(|d| -d.p50),
            frames_per_second_p5: rates.as_ref().map(|d| -d.p95),
            refused: bots.iter().flat_map(|b| b.refused.values()).sum(),
            reconnects: bots.iter().map(|b| b.reconnects).sum(),
            media_reconnects: bots.iter().map(|b| b.media_reconnects).sum(),
            ice_restarts: bots.iter().map(|b| b.ice_restarts).sum(),
            offline_ms: all(|b| &b.offline_ms),
            media_away_ms: all(|b| &b.media_away_ms),
        }
    }
}

impl Report {
    /// All checks hold.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|c| c.passed)
    }

    /// A few lines for a person at a terminal.
    #[must_use]
    pub fn in_words(&self) -> String {
        let s = &self.summary;
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "  {name:<22} {value}");
        };
        line("bots", format!("{} for {:.0} s", s.bots, self.seconds));
        if s.rung > 0 {
            let found = format!("{} / {} of {} rung", s.answered, s.joined, s.rung);
            line("answered / joined", found);
        }
        let times = [
            ("login", &s.login_ms),
            ("order → ringing", &s.order_to_ringing_ms),
            ("ring → answered", &s.ring_to_answered_ms),
            ("order → answered", &s.order_to_answered_ms),
            ("order → joined", &s.order_to_joined_ms),
            ("slot → first frame", &s.first_frame_ms),
            ("line cut → back", &s.offline_ms),
            ("media lost → back", &s.media_away_ms),
        ];
        for (name, distribution) in times {
            if let Some(d) = distribution {
                line(name, d.to_string());
            }
        }
        line(
            "packets",
            format!(
                "{} sent, {} received, {} lost, {} repaired, {} duplicate",
                s.packets_sent,
                s.packets_received,
                s.packets_lost,
                s.packets_repaired,
                s.packets_duplicate
            ),
        );
        line(
            "frames",
            format!(
                "{} received, {} in a wrong slot, {} garbled, {} before a keyframe, {} freezes",
                s.frames_received,
                s.wrong_slot_frames,
                s.garbled_frames,
                s.headless_frames,
                s.freezes
            ),
        );
        if let (Some(p50), Some(p5)) = (s.frames_per_second_p50, s.frames_per_second_p5) {
            let found = format!("p50 {p50:.1}, p5 {p5:.1}");
            line("frames per second", found);
        }
        if let Some(load) = &self.load {
            line("load", load.to_string());
        }
        if let Some(soak) = &self.soak {
            line("soak", soak.to_string());
        }
        if s.layer_frames[1..].iter().any(|frames| *frames > 0) {
            let [small, middle, large] = s.layer_frames;
            let found = format!(
                "{small} / {middle} / {large}, {} switches",
                s.layer_switches
            );
            line("by encoding", found);
        }
        line(
            "refused / reconnects",
            format!("{} / {}", s.refused, s.reconnects),
        );
        for check in &self.checks {
            line(
                if check.passed { "ok" } else { "FAILED" },
                format!("{}: {}", check.name, check.found),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests;
