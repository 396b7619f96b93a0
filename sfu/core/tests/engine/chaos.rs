//! Minutes of joins, leaves, switches, mutes and losses over two workers, by dice:
//! no packet in a wrong slot, nothing heard from a closed gate, nothing left behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use liandong_sfu_core::api::{Command, Outbox};
use liandong_sfu_core::ids::{PeerId, SourceId, WorkerIndex};

use crate::client::{Client, Wants};
use crate::world::{ROOM, World, camera, microphone};

/// One way through the network, one step of the clock.
const IN_THE_AIR: Duration = Duration::from_millis(16);
/// Sources of another worker lag behind by one turn.
const TURN: Duration = Duration::from_millis(50);

/// Orders with their time.
type History<T> = Vec<(Instant, T)>;

#[derive(Default)]
struct Told {
    /// Who a slot was told to show, and since when.
    slots: BTreeMap<(PeerId, u8), History<Option<PeerId>>>,
    /// When a gate was closed or opened.
    gates: BTreeMap<SourceId, History<bool>>,
    joined: u32,
    left: Vec<Client>,
}

impl Told {
    fn slot_showed(&self, slot: (PeerId, u8), at: Instant, from: PeerId) -> bool {
        let history = self.slots.get(&slot).map_or(&[][..], Vec::as_slice);
        history.iter().enumerate().any(|(n, (since, source))| {
            let until = history.get(n + 1).map(|(next, _)| *next + IN_THE_AIR);
            *source == Some(from) && *since <= at && until.is_none_or(|until| at <= until)
        })
    }

    fn was_open(&self, source: SourceId, at: Instant) -> bool {
        let history = self.gates.get(&source).map_or(&[][..], Vec::as_slice);
        let ways = history.iter().rev().find(|(since, _)| *since <= at);
        let recently = history
            .iter()
            .any(|(since, _)| *since <= at && at <= *since + IN_THE_AIR + TURN);
        recently || ways.is_none_or(|(_, open)| *open)
    }
}

#[test]
fn a_long_day_of_calls() {
    for seed in 200..203 {
        day(seed);
    }
}

fn day(seed: u64) {
    let mut world = World::new(2, seed);
    let mut told = Told::default();
    for worker in 0..2 {
        spans(&mut world, worker, 0b11);
    }
    for _ in 0..250 {
        something(&mut world, &mut told);
        if world.clients.is_empty() {
            continue;
        }
        let time = 20 * (1 + world.dice.roll(10));
        world.run_media(Duration::from_millis(time));
    }
    let clients: Vec<PeerId> = world.clients.keys().copied().collect();
    for client in clients {
        leave(&mut world, &mut told, client);
    }
    world.run(Duration::from_millis(500), |_| {});
    let seen: usize = told.left.iter().map(|client| check(client, &told)).sum();
    assert!(seen > 5_000, "{seen}");
    nothing_is_left(&mut world);
}

fn spans(world: &mut World, worker: u8, workers: u64) {
    let spans = Command::RoomSpans {
        room: ROOM,
        workers,
    };
    world.order(WorkerIndex(worker), spans);
}

fn something(world: &mut World, told: &mut Told) {
    let now = world.now;
    let clients: Vec<PeerId> = world.clients.keys().copied().collect();
    let count = clients.len() as u64;
    let any = |world: &mut World| clients[world.dice.roll(count) as usize];
    match world.dice.roll(10) {
        0 if count < 12 => join(world, told),
        _ if count < 3 => join(world, told),
        1 if count > 6 => {
            let client = any(world);
            leave(world, told, client);
        }
        2 => {
            let source = match (any(world), world.dice.roll(2)) {
                (peer, 0) => camera(peer),
                (peer, _) => microphone(peer),
            };
            let open = world.dice.roll(2) == 0;
            world.order(source.peer.worker(), Command::Gate { source, open });
            told.gates.entry(source).or_default().push((now, open));
        }
        3 => {
            world.loss_up = world.dice.roll(10);
            world.loss_down = world.dice.roll(10);
        }
        4 => {
            let client = any(world);
            let level = 20 + world.dice.roll(100) as u8;
            world.clients.get_mut(&client).unwrap().level = level;
        }
        5 => {
            for client in world.clients.values_mut() {
                client.ask_for_missing();
            }
        }
        _ => {
            let (viewer, slot) = (any(world), world.dice.roll(2) as u8);
            let shown = any(world);
            let shown = (shown != viewer && world.dice.roll(8) != 0).then_some(shown);
            world.show(viewer, slot, shown);
            let history = told.slots.entry((viewer, slot)).or_default();
            history.push((now, shown));
        }
    }
}

fn join(world: &mut World, told: &mut Told) {
    told.joined += 1;
    let worker = world.dice.roll(2) as u8;
    let wants = Wants {
        rtx: world.dice.roll(4) != 0,
        sends_levels: world.dice.roll(4) != 0,
        ..Wants::default()
    };
    world.join(worker, told.joined, wants);
}

fn leave(world: &mut World, told: &mut Told, client: PeerId) {
    world.order(client.worker(), Command::Leave { peer: client });
    let now = world.now;
    for history in told.slots.values_mut() {
        if history
            .last()
            .is_some_and(|(_, shown)| *shown == Some(client))
        {
            history.push((now, None));
        }
    }
    told.left.extend(world.clients.remove(&client));
}

/// Gives how many packets it looked at.
fn check(client: &Client, told: &Told) -> usize {
    let mut looked_at = 0;
    for slot in 0..client.wants.video_slots {
        for seen in client.video(slot) {
            let key = (client.id, slot as u8);
            let shown = told.slot_showed(key, seen.at, seen.from)
                // A repair is of what was rightly shown before.
                || (seen.late && told.slots[&key].iter().any(|(_, s)| *s == Some(seen.from)));
            assert!(shown, "{seen:?} in slot {slot} of {:?}", client.id);
            looked_at += 1;
        }
    }
    for seen in client.heard() {
        assert_ne!(seen.from, client.id);
        assert!(told.was_open(microphone(seen.from), seen.at), "{seen:?}");
        looked_at += 1;
    }
    looked_at
}

fn nothing_is_left(world: &mut World) {
    for worker in 0..2 {
        spans(world, worker, 0);
    }
    for engine in &mut world.engines {
        let mut outbox = Outbox::default();
        engine.flush(world.now, &mut outbox);
        assert!(outbox.datagrams.is_empty() && outbox.relays.is_empty());
        engine.handle_timeout(world.now + Duration::from_secs(1));
        assert_eq!(engine.poll_timeout(), None);
        assert!(engine.is_empty(), "{engine:?}");
        assert_eq!(engine.counters().dropped_malformed, 0);
    }
}
