//! Bad input of every kind beside a live call: a clear refusal or a counted
//! drop each, and the call does not notice.
#![allow(clippy::unwrap_used)] // a test fails by panicking, its helpers too

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use liandong_loadtest::server::LoginError;
use liandong_loadtest::{Bot, BotPlan, MediaPlan, sites};
use liandong_protocol::{
    AccountId, ConferenceId, Device, MAX_MESSAGE_BYTES, RefusalCode, Reply, Request, ServerMessage,
    SiteCode, Target, Tier,
};
use liandong_tests::{PASSWORD, RawClient, ServerProcess, until};

const TOWNSHIP: &str = "511922101";
const COMMUNITY: &str = "511922101001";
const OTHER_TOWNSHIP: &str = "511922103";
const OTHER_COMMUNITY: &str = "511922103001";
const PATIENCE: Duration = Duration::from_secs(30);

/// Two sites in a call, whose pictures must go on untouched.
struct Beside {
    bots: Vec<Bot>,
}

impl Beside {
    async fn start(server: &ServerProcess) -> Self {
        let all = sites::read(None).unwrap();
        let fleet = server.fleet(Some(MediaPlan::default())).unwrap();
        let callee = sites::named(&all, &[OTHER_TOWNSHIP.to_owned()]).unwrap();
        let mut caller = BotPlan::terminal(
            AccountId::from("dispatcher"),
            PASSWORD.to_owned(),
            "dispatcher".to_owned(),
            0,
        );
        caller.device = Device::Console;
        let bots = vec![
            Bot::start(fleet.server.clone(), caller),
            Bot::start(fleet.server.clone(), fleet.terminal(&callee[0]).unwrap()),
        ];
        for bot in &bots {
            until("the bot is online", PATIENCE, || async {
                bot.seen().borrow().online
            })
            .await
            .unwrap();
        }
        bots[0]
            .order(
                None,
                Request::Call {
                    targets: vec![site(OTHER_TOWNSHIP)],
                    title: None,
                    ordered: true,
                    incident: None,
                },
            )
            .await
            .unwrap();
        let beside = Self { bots };
        beside.goes_on().await;
        beside
    }

    fn frames(&self) -> Vec<u64> {
        let frames = |bot: &Bot| bot.report().video_slots.iter().map(|s| s.frames).sum();
        self.bots.iter().map(frames).collect()
    }

    async fn goes_on(&self) {
        let before = self.frames();
        until("the call beside goes on", PATIENCE, || async {
            self.frames()
                .iter()
                .zip(&before)
                .all(|(now, before)| *now > before + 5)
        })
        .await
        .unwrap();
    }

    /// Ends the call and looks at what both received.
    async fn unharmed(self) {
        self.goes_on().await;
        for bot in self.bots {
            let report = bot.stop().await;
            assert_eq!(report.reconnects, 0, "{}", report.account);
            for slot in report.video_slots.iter().chain(&report.audio_slots) {
                assert_eq!(
                    (slot.lost, slot.wrong_frames, slot.pictures_wrong),
                    (0, 0, 0),
                    "{} {slot:?}",
                    report.account
                );
            }
        }
    }
}

fn site(code: &str) -> Target {
    Target::Site {
        code: SiteCode::from(code),
    }
}

fn call(targets: Vec<Target>, ordered: bool) -> Request {
    Request::Call {
        targets,
        title: None,
        ordered,
        incident: None,
    }
}

async fn refused(client: &mut RawClient, request: Request) -> RefusalCode {
    match client.request(request.clone()).await.unwrap() {
        Err(code) => code,
        Ok(reply) => panic!("{request:?} was carried out: {reply:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_lock_the_account() {
    let server = ServerProcess::start().await.unwrap();
    let address = server.address().unwrap();
    let account = AccountId::from(TOWNSHIP);
    let mut codes = Vec::new();
    for _ in 0..8 {
        match address.login(&account, "not the password").await {
            Err(LoginError::Refused(refusal)) => codes.push(refusal),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(codes[0].code, RefusalCode::WrongLogin);
    let last = codes.last().unwrap();
    assert_eq!(last.code, RefusalCode::Locked);
    assert!(last.retry_after_ms.is_some_and(|ms| ms > 0));
    // The right password does not help while the lock holds; other accounts are free.
    assert!(matches!(
        address.login(&account, PASSWORD).await,
        Err(LoginError::Refused(refusal)) if refusal.code == RefusalCode::Locked
    ));
    server.login(COMMUNITY).await.unwrap();
    // Nobody learns which accounts exist.
    assert!(matches!(
        address.login(&AccountId::from("nobody"), "guess").await,
        Err(LoginError::Refused(refusal)) if refusal.code == RefusalCode::WrongLogin
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_a_session() {
    let server = ServerProcess::start().await.unwrap();
    for cookie in [
        "",
        "__Host-liandong=",
        "__Host-liandong=0123456789abcdef0123456789abcdef",
        "__Host-liandong=\u{7f}",
    ] {
        if let Ok(mut client) = RawClient::open(&server, cookie).await {
            // A refusal over the open socket would be as clear, but there must be one.
            let answer = client.answer().await;
            panic!("came in with {cookie:?}: {answer:?}");
        }
    }
    let answer = server.get("/api/me").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("notSignedIn"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tier_rule_holds() {
    let server = ServerProcess::start().await.unwrap();
    let mut community = RawClient::welcomed(&server, COMMUNITY).await.unwrap();
    let upward = [
        (call(vec![site(TOWNSHIP)], true), RefusalCode::NotBelow),
        (call(vec![site("511922")], true), RefusalCode::NotBelow),
        // Not even named in the caller's directory.
        (
            call(vec![site(OTHER_COMMUNITY)], true),
            RefusalCode::UnknownTarget,
        ),
        (
            call(
                vec![Target::Subtree {
                    root: SiteCode::from(TOWNSHIP),
                }],
                true,
            ),
            RefusalCode::NotBelow,
        ),
    ];
    for (request, code) in upward {
        assert_eq!(
            refused(&mut community, request.clone()).await,
            code,
            "{request:?}"
        );
    }
    let tier = call(
        vec![Target::Tier {
            tier: Tier::Township,
        }],
        true,
    );
    let code = refused(&mut community, tier).await;
    assert!(
        matches!(code, RefusalCode::NotBelow | RefusalCode::NobodyToRing),
        "{code:?}"
    );

    let mut township = RawClient::welcomed(&server, TOWNSHIP).await.unwrap();
    let sideways = call(vec![site(OTHER_TOWNSHIP)], true);
    assert_eq!(
        refused(&mut township, sideways).await,
        RefusalCode::NotBelow
    );
    let foreign = call(vec![site(OTHER_COMMUNITY)], true);
    assert_eq!(
        refused(&mut township, foreign).await,
        RefusalCode::UnknownTarget
    );

    // Asking is allowed, ordering downwards too.
    assert!(matches!(
        community
            .request(call(vec![site(TOWNSHIP)], false))
            .await
            .unwrap(),
        Ok(Reply::Called { .. })
    ));
    assert!(matches!(
        township
            .request(call(vec![site(COMMUNITY)], true))
            .await
            .unwrap(),
        Ok(Reply::Called { .. })
    ));

    // Somebody else's conference is none of theirs.
    let mut stranger = RawClient::welcomed(&server, OTHER_COMMUNITY).await.unwrap();
    for conference in [ConferenceId(1), ConferenceId(999)] {
        for request in [
            Request::End { conference },
            Request::MuteAll {
                conference,
                muted: true,
            },
            Request::Offer {
                conference,
                sdp: "v=0\r\n".to_owned(),
            },
        ] {
            let code = refused(&mut stranger, request.clone()).await;
            assert!(
                matches!(
                    code,
                    RefusalCode::UnknownConference
                        | RefusalCode::NotInConference
                        | RefusalCode::NotChair
                        | RefusalCode::NotAllowed
                ),
                "{request:?}: {code:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_messages_are_refused_beside_a_live_call() {
    let mut server = ServerProcess::start().await.unwrap();
    let beside = Beside::start(&server).await;

    let mut client = RawClient::welcomed(&server, COMMUNITY).await.unwrap();
    for text in [
        "",
        "{",
        "null",
        "[]",
        r#"{"id":1}"#,
        r#"{"id":1,"request":{"type":"fly"}}"#,
        r#"{"id":-1,"request":{"type":"leave","conference":1}}"#,
        r#"{"id":1,"request":{"type":"leave","conference":1,"extra":true}}"#,
        r#"{"id":1,"request":{"type":"call","targets":"all","title":null,"ordered":true}}"#,
    ] {
        client.say(text).await.unwrap();
        match client.answer().await.unwrap() {
            ServerMessage::Refused { refusal, .. } => {
                assert_eq!(refusal.code, RefusalCode::Malformed, "{text}");
            }
            other => panic!("{text:?} was answered by {other:?}"),
        }
    }

    let mut client = RawClient::welcomed(&server, COMMUNITY).await.unwrap();
    client.say_bytes(vec![0xff; 64]).await.unwrap();
    assert!(matches!(
        client.answer().await.unwrap(),
        ServerMessage::Refused { refusal, .. } if refusal.code == RefusalCode::Malformed
    ));
    assert_eq!(
        refused(&mut client, call(Vec::new(), false)).await,
        RefusalCode::NobodyToRing
    );
    assert_eq!(
        refused(&mut client, call(vec![site("nowhere")], false)).await,
        RefusalCode::UnknownTarget
    );

    // Garbage SDP, in a conference of its own.
    let called = client
        .request(call(vec![site(TOWNSHIP)], false))
        .await
        .unwrap();
    let Ok(Reply::Called { conference, .. }) = called else {
        panic!("{called:?}");
    };
    for sdp in [
        "",
        "v=0",
        "garbage\r\n",
        &"m=video 9 X 96\r\n".repeat(5_000),
    ] {
        let offer = Request::Offer {
            conference,
            sdp: sdp.to_owned(),
        };
        assert_eq!(refused(&mut client, offer).await, RefusalCode::BadOffer);
    }

    // Too large: the connection ends with the code that says so (RFC 6455 §7.4.1).
    let huge = "x".repeat(MAX_MESSAGE_BYTES + 1);
    // The server may close before all of it is sent.
    let _ = client.say(huge).await;
    if let Some(code) = client.closed().await.unwrap() {
        assert_eq!(code, 1009);
    }

    // A flood is slowed down or shut out, never carried out.
    let mut flood = RawClient::welcomed(&server, COMMUNITY).await.unwrap();
    let mut too_many = false;
    for id in 0..5_000 {
        let text = format!(r#"{{"id":{id},"request":{{"type":"leave","conference":77}}}}"#);
        if flood.say(text).await.is_err() {
            too_many = true;
            break;
        }
    }
    while !too_many {
        match flood.answer().await {
            Ok(ServerMessage::Refused { refusal, .. }) => {
                too_many = refusal.code == RefusalCode::TooMany;
            }
            Ok(other) => panic!("{other:?}"),
            // Shut out.
            Err(_) => too_many = true,
        }
    }

    assert!(server.is_running());
    beside.unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stray_datagrams_are_counted_beside_a_live_call() {
    let mut server = ServerProcess::start().await.unwrap();
    let beside = Beside::start(&server).await;
    let before = server
        .metric("liandong_media_dropped_total", "")
        .await
        .unwrap();

    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let media = (Ipv4Addr::LOCALHOST, server.port());
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        // xorshift64: repeatable garbage.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut sent = 0u32;
    for round in 0..3_000u32 {
        let length = (random() % 1_300) as usize;
        let mut datagram: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        // Each class of RFC 7983 in turn, so that every parser gets its share.
        let first = [0x00, 0x16, 0x80, 0x90, 0xff, 0x01][round as usize % 6];
        if let Some(byte) = datagram.first_mut() {
            *byte = first;
        }
        // A STUN head that claims more than there is.
        if first == 0x00 && length >= 20 {
            datagram[..8].copy_from_slice(&[0x00, 0x01, 0x03, 0xe8, 0x21, 0x12, 0xa4, 0x42]);
        }
        // A full buffer of the sending side is no matter: enough gets through.
        sent += u32::from(socket.send_to(&datagram, media).is_ok());
    }
    assert!(sent > 1_000);
    until("the drops are counted", PATIENCE, || async {
        server
            .metric("liandong_media_dropped_total", "")
            .await
            .is_ok_and(|now| now >= before + 1_000.0)
    })
    .await
    .unwrap();
    assert!(server.is_running());
    beside.unharmed().await;
}
