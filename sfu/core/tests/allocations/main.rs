//! No allocation per forwarded packet: engines as in the other tests, and an allocator that counts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../engine/client.rs"]
#[allow(dead_code)] // shared with the other tests
mod client;
#[path = "../engine/offer.rs"]
#[allow(dead_code)] // shared with the other tests
mod offer;
#[path = "../engine/scalable.rs"]
#[allow(dead_code)] // shared with the other tests
mod scalable;
#[path = "../engine/sending.rs"]
#[allow(dead_code)] // shared with the other tests
mod sending;
#[path = "../engine/world.rs"]
#[allow(dead_code)] // shared with the other tests
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use client::Wants;
use liandong_sfu_core::api::{Flushed, Outbox};
use liandong_sfu_core::ids::PeerId;
use liandong_sfu_core::rtcp;
use scalable::Scheme;
use world::{World, server};

thread_local! {
    static COUNTS: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's, which also counts what the engines ask for.
struct Counting;

// SAFETY: passes everything on as it is; the counters are plain thread-local cells
// without destructors, so that counting never allocates.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises, passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises, passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    if COUNTS.get() {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    }
}

/// Does something and counts what it allocates.
fn counted<T>(act: impl FnOnce() -> T) -> (T, u64) {
    let before = ALLOCATIONS.get();
    COUNTS.set(true);
    let result = act();
    COUNTS.set(false);
    (result, ALLOCATIONS.get() - before)
}

/// What engines did and allocated meanwhile.
#[derive(Debug, Default)]
struct Cost {
    forwarded: u64,
    retransmitted: u64,
    relayed: u64,
    allocations: u64,
}

const WARM_UP: u32 = 40;
const COUNTED: u32 = 60;

/// Frames, sounds and requests for what got lost, in a call that has run for a while.
fn forward(workers: u8, wants: Wants) -> Cost {
    const CLIENTS: u32 = 6;
    let (mut world, ids) = World::call(workers, CLIENTS, wants, 5);
    for (n, &id) in ids.iter().enumerate() {
        for slot in 0..2 {
            let shown = ids[(n + 1 + usize::from(slot)) % ids.len()];
            world.show(id, slot, Some(shown));
        }
    }
    world.run_media(Duration::from_secs(1));
    if wants.scheme != Scheme::Flat {
        // The voices of four, and half of what two cameras send.
        let bits = if wants.scheme == Scheme::Vp9Spatial {
            450_000
        } else {
            300_000
        };
        for client in world.clients.values_mut() {
            let ssrc = client.video_ssrc(0);
            client.send_rtcp(|out| rtcp::remb(out, 77, bits, &[ssrc]));
        }
    }
    world.loss_down = 20;
    world.run_media(Duration::from_secs(6));
    let counters = |world: &World| {
        let all = world.engines.iter().map(|engine| engine.counters());
        all.fold((0, 0), |sum, c| {
            (sum.0 + c.rtp_forwarded, sum.1 + c.retransmitted)
        })
    };
    let mut outbox = Outbox::default();
    let mut cost = Cost::default();
    let mut before = (0, 0);
    for round in 0..WARM_UP + COUNTED {
        if round == WARM_UP {
            // Until now buffers have grown to what is needed, and every slot has met loss.
            world.loss_down = 3;
            before = counters(&world);
            cost = Cost::default();
        }
        for &id in &ids {
            turn(&mut world, id, round, &mut outbox, &mut cost);
        }
        // What happens on ticks is per time, not per packet; it is not counted.
        world.run(Duration::from_millis(20), |_| {});
    }
    let after = counters(&world);
    cost.forwarded = after.0 - before.0;
    cost.retransmitted = after.1 - before.1;
    cost
}

/// One client's packets go through the engines, as a worker would have it.
fn turn(world: &mut World, id: PeerId, round: u32, outbox: &mut Outbox, cost: &mut Cost) {
    let now = world.now;
    let sender = world.clients.get_mut(&id).unwrap();
    sender.outgoing.clear();
    sender.send_sound();
    sender.send_frame(3);
    if round.is_multiple_of(4) {
        sender.ask_for_missing();
    }
    let path = sender.path;
    let outgoing = std::mem::take(&mut sender.outgoing);
    let own = usize::from(id.worker().0);
    for mut datagram in outgoing {
        let engine = &mut world.engines[own];
        let (_, allocations) = counted(|| engine.receive(now, path, &mut datagram));
        cost.allocations += allocations;
    }
    for at in 0..world.engines.len() {
        let mut flushed = Flushed::More;
        while flushed == Flushed::More {
            outbox.clear();
            let engine = &mut world.engines[at];
            let (result, allocations) = counted(|| engine.flush(now, outbox));
            flushed = result;
            cost.allocations += allocations;
            relay(world, at, outbox, cost);
            for datagram in &outbox.datagrams {
                let mut clients = world.clients.values_mut();
                // Some get lost, so that there is something to ask for.
                if world.dice.roll(100) >= world.loss_down
                    && let Some(client) = clients.find(|c| c.path == datagram.to)
                {
                    client.receive(now, server(), outbox.payload(datagram).to_vec());
                }
            }
        }
    }
}

fn relay(world: &mut World, from: usize, outbox: &mut Outbox, cost: &mut Cost) {
    for relay in outbox.relays.drain(..) {
        for (at, engine) in world.engines.iter_mut().enumerate() {
            if at != from && relay.workers & (1 << at) != 0 {
                let relay = relay.clone();
                let now = world.now;
                let ((), allocations) = counted(|| engine.relay(now, relay));
                cost.allocations += allocations;
                cost.relayed += 1;
            }
        }
    }
}

fn wants() -> Wants {
    Wants {
        rtx: true,
        ..Wants::default()
    }
}

#[test]
fn one_worker_allocates_nothing_per_packet() {
    let cost = forward(1, wants());
    println!("{cost:?}");
    assert!(
        cost.forwarded > 2_000 && cost.retransmitted > 20,
        "{cost:?}"
    );
    assert_eq!(cost.allocations, 0, "{cost:?}");
}

#[test]
fn nothing_across_workers_either() {
    let cost = forward(2, wants());
    println!("{cost:?}");
    assert!(cost.relayed > 500 && cost.retransmitted > 20, "{cost:?}");
    assert_eq!(cost.allocations, 0, "{cost:?}");
}

#[test]
fn selecting_layers_allocates_nothing_per_packet() {
    for scheme in [Scheme::Vp8Temporal, Scheme::Vp9Spatial, Scheme::Av1Temporal] {
        let cost = forward(1, Wants { scheme, ..wants() });
        println!("{scheme:?} {cost:?}");
        assert!(
            cost.forwarded > 1_000 && cost.retransmitted > 10,
            "{cost:?}"
        );
        assert_eq!(cost.allocations, 0, "{scheme:?} {cost:?}");
    }
}
