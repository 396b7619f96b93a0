//! Prints what the server would answer to an offer read from the standard
//! input: `cargo run -p liandong-sfu-core --example answer < offer.sdp`.

use std::io::Read;

use liandong_sfu_core::sdp::{AnswerParams, Candidate, CandidateProtocol, Offer, SlotSsrcs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let offer = Offer::parse(&text)?;
    let video_slots: Vec<SlotSsrcs> = (1..=49)
        .map(|slot| SlotSsrcs {
            ssrc: 1_000 + slot,
            rtx_ssrc: 2_000 + slot,
        })
        .collect();
    let (answer, negotiated) = offer.answer(&AnswerParams {
        session_id: 1,
        session_version: 1,
        ice_ufrag: "example1",
        ice_pwd: "example1example1example1",
        fingerprint: &[0xab; 32],
        candidates: &[Candidate {
            protocol: CandidateProtocol::Udp,
            addr: ([127, 0, 0, 1], 7_000).into(),
        }],
        cname: "example",
        video_slots: &video_slots,
        audio_slots: &[3_001, 3_002, 3_003, 3_004],
    })?;
    print!("{answer}");
    eprintln!("{negotiated:#?}");
    Ok(())
}
