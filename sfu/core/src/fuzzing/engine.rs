//! The whole engine with two connected peers, one of them hostile: any datagrams, sealed or not,
//! any order of commands, any time between them.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::media::epoch;
use super::pieces;
use crate::Engine;
use crate::api::{Command, EngineConfig, Flushed, Outbox, Outcome, Secrets, SlotView};
use crate::ids::{EncodingIndex, Path, PeerId, RoomId, SlotIndex, SourceId, Track, WorkerIndex};
use crate::rtp::Extension;
use crate::transport::fuzzing::{certificate, signed_check};

const ROOM: RoomId = RoomId(1);
const WORKER: WorkerIndex = WorkerIndex(0);
const UFRAG: &str = "them";
const SLOTS: u8 = 2;

/// Pieces whose first byte says what to do with the rest.
pub fn engine(data: &[u8]) {
    let mut world = World::new();
    for piece in pieces(data) {
        if let Some((&what, rest)) = piece.split_first() {
            world.step(what, rest);
        }
    }
    world.end();
}

struct World {
    engine: Engine,
    now: Instant,
    out: Outbox,
}

fn peer(serial: u8) -> PeerId {
    PeerId::new(WORKER, u32::from(serial))
}

fn path(serial: u8) -> Path {
    Path {
        local: 0,
        remote: ([192, 0, 2, serial], 40_000).into(),
    }
}

impl World {
    fn new() -> Self {
        let config = EngineConfig {
            worker: WORKER,
            certificate: certificate().clone(),
            candidates: vec![([127, 0, 0, 1], 7_000).into()],
            tcp_candidates: Vec::new(),
            max_peers: 4,
        };
        let now = epoch();
        let mut world = Self {
            engine: Engine::new(now, config, [9; 32]),
            now,
            out: Outbox::default(),
        };
        for serial in 0..2 {
            world.join(serial);
        }
        for serial in 0..2 {
            world.show(serial, 0, Some(1 - serial), SlotView::default());
        }
        world
    }

    fn join(&mut self, serial: u8) {
        let command = Command::Offer {
            peer: peer(serial),
            room: ROOM,
            sdp: offer(),
            secrets: Secrets([serial; 32]),
        };
        let Ok(Outcome::Answered { sdp, .. }) = self.engine.command(self.now, command) else {
            return; // a peer of this number is there
        };
        let value = |name: &str| {
            let found = sdp.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().to_owned()
        };
        let (ufrag, pwd) = (value("a=ice-ufrag:"), value("a=ice-pwd:"));
        if let Some(mut check) = signed_check(&ufrag, &pwd, UFRAG) {
            self.engine.receive(self.now, path(serial), &mut check);
        }
        self.engine.pretend_connected(self.now, peer(serial));
    }

    fn show(&mut self, serial: u8, slot: u8, of: Option<u8>, view: SlotView) {
        let source = of.map(|of| SourceId {
            peer: peer(of),
            track: Track::Camera,
        });
        let _ = self.engine.command(
            self.now,
            Command::SetSlot {
                peer: peer(serial),
                slot: SlotIndex(slot),
                source,
                view,
            },
        );
    }

    fn step(&mut self, what: u8, bytes: &[u8]) {
        let (serial, more) = (what >> 3 & 1, what >> 4);
        match what & 7 {
            0 => {
                let mut datagram = bytes.to_vec();
                self.engine.receive(self.now, path(more & 3), &mut datagram);
            }
            1..=3 => {
                self.engine.receive_clear(self.now, path(serial), bytes);
            }
            4 => {
                self.now += Duration::from_millis(1 << (more & 15));
                self.engine.handle_timeout(self.now);
            }
            5 => self.show(
                serial,
                more % (SLOTS + 1),
                [None, Some(0), Some(1)][bytes.len() % 3],
                view(bytes),
            ),
            6 => self.flush(),
            _ => self.order(serial, more, bytes),
        }
    }

    fn order(&mut self, serial: u8, which: u8, bytes: &[u8]) {
        let source = SourceId {
            peer: peer(serial),
            track: Track::Camera,
        };
        let command = match which & 7 {
            0 => Command::Gate {
                source,
                open: false,
            },
            1 => Command::Gate { source, open: true },
            2 => Command::Subscribe {
                source,
                encodings: 1 << (which >> 3),
                at: WorkerIndex(1),
            },
            3 => Command::Unsubscribe {
                source,
                at: WorkerIndex(1),
            },
            4 => Command::RequestKeyframe {
                source,
                encoding: EncodingIndex(which >> 3),
            },
            5 => Command::RoomSpans {
                room: ROOM,
                workers: 0b11,
            },
            6 if which >> 3 == 1 => Command::Shed {
                level: bytes.first().copied().unwrap_or_default(),
            },
            6 => Command::Leave { peer: peer(serial) },
            _ => return self.join(serial),
        };
        let _ = self.engine.command(self.now, command);
    }

    fn flush(&mut self) {
        loop {
            let flushed = self.engine.flush(self.now, &mut self.out);
            self.out.clear();
            if flushed == Flushed::Done {
                break;
            }
        }
        while self.engine.poll_event().is_some() {}
    }

    /// Whatever came: nothing is left when all are gone.
    fn end(&mut self) {
        self.flush();
        for serial in 0..2 {
            let _ = self
                .engine
                .command(self.now, Command::Leave { peer: peer(serial) });
        }
        // As the node does: a room lives on while the node says that it spans this worker.
        let _ = self.engine.command(
            self.now,
            Command::RoomSpans {
                room: ROOM,
                workers: 0,
            },
        );
        self.flush();
        assert!(self.engine.is_empty());
    }
}

/// By the first two bytes, if there are any.
fn view(bytes: &[u8]) -> SlotView {
    bytes
        .split_first_chunk()
        .map_or_else(SlotView::default, |(height, rest)| SlotView {
            prominent: rest.len() & 1 == 1,
            height: u16::from_be_bytes(*height) & 0x7ff,
        })
}

/// Sends a microphone and a camera, receives [`SLOTS`] videos and a voice.
pub(super) fn offer() -> String {
    let mut sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
                   a=group:BUNDLE 0 1 2 3 4\r\na=extmap-allow-mixed\r\n"
        .to_owned();
    let sections = [
        ("audio", "sendonly"),
        ("video", "sendonly"),
        ("video", "recvonly"),
        ("video", "recvonly"),
        ("audio", "recvonly"),
    ];
    for (mid, (kind, direction)) in sections.into_iter().enumerate() {
        section(&mut sdp, mid, kind, direction);
    }
    sdp
}

fn section(sdp: &mut String, mid: usize, kind: &str, direction: &str) {
    let types = if kind == "audio" {
        "111 63"
    } else {
        "96 97 98 99 102 103 104 105 106 107"
    };
    let fingerprint = certificate().fingerprint_sha256();
    // Writing to a string cannot fail.
    let _ = write!(
        sdp,
        "m={kind} 9 UDP/TLS/RTP/SAVPF {types}\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:{UFRAG}\r\n\
         a=ice-pwd:VOkJxbRl1RmTxUkWvJxBtVOk\r\na=fingerprint:{fingerprint}\r\n\
         a=setup:actpass\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
    );
    for (at, extension) in Extension::ALL.into_iter().enumerate() {
        let _ = write!(sdp, "a=extmap:{} {}\r\n", at + 1, extension.uri());
    }
    if kind == "audio" {
        sdp.push_str(
            "a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
             a=rtcp-fb:111 transport-cc\r\n",
        );
        return;
    }
    let codecs = [
        (96, "VP8"),
        (98, "VP9"),
        (102, "H264"),
        (104, "AV1"),
        (106, "H265"),
    ];
    for (payload_type, name) in codecs {
        let _ = write!(
            sdp,
            "a=rtpmap:{payload_type} {name}/90000\r\na=rtcp-fb:{payload_type} nack\r\n\
             a=rtcp-fb:{payload_type} nack pli\r\na=rtcp-fb:{payload_type} transport-cc\r\n\
             a=rtpmap:{0} rtx/90000\r\na=fmtp:{0} apt={payload_type}\r\n",
            payload_type + 1
        );
    }
    sdp.push_str(
        "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
         a=fmtp:98 profile-id=0\r\n",
    );
    if direction == "sendonly" {
        sdp.push_str("a=rid:q send\r\na=rid:h send\r\na=simulcast:send q;h\r\n");
    }
}
