//! Files of incidents: who may add and see them, what is taken, and that they last.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_protocol::incident::{IncidentFile, IncidentKind, TimelineWhat};
use liandong_protocol::platform::PlatformIncident;
use liandong_protocol::{Dossier, IncidentReport, Push, Refusal, RefusalCode, Reply, Request};
use support::{Client, County, GRID_TOKEN, PLATFORM_TOKEN};

/// Text all through, so that it goes as one.
const PICTURE: &str = "GIF89a and what follows";

async fn reported(client: &mut Client) -> u32 {
    let report = IncidentReport {
        kind: IncidentKind::Sudden,
        level: None,
        title: "山体滑坡".into(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: None,
    };
    match client
        .ask(Request::ReportIncident { report })
        .await
        .unwrap()
    {
        Reply::Reported { incident } => incident.0,
        other => panic!("{other:?}"),
    }
}

fn cookie(cookie: &str) -> String {
    format!("Cookie: {cookie}\r\n")
}

#[tokio::test]
async fn photo_from_the_field_is_seen_by_whoever_sees_the_incident_and_lasts() {
    let county = County::new();
    let server = county.start();
    let (mut field, _) = county.client("field1").await;
    let (mut township, _) = county.client("101").await;
    let id = reported(&mut field).await;
    let incident = liandong_protocol::IncidentId(id);
    let open = Request::OpenIncident {
        incident: Some(incident),
    };
    township.ask(open).await.unwrap();

    let own = cookie(&county.cookie("field1").await);
    let path = format!("/api/incidents/{id}/files");
    let named = format!("{path}?name=%E7%8E%B0%E5%9C%BA.gif&text=%E8%B7%AF%E6%96%AD");
    let (status, _, body) = county.http("POST", &named, &own, PICTURE).await;
    assert_eq!(status, 201, "{body}");
    let file: IncidentFile = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (file.media_type.as_str(), file.name.as_str()),
        ("image/gif", "现场.gif")
    );
    let told: Dossier = township
        .push(|push| match push {
            Push::Dossier { dossier } if !dossier.files.is_empty() => Some(dossier.clone()),
            _ => None,
        })
        .await;
    assert_eq!(told.files, std::slice::from_ref(&file));
    let TimelineWhat::Attached { text, .. } = &told.timeline.last().unwrap().what else {
        panic!("{:?}", told.timeline);
    };
    assert_eq!(text, "路断");

    let address = format!("{path}/{}", file.id);
    let above = cookie(&county.cookie("101").await);
    let (status, head, body) = county.answer("GET", &address, &above, "").await;
    assert_eq!((status, body.as_str()), (200, PICTURE));
    for line in [
        "content-type: image/gif",
        "content-disposition: inline; filename*=UTF-8''%E7%8E%B0%E5%9C%BA.gif",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; sandbox",
        "cache-control: private, no-cache",
    ] {
        assert!(head.contains(line), "{line} not in {head}");
    }
    let part = format!("{above}Range: bytes=0-5\r\n");
    let (status, _, body) = county.http("GET", &address, &part, "").await;
    assert_eq!((status, body.as_str()), (206, "GIF89a"));
    // Whoever does not see the incident sees no file of it.
    let elsewhere = cookie(&county.cookie("102").await);
    assert_eq!(county.http("GET", &address, &elsewhere, "").await.0, 404);
    assert_eq!(county.http("POST", &path, &elsewhere, PICTURE).await.0, 404);
    assert_eq!(county.http("GET", &address, "", "").await.0, 401);

    // A kill, a backup of the running server, and what is made of it.
    drop(server);
    let mut server = county.start();
    let above = cookie(&county.cookie("101").await);
    assert_eq!(county.http("GET", &address, &above, "").await.2, PICTURE);
    let copy = county.folder.path().join("copy");
    let (well, said) = county.run(&["backup", "--to"], &copy);
    assert!(well, "{said}");
    server.stop();
    std::fs::remove_dir_all(county.data()).unwrap();
    let (well, said) = county.run(&["restore", "--from"], &copy);
    assert!(well, "{said}");
    let _server = county.start();
    let above = cookie(&county.cookie("101").await);
    assert_eq!(county.http("GET", &address, &above, "").await.2, PICTURE);
    // An altered copy is told.
    let altered = copy.join("files").join(&file.id[..2]).join(&file.id);
    std::fs::write(&altered, "GIF89a and something else").unwrap();
    let other = county.folder.path().join("other");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_liandong"))
        .args(["restore", "--from"])
        .arg(&copy)
        .arg("--data")
        .arg(&other)
        .output()
        .unwrap();
    assert!(!output.status.success());
}

#[tokio::test]
async fn what_is_no_picture_sound_or_document_is_refused_and_leaves_nothing() {
    let county = County::with_platforms();
    let _server = county.start();
    let (mut field, _) = county.client("field1").await;
    let id = reported(&mut field).await;
    let own = cookie(&county.cookie("field1").await);
    let path = format!("/api/incidents/{id}/files");
    let html = "<!doctype html><script>alert(1)</script>";
    let (status, _, body) = county
        .http("POST", &format!("{path}?name=a.png"), &own, html)
        .await;
    let refusal: Refusal = serde_json::from_str(&body).unwrap();
    assert_eq!((status, refusal.code), (415, RefusalCode::UnsupportedFile));
    let (status, _, _) = county.http("POST", &path, &own, "").await;
    assert_eq!(status, 400);
    let strange = format!("{own}Origin: https://evil.example\r\n");
    assert_eq!(county.http("POST", &path, &strange, PICTURE).await.0, 403);

    // A platform adds to its own incidents, and to no others.
    let token = format!("Authorization: Bearer {PLATFORM_TOKEN}\r\n");
    let report = r#"{"reference":"RX-1","kind":"sudden","title":"滑坡"}"#;
    let (_, _, body) = county
        .http("POST", "/api/v1/incidents", &token, report)
        .await;
    let incident: PlatformIncident = serde_json::from_str(&body).unwrap();
    let files = format!("/api/v1/incidents/{}/files", incident.id);
    let (status, _, body) = county.http("POST", &files, &token, PICTURE).await;
    assert_eq!(status, 201, "{body}");
    let not_own = format!("/api/v1/incidents/{id}/files");
    assert_eq!(county.http("POST", &not_own, &token, PICTURE).await.0, 404);
    let grid = format!("Authorization: Bearer {GRID_TOKEN}\r\n");
    assert_eq!(county.http("POST", &files, &grid, PICTURE).await.0, 404);
    assert_eq!(county.http("POST", &files, "", PICTURE).await.0, 401);
    let new = std::fs::read_dir(county.data().join("files/new")).unwrap();
    assert_eq!(new.count(), 0);
}
