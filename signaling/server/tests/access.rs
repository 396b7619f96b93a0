//! Who gets in, and what happens to those who send rubbish.

mod support;

use std::process::Stdio;

use futures_util::SinkExt as _;
use liandong_protocol::{
    MAX_MESSAGE_BYTES, Push, RefusalCode, Reply, Request, SiteCode, Target, Tier,
};
use support::{County, PASSWORD, complaint};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn five_wrong_passwords_lock_one_account_only() {
    let county = County::new();
    let _server = county.start();
    for _ in 0..5 {
        let (status, cookie, body) = county.login("101", "wrong").await;
        assert_eq!((status, cookie), (401, None));
        assert!(body.contains("wrongLogin"), "{body}");
    }
    let (status, _, body) = county.login("101", PASSWORD).await;
    assert_eq!(status, 423, "{body}");
    assert!(body.contains("retryAfterMs"), "{body}");
    assert_eq!(county.login("102", PASSWORD).await.0, 200);
    assert_eq!(county.login("nobody", "wrong").await.0, 401);
}

#[tokio::test]
async fn requests_without_session_or_from_foreign_pages_are_refused() {
    let county = County::new();
    let _server = county.start();
    assert_eq!(county.http("GET", "/api/me", "", "").await.0, 401);
    assert_eq!(county.socket(&[]).await.err(), Some(401));
    let forged = "__Host-liandong=0000";
    assert_eq!(county.socket(&[("cookie", forged)]).await.err(), Some(401));
    let cookie = county.cookie("commander").await;
    let foreign = [
        ("cookie", cookie.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(county.socket(&foreign).await.err(), Some(403));
    let own = format!("https://localhost:{}", county.port);
    let same = [("cookie", cookie.as_str()), ("origin", own.as_str())];
    assert!(county.socket(&same).await.is_ok());
    let headers = format!("Cookie: {cookie}\r\nOrigin: https://evil.example\r\n");
    assert_eq!(
        county.http("POST", "/api/logout", &headers, "").await.0,
        403
    );
    let (status, _, body) = county.http("POST", "/api/login", "", "{").await;
    assert_eq!(status, 400, "{body}");
    let long = "x".repeat(20_000);
    assert_eq!(county.login("commander", &long).await.0, 413);
}

#[tokio::test]
async fn logout_ends_the_connections_of_the_session() {
    let county = County::new();
    let _server = county.start();
    let cookie = county.cookie("commander").await;
    let mut client = county.socket(&[("cookie", &cookie)]).await.unwrap();
    client.hello(None).await.unwrap();
    let headers = format!("Cookie: {cookie}\r\n");
    assert_eq!(
        county.http("POST", "/api/logout", &headers, "").await.0,
        204
    );
    client
        .push(|push| matches!(push, Push::SignedOut { .. }).then_some(()))
        .await;
    assert_eq!(client.closed().await, 1008);
    assert_eq!(county.http("GET", "/api/me", &headers, "").await.0, 401);
}

#[tokio::test]
async fn rubbish_is_refused_and_does_not_end_the_connection() {
    let county = County::new();
    let _server = county.start();
    let cookie = county.cookie("commander").await;
    let mut client = county.socket(&[("cookie", &cookie)]).await.unwrap();
    client.send(r#"{"id":1,"request":{"type":"call"}}"#).await;
    let (id, result) = client.reply().await;
    assert_eq!((id, result.unwrap_err().code), (1, RefusalCode::Malformed));
    client
        .send(r#"{"id":2,"request":{"type":"decline","invitation":1}}"#)
        .await;
    let (id, result) = client.reply().await;
    assert_eq!((id, result.unwrap_err().code), (2, RefusalCode::HelloFirst));
    client.hello(None).await.unwrap();
    for (rubbish, wanted) in [
        ("", 0),
        ("nonsense", 0),
        ("[1,2,3]", 0),
        (r#"{"id":7}"#, 7),
        (r#"{"id":8,"request":{"type":"rule the world"}}"#, 8),
        (r#"{"id":-1,"request":{"type":"leave","conference":1}}"#, 0),
        (
            r#"{"id":9,"request":{"type":"leave","conference":1,"x":1}}"#,
            9,
        ),
    ] {
        client.send(rubbish).await;
        let (id, result) = client.reply().await;
        assert_eq!(
            (id, result.unwrap_err().code),
            (wanted, RefusalCode::Malformed),
            "{rubbish}"
        );
    }
    client
        .socket
        .send(Message::binary(vec![0; 9]))
        .await
        .unwrap();
    assert_eq!(
        client.reply().await.1.unwrap_err().code,
        RefusalCode::Malformed
    );
    let refusal = client.hello(None).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Malformed, "a second Hello");
    let order = Request::Leave {
        conference: liandong_protocol::ConferenceId(99),
    };
    let refusal = client.ask(order).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownConference);
}

#[tokio::test]
async fn oversized_and_flooding_clients_are_closed_and_a_neighbour_does_not_notice() {
    let county = County::new();
    let _server = county.start();
    let (mut neighbour, _) = county.client("102").await;
    let (mut big, _) = county.client("commander").await;
    let text = format!("\"{}\"", "x".repeat(MAX_MESSAGE_BYTES));
    big.send(&text).await;
    assert_eq!(big.closed().await, 1009);

    let (mut flood, _) = county.client("commander").await;
    let mut too_many = 0;
    for id in 10..2_000 {
        let text = format!(r#"{{"id":{id},"request":{{"type":"leave","conference":99}}}}"#);
        if flood.socket.send(Message::text(text)).await.is_err() {
            break;
        }
        too_many += 1;
    }
    assert!(too_many > 100);
    assert!(matches!(flood.closed().await, 1006 | 1008));

    let order = Request::InviteAbsent {
        conference: liandong_protocol::ConferenceId(99),
    };
    let refusal = neighbour.ask(order).await.unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownConference);
}

#[tokio::test]
async fn each_sees_its_own_and_orders_downwards_only() {
    let county = County::new();
    let _server = county.start();
    let (_county, _) = county.client("commander").await;
    let (mut community, welcome) = county.client("101001").await;
    let Reply::Welcome { snapshot, me, .. } = welcome else {
        panic!("{welcome:?}");
    };
    assert_eq!(me.site_name, "Mill");
    let seen: Vec<(&str, bool, bool)> = snapshot
        .directory
        .sites
        .iter()
        .map(|site| {
            (
                site.code.0.as_str(),
                site.presence.is_some(),
                site.commanded,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("1", false, false),
            ("101", false, false),
            ("101001", true, false)
        ]
    );
    assert!(snapshot.directory.people.is_empty());
    let call = |target: Target, ordered| Request::Call {
        targets: vec![target],
        title: None,
        ordered,
        incident: None,
    };
    let township = Target::Site {
        code: SiteCode::from("101"),
    };
    let refusal = community
        .ask(call(township.clone(), true))
        .await
        .unwrap_err();
    assert_eq!(refusal.code, RefusalCode::NotBelow);
    assert!(community.ask(call(township, false)).await.is_ok());
    let tier = Target::Tier { tier: Tier::County };
    assert!(community.ask(call(tier, true)).await.is_err());
}

#[tokio::test]
async fn busy_port_and_broken_configuration_give_a_clear_line() {
    let county = County::new();
    let _server = county.start();
    let mut second = county.command().stderr(Stdio::piped()).spawn().unwrap();
    let said = complaint(&mut second);
    assert_eq!(second.wait().unwrap().code(), Some(1));
    assert!(
        said.contains("is in use") && said.contains("--https-port"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");

    let other = County::new();
    std::fs::write(other.folder.path().join("liandong.toml"), "[count]").unwrap();
    let mut broken = other.command().stderr(Stdio::piped()).spawn().unwrap();
    let said = complaint(&mut broken);
    assert_eq!(broken.wait().unwrap().code(), Some(1));
    assert!(said.contains("1 mistake in the configuration"), "{said}");
}
