//! Who is shown in which video slot.

/// Assigns slots: whoever keeps being wanted keeps its slot, and gaps are
/// filled in the order of `wanted`. When more are wanted than there are slots,
/// the first ones get them. Only those of `present` are shown; the caller
/// leaves the viewer itself out of it, so nobody sees himself.
///
/// `current` says what each slot shows now; the result is as long.
#[must_use]
pub fn assign<P: Copy + Eq>(current: &[Option<P>], wanted: &[P], present: &[P]) -> Vec<Option<P>> {
    let mut shown: Vec<P> = Vec::with_capacity(current.len());
    for one in wanted {
        if shown.len() == current.len() {
            break;
        }
        if present.contains(one) && !shown.contains(one) {
            shown.push(*one);
        }
    }
    let mut slots: Vec<Option<P>> = Vec::with_capacity(current.len());
    for slot in current {
        // A participant stands in one slot only, even if `current` had it twice.
        let kept = slot.filter(|one| shown.contains(one) && !slots.contains(&Some(*one)));
        slots.push(kept);
    }
    let mut newcomers = shown
        .into_iter()
        .filter(|one| !current.contains(&Some(*one)))
        .collect::<Vec<P>>()
        .into_iter();
    for slot in &mut slots {
        if slot.is_none() {
            *slot = newcomers.next();
        }
    }
    slots
}
