//! Conducting a conference over the wire: who is told what, who is seated where.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_protocol::conduct::{
    Conduct, ConductNotice, ConferenceMode, DeviceOrderState, DoorState, MediaDevice,
    ParticipantRole, RollOrder, RollState, StayReason,
};
use liandong_protocol::incident::{IncidentKind, IncidentLevel};
use liandong_protocol::{
    ConferenceId, IncidentReport, IncidentStep, InvitationState, Participant, ParticipantId,
    ParticipantState, Push, RefusalCode, Reply, Request, SiteCode, Target,
};
use support::{Client, County};

fn site(code: &str) -> Target {
    Target::Site {
        code: SiteCode::from(code),
    }
}

/// An ordered call.
async fn call(client: &mut Client, codes: &[&str]) -> ConferenceId {
    let request = Request::Call {
        targets: codes.iter().map(|code| site(code)).collect(),
        title: Some("例会".into()),
        ordered: true,
        incident: None,
    };
    called(client.ask(request).await.unwrap())
}

fn called(reply: Reply) -> ConferenceId {
    match reply {
        Reply::Called { conference, .. } => conference,
        other => panic!("{other:?}"),
    }
}

/// Accepts what rings next.
async fn accept(client: &mut Client) -> ParticipantId {
    let invitation = client
        .push(|push| match push {
            Push::Ring { ring } => Some(ring.invitation),
            _ => None,
        })
        .await;
    match client.ask(Request::Accept { invitation }).await.unwrap() {
        Reply::Accepted { participant, .. } => participant,
        other => panic!("{other:?}"),
    }
}

async fn conduct(client: &mut Client, conference: ConferenceId, step: Conduct) -> Reply {
    let request = Request::Conduct { conference, step };
    client.ask(request).await.unwrap()
}

/// The next news of the participant that the condition holds for.
async fn told(
    client: &mut Client,
    id: ParticipantId,
    holds: impl Fn(&Participant) -> bool,
) -> Participant {
    client
        .push(|push| match push {
            Push::Participant { participant } if participant.id == id && holds(participant) => {
                Some(participant.clone())
            }
            _ => None,
        })
        .await
}

/// An incident of the commander's, verified and ready to be called about.
async fn incident(commander: &mut Client) -> liandong_protocol::IncidentId {
    let report = IncidentReport {
        kind: IncidentKind::Sudden,
        level: None,
        title: "山洪".into(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: None,
    };
    let reply = commander
        .ask(Request::ReportIncident { report })
        .await
        .unwrap();
    let Reply::Reported { incident } = reply else {
        panic!("{reply:?}");
    };
    let step = IncidentStep::Verify {
        kind: IncidentKind::Sudden,
        level: IncidentLevel::I,
    };
    commander
        .ask(Request::IncidentStep { incident, step })
        .await
        .unwrap();
    incident
}

#[tokio::test]
async fn hand_and_permission_are_told_to_all() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut township, _) = county.client("101").await;
    let meeting = call(&mut commander, &["101"]).await;
    let north = accept(&mut township).await;

    let chaired = Conduct::SetMode {
        mode: ConferenceMode::Chaired,
    };
    let refused = Request::Conduct {
        conference: meeting,
        step: chaired.clone(),
    };
    let refusal = township.ask(refused).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::NotChair);
    conduct(&mut commander, meeting, chaired).await;
    let listener = told(&mut township, north, |one| {
        one.role == ParticipantRole::Listener
    })
    .await;
    assert!(!listener.sound && !listener.picture);

    conduct(&mut township, meeting, Conduct::Hand { raised: true }).await;
    told(&mut commander, north, |one| one.hand_since_ms.is_some()).await;
    let permit = Conduct::Permit {
        participant: north,
        sound: true,
        picture: false,
    };
    conduct(&mut commander, meeting, permit).await;
    let heard = told(&mut township, north, |one| one.sound).await;
    assert!(!heard.picture);
    assert_eq!(heard.hand_since_ms, None);
}

#[tokio::test]
async fn an_incident_takes_a_site_out_of_a_meeting_and_its_device_is_seated_again_at_the_end() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut township, _) = county.client("101").await;
    let (mut community, _) = county.client("101001").await;
    let meeting = call(&mut township, &["101001"]).await;
    let place = accept(&mut community).await;

    let incident = incident(&mut commander).await;
    let request = Request::Call {
        targets: vec![site("101001")],
        title: Some("山洪".into()),
        ordered: true,
        incident: Some(incident),
    };
    let alarm = called(commander.ask(request).await.unwrap());
    accept(&mut community).await;
    told(&mut township, place, |one| {
        one.state == ParticipantState::Held
    })
    .await;
    let door = community
        .push(|push| match push {
            Push::Doors { doors } => doors.first().cloned(),
            _ => None,
        })
        .await;
    assert_eq!((door.conference, door.state), (meeting, DoorState::Held));

    commander
        .ask(Request::End { conference: alarm })
        .await
        .unwrap();
    let (conference, participant, reason) = community
        .push(|push| match push {
            Push::Stay {
                conference,
                participant,
                reason,
            } => Some((*conference, *participant, reason.clone())),
            _ => None,
        })
        .await;
    assert_eq!((conference, participant), (meeting, place));
    assert_eq!(reason, StayReason::GivenBack);
    // Whoever is in the meeting is told of both.
    let told = |push: &Push| match push {
        Push::Conducted {
            notice: ConductNotice::GivenBack { .. },
            ..
        } => Some(()),
        _ => None,
    };
    township.push(told).await;
}

#[tokio::test]
async fn place_that_is_kept_outlives_a_kill_of_the_server() {
    let county = County::new();
    let mut server = Some(county.start());
    let (mut commander, _) = county.client("commander").await;
    let (mut township, _) = county.client("101").await;
    let (mut community, _) = county.client("101001").await;
    let meeting = call(&mut township, &["101001"]).await;
    accept(&mut community).await;
    let incident = incident(&mut commander).await;
    let request = Request::Call {
        targets: vec![site("101001")],
        title: None,
        ordered: true,
        incident: Some(incident),
    };
    let alarm = called(commander.ask(request).await.unwrap());
    accept(&mut community).await;
    drop(server.take()); // SIGKILL

    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (_township, _) = county.client("101").await;
    let (mut community, welcome) = county.client("101001").await;
    let Reply::Welcome { snapshot, .. } = welcome else {
        panic!("{welcome:?}");
    };
    let held: Vec<ConferenceId> = snapshot
        .doors
        .iter()
        .filter(|door| door.state == DoorState::Held)
        .map(|door| door.conference)
        .collect();
    assert_eq!(held, [meeting]);
    commander
        .ask(Request::End { conference: alarm })
        .await
        .unwrap();
    let back = community
        .push(|push| match push {
            Push::Stay { conference, .. } => Some(*conference),
            _ => None,
        })
        .await;
    assert_eq!(back, meeting);
}

#[tokio::test]
async fn late_comer_waits_in_the_lobby_and_is_seated_when_admitted() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut township, _) = county.client("101").await;
    let (mut other, _) = county.client("102").await;
    let meeting = call(&mut commander, &["101", "102"]).await;
    accept(&mut township).await;
    accept(&mut other).await;
    conduct(&mut commander, meeting, Conduct::SetLobby { open: true }).await;
    township
        .ask(Request::Leave {
            conference: meeting,
        })
        .await
        .unwrap();
    let knock = Conduct::Enter { reason: None };
    assert_eq!(conduct(&mut township, meeting, knock).await, Reply::Done);
    let account = commander
        .push(|push| match push {
            Push::Conference { conference } => {
                conference.knocks.first().map(|one| one.account.clone())
            }
            _ => None,
        })
        .await;
    let admit = Conduct::Admit {
        account,
        admitted: true,
    };
    conduct(&mut commander, meeting, admit).await;
    let reason = township
        .push(|push| match push {
            Push::Stay { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, StayReason::Admitted);
}

#[tokio::test]
async fn who_is_inserted_is_rung_without_a_countdown_and_who_is_moved_is_told_why() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut township, _) = county.client("101").await;
    let (mut community, _) = county.client("101001").await;
    let (mut other, _) = county.client("102").await;
    let meeting = call(&mut township, &["101001"]).await;
    let place = accept(&mut community).await;
    let county_call = call(&mut commander, &["102"]).await;
    accept(&mut other).await;

    let moves = Conduct::Move {
        participant: place,
        to: county_call,
        reason: "支援南片".into(),
    };
    conduct(&mut commander, meeting, moves).await;
    let reason = community
        .push(|push| match push {
            Push::Stay { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await;
    let StayReason::Moved { by_name, reason } = reason else {
        panic!("{reason:?}");
    };
    assert_eq!(
        (by_name.as_str(), reason.as_str()),
        ("Commander", "支援南片")
    );

    let insert = Conduct::Insert {
        target: site("101"),
        reason: "立即到会".into(),
    };
    conduct(&mut commander, county_call, insert).await;
    let ring = township
        .push(|push| match push {
            Push::Ring { ring } => Some(ring.clone()),
            _ => None,
        })
        .await;
    assert_eq!(ring.forced.as_deref(), Some("立即到会"));
    assert_eq!(ring.auto_answer_in_ms, Some(0));
    let Reply::Accepted { .. } = township
        .ask(Request::Accept {
            invitation: ring.invitation,
        })
        .await
        .unwrap()
    else {
        panic!("not accepted");
    };
    commander
        .push(|push| match push {
            Push::Invitation { invitation } => (invitation.id == ring.invitation
                && invitation.state == InvitationState::Accepted)
                .then_some(()),
            _ => None,
        })
        .await;
}

/// The conference as it is told next, once the condition holds.
async fn conference(
    client: &mut Client,
    holds: impl Fn(&liandong_protocol::Conference) -> bool,
) -> liandong_protocol::Conference {
    client
        .push(|push| match push {
            Push::Conference { conference } if holds(conference) => Some(conference.clone()),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn one_is_called_up_and_all_others_are_told_that_they_are_closed() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut north, _) = county.client("101").await;
    let (mut south, _) = county.client("102").await;
    let meeting = call(&mut commander, &["101", "102"]).await;
    let named = accept(&mut north).await;
    let other = accept(&mut south).await;

    let step = Conduct::CallUp { participant: named };
    conduct(&mut commander, meeting, step).await;
    let now = conference(&mut south, |one| one.address.is_some()).await;
    assert_eq!(now.spotlight, Some(named));
    let closed = told(&mut south, other, |one| !one.sound).await;
    assert!(!closed.muted);
    conduct(&mut commander, meeting, Conduct::EndAddress).await;
    told(&mut south, other, |one| one.sound).await;
    assert_eq!(
        conference(&mut south, |one| one.address.is_none())
            .await
            .spotlight,
        None
    );
}

#[tokio::test]
async fn roll_tells_who_is_absent_and_a_device_is_told_by_whom_and_why() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut north, _) = county.client("101").await;
    let meeting = call(&mut commander, &["101", "102"]).await;
    let named = accept(&mut north).await;

    // Nobody's media is connected here, so nobody is there in the sense of the sheet.
    let step = Conduct::StartRoll {
        order: RollOrder::Parallel,
        answer_s: 5,
    };
    conduct(&mut commander, meeting, step).await;
    let ended = conference(&mut north, |one| {
        one.roll
            .as_ref()
            .is_some_and(|roll| roll.ended_at_ms.is_some())
    })
    .await;
    let roll = ended.roll.unwrap();
    let sheet: Vec<(&str, RollState)> = roll
        .entries
        .iter()
        .map(|entry| (entry.code.as_str(), entry.state))
        .collect();
    assert_eq!(
        sheet,
        [("101", RollState::Absent), ("102", RollState::Absent)]
    );
    assert!(
        roll.entries
            .iter()
            .all(|entry| !entry.sound && !entry.picture)
    );

    let step = Conduct::OrderDevice {
        participant: named,
        device: MediaDevice::Camera,
        on: true,
        reason: "查看水位".into(),
    };
    conduct(&mut commander, meeting, step).await;
    let asked = told(&mut north, named, |one| one.camera_order.is_some()).await;
    let order = asked.camera_order.unwrap();
    assert_eq!(
        (order.by_name.as_str(), order.reason.as_str()),
        ("Commander", "查看水位")
    );
    let step = Conduct::AnswerDevice {
        device: MediaDevice::Camera,
        obeyed: true,
        asked_at_ms: order.at_ms,
    };
    conduct(&mut north, meeting, step).await;
    told(&mut commander, named, |one| {
        let order = one.camera_order.as_ref();
        order.is_some_and(|order| order.state == DeviceOrderState::Obeyed)
    })
    .await;
}

#[tokio::test]
async fn room_that_nothing_opens_by_itself_is_asked_for_its_camera() {
    let county = County::new();
    county.configure_county("never_auto_answer = [\"102\"]");
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut north, _) = county.client("101").await;
    let (mut south, _) = county.client("102").await;
    let meeting = call(&mut commander, &["101", "102"]).await;
    let obeys = accept(&mut north).await;
    let asks = accept(&mut south).await;
    for (client, participant, ordered) in [(&mut north, obeys, true), (&mut south, asks, false)] {
        let step = Conduct::OrderDevice {
            participant,
            device: MediaDevice::Camera,
            on: true,
            reason: "查看水位".into(),
        };
        conduct(&mut commander, meeting, step).await;
        let told = told(client, participant, |one| one.camera_order.is_some()).await;
        assert_eq!(told.camera_order.unwrap().ordered, ordered);
    }
}

#[tokio::test]
async fn whoever_listens_in_is_seen_and_says_why() {
    let county = County::new();
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let (mut north, _) = county.client("101").await;
    let (mut mill, _) = county.client("101001").await;
    let meeting = call(&mut north, &["101001"]).await;
    accept(&mut mill).await;
    let step = Conduct::Observe {
        reason: "督导检查".into(),
    };
    let Reply::Accepted { participant, .. } = conduct(&mut commander, meeting, step).await else {
        panic!("not in");
    };
    let seen = told(&mut mill, participant, |_| true).await;
    assert_eq!(seen.role, ParticipantRole::Observer);
    assert!(!seen.sound && !seen.picture);
    let why = mill
        .push(|push| match push {
            Push::Conducted {
                notice: ConductNotice::Observes { reason, .. },
                ..
            } => Some(reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(why, "督导检查");
}
