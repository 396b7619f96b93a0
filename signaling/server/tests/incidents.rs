//! Incidents over the wire: who is told what, and when.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_protocol::incident::{
    IncidentKind, IncidentLevel, IncidentState, ResponderState, TimelineWhat,
};
use liandong_protocol::{
    AccountId, Dossier, Incident, IncidentId, IncidentReport, IncidentStep, Push, RefusalCode,
    Reply, Request, SiteCode, Target,
};
use support::County;

fn report() -> Request {
    Request::ReportIncident {
        report: IncidentReport {
            kind: IncidentKind::Contingency,
            level: None,
            title: "河水漫堤".into(),
            text: "约二十户".into(),
            place: None,
            address: "河堤".into(),
            site: None,
        },
    }
}

fn step(incident: IncidentId, step: IncidentStep) -> Request {
    Request::IncidentStep { incident, step }
}

fn incident(push: &Push) -> Option<Incident> {
    match push {
        Push::Incident { incident } => Some(incident.clone()),
        _ => None,
    }
}

fn dossier(push: &Push) -> Option<Dossier> {
    match push {
        Push::Dossier { dossier } => Some(dossier.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn report_from_the_field_is_told_upwards_and_worked_on() {
    let county = County::new();
    let server = county.start();
    let (mut field, _) = county.client("field1").await;
    let (mut township, _) = county.client("101").await;
    let (mut other, _) = county.client("102").await;
    let (mut commander, _) = county.client("commander").await;

    let reply = field.ask_once(report(), Some("r")).await.unwrap();
    let Reply::Reported { incident: id } = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(field.ask_once(report(), Some("r")).await.unwrap(), reply);
    let told = township.push(incident).await;
    assert_eq!((told.id, told.state), (id, IncidentState::Reported));
    assert!(told.handles);
    assert_eq!(told.reporter_name, "Patrol");
    assert_eq!(told.reporter, Some(AccountId::from("field1")));
    assert!(commander.push(incident).await.handles);
    assert!(!field.push(incident).await.handles);

    let open = Request::OpenIncident { incident: Some(id) };
    let refusal = other.ask(open.clone()).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownIncident);
    let Reply::Dossier { dossier: whole } = township.ask(open).await.unwrap() else {
        panic!("no dossier");
    };
    assert_eq!(whole.text, "约二十户");
    assert_eq!(whole.timeline.len(), 1);

    let verify = IncidentStep::Verify {
        kind: IncidentKind::Sudden,
        level: IncidentLevel::II,
    };
    commander.ask(step(id, verify.clone())).await.unwrap();
    let refusal = commander.ask(step(id, verify)).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::NotNow);
    let send = IncidentStep::Assign {
        responders: vec![Target::Site {
            code: SiteCode::from("102"),
        }],
        text: "到场".into(),
    };
    commander.ask(step(id, send)).await.unwrap();
    // Who is sent is told of it from then on.
    let sent = other.push(incident).await;
    assert_eq!(sent.own_response, Some(ResponderState::Assigned));
    let arrived = IncidentStep::Respond {
        state: ResponderState::OnScene,
    };
    other.ask(step(id, arrived)).await.unwrap();
    let changed = township
        .push(|push| dossier(push).filter(|one| one.incident.on_scene == 1))
        .await;
    assert!(matches!(
        &changed.timeline.last().unwrap().what,
        TimelineWhat::Responded {
            state: ResponderState::OnScene,
            ..
        }
    ));
    drop(server);

    // It is in the journal: after a kill, everything is as it was.
    let _server = county.start();
    let (_commander, welcome) = county.client("commander").await;
    let Reply::Welcome { snapshot, .. } = welcome else {
        panic!("{welcome:?}");
    };
    assert_eq!(snapshot.incidents.len(), 1);
    assert_eq!(snapshot.incidents[0].state, IncidentState::Dispatched);
    let (_other, welcome) = county.client("101001").await;
    let Reply::Welcome { snapshot, .. } = welcome else {
        panic!("{welcome:?}");
    };
    assert!(
        snapshot.incidents.is_empty(),
        "a community of another place"
    );
}
