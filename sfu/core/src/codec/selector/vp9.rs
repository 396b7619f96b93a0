//! Spatial and temporal layers of VP9 (RFC 9628 §4.2: TID, U, SID, P, E).
//!
//! Picture ids keep their gaps: a receiver derives references from their
//! differences, or the place within the picture group.

use super::history::History;
use super::{Candidate, Fix, LayerTarget, Verdict};
use crate::codec::vp9::Descriptor;

/// Two seconds at 30 pictures a second. At most half the range of a 7-bit id.
const REMEMBERED: usize = 64;

/// On one picture: bit i is spatial layer i.
#[derive(Clone, Copy, Debug)]
struct Decision {
    /// Its temporal layer goes on.
    wanted: bool,
    /// The highest spatial layer to forward, fixed by the picture's first packet.
    limit: u8,
    seen: u8,
    forwarded: u8,
    /// Its end is the end of the picture.
    last: u8,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Vp9Selector {
    pictures: History<Decision, REMEMBERED>,
    /// The highest layers whose next frames find all that they refer to.
    intact: LayerTarget,
    /// The highest layers seen.
    seen: Option<LayerTarget>,
    target: LayerTarget,
}

const EVERYTHING: LayerTarget = LayerTarget {
    spatial: u8::MAX,
    temporal: u8::MAX,
};

impl Default for Vp9Selector {
    fn default() -> Self {
        Self {
            pictures: History::default(),
            intact: EVERYTHING,
            seen: None,
            target: EVERYTHING,
        }
    }
}

impl Vp9Selector {
    /// As [`super::Selector::select`].
    pub fn select(
        &mut self,
        vp9: &Descriptor,
        packet: Candidate<'_>,
        target: LayerTarget,
    ) -> Verdict {
        let Some(id) = vp9.picture_id else {
            return Verdict::Forward(Fix::marker(packet.marker));
        };
        let number = self.pictures.extend(id.value(), id.mask());
        let mut picture = match self.pictures.get(number) {
            Some(picture) => *picture,
            None => self.begin(vp9, target),
        };
        let bit = 1 << vp9.spatial; // at most 7
        if picture.seen & bit == 0 {
            picture.seen |= bit;
            self.decide(vp9, &mut picture);
            self.pictures.put(number, picture);
        }
        picture.verdict(vp9, packet.marker)
    }

    /// With the first packet of a picture.
    fn begin(&mut self, vp9: &Descriptor, target: LayerTarget) -> Decision {
        let seen = self.seen.get_or_insert(LayerTarget {
            spatial: 0,
            temporal: 0,
        });
        seen.temporal = seen.temporal.max(vp9.temporal);
        self.target = target;
        if !vp9.inter_picture && vp9.spatial == 0 {
            self.intact = EVERYTHING;
        }
        let wanted = vp9.temporal <= target.temporal && vp9.temporal <= self.intact.temporal;
        if !wanted {
            // Not below: the base layer is always wanted.
            let below = vp9.temporal.saturating_sub(1);
            self.intact.temporal = self.intact.temporal.min(below);
        } else if vp9.switching_up {
            self.intact.temporal = u8::MAX;
        }
        Decision {
            wanted,
            limit: target.spatial,
            seen: 0,
            forwarded: 0,
            last: 0,
        }
    }

    /// With the first packet of a frame.
    fn decide(&mut self, vp9: &Descriptor, picture: &mut Decision) {
        let layer = vp9.spatial;
        if let Some(seen) = &mut self.seen {
            seen.spatial = seen.spatial.max(layer);
        }
        if !picture.wanted {
            return;
        }
        if layer > picture.limit {
            self.intact.spatial = self.intact.spatial.min(layer - 1);
            return;
        }
        // It refers to nothing but the layer below, which goes on.
        if !vp9.inter_picture && layer == self.intact.spatial.saturating_add(1) {
            self.intact.spatial = layer;
        }
        if layer <= self.intact.spatial {
            picture.forwarded |= 1 << layer;
            if layer == picture.limit.min(self.intact.spatial) {
                picture.last |= 1 << layer;
            }
        }
    }

    /// As [`super::Selector::again`].
    #[must_use]
    pub fn again(&self, vp9: &Descriptor, packet: Candidate<'_>) -> Option<Verdict> {
        let Some(id) = vp9.picture_id else {
            return Some(Verdict::Forward(Fix::marker(packet.marker)));
        };
        let number = self.pictures.extend(id.value(), id.mask());
        let picture = self.pictures.get(number)?;
        (picture.seen & 1 << vp9.spatial != 0).then(|| picture.verdict(vp9, packet.marker))
    }

    /// As [`super::Selector::wants_keyframe`].
    #[must_use]
    pub fn wants_keyframe(&self, target: LayerTarget) -> bool {
        self.seen
            .is_some_and(|seen| self.intact.spatial < target.spatial.min(seen.spatial))
    }

    /// As [`super::Selector::current`].
    #[must_use]
    pub fn current(&self) -> Option<LayerTarget> {
        let seen = self.seen?;
        let least = |a: u8, b: u8, c: u8| a.min(b).min(c);
        Some(LayerTarget {
            spatial: least(seen.spatial, self.intact.spatial, self.target.spatial),
            temporal: least(seen.temporal, self.intact.temporal, self.target.temporal),
        })
    }
}

impl Decision {
    fn verdict(self, vp9: &Descriptor, marker: bool) -> Verdict {
        let bit = 1 << vp9.spatial;
        if self.forwarded & bit == 0 {
            return Verdict::Drop;
        }
        let last = vp9.frame_end && self.last & bit != 0;
        Verdict::Forward(Fix::marker(marker || last))
    }
}
