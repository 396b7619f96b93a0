//! Temporal layers of VP8 (RFC 7741 §4.2: TID, Y, PictureID).

use super::history::History;
use super::{Candidate, Fix, LayerTarget, Verdict};
use crate::codec::vp8::Descriptor;

/// Two seconds at 30 pictures a second. At most half the range of a 7-bit id.
const REMEMBERED: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Decision {
    forwarded: bool,
    /// Pictures dropped before this one.
    left_out: u16,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Vp8Selector {
    pictures: History<Decision, REMEMBERED>,
    /// The highest layer whose next picture finds all that it refers to.
    intact: u8,
    /// Pictures dropped so far.
    left_out: u16,
    /// The highest layer seen.
    seen: Option<u8>,
    target: u8,
}

impl Default for Vp8Selector {
    fn default() -> Self {
        Self {
            pictures: History::default(),
            intact: u8::MAX,
            left_out: 0,
            seen: None,
            target: u8::MAX,
        }
    }
}

impl Vp8Selector {
    /// As [`super::Selector::select`].
    pub fn select(
        &mut self,
        vp8: &Descriptor,
        packet: Candidate<'_>,
        target: LayerTarget,
    ) -> Verdict {
        // Without ids the gaps could not be closed, and receivers would wait for what was dropped.
        let (Some(id), Some(layer)) = (vp8.picture_id, vp8.temporal_layer) else {
            return Verdict::Forward(Fix::marker(packet.marker));
        };
        let number = self.pictures.extend(id.value(), id.mask());
        if let Some(decision) = self.pictures.get(number) {
            return decision.verdict(packet.marker);
        }
        self.seen = self.seen.max(Some(layer));
        self.target = target.temporal;
        let forwarded = self.decide(vp8, layer);
        let left_out = if self.pictures.is_new(number) {
            self.left_out
        } else {
            // Late: as many as had been dropped when its turn was.
            let before = self.pictures.before(number);
            before.map_or(self.left_out, |before| {
                let dropped = u16::from(!before.forwarded);
                before.left_out.wrapping_add(dropped)
            })
        };
        if !forwarded && self.pictures.is_new(number) {
            self.left_out = self.left_out.wrapping_add(1);
        }
        let decision = Decision {
            forwarded,
            left_out,
        };
        self.pictures.put(number, decision);
        decision.verdict(packet.marker)
    }

    fn decide(&mut self, vp8: &Descriptor, layer: u8) -> bool {
        if layer == 0 {
            return true;
        }
        if layer > self.target {
            self.intact = self.intact.min(layer - 1);
            return false;
        }
        // Y: it refers to the base layer only. What comes after it may refer to
        // the layers between, so layers are added one at a time.
        if vp8.layer_sync && layer == self.intact.saturating_add(1) {
            self.intact = layer;
        }
        layer <= self.intact
    }

    /// As [`super::Selector::again`].
    #[must_use]
    pub fn again(&self, vp8: &Descriptor, packet: Candidate<'_>) -> Option<Verdict> {
        let (Some(id), Some(_)) = (vp8.picture_id, vp8.temporal_layer) else {
            return Some(Verdict::Forward(Fix::marker(packet.marker)));
        };
        let number = self.pictures.extend(id.value(), id.mask());
        let decision = self.pictures.get(number)?;
        Some(decision.verdict(packet.marker))
    }

    /// As [`super::Selector::current`].
    #[must_use]
    pub fn current(&self) -> Option<LayerTarget> {
        Some(LayerTarget {
            spatial: 0,
            temporal: self.seen?.min(self.intact).min(self.target),
        })
    }
}

impl Decision {
    fn verdict(self, marker: bool) -> Verdict {
        if !self.forwarded {
            return Verdict::Drop;
        }
        Verdict::Forward(Fix {
            left_out: self.left_out,
            ..Fix::marker(marker)
        })
    }
}
