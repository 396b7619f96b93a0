//! What a receiver's line carries, over its slots. Pure.
//!
//! First every slot that is seen gets its lowest layer, prominent ones before others and
//! larger ones before smaller. Then they are raised in the same order, up to the best that
//! their view asks for, those of one rank in turn. What a slot cannot get at all is paused.
//! Down goes at once; up only with a margin that has been there for a while.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use crate::ids::EncodingIndex;

/// Going up has to leave so much free, in percent of the new layer's rate.
const MARGIN_PERCENT: u64 = 15;
/// It must have fitted for so long.
const FITS_FOR: Duration = Duration::from_secs(1);
/// Of a camera, an upper encoding with fewer frames looks worse than the one below.
const FLUENT: u8 = 12;

/// Something that a slot could be given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layer {
    pub encoding: EncodingIndex,
    /// Within the encoding (SVC); 0 without.
    pub spatial: u8,
    pub temporal: u8,
    /// In pixels; a guess if nobody knows.
    pub height: u16,
    pub frames_per_second: u8,
    /// With all layers below that it needs.
    pub bits_per_second: u32,
}

impl Layer {
    /// Of two layers the better one is greater: first sharper, then more fluent.
    const fn quality(&self) -> (u16, u8, u8) {
        (self.height, self.frames_per_second, self.temporal)
    }

    const fn is_same(&self, other: &Self) -> bool {
        self.encoding.0 == other.encoding.0
            && self.spatial == other.spatial
            && self.temporal == other.temporal
    }
}

/// What a slot was given, and for how long more would have fitted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    /// `None`: paused, or nothing yet.
    pub layer: Option<Layer>,
    fits_since: Option<Instant>,
    /// What was looked for has changed: there is nothing to compare with.
    settled: bool,
}

impl Held {
    /// The view or the source has changed: the next allocation need not wait.
    pub fn renew(&mut self) {
        self.settled = false;
        self.fits_since = None;
    }
}

/// One slot's part in the allocation.
#[derive(Clone, Debug)]
pub struct Wish {
    pub prominent: bool,
    /// Pixels shown; 0: hidden.
    pub height: u16,
    /// A screen: sharpness before motion.
    pub screen: bool,
    /// In any order.
    pub layers: Vec<Layer>,
    pub held: Held,
}

impl Wish {
    /// The held layer with the rate that it has now; it may also be gone.
    fn refresh(&mut self) {
        if let Some(held) = self.held.layer {
            self.held.layer = self.layers.iter().find(|l| l.is_same(&held)).copied();
            self.held.settled &= self.held.layer.is_some();
        }
    }

    /// The layers that the view can use, the worst first.
    fn usable(&self) -> Vec<Layer> {
        if self.height == 0 {
            return Vec::new();
        }
        let enough = self.layers.iter().map(|layer| layer.height);
        let enough = enough.filter(|height| *height >= self.height).min();
        let lowest = self.layers.iter().map(|layer| layer.height).min();
        let fluent = |layer: &Layer| {
            let best = self
                .layers
                .iter()
                .filter(|other| (other.encoding, other.spatial) == (layer.encoding, layer.spatial))
                .map(|other| other.frames_per_second);
            let best = best.max().unwrap_or_default();
            self.screen
                || Some(layer.height) == lowest
                || layer.frames_per_second >= FLUENT.min(best)
        };
        let mut usable: Vec<Layer> = self
            .layers
            .iter()
            .filter(|layer| enough.is_none_or(|enough| layer.height <= enough))
            .filter(|layer| fluent(layer))
            .copied()
            .collect();
        usable.sort_by_key(Layer::quality);
        // What costs no less than a better one is of no use to anybody.
        let mut cheapest = u32::MAX;
        let mut worth: Vec<Layer> = Vec::with_capacity(usable.len());
        for layer in usable.into_iter().rev() {
            if layer.bits_per_second < cheapest {
                cheapest = layer.bits_per_second;
                worth.push(layer);
            }
        }
        worth.reverse();
        worth
    }
}

/// What all slots would be given on a line without limit, in bits per second.
#[must_use]
pub fn wanted(wishes: &[Wish]) -> u64 {
    let best = |wish: &Wish| {
        wish.usable()
            .last()
            .map_or(0, |layer| layer.bits_per_second)
    };
    wishes.iter().map(|wish| u64::from(best(wish))).sum()
}

/// One slot while the budget is handed out.
struct Turn {
    at: usize,
    rank: (Reverse<bool>, Reverse<u16>),
    usable: Vec<Layer>,
    /// Into `usable`.
    given: Option<usize>,
}

impl Turn {
    fn cost(&self) -> u64 {
        let layer = self.given.and_then(|at| self.usable.get(at));
        layer.map_or(0, |layer| u64::from(layer.bits_per_second))
    }

    /// The next better layer that fits into what is left. False: there is none.
    fn raise(&mut self, left: &mut u64) -> bool {
        let own = self.cost();
        let from = self.given.map_or(0, |at| at + 1);
        let fits = |layer: &Layer| u64::from(layer.bits_per_second) <= *left + own;
        let Some(step) = self.usable.iter().skip(from).position(fits) else {
            return false;
        };
        self.given = Some(from + step);
        *left = *left + own - self.cost();
        true
    }
}

/// Gives each slot a layer (in `held.layer`), or none. `budget` is in bits per
/// second, without sound; `None`: there is no limit.
pub fn allocate(now: Instant, budget: Option<u64>, wishes: &mut [Wish]) {
    for wish in wishes.iter_mut() {
        wish.refresh();
    }
    let now_fits = hand_out(budget, wishes);
    let with_margin = budget.map(|budget| budget * 100 / (100 + MARGIN_PERCENT));
    let well_fits = match budget {
        Some(_) => hand_out(with_margin, wishes),
        None => now_fits.clone(),
    };
    for ((wish, fits), well) in wishes.iter_mut().zip(now_fits).zip(well_fits) {
        wish.held = settle(now, budget.is_none(), &wish.held, fits, well);
    }
}

/// Down at once; up to what fits with a margin, once that has lasted.
fn settle(
    now: Instant,
    unlimited: bool,
    held: &Held,
    fits: Option<Layer>,
    well: Option<Layer>,
) -> Held {
    let quality = |layer: Option<Layer>| layer.map(|layer| layer.quality());
    let fresh = |layer| Held {
        layer,
        fits_since: None,
        settled: true,
    };
    let cost = |layer: Option<Layer>| layer.map_or(0, |layer| layer.bits_per_second);
    let kept = held.layer;
    let better = quality(fits) > quality(kept);
    // A better layer for less needs no patience.
    if !held.settled || unlimited || !better || cost(fits) <= cost(kept) {
        return fresh(fits);
    }
    // With less to hand out, a larger slot may have left more to this one.
    let well = if cost(well) > cost(fits) { fits } else { well };
    if quality(well) <= quality(kept) {
        return fresh(kept);
    }
    let since = held.fits_since.unwrap_or(now);
    if now.saturating_duration_since(since) >= FITS_FOR {
        return fresh(well);
    }
    Held {
        layer: kept,
        fits_since: Some(since),
        settled: true,
    }
}

fn hand_out(budget: Option<u64>, wishes: &[Wish]) -> Vec<Option<Layer>> {
    let mut left = budget.unwrap_or(u64::MAX / 2);
    let mut turns: Vec<Turn> = wishes
        .iter()
        .enumerate()
        .map(|(at, wish)| Turn {
            at,
            rank: (Reverse(wish.prominent), Reverse(wish.height)),
            usable: wish.usable(),
            given: None,
        })
        .collect();
    turns.sort_by_key(|turn| turn.rank);
    for turn in &mut turns {
        turn.raise(&mut left);
    }
    for class in turns.chunk_by_mut(|a, b| a.rank == b.rank) {
        let mut shown: Vec<&mut Turn> = class.iter_mut().filter(|t| t.given.is_some()).collect();
        while shown
            .iter_mut()
            .fold(false, |any, turn| turn.raise(&mut left) | any)
        {}
    }
    let mut given = vec![None; wishes.len()];
    for turn in turns {
        given[turn.at] = turn.given.and_then(|at| turn.usable.get(at)).copied();
    }
    given
}

#[cfg(test)]
#[path = "allocate_tests.rs"]
mod tests;
