//! Makes the seeds: well-formed input for each target, from which a fuzzer finds its way.

use std::time::Instant;

use super::media::epoch;
use crate::codec::dependency::tests::{Extended, L1T3, L2T1, Templates, descriptor};
use crate::rtcp;
use crate::rtp::{Extension, write_extensions};
use crate::transport::fuzzing::{client_hello, signed_check};

/// Target, name and contents.
pub type Seed = (&'static str, String, Vec<u8>);

/// Each piece behind its length.
fn joined(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::new();
    for piece in pieces {
        joined.extend((piece.len() as u16).to_be_bytes());
        joined.extend(piece);
    }
    joined
}

pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes| seeds.push((target, name.to_owned(), bytes));
    for (name, payloads) in streams() {
        add(name, "stream", joined(&payloads));
    }
    add("opus", "silk", vec![0x78; 40]);
    add("opus", "counted", vec![0xfb, 0x03, 1, 2, 3]);
    add(
        "red",
        "two_blocks",
        vec![0xef, 0x0f, 0x00, 2, 111, 9, 9, 1, 2],
    );
    for (name, templates) in [("l1t3", L1T3), ("l2t1", L2T1)] {
        add(
            "dependency_descriptor",
            name,
            joined(&descriptors(templates)),
        );
    }
    add(
        "extensions",
        "one_byte",
        block(&[(1, b"0"), (4, &[0x85]), (6, &[0, 1]), (7, &[1])]),
    );
    add(
        "extensions",
        "two_byte",
        block(&[(1, b"0"), (9, &[7; 40]), (4, &[])]),
    );
    add(
        "framing",
        "pieces",
        vec![4, 0, 3, 1, 2, 5, 3, 0, 0, 0, 1, 2, 9, 8, 2, 0xff, 0xff],
    );
    add("rtp", "padded", rtp(96, 7, 0xa0, &[1, 2, 3, 4, 0, 0, 0, 4]));
    add(
        "rtp",
        "extended",
        extended(96, 7, b"1", &[0x90, 0xe0, 0x80, 1, 2, 0x20, 0]),
    );
    for (name, bytes) in control() {
        add("rtcp", name, bytes);
    }
    let offers = [
        ("firefox", include_str!("../sdp/testdata/firefox.sdp")),
        (
            "simulcast",
            include_str!("../sdp/testdata/chromium-simulcast.sdp"),
        ),
    ];
    for (name, text) in offers {
        add("sdp", name, shortened(text).into_bytes());
    }
    add("sdp", "own", super::engine::offer().into_bytes());
    if let Some(check) = signed_check("evtj", "VOkJxbRl1RmTxUk/WvJxBt", "h6vY") {
        add("stun", "check", check);
    }
    let hello = client_hello();
    add(
        "dtls",
        "server",
        [vec![2], joined(&hello), joined(&hello)].concat(),
    );
    add("dtls", "client", [vec![3], joined(&hello)].concat());
    add("engine", "call", call());
    seeds
}

/// The session and its first two m-lines.
fn shortened(text: &str) -> String {
    let ends = text
        .match_indices("\nm=")
        .nth(2)
        .map_or(text.len(), |(at, _)| at + 1);
    text[..ends].to_owned()
}

/// Payloads of a few pictures by codec.
fn streams() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let vp8 = |id: u8, layer: u8, key: u8| {
        let data = [key, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 2, 0x68, 1];
        [&[0x90, 0xe0, 0x80, id, id, layer << 6 | 0x20][..], &data].concat()
    };
    let vp9 = |id: u8, sid: u8, inter: u8| {
        let structure = [0x38, 1, 64, 0, 180, 2, 128, 1, 104, 1, 0x04, 1];
        let head = [0xac | inter << 6 | 2, id, 0x10 | sid << 1 | sid, id];
        [&head[..], &structure, &[9; 8]].concat()
    };
    let flexible = vec![0xfc, 5, 0x24, 3, 4, 9, 9];
    let av1 = vec![
        0x28, 10, 0x08, 0x00, 0x00, 0x00, 0x42, 0x62, 0x7f, 0xb3, 0x80, 0x00, 0x30, 9, 9,
    ];
    let h264 = vec![
        0x78, 0, 15, 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x3c, 0x22,
        0x11, 0xa8, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88,
    ];
    let h265 = vec![
        0x60, 1, 0, 26, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00,
        0x03, 0x00, 0x00, 0x03, 0x00, 0x5d, 0xa0, 0x02, 0x80, 0x80, 0x2e, 0x1f, 0x13, 0xc0, 0, 3,
        0x26, 1, 0x80,
    ];
    vec![
        (
            "vp8",
            vec![vp8(1, 0, 0), vp8(2, 1, 1), vp8(3, 2, 1), vp8(4, 0, 1)],
        ),
        (
            "vp9",
            vec![
                vp9(1, 0, 0),
                vp9(1, 1, 0),
                vp9(2, 0, 1),
                vp9(2, 1, 1),
                flexible,
            ],
        ),
        ("av1", vec![av1, vec![0x50, 0x30, 9], vec![0x90, 9, 9]]),
        ("h264", vec![h264, vec![0x7c, 0x85, 0x88], vec![0x41, 0x9a]]),
        (
            "h265",
            vec![h265, vec![0x62, 1, 0x93, 0x80], vec![0x02, 1, 0x80]],
        ),
    ]
}

fn descriptors(templates: Templates) -> Vec<Vec<u8>> {
    let key = templates.iter().position(|template| template.3.is_empty());
    let first = Extended {
        structure: Some(templates),
        heights: &[180, 360][..usize::from(templates[2].0) + 1],
        active: Some(1),
        ..Extended::default()
    };
    let custom = Extended {
        indications: Some(&"SRD"[..templates[0].2.len()]),
        references: Some(&[3, 64, 65]),
        ..Extended::default()
    };
    vec![
        descriptor((true, true), key.unwrap_or(0) as u8, 7, first),
        descriptor((true, false), 2, 8, Extended::default()),
        descriptor((false, true), 2, 8, Extended::default()),
        descriptor((true, true), 1, 9, custom),
    ]
}

/// Without its head.
fn block(elements: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = [0; 256];
    let length = write_extensions(&mut out, elements).unwrap();
    out[4..length].to_vec()
}

fn rtp(payload_type: u8, sequence: u16, flags: u8, rest: &[u8]) -> Vec<u8> {
    let [high, low] = sequence.to_be_bytes();
    let head = [flags, payload_type, high, low, 0, 0, 0, low, 0, 0, 0, 3];
    [&head[..], rest].concat()
}

fn extended(payload_type: u8, sequence: u16, mid: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = [0; 64];
    let at = |extension| Extension::ALL.iter().position(|known| *known == extension);
    let id = at(Extension::Mid).unwrap() as u8 + 1;
    let wide = at(Extension::TransportCc).unwrap() as u8 + 1;
    let elements: [(u8, &[u8]); 2] = [(id, mid), (wide, &[0, sequence as u8])];
    let length = write_extensions(&mut out, &elements).unwrap();
    rtp(
        payload_type,
        sequence,
        0x90,
        &[&out[..length], payload].concat(),
    )
}

fn control() -> Vec<(&'static str, Vec<u8>)> {
    let mut nack = Vec::new();
    rtcp::nack(&mut nack, 1, 3, [5, 6, 30]);
    rtcp::pli(&mut nack, 1, 3);
    rtcp::remb(&mut nack, 1, 300_000, &[3]);
    let mut report = Vec::new();
    rtcp::receiver_report(&mut report, 1, &[]);
    rtcp::sdes_cname(&mut report, 1, "someone");
    let mut wide = Vec::new();
    let now: Instant = epoch();
    let mut recorder = rtcp::TransportFeedbackRecorder::new();
    for sequence in [1, 2, 5, 9] {
        recorder.record(
            now + std::time::Duration::from_millis(sequence),
            sequence as u16,
        );
    }
    recorder.build(&mut wide, 1, 3);
    vec![("feedback", nack), ("report", report), ("wide", wide)]
}

/// A camera in each codec, loss, switches and time passing.
fn call() -> Vec<u8> {
    const CLEAR: u8 = 1;
    const TIME: u8 = 4 | 5 << 4;
    const FLUSH: u8 = 6;
    let mut steps: Vec<Vec<u8>> = Vec::new();
    let mut sequence = 100;
    for (codec, payloads) in streams() {
        let payload_type = match codec {
            "vp8" => 96,
            "vp9" => 98,
            "h264" => 102,
            "av1" => 104,
            _ => 106,
        };
        for payload in payloads {
            sequence += 1;
            let packet = extended(payload_type, sequence, b"1", &payload);
            steps.push([vec![CLEAR], packet].concat());
        }
        steps.push(vec![FLUSH]);
        steps.push(vec![TIME]);
    }
    for (_, bytes) in control() {
        steps.push([vec![CLEAR | 8], bytes].concat());
    }
    steps.push(vec![5 | 8, 0]);
    steps.push(vec![FLUSH]);
    joined(&steps)
}
