//! Other platforms at the HTTP door: who may, what acts once, and what they are told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::process::Command;

use liandong_protocol::incident::{IncidentKind, IncidentLevel, IncidentState};
use liandong_protocol::platform::{PlatformIncident, PlatformIncidents, Problem, ProblemCode};
use liandong_protocol::{IncidentStep, Push, Request, Target};
use sha2::Digest as _;
use support::{County, GRID_TOKEN, PLATFORM_KEY, PLATFORM_TOKEN};

const REPORT: &str = r#"{"reference":"RX-1","kind":"contingency","title":"河水漫堤"}"#;

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// As docs/api.md shows it, with the real openssl.
fn signed(method: &str, path: &str, body: &str, time: u64, nonce: &str) -> String {
    let script = format!(
        "hash=$(printf '%s' '{body}' | sha256sum | cut -d' ' -f1)\n\
         printf '%s\\n%s\\n%s\\n%s\\n%s' {method} '{path}' {time} {nonce} \"$hash\" \
         | openssl dgst -sha256 -hmac {PLATFORM_KEY} | sed 's/.*= //'"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let mac = String::from_utf8(output.stdout).unwrap();
    format!(
        "Liandong-Signature: platform=12345, time={time}, nonce={nonce}, v1={}\r\n",
        mac.trim()
    )
}

fn now_s() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn problem(body: &str) -> ProblemCode {
    let problem: Problem = serde_json::from_str(body).unwrap();
    problem.code
}

fn incident(body: &str) -> PlatformIncident {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {body}"))
}

#[tokio::test]
async fn report_of_a_platform_reaches_the_desk_and_its_state_comes_back() {
    let county = County::with_platforms();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let token = bearer(PLATFORM_TOKEN);
    let (status, _, body) = county
        .http("POST", "/api/v1/incidents", &token, REPORT)
        .await;
    assert_eq!(status, 201, "{body}");
    let reported = incident(&body);
    assert_eq!(reported.state, IncidentState::Reported);
    assert_eq!(reported.site.0, "1", "the county looks into it");
    let told = commander
        .push(|push| match push {
            Push::Incident { incident } => Some(incident.clone()),
            _ => None,
        })
        .await;
    assert_eq!(
        (told.id, told.reporter_name.as_str()),
        (reported.id, "12345 热线")
    );

    for step in [
        IncidentStep::Verify {
            kind: IncidentKind::Sudden,
            level: IncidentLevel::II,
        },
        IncidentStep::Assign {
            responders: vec![Target::Site { code: "101".into() }],
            text: String::new(),
        },
        IncidentStep::Control {
            text: String::new(),
        },
        IncidentStep::Close {
            text: "已处置".into(),
        },
    ] {
        let incident = reported.id;
        commander
            .ask(Request::IncidentStep { incident, step })
            .await
            .unwrap();
    }
    let path = format!("/api/v1/incidents/{}", reported.id);
    let (status, _, body) = county.http("GET", &path, &token, "").await;
    assert_eq!(status, 200, "{body}");
    let closed = incident(&body);
    assert_eq!(closed.state, IncidentState::Closed);
    assert_eq!(closed.result.as_deref(), Some("已处置"));

    // Not of another platform; and not by whoever may only report.
    let (status, _, body) = county.http("GET", &path, &bearer(GRID_TOKEN), "").await;
    assert_eq!((status, problem(&body)), (403, ProblemCode::NotAllowed));
    let (status, _, body) = county.http("GET", "/api/v1/incidents/99", &token, "").await;
    assert_eq!((status, problem(&body)), (404, ProblemCode::NotFound));
}

#[tokio::test]
async fn request_sent_twice_acts_once_also_after_a_kill() {
    let county = County::with_platforms();
    let server = county.start();
    let token = bearer(PLATFORM_TOKEN);
    let keyed = format!("{token}Idempotency-Key: \"first\"\r\n");
    let (status, _, first) = county
        .http("POST", "/api/v1/incidents", &keyed, REPORT)
        .await;
    assert_eq!(status, 201, "{first}");
    drop(server);
    let _server = county.start();
    let (status, _, again) = county
        .http("POST", "/api/v1/incidents", &keyed, REPORT)
        .await;
    assert_eq!((status, incident(&again)), (201, incident(&first)));

    let other = REPORT.replace("河水漫堤", "另一件事");
    let (status, _, body) = county
        .http("POST", "/api/v1/incidents", &keyed, &other)
        .await;
    assert_eq!((status, problem(&body)), (422, ProblemCode::KeyReused));
    // The platform's own number is enough.
    let (status, _, body) = county
        .http("POST", "/api/v1/incidents", &token, REPORT)
        .await;
    assert_eq!((status, incident(&body).id), (200, incident(&first).id));
    let (_, _, body) = county
        .http("GET", "/api/v1/incidents?limit=1", &token, "")
        .await;
    let page: PlatformIncidents = serde_json::from_str(&body).unwrap();
    assert_eq!((page.incidents.len(), page.next_after), (1, None));
}

#[tokio::test]
async fn signed_request_is_taken_once_in_its_time_and_as_it_was_signed() {
    let county = County::with_platforms();
    let _server = county.start();
    let path = "/api/v1/incidents";
    let now = now_s();
    let right = signed("POST", path, REPORT, now, "nonce0001");
    let (status, _, body) = county.http("POST", path, &right, REPORT).await;
    assert_eq!(status, 201, "{body}");
    let (status, _, body) = county.http("POST", path, &right, REPORT).await;
    assert_eq!(
        (status, problem(&body)),
        (401, ProblemCode::NotAuthenticated)
    );
    assert!(body.contains("nonce"), "{body}");

    let other_body = signed("POST", path, REPORT, now, "nonce0002");
    let changed = REPORT.replace("漫堤", "决堤");
    let (status, _, _) = county.http("POST", path, &other_body, &changed).await;
    assert_eq!(status, 401);
    let old = signed("POST", path, REPORT, now - 400, "nonce0003");
    let (status, _, body) = county.http("POST", path, &old, REPORT).await;
    assert_eq!(status, 401);
    // How many seconds exactly depends on how fast this was.
    assert!(body.contains("s from the server's"), "{body}");
    // A file's hash is named, so that it is known whose it is before it is read.
    let files = "/api/v1/incidents/1/files";
    let picture = "GIF89a and what follows";
    let unnamed = signed("POST", files, picture, now, "nonce0005");
    let (status, _, body) = county.http("POST", files, &unnamed, picture).await;
    assert_eq!(status, 401);
    assert!(body.contains("body=HEX"), "{body}");
    let hash = hex::encode(sha2::Sha256::digest(picture));
    let named = unnamed.replace(", v1=", &format!(", body={hash}, v1="));
    let (status, _, body) = county
        .http("POST", files, &named, "GIF89a and another")
        .await;
    assert_eq!(status, 401, "{body}");
    let named = signed("POST", files, picture, now, "nonce0006");
    let named = named.replace(", v1=", &format!(", body={hash}, v1="));
    let (status, _, body) = county.http("POST", files, &named, picture).await;
    assert_eq!(status, 201, "{body}");
    let query = "/api/v1/incidents?reference=RX-1";
    let read = signed("GET", query, "", now, "nonce0004");
    let (status, _, body) = county.http("GET", query, &read, "").await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_as_a_problem() {
    let county = County::with_platforms();
    let _server = county.start();
    let token = bearer(PLATFORM_TOKEN);
    let grid = bearer(GRID_TOKEN);
    let path = "/api/v1/incidents";
    let long = format!(r#"{{"reference":"{}"}}"#, "x".repeat(70_000));
    for (headers, body, status, code) in [
        ("", REPORT, 401, ProblemCode::NotAuthenticated),
        (
            bearer("wrong").as_str(),
            REPORT,
            401,
            ProblemCode::NotAuthenticated,
        ),
        (
            "Authorization: Basic eDp5\r\n",
            REPORT,
            401,
            ProblemCode::NotAuthenticated,
        ),
        (&token, "{", 400, ProblemCode::Malformed),
        (&token, r#"{"reference":"1"}"#, 422, ProblemCode::Invalid),
        (
            &token,
            &REPORT.replace("RX-1", "RX 1"),
            422,
            ProblemCode::Invalid,
        ),
        (
            &token,
            &REPORT.replace("河水漫堤", " "),
            422,
            ProblemCode::Invalid,
        ),
        (&token, &long, 413, ProblemCode::TooLarge),
        (
            &format!("{token}Idempotency-Key: a b\r\n"),
            REPORT,
            400,
            ProblemCode::Malformed,
        ),
        (
            &grid,
            &REPORT.replace('}', r#","site":"102"}"#),
            403,
            ProblemCode::NotAllowed,
        ),
    ] {
        let (found, _, answer) = county.http("POST", path, headers, body).await;
        assert_eq!(
            (found, problem(&answer)),
            (status, code),
            "{body:.80} {answer}"
        );
    }
    // Reports of the grid platform go where it is at home; three a minute.
    let (status, _, body) = county.http("POST", path, &grid, REPORT).await;
    assert_eq!((status, incident(&body).site.0.as_str()), (201, "101"));
    county.http("POST", path, &grid, REPORT).await;
    let (status, _, body) = county.http("POST", path, &grid, REPORT).await;
    assert_eq!((status, problem(&body)), (429, ProblemCode::TooMany));

    let (status, head, body) = county.answer("DELETE", path, &token, "").await;
    assert!(head.contains("allow: "), "{head}");
    assert_eq!(
        (status, problem(&body)),
        (405, ProblemCode::MethodNotAllowed)
    );
    let (status, _, body) = county.http("GET", "/api/v1/nothing", &token, "").await;
    assert_eq!((status, problem(&body)), (404, ProblemCode::NotFound));
}

#[tokio::test]
async fn document_is_served_to_everybody() {
    let county = County::with_platforms();
    let _server = county.start();
    let (status, _, body) = county.http("GET", "/api/openapi.json", "", "").await;
    assert_eq!(status, 200);
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/v1/incidents"]["post"].is_object());
}
