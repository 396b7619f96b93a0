//! Client 0: sends on time, on a thread of its own.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::clients::{Counts, Flow};
use crate::light::{Got, Light};
use crate::{PATIENCE, crowd, receive};

const SPEECH: Duration = Duration::from_millis(20);
/// Payload of each video packet, as in the raw loop.
const VIDEO_PAYLOAD: usize = 1_200;
/// Between looks at the socket while nothing is sent.
const IDLE: Duration = Duration::from_millis(10);
const SOON: Duration = Duration::from_millis(1);

pub struct Source {
    light: Light,
    socket: UdpSocket,
    counts: Arc<Counts>,
    epoch: Instant,
    keyframe: bool,
}

impl Source {
    pub fn new(light: Light, socket: UdpSocket, counts: Arc<Counts>) -> Self {
        Self {
            light,
            socket,
            counts,
            epoch: Instant::now(),
            keyframe: true,
        }
    }

    pub fn run(mut self, streams: &Receiver<(Duration, Flow)>) {
        loop {
            self.tend();
            match streams.recv_timeout(IDLE) {
                Ok((time, flow)) => self.stream(time, flow),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn stream(&mut self, time: Duration, flow: Flow) {
        self.await_keys();
        let start = Instant::now();
        let (mut next_speech, mut next_frame) = (start, start);
        while next_frame < start + time {
            let next = if flow.speech {
                next_frame.min(next_speech)
            } else {
                next_frame
            };
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            // RTP clocks of both streams: 48 and 90 kHz.
            let micros = self.epoch.elapsed().as_micros() as u64;
            if flow.speech && next == next_speech {
                next_speech += SPEECH;
                let packet = self.light.speech((micros * 48 / 1_000) as u32);
                self.send(&packet);
            }
            if next == next_frame {
                next_frame += flow.interval;
                let timestamp = (micros * 90 / 1_000) as u32;
                let keyframe = std::mem::take(&mut self.keyframe);
                let sizes = vec![VIDEO_PAYLOAD; flow.packets];
                self.light.tail = crowd::wall_ns().to_be_bytes();
                let packets = self.light.frame(timestamp, keyframe, &sizes);
                self.send_frame(&packets);
            }
            self.tend();
        }
    }

    /// The server is connected before its last flight of the handshake has come here.
    fn await_keys(&mut self) {
        let begun = Instant::now();
        while !self.light.is_connected() {
            assert!(begun.elapsed() < PATIENCE, "the source has no keys");
            std::thread::sleep(SOON);
            self.tend();
        }
    }

    /// All of one size.
    fn send_frame(&self, packets: &[Vec<u8>]) {
        let [first, _, ..] = packets else {
            return packets.iter().for_each(|packet| self.send(packet));
        };
        if receive::send_train(&self.socket, &packets.concat(), first.len() as u16).is_ok() {
            let sent = packets.len() as u64;
            self.counts.sent.fetch_add(sent, Ordering::Relaxed);
        }
    }

    fn send(&self, packet: &[u8]) {
        if self.socket.send(packet).is_ok() {
            self.counts.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what came and sends what is due beside media.
    fn tend(&mut self) {
        let now = Instant::now();
        let mut buffer = [0; 2_048];
        while let Ok(len) = self.socket.recv(&mut buffer) {
            if self.light.handle(now, &mut buffer[..len]) == Got::KeyframeWanted {
                self.keyframe = true;
            }
        }
        self.light.tick(now);
        while let Some(datagram) = self.light.transmits.pop_front() {
            let _ = self.socket.send(&datagram);
        }
    }
}
