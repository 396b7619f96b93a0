//! Forty-nine sites and the county in one call, through the real server.
#![allow(clippy::unwrap_used)] // a test fails by panicking, its helpers too

use std::time::Duration;

use liandong_loadtest::MediaPlan;
use liandong_loadtest::scenario::{CallScenario, call};
use liandong_loadtest::sites;
use liandong_protocol::AccountId;
use liandong_tests::ServerProcess;

/// The order's limit for the 95th percentile (DOMAIN: tapped → answered).
const MAX_ANSWER_P95_MS: f64 = 3_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn all_forty_nine_answer_and_each_receives_its_slots() {
    let server = ServerProcess::start().await.unwrap();
    let all = sites::read(None).unwrap();
    let scenario = CallScenario {
        sites: sites::spread(&all, 49).unwrap(),
        root: all[0].code.clone(),
        caller: AccountId::from("commander"),
        caller_slots: 49,
        duration: Duration::from_secs(10),
        by_plan: false,
        max_answer_p95_ms: MAX_ANSWER_P95_MS,
        tile_height: None,
        server: None,
    };
    let fleet = server.fleet(Some(MediaPlan::default())).unwrap();
    let report = call(&fleet, &scenario).await.unwrap();
    assert!(report.passed(), "{}", report.in_words());

    for inside in ["handover_full", "relay_full", "send_full"] {
        let label = format!("reason=\"{inside}\"");
        let dropped = server
            .metric("liandong_media_dropped_total", &label)
            .await
            .unwrap();
        assert_eq!(dropped, 0.0, "packets dropped inside the server: {inside}");
    }
}
