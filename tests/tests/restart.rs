//! kill -9 of the server in a live call.
#![allow(clippy::unwrap_used)] // a test fails by panicking, its helpers too

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use liandong_loadtest::bot::RequestError;
use liandong_loadtest::sites;
use liandong_protocol::{Request, Target};
use liandong_tests::{LiveCall, RawClient, ServerProcess};
use rusqlite::{Connection, OpenFlags};

const SITES: usize = 6;
/// Before the kill; as many as one client may send in a burst.
const ORDERS: u32 = 80;
/// How soon the call is to go on once the server is ready again.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// The idempotency keys of all orders in the journal.
fn keys_in_journal(server: &ServerProcess) -> BTreeSet<String> {
    let journal =
        Connection::open_with_flags(server.journal(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut events = journal.prepare("SELECT body FROM events").unwrap();
    events
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .filter_map(|body| {
            let body: serde_json::Value = serde_json::from_str(&body.unwrap()).unwrap();
            find_key(&body)
        })
        .collect()
}

/// The value of the field `key`, however deep the event's form has it.
fn find_key(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .get("key")
            .and_then(|key| key.as_str().map(str::to_owned))
            .or_else(|| fields.values().find_map(find_key)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_the_call_goes_on() {
    let mut server = ServerProcess::start().await.unwrap();
    let call = LiveCall::start(&server, SITES).await.unwrap();

    // A stream of orders; the server dies in the middle of it.
    let mut acknowledged = BTreeSet::new();
    let mut killed = None;
    for number in 0u32.. {
        let key = format!("order-{number}");
        let order = call.commander.order(
            Some(key.clone()),
            Request::MuteAll {
                conference: call.conference,
                muted: number % 2 == 0,
            },
        );
        tokio::pin!(order);
        let result = if number == ORDERS {
            // While the order is on its way.
            let sent = tokio::time::timeout(Duration::from_micros(500), &mut order).await;
            server.kill().unwrap();
            killed = Some(Instant::now());
            match sent {
                Ok(result) => result,
                Err(_) => order.await,
            }
        } else {
            order.await
        };
        match result {
            Ok(_) => {
                acknowledged.insert(key);
            }
            Err(RequestError::Lost) if killed.is_some() => break,
            Err(error) => panic!("order {number}: {error}"),
        }
    }
    assert!(acknowledged.len() >= ORDERS as usize);

    server.run().await.unwrap();
    call.goes_on("after the restart", BACK_WITHIN)
        .await
        .unwrap();
    let written = keys_in_journal(&server);
    let lost: Vec<_> = acknowledged.difference(&written).collect();
    assert!(
        lost.is_empty(),
        "acknowledged, but not in the journal: {lost:?}"
    );
    let verified = server.verify_journal().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    for bot in call.everyone() {
        let report = bot.report();
        let wrong: u64 = report
            .video_slots
            .iter()
            .map(|slot| slot.wrong_frames)
            .sum();
        assert_eq!(wrong, 0, "{}", report.account);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sent_again_after_the_restart_acts_once() {
    let mut server = ServerProcess::start().await.unwrap();
    let all = sites::read(None).unwrap();
    let mut client = RawClient::welcomed(&server, "commander").await.unwrap();
    let order = || Request::Call {
        targets: vec![Target::Site {
            code: all[1].code.clone(),
        }],
        title: None,
        ordered: false,
        incident: None,
    };
    let key = || Some("the-same-call".to_owned());
    let first = client.order(key(), order()).await.unwrap().unwrap();

    server.kill().unwrap();
    server.run().await.unwrap();

    let mut client = RawClient::welcomed(&server, "commander").await.unwrap();
    let second = client.order(key(), order()).await.unwrap().unwrap();
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_event_is_named() {
    let mut server = ServerProcess::start().await.unwrap();
    server.kill().unwrap();
    let journal = Connection::open(server.journal()).unwrap();
    // Whoever can alter the file can take its guards away, too.
    journal
        .execute_batch("DROP TRIGGER events_unaltered")
        .unwrap();
    let changed = journal
        .execute(
            "UPDATE events SET body = replace(body, '南江', '北江') WHERE seq = \
             (SELECT min(seq) FROM events WHERE body LIKE '%南江%')",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(journal);
    let verified = server.verify_journal().unwrap();
    assert!(!verified.status.success(), "{verified:?}");
}
