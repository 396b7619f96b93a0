//! A disk that is full in a live call.
#![allow(clippy::unwrap_used)] // a test fails by panicking, its helpers too

use std::time::Duration;

use liandong_loadtest::bot::RequestError;
use liandong_protocol::{RefusalCode, Request};
use liandong_tests::{LiveCall, Room, ServerProcess, until};

const SITES: usize = 3;
/// The server looks once a second whether it can write again.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_refused_loudly_and_the_call_goes_on() {
    let server = ServerProcess::start_in(Some(Room::possible()))
        .await
        .unwrap();
    let call = LiveCall::start(&server, SITES).await.unwrap();
    let order = |muted| Request::MuteAll {
        conference: call.conference,
        muted,
    };
    let key = || Some("before".to_owned());
    call.commander.order(key(), order(true)).await.unwrap();

    server.fill().unwrap();
    for number in 0..20 {
        let key = Some(format!("refused-{number}"));
        let refused = call.commander.order(key, order(false)).await.unwrap_err();
        let RequestError::Refused(refusal) = refused else {
            panic!("{refused}");
        };
        assert_eq!(refusal.code, RefusalCode::JournalUnavailable, "{refusal:?}");
        assert!(refusal.retry_after_ms.is_some());
    }
    call.goes_on("with a full disk", SOON).await.unwrap();
    let health = server.get("/healthz").await.unwrap();
    assert!(health.starts_with("HTTP/1.1 503"), "{health}");
    assert!(health.contains("journal cannot be written"), "{health}");
    let writable = server
        .metric("liandong_journal_writable", "")
        .await
        .unwrap();
    assert!(writable < 0.5);
    let told = |said: &str| server.log().matches(said).count();
    assert_eq!(told("orders are refused"), 1, "{}", server.log());

    server.empty().unwrap();
    // Nobody has to order anything for it.
    until("the server is well again", SOON, || async {
        let health = server.get("/healthz").await;
        health.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    })
    .await
    .unwrap();
    assert_eq!(told("the journal is written again"), 1, "{}", server.log());
    let again = Some("refused-0".to_owned());
    call.commander.order(again, order(false)).await.unwrap();
    // Acknowledged before, and still known.
    call.commander.order(key(), order(true)).await.unwrap();
    call.goes_on("with room again", SOON).await.unwrap();
    let verified = server.verify_journal().unwrap();
    assert!(verified.status.success(), "{verified:?}");
}
