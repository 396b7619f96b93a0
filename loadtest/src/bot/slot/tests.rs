use super::*;
use crate::media::video::{Size, VideoLoop};

/// Feeds a slot with frames of sites.
struct Feed {
    slot: VideoSlot,
    decoder: Vp8Decoder,
    start: Instant,
    number: u16,
}

impl Feed {
    fn new() -> Self {
        Self {
            slot: VideoSlot::default(),
            decoder: Vp8Decoder::new().unwrap(),
            start: Instant::now(),
            number: 65_530,
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn announce(&mut self, index: Option<u16>, ms: u64) {
        let occupant = index.map(|index| Occupant {
            participant: 100 + u32::from(index),
            index: Some(index),
        });
        self.slot.announce(occupant, self.at(ms));
    }

    /// One frame, by its number in the site's loop.
    fn frame(&mut self, index: u16, number: usize, ms: u64) {
        let frame = VideoLoop::of(index, Size::SINGLE).unwrap().frames()[number].clone();
        let descriptor = vp8::Descriptor {
            picture_id: number as u16,
            ..vp8::Descriptor::default()
        };
        let parts: Vec<_> = vp8::payloads(&frame, descriptor).collect();
        let now = self.at(ms);
        for (i, part) in parts.iter().enumerate() {
            let head = (self.number, ms as u32 * 90, i + 1 == parts.len());
            self.number = self.number.wrapping_add(1);
            self.slot.packet(head, part, Some(&mut self.decoder), now);
        }
    }

    fn report(&self, ms: u64) -> SlotReport {
        self.slot.report(0, self.at(ms))
    }
}

#[test]
fn right_site_is_right_and_timed() {
    let mut feed = Feed::new();
    feed.announce(Some(5), 0);
    feed.frame(5, 1, 50); // an inter frame is not a first frame
    for i in 0..20 {
        feed.frame(5, 20 + i, 120 + 100 * i as u64);
    }
    let report = feed.report(3000);
    assert_eq!(report.frames, 21);
    assert_eq!(report.first_frame_ms, [120.0]);
    assert_eq!((report.pictures_checked, report.pictures_wrong), (1, 0));
    assert_eq!((report.wrong_frames, report.lost), (0, 0));
}

#[test]
fn wrong_site_is_found() {
    let mut feed = Feed::new();
    feed.announce(Some(5), 0);
    feed.frame(6, 0, 100);
    feed.frame(6, 1, 200);
    assert_eq!(feed.report(300).wrong_frames, 0, "may still be announced");
    assert_eq!(feed.report(1500).wrong_frames, 2);
    feed.frame(6, 2, 1500);
    assert_eq!(feed.report(2600).wrong_frames, 3);
}

#[test]
fn switch_allows_the_former_for_a_while() {
    let mut feed = Feed::new();
    feed.announce(Some(5), 0);
    feed.frame(5, 0, 10);
    feed.announce(Some(6), 1000);
    feed.frame(5, 1, 1100);
    feed.frame(6, 0, 1200);
    let report = feed.report(1300);
    assert_eq!((report.wrong_frames, report.switches), (0, 2));
    assert_eq!(report.first_frame_ms, [10.0, 200.0]);
    feed.frame(5, 2, 2500);
    assert_eq!(feed.report(4000).wrong_frames, 1);
}

#[test]
fn frames_before_their_announcement_are_right() {
    let mut feed = Feed::new();
    feed.frame(9, 0, 0);
    feed.frame(9, 1, 100);
    feed.announce(Some(9), 150);
    let report = feed.report(5000);
    assert_eq!(report.wrong_frames, 0);
    assert_eq!(report.first_frame_ms, [0.0]);
}

#[test]
fn same_word_twice_is_no_switch() {
    let mut feed = Feed::new();
    feed.announce(Some(5), 0);
    feed.announce(Some(5), 500);
    feed.announce(None, 600);
    assert_eq!(feed.report(700).switches, 1);
}

#[test]
fn frames_of_a_browser_are_counted_apart() {
    let mut feed = Feed::new();
    feed.announce(Some(0), 0);
    let plain = Bytes::from_static(&[0x90, 0x80, 0x80, 1, 0, 0, 0, 0x9d, 0x01, 0x2a, 9]);
    let now = feed.at(40);
    feed.slot.packet((1, 1, true), &plain, None, now);
    let report = feed.report(50);
    assert_eq!((report.foreign_frames, report.wrong_frames), (1, 0));
    assert_eq!(report.first_frame_ms, [40.0]);
}

#[test]
fn a_shuffle_is_right_if_the_word_follows() {
    let mut feed = Feed::new();
    feed.announce(Some(1), 0);
    feed.frame(2, 0, 100);
    feed.frame(3, 0, 200);
    feed.announce(Some(2), 300);
    feed.announce(Some(3), 310);
    feed.frame(1, 5, 320); // was on its way
    feed.frame(2, 1, 330);
    feed.frame(3, 1, 340);
    let report = feed.report(9000);
    assert_eq!((report.wrong_frames, report.frames), (0, 5));
    assert_eq!(report.first_frame_ms, [0.0, 0.0]);
}

#[test]
fn a_frame_before_both_the_announcement_and_the_name_is_right() {
    let mut feed = Feed::new();
    feed.frame(5, 0, 100);
    let stay = |index| {
        Some(Occupant {
            participant: 105,
            index,
        })
    };
    feed.slot.announce(stay(None), feed.at(110));
    feed.slot.announce(stay(Some(5)), feed.at(130));
    let report = feed.report(3000);
    assert_eq!(report.wrong_frames, 0);
    assert_eq!(report.first_frame_ms, [0.0]);
}
