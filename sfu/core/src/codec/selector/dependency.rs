//! Any codec with a dependency descriptor (AV1 RTP specification v1.0, appendix A).
//!
//! Frame numbers keep their gaps: references are differences of them.

use super::history::History;
use super::{Candidate, Fix, LayerTarget, Verdict};
use crate::codec::dependency::{Frame, Indication};
use crate::codec::layer::{MAX_SPATIAL, MAX_TEMPORAL};

/// About 1.4 s of three spatial layers at 30 pictures a second.
const REMEMBERED: usize = 128;

#[derive(Clone, Copy, Debug)]
struct Decision {
    forwarded: bool,
    /// Its end is the end of the picture.
    last: bool,
    announce: Option<LayerTarget>,
}

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub struct DependencySelector {
    frames: History<Decision, REMEMBERED>,
    /// Which decode target goes on.
    current: Option<LayerTarget>,
    /// The receiver has not been told of it.
    untold: bool,
    /// Bit i, for each target: a receiver that has what went on can decode its next frame.
    intact: u32,
    /// The highest layers seen.
    seen: Option<LayerTarget>,
    /// RTP timestamp of the newest picture.
    picture: Option<u32>,
}

impl DependencySelector {
    /// As [`super::Selector::select`].
    pub fn select(&mut self, frame: &Frame, packet: Candidate<'_>, target: LayerTarget) -> Verdict {
        let number = self.frames.extend(frame.number, u16::MAX);
        if let Some(decision) = self.frames.get(number) {
            return decision.verdict(frame, packet.marker);
        }
        let target = clamp(target);
        self.note(frame);
        let current = match self.current {
            None => target,
            Some(current)
                if current != target && self.may_switch(frame, packet, number, target) =>
            {
                self.untold = true;
                target
            }
            Some(current) => current,
        };
        self.current = Some(current);
        self.picture = Some(packet.timestamp);
        let forwarded = frame.indication(current) != Indication::NotPresent;
        self.follow(frame, forwarded);
        let partial = current != LayerTarget::ALL;
        // The frame of the switch may itself be one that is dropped.
        let told =
            forwarded && (self.untold || (frame.has_structure || frame.has_active) && partial);
        self.untold &= !told;
        let decision = Decision {
            forwarded,
            last: frame.spatial == current.spatial,
            announce: told.then_some(current),
        };
        self.frames.put(number, decision);
        decision.verdict(frame, packet.marker)
    }

    fn note(&mut self, frame: &Frame) {
        let layer = LayerTarget {
            spatial: frame.spatial,
            temporal: frame.temporal,
        };
        self.seen = Some(match self.seen {
            Some(seen) if !frame.has_structure => LayerTarget {
                spatial: seen.spatial.max(layer.spatial),
                temporal: seen.temporal.max(layer.temporal),
            },
            Some(_) | None => layer,
        });
    }

    /// Whether the target can be gone over to with this frame.
    fn may_switch(
        &self,
        frame: &Frame,
        packet: Candidate<'_>,
        number: u64,
        target: LayerTarget,
    ) -> bool {
        let begins = self.picture != Some(packet.timestamp);
        if begins && self.is_intact(target) {
            return true;
        }
        frame.indication(target) == Indication::Switch && self.has_references(frame, number)
    }

    /// Everything that the frame refers to has gone on.
    fn has_references(&self, frame: &Frame, number: u64) -> bool {
        let gone_on = |back: &u32| {
            let reference = number.checked_sub(u64::from(*back) + 1);
            let decision = reference.and_then(|reference| self.frames.get(reference));
            decision.is_some_and(|decision| decision.forwarded)
        };
        !frame.far
            && (0..u64::BITS)
                .filter(|back| frame.references >> back & 1 == 1)
                .all(|back| gone_on(&back))
    }

    /// Brings `intact` up to date.
    fn follow(&mut self, frame: &Frame, forwarded: bool) {
        for (target, bit) in targets() {
            match (frame.indication(target), forwarded) {
                (Indication::Switch, true) => self.intact |= bit,
                (Indication::Switch | Indication::Required, false) => self.intact &= !bit,
                (Indication::NotPresent | Indication::Discardable, _)
                | (Indication::Required, true) => {}
            }
        }
    }

    fn is_intact(&self, wanted: LayerTarget) -> bool {
        let mut all = targets();
        all.any(|(target, bit)| target == wanted && self.intact & bit != 0)
    }

    /// As [`super::Selector::again`].
    #[must_use]
    pub fn again(&self, frame: &Frame, packet: Candidate<'_>) -> Option<Verdict> {
        let number = self.frames.extend(frame.number, u16::MAX);
        let decision = self.frames.get(number)?;
        Some(decision.verdict(frame, packet.marker))
    }

    /// As [`super::Selector::wants_keyframe`]. Another temporal layer comes by
    /// itself; another spatial one only if the receiver can decode it.
    #[must_use]
    pub fn wants_keyframe(&self, target: LayerTarget) -> bool {
        let (Some(current), Some(seen)) = (self.current, self.seen) else {
            return false;
        };
        let target = clamp(target);
        let another = current.spatial.min(seen.spatial) != target.spatial.min(seen.spatial);
        another && !self.is_intact(target)
    }

    /// As [`super::Selector::current`].
    #[must_use]
    pub fn current(&self) -> Option<LayerTarget> {
        let (current, seen) = (self.current?, self.seen?);
        Some(LayerTarget {
            spatial: current.spatial.min(seen.spatial),
            temporal: current.temporal.min(seen.temporal),
        })
    }
}

impl Decision {
    fn verdict(self, frame: &Frame, marker: bool) -> Verdict {
        if !self.forwarded {
            return Verdict::Drop;
        }
        Verdict::Forward(Fix {
            announce: self.announce,
            ..Fix::marker(marker || frame.end && self.last)
        })
    }
}

fn clamp(target: LayerTarget) -> LayerTarget {
    LayerTarget {
        spatial: target.spatial.min(MAX_SPATIAL as u8 - 1),
        temporal: target.temporal.min(MAX_TEMPORAL as u8 - 1),
    }
}

/// Every target with its bit.
fn targets() -> impl Iterator<Item = (LayerTarget, u32)> {
    (0..MAX_SPATIAL * MAX_TEMPORAL).map(|cell| {
        let target = LayerTarget {
            spatial: (cell / MAX_TEMPORAL) as u8,
            temporal: (cell % MAX_TEMPORAL) as u8,
        };
        (target, 1 << cell)
    })
}
