//! A store that is damaged: said at the start, with what to do, and never run upon.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod support;

use liandong_protocol::{Reply, Request, SiteCode, Target};
use support::County;

fn call(code: &str) -> Request {
    Request::Call {
        targets: vec![Target::Site {
            code: SiteCode::from(code),
        }],
        title: None,
        ordered: true,
        incident: None,
    }
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    let mut windows = bytes.windows(what.len());
    windows.position(|window| window == what).unwrap()
}

/// All that is in the log goes into the store: what is altered there is not made good by it.
fn empty_log(county: &County) {
    let store = rusqlite::Connection::open(county.store()).unwrap();
    store
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

/// The server does not start, says this and how to go on; `journal verify` says it too.
fn refuses(county: &County, said: &str) -> String {
    let complaint = county.complaint_at_start();
    for part in [said, "liandong restore"] {
        assert!(complaint.contains(part), "{part} not in {complaint}");
    }
    let (sound, verified) = county.verify();
    assert!(!sound && verified.contains(said), "{verified}");
    complaint
}

#[tokio::test]
async fn altered_byte_that_a_snapshot_covers_is_found_before_anybody_signs_in() {
    let county = County::new();
    let mut server = county.start();
    let (mut commander, _) = county.client("commander").await;
    commander.ask(call("101")).await.unwrap();
    server.stop(); // with a snapshot
    empty_log(&county);
    let mut bytes = std::fs::read(county.store()).unwrap();
    let sound = bytes.clone();
    // All of them: pages that were divided hold old copies, too, which nobody reads.
    let name = b"accountRegistered";
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(name) {
            bytes[at] ^= 1;
        }
    }
    assert_ne!(bytes, sound);
    std::fs::write(county.store(), &bytes).unwrap();
    let complaint = refuses(&county, "journal is broken at entry");
    let (_, verified) = county.verify();
    let entry = |text: &str| {
        let (_, after) = text.split_once("at entry ").unwrap();
        after.split(':').next().unwrap().to_owned()
    };
    assert_eq!(entry(&complaint), entry(&verified));

    std::fs::write(county.store(), &sound).unwrap();
    drop(county.start());
}

#[tokio::test]
async fn torn_log_is_not_taken_for_a_short_one() {
    let county = County::new();
    let server = county.start();
    let (mut commander, _) = county.client("commander").await;
    for n in 0..3 {
        let key = format!("order-{n}");
        commander.ask_once(call("101"), Some(&key)).await.unwrap();
    }
    drop(server); // SIGKILL: the last entries are in the log alone
    let log = county.data().join("liandong.db-wal");
    let sound = std::fs::read(&log).unwrap();
    // Cut off within the last frame; a byte altered before it; no log at all.
    let cut = sound[..sound.len() - 2_000].to_vec();
    let mut altered = sound.clone();
    let at = find(&sound, b"order-1");
    altered[at] ^= 1;
    for damaged in [Some(cut), Some(altered), None] {
        let sound_store = std::fs::read(county.store()).unwrap();
        match damaged {
            Some(bytes) => std::fs::write(&log, bytes).unwrap(),
            None => std::fs::remove_file(&log).unwrap(),
        }
        refuses(&county, "acknowledged");
        std::fs::write(county.store(), sound_store).unwrap();
        std::fs::write(&log, &sound).unwrap();
        let index = county.data().join("liandong.db-shm");
        if index.exists() {
            std::fs::remove_file(index).unwrap();
        }
    }
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let again = commander.ask_once(call("101"), Some("order-2")).await;
    assert!(matches!(again, Ok(Reply::Called { .. })), "{again:?}");
}

#[tokio::test]
async fn file_that_is_no_database_is_said_so() {
    let county = County::new();
    county.start().stop();
    empty_log(&county);
    let mut bytes = std::fs::read(county.store()).unwrap();
    bytes[..16].fill(0);
    std::fs::write(county.store(), bytes).unwrap();
    refuses(&county, "journal is damaged");
}
