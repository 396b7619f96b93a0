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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::assign;

    #[test]
    fn whoever_stays_wanted_keeps_his_slot() {
        let slots = assign(&[Some(1), Some(2), Some(3)], &[3, 4, 1], &[1, 2, 3, 4]);
        assert_eq!(slots, [Some(1), Some(4), Some(3)]);
    }

    #[test]
    fn the_first_wanted_win_when_slots_are_few() {
        let slots = assign(&[Some(3), None], &[1, 2, 3], &[1, 2, 3]);
        assert_eq!(slots, [Some(1), Some(2)]);
    }

    #[test]
    fn gaps_are_filled_in_the_order_wanted() {
        let slots = assign(&[None, Some(9), None], &[5, 9, 7], &[5, 7, 9]);
        assert_eq!(slots, [Some(5), Some(9), Some(7)]);
    }

    #[test]
    fn whoever_is_gone_makes_room_for_the_next_wanted() {
        let slots = assign(&[Some(1), Some(2)], &[1, 2, 3], &[2, 3]);
        assert_eq!(slots, [Some(3), Some(2)]);
    }

    #[test]
    fn nothing_wanted_shows_nothing() {
        assert_eq!(assign(&[Some(1), None], &[], &[1]), [None, None]);
        assert_eq!(assign(&[], &[1], &[1]), []);
    }

    proptest! {
        #[test]
        fn rules_of_the_stage(
            current in prop::collection::vec(prop::option::of(0..12_u8), 0..10),
            wanted in prop::collection::vec(0..12_u8, 0..16),
            present in prop::collection::vec(0..12_u8, 0..16),
        ) {
            let slots = assign(&current, &wanted, &present);
            prop_assert_eq!(slots.len(), current.len());

            // The first ones wanted that are there, and nobody else, once each.
            let mut expected = Vec::new();
            for one in &wanted {
                if present.contains(one) && !expected.contains(one) {
                    expected.push(*one);
                }
            }
            expected.truncate(current.len());
            let shown: Vec<u8> = slots.iter().flatten().copied().collect();
            let set: BTreeSet<u8> = shown.iter().copied().collect();
            prop_assert_eq!(set.len(), shown.len());
            prop_assert_eq!(&set, &expected.iter().copied().collect::<BTreeSet<u8>>());

            // Whoever was in a slot and is shown is in the first slot he had.
            for one in &set {
                if let Some(was) = current.iter().position(|slot| slot == &Some(*one)) {
                    prop_assert_eq!(slots[was], Some(*one));
                }
            }
            // Newcomers stand in the order wanted.
            let newcomers: Vec<u8> = shown.iter().copied().filter(|one| !current.contains(&Some(*one))).collect();
            let in_order: Vec<u8> = expected.iter().copied().filter(|one| newcomers.contains(one)).collect();
            prop_assert_eq!(newcomers, in_order);
            // Asked again, nothing moves.
            prop_assert_eq!(assign(&slots, &wanted, &present), slots);
        }
    }
}
