//! What forwarding costs without the kernel: one 2.5 Mbit/s camera and a
//! microphone to many receivers, decrypted, written and sealed for each.
//! One `name: value` line each.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "../tests/engine/client.rs"]
mod client;
#[path = "../tests/engine/offer.rs"]
mod offer;
#[path = "../tests/engine/scalable.rs"]
mod scalable;
#[path = "../tests/engine/sending.rs"]
mod sending;
#[path = "../tests/engine/world.rs"]
mod world;

use std::time::{Duration, Instant};

use client::Wants;
use liandong_sfu_core::api::{Flushed, Outbox};
use world::World;

/// 30 frames of nine packets a second are 2.5 Mbit/s.
const PACKETS_PER_FRAME: usize = 9;
const FRAMES: usize = 300;

fn main() {
    for receivers in [50, 200] {
        let (forward_ns, receive_ns) = measure(receivers);
        println!("engine_forward_ns_{receivers}: {forward_ns}");
        println!("engine_receive_ns_{receivers}: {receive_ns}");
    }
}

/// Per forwarded, and per received packet.
fn measure(receivers: u32) -> (u128, u128) {
    let wants = Wants {
        video_slots: 4,
        ..Wants::default()
    };
    let (mut world, ids) = World::call(1, receivers + 1, wants, 1);
    for &id in &ids[1..] {
        world.show(id, 0, Some(ids[0]));
    }
    world.run(Duration::from_secs(2), |step| {
        let sender = step.clients.get_mut(&ids[0]).unwrap();
        if step.ms.is_multiple_of(30) {
            sender.send_large_frame(PACKETS_PER_FRAME);
        }
    });
    let mut outbox = Outbox::default();
    let (mut forwarded, mut received) = (0, 0);
    let (mut forwarding, mut receiving) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..FRAMES {
        world.now += Duration::from_millis(33);
        let sender = world.clients.get_mut(&ids[0]).unwrap();
        sender.send_large_frame(PACKETS_PER_FRAME);
        let (path, mut packets) = (sender.path, std::mem::take(&mut sender.outgoing));
        received += packets.len() as u128;
        let began = clock();
        for packet in &mut packets {
            world.engines[0].receive(world.now, path, packet);
        }
        receiving += clock() - began;
        let began = clock();
        loop {
            outbox.clear();
            let flushed = world.engines[0].flush(world.now, &mut outbox);
            forwarded += outbox.datagrams.len() as u128;
            if flushed == Flushed::Done {
                break;
            }
        }
        forwarding += clock() - began;
    }
    assert!(forwarded >= (FRAMES * PACKETS_PER_FRAME) as u128 * u128::from(receivers));
    (
        forwarding.as_nanos() / forwarded,
        receiving.as_nanos() / received,
    )
}

#[allow(clippy::disallowed_methods)] // a benchmark looks at the clock
fn clock() -> Instant {
    Instant::now()
}
