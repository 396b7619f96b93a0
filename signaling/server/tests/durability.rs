//! Killed without warning, the server loses nothing that it acknowledged.

mod support;

use std::collections::BTreeMap;

use liandong_protocol::{ConferenceId, InvitationState, Push, Reply, Request, SiteCode, Target};
use support::County;

fn call(code: &str, title: String) -> Request {
    Request::Call {
        targets: vec![Target::Site {
            code: SiteCode::from(code),
        }],
        title: Some(title),
        ordered: true,
        incident: None,
    }
}

#[tokio::test]
async fn killed_in_a_stream_of_orders_no_acknowledged_one_is_lost() {
    let county = County::new();
    let mut acknowledged: BTreeMap<String, ConferenceId> = BTreeMap::new();
    for round in 0..3 {
        let server = county.start();
        let (mut commander, _) = county.client("commander").await;
        // What was acknowledged before is answered as it was, not done again.
        for (key, conference) in &acknowledged {
            let again = commander
                .ask_once(call("101", key.clone()), Some(key))
                .await
                .unwrap();
            assert!(
                matches!(&again, Reply::Called { conference: c, .. } if c == conference),
                "{key}: {again:?}"
            );
        }
        for n in 0..12 {
            let key = format!("order-{round}-{n}");
            let reply = commander
                .ask_once(call("101", key.clone()), Some(&key))
                .await
                .unwrap();
            let Reply::Called { conference, .. } = reply else {
                panic!("{reply:?}");
            };
            acknowledged.insert(key, conference);
        }
        // One more is under way when the power goes.
        let last = serde_json::json!({
            "id": 9_999, "request": call("102", "unacknowledged".into()),
        });
        commander.send(&last.to_string()).await;
        drop(server); // SIGKILL
        let (sound, said) = county.verify();
        assert!(sound, "{said}");
    }
    let ids: std::collections::BTreeSet<_> = acknowledged.values().collect();
    assert_eq!(ids.len(), acknowledged.len(), "each order acted once");
}

#[tokio::test]
async fn call_goes_on_after_a_kill() {
    let county = County::new();
    let server = county.start();
    let (mut township, _) = county.client("101").await;
    let (mut commander, _) = county.client("commander").await;
    let reply = commander.ask(call("101", "drill".into())).await.unwrap();
    let Reply::Called { conference, .. } = reply else {
        panic!("{reply:?}");
    };
    let ring = township
        .push(|push| match push {
            Push::Ring { ring } => Some(ring.clone()),
            _ => None,
        })
        .await;
    assert_eq!(ring.auto_answer_in_ms, Some(3_000));
    assert_eq!(
        (ring.title.as_str(), ring.from_site_name.as_str()),
        ("drill", "County")
    );
    let accept = Request::Accept {
        invitation: ring.invitation,
    };
    let reply = township.ask(accept).await.unwrap();
    let Reply::Accepted { participant, .. } = reply else {
        panic!("{reply:?}");
    };
    commander
        .push(|push| match push {
            Push::Invitation { invitation } => {
                (invitation.state == InvitationState::Accepted).then_some(())
            }
            _ => None,
        })
        .await;
    drop(server);

    let _server = county.start();
    let (_township, welcome) = county.client("101").await;
    let Reply::Welcome {
        snapshot, resumed, ..
    } = welcome
    else {
        panic!("{welcome:?}");
    };
    assert!(!resumed);
    assert_eq!(snapshot.own_participant, Some(participant));
    assert_eq!(snapshot.conferences[0].id, conference);
}

#[tokio::test]
async fn resumed_client_keeps_its_stay_and_another_device_does_not_take_it() {
    let county = County::new();
    let _server = county.start();
    let cookie = county.cookie("commander").await;
    let mut first = county.socket(&[("cookie", &cookie)]).await.unwrap();
    let Ok(Reply::Welcome { resume, .. }) = first.hello(None).await else {
        panic!("no welcome");
    };
    first.ask(call("101", String::new())).await.unwrap();

    let mut tablet = county.socket(&[("cookie", &cookie)]).await.unwrap();
    let Ok(Reply::Welcome { snapshot, .. }) = tablet.hello(None).await else {
        panic!("no welcome");
    };
    assert_eq!(snapshot.own_participant, None);
    assert_eq!(snapshot.conferences.len(), 1);

    drop(first);
    let mut back = county.socket(&[("cookie", &cookie)]).await.unwrap();
    let Ok(Reply::Welcome {
        snapshot, resumed, ..
    }) = back.hello(Some(resume)).await
    else {
        panic!("no welcome");
    };
    assert!(resumed);
    assert!(snapshot.own_participant.is_some());
}

#[tokio::test]
async fn backup_of_a_running_server_comes_back_as_it_was() {
    let county = County::new();
    let server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let reply = commander
        .ask_once(call("101", "before".into()), Some("before"))
        .await
        .unwrap();
    // Where Web Push is configured: the subscriptions are of this key.
    let push_key = county.data().join("vapid.p8");
    std::fs::write(&push_key, "the key").unwrap();
    let copy = county.folder.path().join("copy");
    let (made, said) = county.run(&["backup", "--to"], &copy);
    assert!(made, "{said}");
    // Comes after the backup, and is not in it.
    commander.ask(call("102", "after".into())).await.unwrap();
    drop(server);

    let (made, said) = county.run(&["backup", "--to"], &copy);
    assert!(!made && said.contains("is there already"), "{said}");
    let (restored, said) = county.run(&["restore", "--from"], &copy);
    assert!(!restored && said.contains("is there already"), "{said}");
    std::fs::remove_dir_all(county.data()).unwrap();
    let (restored, said) = county.run(&["restore", "--from"], &copy);
    assert!(restored, "{said}");
    assert_eq!(std::fs::read_to_string(&push_key).unwrap(), "the key");

    let _server = county.start();
    // The same authority, account and idempotency keys.
    let (mut commander, welcome) = county.client("commander").await;
    let again = commander
        .ask_once(call("101", "before".into()), Some("before"))
        .await
        .unwrap();
    assert_eq!(again, reply);
    let Reply::Welcome { snapshot, .. } = welcome else {
        panic!("{welcome:?}");
    };
    let titles: Vec<&str> = snapshot
        .conferences
        .iter()
        .map(|c| c.title.as_str())
        .collect();
    assert_eq!(titles, ["before"]);
}

#[tokio::test]
async fn altered_backup_is_not_restored() {
    let county = County::new();
    drop(county.start());
    let copy = county.folder.path().join("copy");
    let (made, said) = county.run(&["backup", "--to"], &copy);
    assert!(made, "{said}");
    std::fs::remove_dir_all(county.data()).unwrap();
    let store = copy.join("liandong.db");
    let mut bytes = std::fs::read(&store).unwrap();
    let name = b"siteRegistered";
    let at = bytes
        .windows(name.len())
        .position(|text| text == name)
        .unwrap();
    bytes[at] ^= 1;
    std::fs::write(&store, bytes).unwrap();
    let (restored, said) = county.run(&["restore", "--from"], &copy);
    assert!(!restored && said.contains("broken at entry"), "{said}");
    assert!(!county.data().exists());
}

#[tokio::test]
async fn snapshot_of_a_stop_serves_the_next_start() {
    let county = County::new();
    let mut server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let reply = commander
        .ask_once(call("101", "kept".into()), Some("kept"))
        .await
        .unwrap();
    server.stop();
    let snapshots = county.data().join("snapshots");
    assert_eq!(std::fs::read_dir(&snapshots).unwrap().count(), 1);
    let server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let again = commander
        .ask_once(call("101", "kept".into()), Some("kept"))
        .await
        .unwrap();
    assert_eq!(again, reply);
    drop(server);
    // Without it, and with a broken one, the journal alone gives the same.
    for file in std::fs::read_dir(&snapshots).unwrap() {
        std::fs::write(file.unwrap().path(), "not a snapshot").unwrap();
    }
    let _server = county.start();
    let (mut commander, _) = county.client("commander").await;
    let again = commander
        .ask_once(call("101", "kept".into()), Some("kept"))
        .await
        .unwrap();
    assert_eq!(again, reply);
}
