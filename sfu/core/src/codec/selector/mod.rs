//! Which packets of one stream a receiver gets, so that it sees whole,
//! decodable pictures of the layers that it is to have, and no others.
//!
//! Pure, one [`Selector`] per slot and feed. A decision is made once per frame, with the
//! frame's first packet that comes; it is remembered for the packets that come
//! late and for those that are sent again, so that these are the same bit by bit.
//!
//! How a slot uses it, through [`Selection`]:
//! 1. `select(origin, candidate, target)` for each packet of the feed that it forwards;
//! 2. [`Verdict::Drop`]: `munger.skip(sequence)`. If that says false (newer packets have
//!    gone out, so its number shows as a gap), the packet goes out without a
//!    payload: the receiver stops asking for it;
//! 3. [`Verdict::Forward`]: the numbering's picture id less `left_out` goes
//!    to the munger, the marker bit is `marker`, `announce` goes to the dependency descriptor;
//! 4. for sending again, `again(origin, candidate)` gives the same verdict;
//! 5. `wants_keyframe(target)`: without a keyframe the target will not be reached.

mod dependency;
mod history;
mod vp8;
mod vp9;

pub use dependency::DependencySelector;
pub use vp8::Vp8Selector;
pub use vp9::Vp9Selector;

use super::layer::{LayerInfo, LayerTarget};
use crate::rtp::munger::PictureIds;

/// A packet to decide on.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub info: &'a LayerInfo,
    /// RTP ticks; all packets of a picture have the same.
    pub timestamp: u32,
    /// As the sender has it.
    pub marker: bool,
}

/// See the module's text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Forward(Fix),
    Drop,
}

impl Verdict {
    /// On a packet of which nothing has to be selected.
    #[must_use]
    pub const fn unchanged(packet: Candidate<'_>) -> Self {
        Self::Forward(Fix::marker(packet.marker))
    }

    /// As much of the payload as goes on.
    #[must_use]
    pub fn payload(self, payload: &[u8]) -> &[u8] {
        match self {
            Self::Forward(_) => payload,
            Self::Drop => &[],
        }
    }

    /// As [`Fix::announce`].
    #[must_use]
    pub const fn announce(self) -> Option<LayerTarget> {
        match self {
            Self::Forward(fix) => fix.announce,
            Self::Drop => None,
        }
    }

    #[must_use]
    pub const fn marker(self) -> bool {
        match self {
            Self::Forward(fix) => fix.marker,
            Self::Drop => false,
        }
    }
}

/// What has to be changed about a packet that goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fix {
    /// The last packet of the picture, as the receiver gets it.
    pub marker: bool,
    /// Pictures of this feed that were dropped before this one, and whose ids
    /// have to be closed up (VP8); wraps.
    pub left_out: u16,
    /// The dependency descriptor has to say that only the decode
    /// targets up to here are active.
    pub announce: Option<LayerTarget>,
}

impl Fix {
    /// The numbers of a packet, without those of dropped pictures.
    #[must_use]
    pub fn closed_up(self, numbers: PictureIds) -> PictureIds {
        let closed = |id: u16| id.wrapping_sub(self.left_out) & 0x7fff;
        PictureIds {
            picture_id: numbers.picture_id.map(closed),
            ..numbers
        }
    }

    const fn marker(marker: bool) -> Self {
        Self {
            marker,
            left_out: 0,
            announce: None,
        }
    }
}

/// One of the selectors by codec.
#[derive(Clone, Debug, Default)]
#[allow(clippy::large_enum_variant)] // a selection holds it in a box
pub enum Selector {
    /// Nothing to select from: everything goes on.
    #[default]
    Pass,
    Vp8(Vp8Selector),
    Vp9(Vp9Selector),
    Dependency(DependencySelector),
}

impl Selector {
    /// The one that the packet needs. To be begun with the keyframe that the receiver begins with.
    #[must_use]
    pub fn of(info: &LayerInfo) -> Self {
        match info {
            LayerInfo::None => Self::Pass,
            LayerInfo::Vp8(_) => Self::Vp8(Vp8Selector::default()),
            LayerInfo::Vp9(_) => Self::Vp9(Vp9Selector::default()),
            LayerInfo::Dependency(_) => Self::Dependency(DependencySelector::default()),
        }
    }

    /// Decides on a packet, once for each.
    pub fn select(&mut self, packet: Candidate<'_>, target: LayerTarget) -> Verdict {
        match (&mut *self, packet.info) {
            (Self::Vp8(selector), LayerInfo::Vp8(vp8)) => selector.select(vp8, packet, target),
            (Self::Vp9(selector), LayerInfo::Vp9(vp9)) => selector.select(vp9, packet, target),
            (Self::Dependency(selector), LayerInfo::Dependency(frame)) => {
                selector.select(frame, packet, target)
            }
            (_, LayerInfo::None) => Verdict::Forward(Fix::marker(packet.marker)),
            (_, info @ (LayerInfo::Vp8(_) | LayerInfo::Vp9(_) | LayerInfo::Dependency(_))) => {
                // The sender changed its codec, or began to describe its layers.
                *self = Self::of(info);
                self.select(packet, target)
            }
        }
    }

    /// The verdict that [`Self::select`] gave. `None`: forgotten.
    #[must_use]
    pub fn again(&self, packet: Candidate<'_>) -> Option<Verdict> {
        match (self, packet.info) {
            (Self::Vp8(selector), LayerInfo::Vp8(vp8)) => selector.again(vp8, packet),
            (Self::Vp9(selector), LayerInfo::Vp9(vp9)) => selector.again(vp9, packet),
            (Self::Dependency(selector), LayerInfo::Dependency(frame)) => {
                selector.again(frame, packet)
            }
            (_, LayerInfo::None) => Some(Verdict::Forward(Fix::marker(packet.marker))),
            (_, LayerInfo::Vp8(_) | LayerInfo::Vp9(_) | LayerInfo::Dependency(_)) => None,
        }
    }

    /// The target lies above (or, with some kinds of SVC, below) what can be reached
    /// without a keyframe.
    #[must_use]
    pub fn wants_keyframe(&self, target: LayerTarget) -> bool {
        match self {
            Self::Pass | Self::Vp8(_) => false,
            Self::Vp9(selector) => selector.wants_keyframe(target),
            Self::Dependency(selector) => selector.wants_keyframe(target),
        }
    }

    /// The layers that go on at present. `None`: the stream has said of none.
    #[must_use]
    pub fn current(&self) -> Option<LayerTarget> {
        match self {
            Self::Pass => None,
            Self::Vp8(selector) => selector.current(),
            Self::Vp9(selector) => selector.current(),
            Self::Dependency(selector) => selector.current(),
        }
    }
}

/// The selectors of one slot: of the feed that it forwards, and of the one before,
/// whose packets may still be asked for. `O` names a feed, as with the munger.
#[derive(Clone, Debug)]
pub struct Selection<O> {
    current: Option<Box<(O, Selector)>>,
    past: Option<Box<(O, Selector)>>,
}

impl<O> Default for Selection<O> {
    fn default() -> Self {
        Self {
            current: None,
            past: None,
        }
    }
}

impl<O: Copy + Eq> Selection<O> {
    /// As [`Selector::select`]; a feed other than the one before begins anew.
    pub fn select(&mut self, origin: O, packet: Candidate<'_>, target: LayerTarget) -> Verdict {
        let current = match self.current.take_if(|current| current.0 == origin) {
            Some(current) => self.current.insert(current),
            None => {
                let next = (origin, Selector::of(packet.info));
                let next = match self.past.take() {
                    Some(mut reused) => {
                        *reused = next;
                        reused
                    }
                    None => Box::new(next),
                };
                self.past = self.current.take();
                self.current.insert(next)
            }
        };
        current.1.select(packet, target)
    }

    /// As [`Selector::again`].
    #[must_use]
    pub fn again(&self, origin: O, packet: Candidate<'_>) -> Option<Verdict> {
        let mut known = self.current.iter().chain(&self.past);
        let known = known.find(|known| known.0 == origin)?;
        known.1.again(packet)
    }

    /// As [`Selector::wants_keyframe`].
    #[must_use]
    pub fn wants_keyframe(&self, target: LayerTarget) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.1.wants_keyframe(target))
    }

    /// As [`Selector::current`].
    #[must_use]
    pub fn current(&self) -> Option<LayerTarget> {
        self.current.as_ref()?.1.current()
    }
}

#[cfg(test)]
mod tests;
