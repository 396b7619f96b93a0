//! Streams by steps: which packets go on, and with which marker.

use super::*;
use crate::codec::dependency::Reader;
use crate::codec::dependency::tests::{Extended, L1T3, L2T1, L2T1_KEY, Templates, descriptor};
use crate::codec::{vp8, vp9};

const fn up_to(spatial: u8, temporal: u8) -> LayerTarget {
    LayerTarget { spatial, temporal }
}

fn candidate(info: &LayerInfo, timestamp: u32, marker: bool) -> Candidate<'_> {
    Candidate {
        info,
        timestamp,
        marker,
    }
}

/// `id`, TID, Y.
fn vp8(id: u16, layer: u8, sync: bool) -> LayerInfo {
    let [high, low] = (id | 0x8000).to_be_bytes();
    let payload = [
        0x90,
        0xe0,
        high,
        low,
        7,
        layer << 6 | u8::from(sync) << 5,
        1,
    ];
    LayerInfo::Vp8(vp8::Descriptor::parse(&payload).unwrap())
}

#[test]
fn vp8_temporal_layers_by_steps() {
    const ALL: u8 = 2;
    // (target, TID, Y, goes on as which picture)
    let steps: &[(u8, u8, bool, Option<u16>)] = &[
        (ALL, 0, true, Some(0)), // the keyframe
        (ALL, 2, true, Some(1)),
        (ALL, 1, true, Some(2)),
        (ALL, 2, false, Some(3)),
        (0, 0, false, Some(4)),
        (0, 2, true, None), // down at once
        (0, 1, true, None),
        (0, 2, false, None),
        (ALL, 0, false, Some(5)),
        (ALL, 2, false, None), // refers to what was dropped
        (ALL, 1, false, None),
        (ALL, 2, true, None), // layer 1 is missing
        (ALL, 0, false, Some(6)),
        (ALL, 1, true, Some(7)),
        (ALL, 2, true, Some(8)),
        (1, 0, false, Some(9)),
        (1, 2, true, None),
        (1, 1, false, Some(10)),
        (ALL, 2, false, None),
        (ALL, 2, true, Some(11)),
    ];
    for first in [0, 0x7ff8] {
        let mut selector = Selector::default();
        for (at, (temporal, layer, sync, wanted)) in steps.iter().enumerate() {
            let id = (first + at as u16) & 0x7fff;
            let info = vp8(id, *layer, *sync);
            let packet = candidate(&info, at as u32, true);
            let verdict = selector.select(packet, up_to(0, *temporal));
            let shown = match verdict {
                Verdict::Forward(fix) => {
                    assert!(fix.marker);
                    Some(id.wrapping_sub(fix.left_out).wrapping_sub(first) & 0x7fff)
                }
                Verdict::Drop => None,
            };
            assert_eq!(shown, *wanted, "step {at} from {first}");
            // The picture's other packets, at any target; and sent again.
            assert_eq!(selector.select(packet, up_to(0, 0)), verdict, "step {at}");
            assert_eq!(selector.again(packet), Some(verdict), "step {at}");
        }
        assert_eq!(selector.current(), Some(up_to(0, 2)));
    }
}

#[test]
fn late_vp8_pictures_get_the_place_that_was_left_for_them() {
    let mut selector = Selector::default();
    let mut select = |id, layer, temporal| {
        let info = vp8(id, layer, layer > 0);
        match selector.select(candidate(&info, u32::from(id), true), up_to(0, temporal)) {
            Verdict::Forward(fix) => Some(id - fix.left_out),
            Verdict::Drop => None,
        }
    };
    assert_eq!(select(100, 0, 0), Some(100));
    assert_eq!(select(101, 1, 0), None);
    assert_eq!(select(103, 0, 0), Some(102), "102 is on its way");
    assert_eq!(select(104, 1, 0), None);
    assert_eq!(select(106, 0, 0), Some(104));
    assert_eq!(select(102, 0, 0), Some(101));
    assert_eq!(select(105, 1, 0), None);
    assert_eq!(select(107, 0, 0), Some(105), "a late one leaves its gap");
}

#[test]
fn vp8_without_ids_goes_on_whole() {
    let info = LayerInfo::Vp8(vp8::Descriptor::parse(&[0x90, 0x20, 0x80, 1]).unwrap());
    let mut selector = Selector::default();
    let verdict = selector.select(candidate(&info, 0, false), up_to(0, 0));
    assert_eq!(verdict, Verdict::Forward(Fix::marker(false)));
}

/// A frame in one packet: `id`, (SID, TID), U, P.
fn vp9(id: u8, (spatial, temporal): (u8, u8), up: bool, inter: bool) -> LayerInfo {
    let layers = temporal << 5 | u8::from(up) << 4 | spatial << 1 | u8::from(spatial > 0);
    let payload = [0xac | u8::from(inter) << 6, id & 0x7f, layers, 7, 1];
    LayerInfo::Vp9(vp9::Descriptor::parse(&payload).unwrap())
}

/// Each step: target, then what a picture of two spatial layers becomes: "!" is
/// an end of the picture, "-" not sent.
#[test]
fn vp9_spatial_layers_by_steps() {
    // (target, P of each layer, what goes on)
    let steps: &[(u8, [bool; 2], [&str; 2])] = &[
        (1, [false, false], ["0", "1!"]),
        (1, [true, true], ["0", "1!"]),
        (0, [true, true], ["0!", "-"]),   // down at once
        (1, [true, true], ["0!", "-"]),   // no way up
        (1, [true, false], ["0!", "1!"]), // an inter-layer switch point
        (1, [true, true], ["0", "1!"]),
        (0, [true, true], ["0!", "-"]),
        (1, [false, false], ["0", "1!"]), // a keyframe
        (3, [true, true], ["0", "1!"]),
    ];
    let mut selector = Selector::default();
    for (at, (target, inter, wanted)) in steps.iter().enumerate() {
        for layer in 0..2_u8 {
            let info = vp9(at as u8 + 126, (layer, 0), true, inter[usize::from(layer)]);
            let packet = candidate(&info, at as u32, layer == 1);
            let verdict = selector.select(packet, up_to(*target, 7));
            let shown = match verdict {
                Verdict::Forward(fix) => format!("{layer}{}", if fix.marker { "!" } else { "" }),
                Verdict::Drop => "-".to_owned(),
            };
            assert_eq!(shown, wanted[usize::from(layer)], "step {at}");
            assert_eq!(selector.again(packet), Some(verdict), "step {at}");
            assert_eq!(selector.select(packet, up_to(0, 0)), verdict, "step {at}");
        }
        let stuck = matches!(at, 2 | 3 | 6);
        assert_eq!(
            selector.wants_keyframe(LayerTarget::ALL),
            stuck,
            "step {at}"
        );
        let shown = if stuck { 0 } else { 1 };
        assert_eq!(selector.current(), Some(up_to(shown, 0)), "step {at}");
    }
}

#[test]
fn vp9_temporal_layers_by_steps() {
    // (target, TID, U, goes on)
    let steps: &[(u8, u8, bool, bool)] = &[
        (2, 0, true, true),
        (2, 2, true, true),
        (2, 1, true, true),
        (2, 2, false, true),
        (0, 0, false, true),
        (0, 2, true, false), // down at once; its U says nothing, it is not there
        (0, 1, true, false),
        (2, 2, false, false),
        (2, 0, false, true), // no switching point
        (2, 2, true, false),
        (2, 0, true, true), // a switching point
        (2, 2, true, true),
        (1, 1, true, true),
        (1, 2, true, false),
        (2, 2, false, false),
    ];
    let mut selector = Selector::default();
    for (at, (target, temporal, up, wanted)) in steps.iter().enumerate() {
        let info = vp9(at as u8, (0, *temporal), *up, at > 0);
        let verdict = selector.select(candidate(&info, at as u32, true), up_to(0, *target));
        assert_eq!(verdict != Verdict::Drop, *wanted, "step {at}");
        if let Verdict::Forward(fix) = verdict {
            assert_eq!(fix.left_out, 0, "ids keep their gaps");
        }
    }
}

/// A stream with a dependency descriptor, each frame in one packet.
struct Described {
    reader: Reader,
    templates: Templates,
    number: u16,
    selector: Selector,
}

impl Described {
    fn new(templates: Templates) -> Self {
        Self {
            reader: Reader::default(),
            templates,
            number: 65_530,
            selector: Selector::default(),
        }
    }

    /// "-" not sent, else the target announced, if any, and "!" for the picture's end.
    fn step(&mut self, picture: u32, template: u8, target: LayerTarget) -> String {
        let references = self.templates[usize::from(template)].3;
        let more = Extended {
            structure: references.is_empty().then_some(self.templates),
            ..Extended::default()
        };
        let value = descriptor((true, true), template, self.number, more);
        self.number = self.number.wrapping_add(1);
        let info = LayerInfo::Dependency(self.reader.read(&value).unwrap());
        let packet = candidate(&info, picture, false);
        let verdict = self.selector.select(packet, target);
        assert_eq!(self.selector.again(packet), Some(verdict));
        match verdict {
            Verdict::Drop => "-".to_owned(),
            Verdict::Forward(fix) => {
                let announced = fix.announce.map_or(String::new(), |target| {
                    format!("{}.{}", target.spatial, target.temporal)
                });
                format!("{announced}{}", if fix.marker { "!" } else { "" })
            }
        }
    }
}

#[test]
fn described_temporal_layers_by_steps() {
    let mut stream = Described::new(L1T3);
    // (target, template, what goes on): templates 0 key, 1 base, 2 middle, 3 top
    let steps: &[(u8, u8, &str)] = &[
        (2, 0, "0.2!"),
        (2, 3, "!"),
        (2, 2, "!"),
        (2, 3, "!"),
        (0, 1, "0.0!"), // down at once
        (0, 3, "-"),
        (0, 2, "-"),
        (0, 3, "-"),
        (2, 1, "0.2!"), // all can follow a switch frame of the base layer
        (2, 3, "!"),
        (0, 2, "-"),
        (2, 3, "-"), // refers to what was dropped
        (1, 1, "0.1!"),
        (1, 3, "-"),
        (1, 2, "!"),
        (0, 3, "-"), // down with a frame that is dropped: the next one tells
        (0, 1, "0.0!"),
        (1, 1, "0.1!"),
    ];
    for (at, (temporal, template, wanted)) in steps.iter().enumerate() {
        let shown = stream.step(at as u32, *template, up_to(0, *temporal));
        assert_eq!(shown, *wanted, "step {at}");
    }
    assert_eq!(stream.selector.current(), Some(up_to(0, 1)));
    assert!(!stream.selector.wants_keyframe(LayerTarget::ALL));
}

/// Pictures of two frames: target, keyframe, what goes on.
fn spatial_steps(templates: Templates, steps: &[(u8, bool, [&str; 2])]) -> Selector {
    let mut stream = Described::new(templates);
    for (at, (spatial, key, wanted)) in steps.iter().enumerate() {
        let kinds = if *key { [1, 3] } else { [0, 2] };
        let target = up_to(*spatial, 7);
        let shown = kinds.map(|template| stream.step(at as u32, template, target));
        assert_eq!(shown, *wanted, "step {at}");
    }
    stream.selector
}

#[test]
fn described_spatial_layers_by_steps() {
    let selector = spatial_steps(
        L2T1,
        &[
            (1, true, ["1.7", "!"]),
            (1, false, ["", "!"]),
            (0, false, ["0.7!", "-"]), // down at once
            (1, false, ["!", "-"]),
            (1, false, ["!", "-"]),
            (1, true, ["1.7", "!"]),
            (0, false, ["0.7!", "-"]),
        ],
    );
    assert!(selector.wants_keyframe(up_to(1, 7)));
    assert!(!selector.wants_keyframe(up_to(0, 7)));
}

#[test]
fn described_layers_of_their_own_switch_at_keyframes_only() {
    let selector = spatial_steps(
        L2T1_KEY,
        &[
            (1, true, ["1.7", "!"]),
            (1, false, ["-", "!"]), // the lower one is of no use
            (0, false, ["-", "!"]), // and can not be gone back to
            (0, true, ["0.7!", "-"]),
            (0, false, ["!", "-"]),
            (1, false, ["!", "-"]),
        ],
    );
    assert!(selector.wants_keyframe(up_to(1, 7)));
}

#[test]
fn past_feed_is_remembered_once() {
    let mut selection = Selection::default();
    let base = vp8(5, 0, false);
    let top = vp8(6, 1, true);
    selection.select('a', candidate(&base, 1, true), up_to(0, 0));
    let dropped = selection.select('a', candidate(&top, 2, true), up_to(0, 0));
    assert_eq!(dropped, Verdict::Drop);
    let forwarded = selection.select('b', candidate(&base, 3, true), up_to(0, 0));
    assert_eq!(forwarded, Verdict::Forward(Fix::marker(true)));
    assert_eq!(
        selection.again('a', candidate(&top, 2, true)),
        Some(dropped)
    );
    assert_eq!(selection.again('b', candidate(&top, 2, true)), None);
    selection.select('c', candidate(&base, 4, true), up_to(0, 0));
    assert_eq!(selection.again('a', candidate(&top, 2, true)), None);
    assert_eq!(
        selection.again('b', candidate(&base, 3, true)),
        Some(forwarded)
    );
}

#[test]
fn a_sender_may_change_its_codec() {
    let mut selector = Selector::default();
    let vp8 = vp8(5, 0, false);
    let vp9 = vp9(5, (0, 0), false, false);
    for info in [&LayerInfo::None, &vp8, &LayerInfo::None, &vp9, &vp8] {
        let verdict = selector.select(candidate(info, 0, false), up_to(0, 0));
        assert_ne!(verdict, Verdict::Drop);
    }
}
