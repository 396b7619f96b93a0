//! Speaking marks and quality figures, paced: they come from the media node as
//! fast as it likes, and go to the clients five times and once a second.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use liandong_domain::{ConferenceId, ParticipantId};
use liandong_protocol::Push;
use liandong_protocol::server::{Quality, SlotQuality};
use liandong_sfu_node::{PeerId, PeerStats, RoomId, SlotStats};

use super::Media;
use crate::desk::clients::{Clients, encode_push};
use crate::views::wire;

/// At most five times a second.
pub const SPEAKING_EVERY: Duration = Duration::from_millis(200);
pub const QUALITY_EVERY: Duration = Duration::from_secs(1);
/// From so much lost on its way to us a participant's device counts as degraded.
const POOR_LOSS: f32 = 0.15;

/// What came and was not told yet.
#[derive(Debug, Default)]
pub struct Figures {
    speaking: BTreeMap<ConferenceId, Vec<PeerId>>,
    told_speaking: BTreeMap<ConferenceId, Vec<PeerId>>,
    quality: HashMap<PeerId, PeerStats>,
    told_quality: HashMap<PeerId, PeerStats>,
    /// Of each peer's slots, for that peer only.
    slots: HashMap<PeerId, Vec<SlotStats>>,
    quality_due: Option<Instant>,
}

impl Figures {
    pub fn speaking(&mut self, room: RoomId, peers: Vec<PeerId>) {
        self.speaking.insert(ConferenceId(room.0), peers);
    }

    pub fn quality(&mut self, peer: PeerId, stats: PeerStats, slots: Vec<SlotStats>) {
        self.quality.insert(peer, stats);
        self.slots.insert(peer, slots);
    }

    pub(super) fn forget(&mut self, peer: PeerId) {
        self.quality.remove(&peer);
        self.told_quality.remove(&peer);
        self.slots.remove(&peer);
    }

    pub(super) fn forget_conference(&mut self, conference: ConferenceId) {
        self.speaking.remove(&conference);
        self.told_speaking.remove(&conference);
    }

    /// Somebody came who knows nothing yet: the speakers are told once more.
    /// Figures of quality come every second anyway.
    pub(super) fn tell_again(&mut self, conference: ConferenceId) {
        if let Some(peers) = self.told_speaking.remove(&conference) {
            self.speaking.entry(conference).or_insert(peers);
        }
    }

    /// True when a flush has something to do.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.speaking.is_empty() || !self.quality.is_empty() || !self.slots.is_empty()
    }
}

/// Poor, by the last figures.
#[must_use]
pub fn is_poor(stats: &PeerStats) -> bool {
    stats.uplink_loss >= POOR_LOSS || stats.downlink_loss >= POOR_LOSS
}

impl Media {
    /// Called every [`SPEAKING_EVERY`].
    pub fn flush_figures(&mut self, clients: &Clients, now: Instant) {
        self.flush_speaking(clients);
        if self.figures.quality_due.is_none_or(|due| now >= due) {
            self.figures.quality_due = Some(now + QUALITY_EVERY);
            self.flush_quality(clients);
            self.flush_slots(clients);
        }
    }

    fn flush_speaking(&mut self, clients: &Clients) {
        for (conference, peers) in std::mem::take(&mut self.figures.speaking) {
            if self.figures.told_speaking.get(&conference) == Some(&peers) {
                continue;
            }
            let participants = peers
                .iter()
                .filter_map(|peer| clients.one(self.client_of(*peer)?)?.stay)
                .map(wire::participant_id)
                .collect();
            self.push_in(
                clients,
                conference,
                Push::Speaking {
                    conference: wire::conference_id(conference),
                    participants,
                },
            );
            if peers.is_empty() {
                self.figures.told_speaking.remove(&conference);
            } else {
                self.figures.told_speaking.insert(conference, peers);
            }
        }
    }

    fn flush_quality(&mut self, clients: &Clients) {
        let mut by_conference: BTreeMap<ConferenceId, Vec<Quality>> = BTreeMap::new();
        for (peer, stats) in std::mem::take(&mut self.figures.quality) {
            if self.figures.told_quality.get(&peer) == Some(&stats) {
                continue;
            }
            let found = self.client_of(peer).and_then(|client| {
                let participant = clients.one(client)?.stay?;
                Some((self.conference_of(client)?, participant))
            });
            let Some((conference, participant)) = found else {
                continue;
            };
            self.figures.told_quality.insert(peer, stats);
            by_conference.entry(conference).or_default().push(Quality {
                participant: wire::participant_id(participant),
                uplink_loss: stats.uplink_loss.into(),
                downlink_loss: stats.downlink_loss.into(),
                rtt_ms: stats.round_trip.map(ms),
                uplink_kbps: stats.uplink_bits_per_second / 1_000,
                downlink_kbps: stats.downlink_bits_per_second / 1_000,
                jitter_ms: ms(stats.jitter),
                score: stats.score.into(),
                estimate_kbps: stats.estimate_bits_per_second.map(|rate| rate / 1_000),
            });
        }
        for (conference, mut quality) in by_conference {
            quality.sort_by_key(|one| one.participant);
            self.push_in(
                clients,
                conference,
                Push::Quality {
                    conference: wire::conference_id(conference),
                    quality,
                },
            );
        }
    }

    /// Each client learns how its own slots do.
    fn flush_slots(&mut self, clients: &Clients) {
        for (peer, stats) in std::mem::take(&mut self.figures.slots) {
            let Some(client) = self.client_of(peer) else {
                continue;
            };
            let slots: Vec<SlotQuality> = stats
                .iter()
                .filter_map(|one| {
                    let shown = self.client_of(one.source?.peer)?;
                    let participant = clients.one(shown)?.stay?;
                    Some(slot_quality(one, participant))
                })
                .collect();
            if slots.is_empty() {
                continue;
            }
            if let Some((conference, found)) = self.conference_of(client).zip(clients.one(client)) {
                found.push(&encode_push(Push::SlotQuality {
                    conference: wire::conference_id(conference),
                    slots,
                }));
            }
        }
    }

    /// To everybody whose media is there.
    fn push_in(&self, clients: &Clients, conference: ConferenceId, push: Push) {
        let text = encode_push(push);
        let there: BTreeSet<_> = self.clients_in(conference).collect();
        for client in there {
            if let Some(client) = clients.one(client) {
                client.push(&text);
            }
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn slot_quality(stats: &SlotStats, participant: ParticipantId) -> SlotQuality {
    SlotQuality {
        slot: stats.slot.0.into(),
        participant: wire::participant_id(participant),
        kbps: stats.bits_per_second / 1_000,
        loss: stats.loss.into(),
        jitter_ms: ms(stats.jitter),
        height: stats.height.into(),
        fps: stats.frames_per_second.into(),
        freezes: stats.freezes,
        paused: stats.paused,
        score: stats.score.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFERENCE: ConferenceId = ConferenceId(7);

    #[test]
    fn a_late_comer_learns_who_speaks_already() {
        let speaker = vec![PeerId::new(liandong_sfu_node::WorkerIndex(0), 1)];
        let mut figures = Figures::default();
        figures.told_speaking.insert(CONFERENCE, speaker.clone());
        assert!(!figures.is_waiting());

        figures.tell_again(CONFERENCE);
        assert_eq!(figures.speaking.get(&CONFERENCE), Some(&speaker));
        assert!(figures.is_waiting() && figures.told_speaking.is_empty());
    }

    #[test]
    fn telling_again_never_undoes_news() {
        let mut figures = Figures::default();
        let speaker = vec![PeerId::new(liandong_sfu_node::WorkerIndex(0), 1)];
        figures.told_speaking.insert(CONFERENCE, speaker);
        figures.speaking(RoomId(CONFERENCE.0), Vec::new());

        figures.tell_again(CONFERENCE);
        assert_eq!(figures.speaking.get(&CONFERENCE), Some(&Vec::new()));
    }
}
