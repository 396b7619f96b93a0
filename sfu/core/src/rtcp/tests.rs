//! Reading and writing against each other and against `rtc-rtcp`.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rtc_rtcp::packet::Packet;
use rtc_rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::source_description::SourceDescription;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};
use rtc_rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

use super::*;

const US: u32 = 0x1111_1111;
const THEM: u32 = 0x2222_2222;

fn start() -> Instant {
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    Instant::now()
}

fn theirs(bytes: &[u8]) -> Vec<Box<dyn Packet>> {
    let mut bytes = bytes;
    rtc_rtcp::packet::unmarshal(&mut bytes).unwrap()
}

fn block(ssrc: u32) -> ReportBlock {
    ReportBlock {
        ssrc,
        fraction_lost: 64,
        total_lost: 1_234,
        highest_sequence: 0x0001_abcd,
        jitter: 77,
        last_sender_report: 0x0102_0304,
        delay_since_sender_report: 65_536,
    }
}

fn info() -> SenderInfo {
    SenderInfo {
        ssrc: US,
        ntp: 0xe000_0000_8000_0000,
        rtp_timestamp: 90_000,
        packets: 10,
        octets: 12_000,
    }
}

#[test]
fn compound_is_read_by_others_and_by_us() {
    let mut out = Vec::new();
    sender_report(&mut out, &info(), &[block(THEM)]);
    sdes_cname(&mut out, US, "liandong");
    pli(&mut out, US, THEM);

    let packets = theirs(&out);
    let report = packets[0].as_any().downcast_ref::<SenderReport>().unwrap();
    assert_eq!((report.ssrc, report.ntp_time), (US, info().ntp));
    assert_eq!(report.reports[0].total_lost, 1_234);
    assert_eq!(report.reports[0].last_sequence_number, 0x0001_abcd);
    let sdes = packets[1]
        .as_any()
        .downcast_ref::<SourceDescription>()
        .unwrap();
    assert_eq!(&sdes.chunks[0].items[0].text[..], b"liandong");

    let mut compound = Compound::parse(&out).unwrap();
    let Some(Message::SenderReport {
        info: read,
        reports,
    }) = compound.next()
    else {
        panic!("no sender report");
    };
    assert_eq!(read, info());
    assert_eq!(reports.collect::<Vec<_>>(), [block(THEM)]);
    let Some(Message::Pli { sender, media }) = compound.next() else {
        panic!("no PLI");
    };
    assert_eq!((sender, media), (US, THEM));
    assert!(compound.next().is_none());
    assert_eq!(compound.skipped(), 1, "the SDES");
}

#[test]
fn every_length_of_cname_ends_on_a_word() {
    for length in 0..300 {
        let mut out = Vec::new();
        sdes_cname(&mut out, US, &"c".repeat(length));
        let packets = theirs(&out);
        let sdes = packets[0]
            .as_any()
            .downcast_ref::<SourceDescription>()
            .unwrap();
        assert_eq!(sdes.chunks[0].items[0].text.len(), length.min(255));
    }
}

#[test]
fn more_than_31_blocks_take_more_packets() {
    let blocks: Vec<ReportBlock> = (0..70).map(block).collect();
    let mut out = Vec::new();
    receiver_report(&mut out, US, &blocks);
    sender_report(&mut out, &info(), &blocks);
    let counts: Vec<u8> = theirs(&out).iter().map(|p| p.header().count).collect();
    assert_eq!(counts, [31, 31, 8, 31, 31, 8]);
    let read: Vec<ReportBlock> = Compound::parse(&out)
        .unwrap()
        .flat_map(|message| match message {
            Message::ReceiverReport { reports, .. } | Message::SenderReport { reports, .. } => {
                reports
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, [blocks.clone(), blocks].concat());
}

#[test]
fn loss_count_sticks_at_24_bits_and_keeps_its_sign() {
    for (lost, wire) in [(-5, -5), (i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000)] {
        let mut out = Vec::new();
        let report = ReportBlock {
            total_lost: lost,
            ..block(1)
        };
        receiver_report(&mut out, US, &[report]);
        let Some(Message::ReceiverReport { mut reports, .. }) =
            Compound::parse(&out).unwrap().next()
        else {
            panic!("no report");
        };
        assert_eq!(reports.next().unwrap().total_lost, wire);
    }
}

#[test]
fn empty_report_is_a_report() {
    let mut out = Vec::new();
    receiver_report(&mut out, US, &[]);
    let packets = theirs(&out);
    let report = packets[0]
        .as_any()
        .downcast_ref::<ReceiverReport>()
        .unwrap();
    assert_eq!((report.ssrc, report.reports.len()), (US, 0));
}

#[test]
fn nack_packs_across_the_wrap() {
    let lost = [0xfffe, 0xffff, 0x0000, 0x000e, 0x000f, 0x0100];
    let mut out = Vec::new();
    nack(&mut out, US, THEM, lost);
    let packets = theirs(&out);
    let read = packets[0]
        .as_any()
        .downcast_ref::<TransportLayerNack>()
        .unwrap();
    let pairs: Vec<(u16, u16)> = read
        .nacks
        .iter()
        .map(|n| (n.packet_id, n.lost_packets))
        .collect();
    // 0xfffe + 16 is 0x000e; 0x000f is one too far.
    assert_eq!(pairs, [(0xfffe, 0x8003), (0x000f, 0), (0x0100, 0)]);
    assert_eq!(nacked(&out), lost);

    out.clear();
    nack(&mut out, US, THEM, []);
    assert!(out.is_empty());
}

fn nacked(bytes: &[u8]) -> Vec<u16> {
    Compound::parse(bytes)
        .unwrap()
        .flat_map(|message| match message {
            Message::Nack {
                sender: US,
                media: THEM,
                lost,
            } => lost,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn remb_rounds_down_and_never_overflows() {
    for rate in [0, 1, 262_143, 262_144, 2_500_000, 10_000_000_000, u64::MAX] {
        let mut out = Vec::new();
        remb(&mut out, US, rate, &[1, 2, 3]);
        let packets = theirs(&out);
        let other = packets[0]
            .as_any()
            .downcast_ref::<ReceiverEstimatedMaximumBitrate>()
            .unwrap();
        assert_eq!(other.ssrcs, [1, 2, 3]);
        let Some(Message::Remb {
            bits_per_second,
            ssrcs,
            ..
        }) = Compound::parse(&out).unwrap().next()
        else {
            panic!("no REMB");
        };
        assert_eq!(ssrcs.collect::<Vec<_>>(), [1, 2, 3]);
        assert!(
            bits_per_second <= rate && rate - bits_per_second <= rate >> 17,
            "{rate}"
        );
    }
    // The largest exponent and mantissa.
    let mut out = Vec::new();
    remb(&mut out, US, 1, &[]);
    out[17..20].fill(0xff);
    let Some(Message::Remb {
        bits_per_second, ..
    }) = Compound::parse(&out).unwrap().next()
    else {
        panic!("no REMB");
    };
    assert_eq!(bits_per_second, u64::MAX);
}

#[test]
fn fir_of_others_is_read() {
    let packet: Box<dyn Packet> = Box::new(FullIntraRequest {
        sender_ssrc: US,
        media_ssrc: 0,
        fir: vec![
            FirEntry {
                ssrc: THEM,
                sequence_number: 9,
            },
            FirEntry {
                ssrc: 5,
                sequence_number: 255,
            },
        ],
    });
    let bytes = rtc_rtcp::packet::marshal(&[packet]).unwrap();
    let Some(Message::Fir { sender, entries }) = Compound::parse(&bytes).unwrap().next() else {
        panic!("no FIR");
    };
    assert_eq!(sender, US);
    assert_eq!(entries.collect::<Vec<_>>(), [(THEM, 9), (5, 255)]);
}

#[test]
fn bad_member_does_not_hide_the_others() {
    let mut out = vec![0x81, 201, 0, 1, 0, 0, 0, 1]; // claims a block that is not there
    out.extend([0x81, 203, 0, 1, 0, 0, 0, 7]);
    out.extend([0x80, 207, 0, 0]); // XR
    out.extend([0xa1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4]); // PLI with padding
    out.extend([0x80, 200, 0, 9]); // cut off
    let mut compound = Compound::parse(&out).unwrap();
    let Some(Message::Bye { ssrcs }) = compound.next() else {
        panic!("no BYE");
    };
    assert_eq!(ssrcs.collect::<Vec<_>>(), [7]);
    assert!(matches!(
        compound.next(),
        Some(Message::Pli {
            sender: 1,
            media: 2
        })
    ));
    assert!(compound.next().is_none());
    assert_eq!(compound.skipped(), 3);
}

#[test]
fn what_is_no_rtcp_is_refused() {
    let parse = |bytes: &[u8]| Compound::parse(bytes).unwrap_err();
    assert_eq!(parse(&[]), RtcpError::Truncated);
    assert_eq!(parse(&[0x80, 200, 0, 1, 0, 0, 0]), RtcpError::Truncated);
    assert_eq!(parse(&[0xa0, 200, 0, 1, 0, 0, 0, 5]), RtcpError::Truncated);
    assert_eq!(parse(&[0x40, 200, 0, 0]), RtcpError::Version);
    assert_eq!(parse(&[0x80, 111, 0, 0]), RtcpError::Kind);
}

#[test]
fn run_of_no_length_is_refused() {
    // One status, but the chunk describes none.
    let body = [
        0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 9, 0, 1, 0, 0, 0, 0, 0x20, 0, 0, 0,
    ];
    assert!(Compound::parse(&body).unwrap().next().is_none());
}

/// Sequence number and arrival in µs of all packets in these feedbacks.
fn ours(bytes: &[u8]) -> Vec<(u16, Option<i64>)> {
    Compound::parse(bytes)
        .unwrap()
        .flat_map(|message| match message {
            Message::TransportFeedback(feedback) => feedback.statuses(),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The same, read by `rtc-rtcp`.
fn independent(bytes: &[u8]) -> Vec<(u16, Option<i64>)> {
    let mut read = Vec::new();
    for packet in theirs(bytes) {
        let feedback = packet.as_any().downcast_ref::<TransportLayerCc>().unwrap();
        let mut symbols = Vec::new();
        for chunk in &feedback.packet_chunks {
            match chunk {
                PacketStatusChunk::RunLengthChunk(run) => symbols.extend(std::iter::repeat_n(
                    run.packet_status_symbol,
                    usize::from(run.run_length),
                )),
                PacketStatusChunk::StatusVectorChunk(vector) => {
                    symbols.extend(&vector.symbol_list);
                }
            }
        }
        symbols.truncate(usize::from(feedback.packet_status_count));
        let mut deltas = feedback.recv_deltas.iter();
        let mut arrival = i64::from(feedback.reference_time) * 64_000;
        for (index, symbol) in symbols.into_iter().enumerate() {
            let sequence = feedback.base_sequence_number.wrapping_add(index as u16);
            let arrived = symbol != SymbolTypeTcc::PacketNotReceived;
            if arrived {
                arrival += deltas.next().unwrap().delta;
            }
            read.push((sequence, arrived.then_some(arrival)));
        }
        assert!(deltas.next().is_none());
    }
    read
}

fn drain(recorder: &mut TransportFeedbackRecorder) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let before = out.len();
        if !recorder.build(&mut out, US, THEM) {
            assert_eq!(out.len(), before);
            return out;
        }
        assert!(out.len() - before <= 1_200, "{} bytes", out.len() - before);
    }
}

#[test]
fn feedback_reports_arrivals_losses_and_their_times() {
    let start = start();
    let mut recorder = TransportFeedbackRecorder::new();
    assert!(!recorder.is_pending());
    for (ms, sequence) in [(0, 65_534), (5, 65_535), (100, 1), (7, 2)] {
        recorder.record(start + Duration::from_millis(ms), sequence);
    }
    assert!(recorder.is_pending());
    let bytes = drain(&mut recorder);
    let wanted = [
        (65_534, Some(0)),
        (65_535, Some(5_000)),
        (0, None),
        (1, Some(100_000)),
        (2, Some(7_000)),
    ];
    assert_eq!(ours(&bytes), wanted);
    assert_eq!(independent(&bytes), wanted);
    assert!(!recorder.is_pending());
}

#[test]
fn latecomer_is_reported_after_all() {
    let start = start();
    let mut recorder = TransportFeedbackRecorder::new();
    recorder.record(start, 10);
    recorder.record(start, 12);
    assert_eq!(ours(&drain(&mut recorder))[1], (11, None));
    recorder.record(start + Duration::from_millis(1), 11);
    recorder.record(start + Duration::from_millis(1), 11);
    assert_eq!(
        ours(&drain(&mut recorder)),
        [(11, Some(1_000)), (12, Some(0))]
    );
    // A duplicate of what was reported is no news.
    recorder.record(start, 12);
    assert!(!recorder.is_pending());
}

#[test]
fn long_silence_needs_a_new_reference_time() {
    let start = start();
    let mut recorder = TransportFeedbackRecorder::new();
    recorder.record(start, 1);
    recorder.record(start + Duration::from_secs(60), 2);
    let bytes = drain(&mut recorder);
    assert_eq!(theirs(&bytes).len(), 2);
    assert_eq!(ours(&bytes), [(1, Some(0)), (2, Some(60_000_000))]);
}

#[test]
fn wild_jump_starts_anew() {
    let start = start();
    let mut recorder = TransportFeedbackRecorder::new();
    recorder.record(start, 1);
    recorder.record(start, 20_000);
    assert_eq!(ours(&drain(&mut recorder)), [(20_000, Some(0))]);
    // Further back than is remembered.
    recorder.record(start, 19_000);
    assert!(!recorder.is_pending());
}

#[test]
fn feedback_packets_are_counted() {
    let start = start();
    let mut recorder = TransportFeedbackRecorder::new();
    for sequence in 0..300u16 {
        recorder.record(start, sequence);
        let bytes = drain(&mut recorder);
        let Some(Message::TransportFeedback(feedback)) = Compound::parse(&bytes).unwrap().next()
        else {
            panic!("no feedback");
        };
        assert_eq!(feedback.feedback_count, sequence as u8);
        assert_eq!((feedback.sender, feedback.media), (US, THEM));
    }
}

/// Steps of the sequence number, of time in µs, and whether a feedback is due.
fn journey() -> impl Strategy<Value = (u16, Vec<(i16, u32, bool)>)> {
    let step = prop_oneof![
        20 => Just(1i16),
        4 => 2..20i16,
        1 => 20..3_000i16,
        2 => -5..0i16,
    ];
    let pause = prop_oneof![
        10 => 0..2_000u32,
        3 => 2_000..400_000u32,
        1 => 400_000..20_000_000u32,
    ];
    let moves = proptest::collection::vec((step, pause, proptest::bool::weighted(0.05)), 1..150);
    (any::<u16>(), moves)
}

proptest! {
    #[test]
    fn feedback_round_trip((first, moves) in journey()) {
        let (mut now, mut sequence, mut epoch) = (start(), first, None);
        let mut recorder = TransportFeedbackRecorder::new();
        let mut arrived = std::collections::HashMap::new();
        let mut reported = std::collections::HashMap::new();
        let (mut distance, mut unreported) = (0i64, 0i64);
        for (step, pause, due) in moves {
            sequence = sequence.wrapping_add_signed(step);
            distance += i64::from(step);
            unreported += i64::from(step);
            // Beyond this a number would come again.
            if distance > 60_000 {
                break;
            }
            now += Duration::from_micros(pause.into());
            recorder.record(now, sequence);
            let (origin, lowest) = *epoch.get_or_insert((now, distance));
            // What was sent before the first arrival is not known to the recorder.
            if distance >= lowest {
                let elapsed = (now - origin).as_micros() as i64;
                arrived.entry(sequence).or_insert(elapsed / 250 * 250);
            }
            // Well within what the recorder remembers.
            if due || unreported > 1_000 {
                unreported = 0;
                let bytes = drain(&mut recorder);
                if !bytes.is_empty() {
                    let read = ours(&bytes);
                    prop_assert_eq!(&read, &independent(&bytes));
                    reported.extend(read);
                }
            }
        }
        let bytes = drain(&mut recorder);
        if !bytes.is_empty() {
            reported.extend(ours(&bytes));
        }
        reported.retain(|_, arrival| arrival.is_some());
        let arrived: std::collections::HashMap<_, _> =
            arrived.into_iter().map(|(sequence, arrival)| (sequence, Some(arrival))).collect();
        prop_assert_eq!(reported, arrived);
    }

    #[test]
    fn nack_round_trip(lost in proptest::collection::vec(any::<u16>(), 0..600)) {
        let mut out = Vec::new();
        nack(&mut out, US, THEM, lost.iter().copied());
        let read = if out.is_empty() { Vec::new() } else { nacked(&out) };
        let set = |list: &[u16]| list.iter().copied().collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(set(&read), set(&lost));
    }

    #[test]
    fn garbage_ends(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        kind in 198..208u8, count in 0..32u8, words in 0..48u16,
    ) {
        // Likely headers, so that bodies are reached.
        if let Some(head) = bytes.first_chunk_mut() {
            let [high, low] = words.to_be_bytes();
            *head = [0x80 | count, kind, high, low];
        }
        if let Ok(compound) = Compound::parse(&bytes) {
            for message in compound {
                let items = match message {
                    Message::SenderReport { reports, .. }
                    | Message::ReceiverReport { reports, .. } => reports.count(),
                    Message::Nack { lost, .. } => lost.count(),
                    Message::Fir { entries, .. } => entries.count(),
                    Message::Remb { ssrcs, .. } | Message::Bye { ssrcs } => ssrcs.count(),
                    Message::TransportFeedback(feedback) => feedback.statuses().count(),
                    Message::Pli { .. } => 0,
                };
                prop_assert!(items <= 0xffff);
            }
        }
    }
}
