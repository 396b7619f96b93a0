//! No allocation per forwarded packet.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use liandong_sfu_core::api::{Flushed, Outbox};

use crate::client::Wants;
use crate::world::World;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// Counts what the calling thread allocates.
struct Counting;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn forwarding_allocates_nothing() {
    let (mut world, ids) = World::call(1, 20, Wants::default(), 100);
    for &id in &ids[1..] {
        world.show(id, 0, Some(ids[0]));
    }
    world.run_media(Duration::from_secs(4));
    let mut outbox = Outbox::default();
    let mut forwarded = 0;
    let mut spent = 0;
    for frame in 0..60 {
        world.now += Duration::from_millis(33);
        let sender = world.clients.get_mut(&ids[0]).unwrap();
        sender.send_frame(8);
        sender.send_sound();
        let (path, packets) = (sender.path, std::mem::take(&mut sender.outgoing));
        let before = allocations();
        for mut packet in packets {
            world.engines[0].receive(world.now, path, &mut packet);
        }
        loop {
            outbox.clear();
            let flushed = world.engines[0].flush(world.now, &mut outbox);
            forwarded += outbox.datagrams.len();
            if flushed == Flushed::Done {
                break;
            }
        }
        // The first rounds size the buffers.
        if frame >= 10 {
            spent += allocations() - before;
        }
    }
    assert!(forwarded >= 60 * 19 * 8, "{forwarded}");
    assert_eq!(spent, 0);
}
