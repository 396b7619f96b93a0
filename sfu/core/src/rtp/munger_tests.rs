//! Random lives of an outgoing stream: switches, loss, reordering, wraps.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn start() -> Instant {
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    Instant::now()
}

fn packet(sequence: u64, timestamp: u32) -> Numbering {
    Numbering {
        sequence,
        timestamp,
        pictures: PictureIds::default(),
    }
}

fn picture(sequence: u64, timestamp: u32, id: u16, base_layer: u8) -> Numbering {
    Numbering {
        sequence,
        timestamp,
        pictures: PictureIds {
            picture_id: Some(id & 0x7fff),
            base_layer: Some(base_layer),
            frame_number: Some(id),
        },
    }
}

#[test]
fn switch_goes_on_by_the_time_that_passed() {
    let now = start();
    let mut munger = Munger::new(65_535);
    let first = munger.start(now, 'a', Clock::VIDEO, &packet(70_000, 5));
    assert_eq!(first.sequence as u16, 65_535);
    assert_eq!(first.timestamp, 5);
    let later = now + Duration::from_millis(100);
    let second = munger.start(later, 'b', Clock::VIDEO, &packet(90_000, 4_000_000_000));
    assert_eq!(second.sequence, first.sequence + 1);
    assert_eq!(second.timestamp, 5 + 9_000);
    let at_once = munger.start(later, 'c', Clock::VIDEO, &packet(1 << 20, 7));
    assert_eq!(at_once.timestamp, second.timestamp + 1);
}

#[test]
fn old_frames_are_squeezed_before_the_present_for_good() {
    let now = start();
    let mut munger = Munger::new(1);
    munger.start(now, 'a', Clock::VIDEO, &packet(70_000, 5));
    let later = now + Duration::from_millis(100);
    let joint = Joint {
        timestamp: None,
        present: Some(90_000),
    };
    let first = munger.join(later, 'b', Clock::VIDEO, &packet(80_000, 0), joint);
    let middle = munger.map(later, &packet(80_001, 45_000)).unwrap();
    let newest = munger.map(later, &packet(80_002, 90_000)).unwrap();
    assert_eq!(newest.timestamp, 5 + 9_000);
    assert_eq!(newest.timestamp - first.timestamp, 90_000 / SQUEEZE);
    assert!(first.timestamp > 5 && middle.timestamp > first.timestamp);
    let next = munger.map(later, &packet(80_003, 93_000)).unwrap();
    assert_eq!(next.timestamp, newest.timestamp + 3_000);
    let wire = middle.sequence as u16;
    assert_eq!(munger.again(wire, &packet(80_001, 45_000)), Some(middle));
    // Hours later, when timestamps have gone more than half a lap, nothing is squeezed.
    let mut timestamp = 93_000_u32;
    for sequence in 80_004..80_404 {
        timestamp = timestamp.wrapping_add(1 << 23);
        let mapped = munger.map(later, &packet(sequence, timestamp)).unwrap();
        let expected = next.timestamp.wrapping_add(timestamp.wrapping_sub(93_000));
        assert_eq!(mapped.timestamp, expected);
    }
}

#[test]
fn timestamps_follow_the_senders_clock_where_it_is_plausible() {
    let now = start();
    let step = Duration::from_millis(100);
    // (what the clock says, what becomes of it), both beyond the last timestamp
    for (says, becomes) in [(8_500, 8_500), (-400, 1), (0, 1), (9_000_000, 9_000)] {
        let mut munger = Munger::new(1);
        munger.start(now, 'a', Clock::VIDEO, &packet(70_000, 500_000));
        let joint = Joint {
            timestamp: Some(500_000_u32.wrapping_add_signed(says)),
            present: None,
        };
        let mapped = munger.join(now + step, 'b', Clock::VIDEO, &packet(9, 77), joint);
        assert_eq!(mapped.timestamp, 500_000 + becomes, "{says}");
    }
}

#[test]
fn picture_ids_go_on_and_wrap() {
    let now = start();
    let mut munger = Munger::new(1);
    munger.start(now, 'a', Clock::VIDEO, &picture(70_000, 0, 0x7ffe, 254));
    let last = munger
        .map(now, &picture(70_001, 3_000, 0x7fff, 255))
        .unwrap();
    assert_eq!(last.pictures.picture_id, Some(0x7fff));
    let next = munger.start(now, 'b', Clock::VIDEO, &picture(80_000, 0, 12, 34));
    assert_eq!(next.pictures.picture_id, Some(0));
    assert_eq!(next.pictures.base_layer, Some(0));
    let after = munger.map(now, &picture(80_001, 9, 13, 35)).unwrap();
    assert_eq!(after.pictures.picture_id, Some(1));
    assert_eq!(after.pictures.base_layer, Some(1));
}

#[test]
fn packets_from_before_the_start_are_not_mapped() {
    let now = start();
    let mut munger = Munger::new(1);
    assert_eq!(munger.map(now, &packet(99, 0)), None);
    munger.start(now, 'a', Clock::VIDEO, &packet(100, 0));
    assert_eq!(munger.map(now, &packet(99, 0)), None);
    munger.stop();
    assert_eq!(munger.map(now, &packet(101, 0)), None);
}

#[test]
fn left_out_packets_leave_no_gap_and_missing_ones_do() {
    let now = start();
    let mut munger = Munger::new(1);
    let zero = munger
        .start(now, 'a', Clock::VIDEO, &packet(100, 0))
        .sequence;
    // 101 is missing, 102 left out, 103 sent, 104 left out, 105 sent.
    assert!(munger.skip(102));
    let third = munger.map(now, &packet(103, 1)).unwrap();
    assert_eq!(third.sequence, zero + 2);
    assert!(munger.skip(104));
    assert_eq!(munger.map(now, &packet(105, 2)).unwrap().sequence, zero + 3);
    assert!(!munger.skip(101), "its number shows as a gap already");
    assert_eq!(munger.map(now, &packet(101, 0)).unwrap().sequence, zero + 1);
    assert_eq!(munger.map(now, &packet(102, 0)), None);
    for (wire, source) in [(0, 100), (1, 101), (2, 103), (3, 105)] {
        let wire = (zero + wire) as u16;
        assert_eq!(munger.sent(wire), Some(('a', source)));
        assert_eq!(
            munger.again(wire, &packet(source, 0)).unwrap().sequence as u16,
            wire
        );
    }
    assert_eq!(munger.sent((zero + 4) as u16), None);
}

#[test]
fn repair_works_across_a_switch() {
    let now = start();
    let mut munger = Munger::new(1);
    let old = munger.start(now, 'a', Clock::VIDEO, &picture(100, 50, 5, 6));
    munger.map(now, &picture(101, 60, 6, 7));
    let new = munger.start(now, 'b', Clock::VIDEO, &picture(900, 7_000, 70, 80));
    assert_eq!(munger.sent(old.sequence as u16), Some(('a', 100)));
    assert_eq!(munger.sent(new.sequence as u16), Some(('b', 900)));
    assert_eq!(
        munger.again(old.sequence as u16, &picture(100, 50, 5, 6)),
        Some(old)
    );
}

/// What a sender does next.
#[derive(Clone, Debug)]
enum Step {
    /// So many packets of one frame; each fate: 0 lost, 1 late, 2 left out, else in order.
    Frame(Vec<u8>),
    Switch {
        sequence: u16,
        timestamp: u32,
        picture_id: u16,
        base_layer: u8,
    },
    Pause(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fates = proptest::collection::vec(0..8_u8, 1..6);
    let step = prop_oneof![
        8 => fates.prop_map(Step::Frame),
        1 => (any::<u16>(), any::<u32>(), any::<u16>(), any::<u8>()).prop_map(
            |(sequence, timestamp, picture_id, base_layer)| Step::Switch { sequence, timestamp, picture_id, base_layer }),
        1 => (1..2_000_u16).prop_map(Step::Pause),
    ];
    proptest::collection::vec(step, 1..200)
}

/// One sender's numbers.
struct Sender {
    life: u32,
    sequence: u64,
    timestamp: u32,
    picture_id: u16,
    base_layer: u8,
}

#[derive(Default)]
struct Seen {
    /// Out sequence → (life, in sequence, timestamp).
    sent: BTreeMap<u64, (u32, u64, u32)>,
    /// Out numbers of packets that were lost before us: gaps that are right.
    gaps_in: usize,
    frames: Vec<(u32, Option<u16>, Option<u8>)>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every delivered packet gets a number of its own, gaps are exactly the
    /// packets that were lost, and frames go forward in time and picture id by
    /// one, over switches and all wraps.
    #[test]
    fn stream_stays_continuous(first in any::<u16>(), steps in steps()) {
        let mut now = start();
        let mut munger = Munger::new(first);
        let mut seen = Seen::default();
        let mut sender = Sender { life: 0, sequence: 65_536 + 65_530, timestamp: u32::MAX - 4_000, picture_id: 0x7ff0, base_layer: 250 };
        let mut live = false;
        for step in steps {
            match step {
                Step::Pause(milliseconds) => {
                    now += Duration::from_millis(u64::from(milliseconds));
                    sender.timestamp = sender.timestamp.wrapping_add(90 * u32::from(milliseconds));
                }
                Step::Switch { sequence, timestamp, picture_id, base_layer } => {
                    sender = Sender { life: sender.life + 1, sequence: 65_536 + u64::from(sequence), timestamp, picture_id, base_layer };
                    live = false;
                }
                Step::Frame(fates) => {
                    now += Duration::from_millis(40);
                    sender.timestamp = sender.timestamp.wrapping_add(3_600);
                    sender.picture_id = sender.picture_id.wrapping_add(1) & 0x7fff;
                    sender.base_layer = sender.base_layer.wrapping_add(1);
                    frame(&mut munger, &mut seen, &mut sender, &mut live, now, &fates);
                }
            }
        }
        check(&seen)?;
        for (out, (life, sequence, _)) in seen.sent.iter().rev().take(30) {
            if *life == sender.life {
                prop_assert_eq!(munger.sent(*out as u16), Some((*life, *sequence)));
            }
        }
    }
}

fn frame(
    munger: &mut Munger<u32>,
    seen: &mut Seen,
    sender: &mut Sender,
    live: &mut bool,
    now: Instant,
    fates: &[u8],
) {
    let mut late = Vec::new();
    let mut frame = None;
    let newest = |seen: &Seen| seen.sent.last_key_value().map(|(out, _)| *out);
    for fate in fates {
        let numbers = picture(
            sender.sequence,
            sender.timestamp,
            sender.picture_id,
            sender.base_layer,
        );
        sender.sequence += 1;
        match fate {
            0 if *live => seen.gaps_in += 1,
            1 if *live => late.push(numbers),
            2 if *live => assert!(munger.skip(numbers.sequence)),
            _ => {
                let mapped = if *live {
                    munger.map(now, &numbers).unwrap()
                } else {
                    *live = true;
                    munger.start(now, sender.life, Clock::VIDEO, &numbers)
                };
                assert!(newest(seen).is_none_or(|newest| mapped.sequence > newest));
                let before = seen.sent.insert(
                    mapped.sequence,
                    (sender.life, numbers.sequence, mapped.timestamp),
                );
                assert_eq!(before, None, "one number twice");
                frame = Some((
                    mapped.timestamp,
                    mapped.pictures.picture_id,
                    mapped.pictures.base_layer,
                ));
            }
        }
    }
    for numbers in late {
        let mapped = munger.map(now, &numbers).unwrap();
        let before = seen.sent.insert(
            mapped.sequence,
            (sender.life, numbers.sequence, mapped.timestamp),
        );
        assert_eq!(before, None, "one number twice");
        frame = Some((
            mapped.timestamp,
            mapped.pictures.picture_id,
            mapped.pictures.base_layer,
        ));
    }
    seen.frames.extend(frame);
}

fn check(seen: &Seen) -> Result<(), TestCaseError> {
    let (Some((first, _)), Some((last, _))) =
        (seen.sent.first_key_value(), seen.sent.last_key_value())
    else {
        return Ok(());
    };
    let holes = (last - first + 1) as usize - seen.sent.len();
    // Lost packets after the last delivered one of a life show no gap.
    prop_assert!(
        holes <= seen.gaps_in,
        "{} holes, {} lost",
        holes,
        seen.gaps_in
    );
    let mut inputs = BTreeSet::new();
    for (life, sequence, _) in seen.sent.values() {
        prop_assert!(inputs.insert((*life, *sequence)));
    }
    let mut order = seen
        .sent
        .values()
        .map(|(life, sequence, _)| (*life, *sequence));
    let first_input = order.next();
    order.try_fold(first_input, |before, input| {
        prop_assert!(before < Some(input), "order kept");
        Ok::<_, TestCaseError>(Some(input))
    })?;
    for pair in seen.frames.windows(2) {
        let step = pair[1].0.wrapping_sub(pair[0].0) as i32;
        prop_assert!(step > 0, "time went back by {}", step);
        let ids = pair[1].1.unwrap().wrapping_sub(pair[0].1.unwrap()) & 0x7fff;
        prop_assert!((1..0x4000).contains(&ids));
        let layers = pair[1].2.unwrap().wrapping_sub(pair[0].2.unwrap());
        prop_assert!((1..0x80).contains(&layers));
    }
    Ok(())
}

#[test]
fn what_was_sent_of_a_feed_that_has_ended_is_past() {
    let now = start();
    let mut munger = Munger::new(65_530);
    assert!(munger.is_past(65_530), "nothing was sent");
    munger.start(now, 'a', Clock::VIDEO, &packet(70_000, 5));
    munger.map(now, &packet(70_001, 5)).unwrap();
    assert!(!munger.is_past(65_530));
    munger.start(now, 'b', Clock::VIDEO, &packet(0, 7));
    assert!(munger.is_past(65_531));
    assert!(!munger.is_past(65_532));
    // Over more than a lap, and half a lap back.
    for sequence in 1..100_000 {
        munger.map(now, &packet(sequence, 7)).unwrap();
    }
    let newest = (munger.next - 1) as u16;
    assert!(!munger.is_past(newest) && !munger.is_past(newest.wrapping_sub(30_000)));
    munger.stop();
    assert!(munger.is_past(newest));
}
