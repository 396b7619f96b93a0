//! Descriptors as Chromium's encoders write them, read and rewritten.

use proptest::prelude::*;

use super::*;
use crate::codec::bits::BitWriter;

/// A structure in short: per template its layers, its indications per decode
/// target ("-DSR") and its references back.
pub type Templates = &'static [(u8, u8, &'static str, &'static [u32])];

pub const L1T3: Templates = &[
    (0, 0, "SSS", &[]),
    (0, 0, "SSS", &[4]),
    (0, 1, "-DS", &[2]),
    (0, 2, "--D", &[1]),
];
/// Without the temporal layers.
pub const L2T1: Templates = &[
    (0, 0, "SR", &[2]),
    (0, 0, "SS", &[]),
    (1, 0, "-S", &[2, 1]),
    (1, 0, "-S", &[1]),
];
/// Spatial layers that depend on each other in keyframes only.
pub const L2T1_KEY: Templates = &[
    (0, 0, "S-", &[2]),
    (0, 0, "SS", &[]),
    (1, 0, "-S", &[2]),
    (1, 0, "-S", &[1]),
];

/// What a descriptor is to hold beside its mandatory fields.
#[derive(Clone, Copy, Default)]
pub struct Extended {
    pub structure: Option<Templates>,
    pub heights: &'static [u16],
    pub active: Option<u32>,
    pub indications: Option<&'static str>,
    pub references: Option<&'static [u32]>,
}

fn indications(writer: &mut BitWriter<'_>, text: &str) {
    for letter in text.chars() {
        writer
            .write("-DSR".find(letter).unwrap() as u32, 2)
            .unwrap();
    }
}

fn structure(writer: &mut BitWriter<'_>, offset: u32, templates: Templates, heights: &[u16]) {
    let targets = templates[0].2.len() as u32;
    writer.write(offset, 6).unwrap();
    writer.write(targets - 1, 5).unwrap();
    for pair in templates.windows(2) {
        let next = match (pair[1].0 - pair[0].0, pair[1].1 == pair[0].1) {
            (1, _) => 2,
            (_, true) => 0,
            (_, false) => 1,
        };
        writer.write(next, 2).unwrap();
    }
    writer.write(3, 2).unwrap();
    for template in templates {
        indications(writer, template.2);
    }
    for template in templates {
        for back in template.3 {
            writer.write(1, 1).unwrap();
            writer.write(back - 1, 4).unwrap();
        }
        writer.write(0, 1).unwrap();
    }
    // One chain for all decode targets: ns(targets + 1), then ns(1) is no bit at all.
    let width = (targets + 1).ilog2() + 1;
    let short = (1 << width) - (targets + 1);
    let bits = if 1 < short { width - 1 } else { width };
    writer
        .write(if 1 < short { 1 } else { 1 + short }, bits)
        .unwrap();
    for _ in templates {
        writer.write(0, 4).unwrap();
    }
    writer.write(u32::from(!heights.is_empty()), 1).unwrap();
    for height in heights {
        writer.write(u32::from(*height) * 16 / 9 - 1, 16).unwrap();
        writer.write(u32::from(*height) - 1, 16).unwrap();
    }
}

/// One descriptor; templates are numbered from 5 on.
pub fn descriptor(
    (start, end): (bool, bool),
    template: u8,
    number: u16,
    more: Extended,
) -> Vec<u8> {
    let mut out = [0; 255];
    let mut writer = BitWriter::new(&mut out);
    writer.write(u32::from(start), 1).unwrap();
    writer.write(u32::from(end), 1).unwrap();
    writer.write(u32::from(template) + 5, 6).unwrap();
    writer.write(u32::from(number), 16).unwrap();
    let flags = u32::from(more.structure.is_some()) << 4
        | u32::from(more.active.is_some()) << 3
        | u32::from(more.indications.is_some()) << 2
        | u32::from(more.references.is_some()) << 1;
    if flags != 0 {
        writer.write(flags, 5).unwrap();
        if let Some(templates) = more.structure {
            structure(&mut writer, 5, templates, more.heights);
        }
        if let Some(active) = more.active {
            let templates = more.structure.unwrap_or(L1T3);
            writer.write(active, templates[0].2.len() as u32).unwrap();
        }
        if let Some(text) = more.indications {
            indications(&mut writer, text);
        }
        if let Some(references) = more.references {
            for back in references {
                writer.write(3, 2).unwrap();
                writer.write(back - 1, 12).unwrap();
            }
            writer.write(0, 2).unwrap();
        }
    }
    let length = writer.length();
    out[..length].to_vec()
}

const WHOLE: (bool, bool) = (true, true);

fn target(spatial: u8, temporal: u8) -> LayerTarget {
    LayerTarget { spatial, temporal }
}

fn key(templates: Templates, template: u8) -> Vec<u8> {
    let more = Extended {
        structure: Some(templates),
        heights: if templates.len() == 4 && templates[2].0 == 1 {
            &[180, 360]
        } else {
            &[360]
        },
        ..Extended::default()
    };
    descriptor(WHOLE, template, 7, more)
}

#[test]
fn structure_gives_templates_their_meaning() {
    let mut reader = Reader::default();
    let delta = descriptor((true, false), 2, 9, Extended::default());
    assert_eq!(reader.read(&delta), None, "nothing is known yet");
    let first = reader.read(&key(L1T3, 0)).unwrap();
    assert!(first.has_structure && first.start && first.end);
    assert_eq!((first.number, first.references, first.far), (7, 0, false));
    let known = reader.structure().unwrap();
    assert_eq!((known.decode_targets(), known.chains()), (3, 1));
    assert_eq!(known.top(), target(0, 2));
    assert_eq!(known.resolutions().unwrap()[0], (640, 360));
    assert_eq!(known.active_within(target(3, 1)), 0b011);

    let delta = reader.read(&delta).unwrap();
    assert_eq!((delta.spatial, delta.temporal, delta.number), (0, 1, 9));
    assert_eq!((delta.start, delta.end), (true, false));
    assert_eq!(delta.references, 0b10);
    assert_eq!(delta.indication(target(0, 0)), Indication::NotPresent);
    assert_eq!(delta.indication(target(0, 1)), Indication::Discardable);
    assert_eq!(delta.indication(target(0, 2)), Indication::Switch);
    assert_eq!(delta.indication(LayerTarget::ALL), Indication::Switch);
    let unknown = descriptor(WHOLE, 4, 9, Extended::default());
    assert_eq!(reader.read(&unknown), None, "no such template");
}

#[test]
fn spatial_layers_have_sizes() {
    let mut reader = Reader::default();
    reader.read(&key(L2T1, 1)).unwrap();
    let known = reader.structure().unwrap();
    assert_eq!(known.top(), target(1, 0));
    assert_eq!(known.resolutions().unwrap()[..2], [(320, 180), (640, 360)]);
}

#[test]
fn custom_fields_stand_for_those_of_the_template() {
    let mut reader = Reader::default();
    reader.read(&key(L1T3, 0)).unwrap();
    let custom = Extended {
        active: Some(0b001),
        indications: Some("SRD"),
        references: Some(&[3, 64, 65]),
        ..Extended::default()
    };
    let frame = reader.read(&descriptor(WHOLE, 1, 9, custom)).unwrap();
    assert_eq!(frame.references, 1 << 2 | 1 << 63);
    assert!(frame.far && frame.has_active);
    assert_eq!(frame.indication(target(0, 0)), Indication::Switch);
    assert_eq!(frame.indication(target(0, 1)), Indication::Required);
    assert_eq!(frame.indication(target(2, 2)), Indication::Discardable);
    assert_eq!(reader.structure().unwrap().top(), target(0, 0));
}

#[test]
fn cut_descriptors_change_nothing() {
    let mut reader = Reader::default();
    reader.read(&key(L1T3, 0)).unwrap();
    let before = reader.structure().cloned();
    let other = key(L2T1, 1);
    // Three bytes are whole: the mandatory fields.
    for cut in (0..other.len()).filter(|cut| *cut != 3) {
        assert_eq!(reader.read(&other[..cut]), None, "{cut}");
    }
    assert_eq!(reader.structure().cloned(), before);
}

/// Everything but number and active decode targets stays.
fn rewritten(reader: &mut Reader, value: &[u8], active: Option<u32>) -> Frame {
    let before = reader.read(value).unwrap();
    let mut out = [0xff; MAX_LENGTH];
    let length = rewrite(value, &before, 0xabcd, active, &mut out).unwrap();
    let after = reader.read(&out[..length]).unwrap();
    assert_eq!(after.number, 0xabcd);
    assert_eq!(after.has_active, before.has_active || active.is_some());
    let same = Frame {
        number: before.number,
        has_active: before.has_active,
        active_at: before.active_at,
        ..after
    };
    assert_eq!(same, before);
    after
}

#[test]
fn copies_differ_in_number_and_active_targets() {
    let mut reader = Reader::default();
    rewritten(&mut reader, &key(L1T3, 0), None);
    assert_eq!(reader.structure().unwrap().top(), target(0, 2));
    rewritten(&mut reader, &key(L1T3, 0), Some(0b011));
    assert_eq!(reader.structure().unwrap().top(), target(0, 1));
    assert_eq!(
        reader.structure().unwrap().resolutions().unwrap()[0],
        (640, 360)
    );
    let plain = descriptor(WHOLE, 2, 9, Extended::default());
    rewritten(&mut reader, &plain, Some(0b001));
    assert_eq!(reader.structure().unwrap().top(), target(0, 0));
    let custom = Extended {
        active: Some(0b111),
        indications: Some("SRD"),
        references: Some(&[3, 64, 65]),
        ..Extended::default()
    };
    rewritten(&mut reader, &descriptor(WHOLE, 1, 9, custom), Some(0b010));
    assert_eq!(reader.structure().unwrap().top(), target(0, 1));
}

proptest! {
    #[test]
    fn garbage_is_read_and_rewritten(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..4), active: u32
    ) {
        let mut reader = Reader::default();
        reader.read(&key(L1T3, 0)).unwrap();
        for value in values {
            if let Some(frame) = reader.read(&value) {
                let mut out = [0; MAX_LENGTH];
                prop_assert!(rewrite(&value, &frame, 5, Some(active), &mut out).is_some());
            }
        }
    }
}
