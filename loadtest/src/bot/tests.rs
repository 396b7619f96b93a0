//! Bots against the server's side of the conversation.

mod desk;

use std::sync::atomic::Ordering;

use liandong_protocol::server::Ring;
use liandong_protocol::{ConferenceId, InvitationId, ParticipantId, Push, ServerMessage, SiteCode};

use super::*;
use desk::{Call, Desk, PASSWORD};

const PATIENCE: Duration = Duration::from_secs(30);

fn bot(desk: &Desk, password: &str) -> Bot {
    let account = AccountId::from("511922101");
    let mut plan = BotPlan::terminal(account, password.into(), "沙河镇".into(), 2);
    plan.media = None;
    Bot::start(desk.server.clone(), plan)
}

async fn ring(call: &mut Call, invitation: u32) {
    let ring = Ring {
        invitation: InvitationId(invitation),
        conference: ConferenceId(1),
        title: "演练".into(),
        from: AccountId::from("commander"),
        from_name: "指挥长".into(),
        from_site: SiteCode::from("511922"),
        from_site_name: "南江县".into(),
        auto_answer_in_ms: Some(20),
        forced: None,
        deadline_ms: 0.0,
    };
    let push = Push::Ring { ring };
    call.say(&ServerMessage::Push { push }).await;
}

async fn until(bot: &Bot, condition: impl FnMut(&Seen) -> bool) {
    let mut seen = bot.seen();
    let waited = tokio::time::timeout(PATIENCE, seen.wait_for(condition));
    waited.await.unwrap().unwrap();
}

#[tokio::test]
async fn rings_are_answered() {
    let mut desk = Desk::open().await;
    let bot = bot(&desk, PASSWORD);
    let mut call = desk.call().await;
    assert_eq!(call.welcome("r1", false).await, None);
    ring(&mut call, 8).await;
    let answer = call.next().await;
    let invitation = InvitationId(8);
    assert_eq!(answer.request, Request::Accept { invitation });
    let reply = Reply::Accepted {
        conference: ConferenceId(1),
        participant: ParticipantId(4),
    };
    // The server stops the ring on all devices before it replies.
    let stopped = Push::RingStopped {
        invitation,
        reason: None,
    };
    call.say(&ServerMessage::Push { push: stopped }).await;
    let id = answer.id;
    call.say(&ServerMessage::Reply { id, reply }).await;
    until(&bot, |seen| seen.participant == Some(ParticipantId(4))).await;
    let report = bot.stop().await;
    assert!(report.login_ms.is_some());
    assert!(report.ring_to_answered_ms.unwrap() >= 20.0);
}

#[tokio::test]
async fn a_ring_taken_back_is_not_answered() {
    let mut desk = Desk::open().await;
    let bot = bot(&desk, PASSWORD);
    let mut call = desk.call().await;
    call.welcome("r1", false).await;
    ring(&mut call, 8).await;
    let stopped = Push::RingStopped {
        invitation: InvitationId(8),
        reason: None,
    };
    call.say(&ServerMessage::Push { push: stopped }).await;
    ring(&mut call, 9).await;
    let invitation = InvitationId(9);
    assert_eq!(call.next().await.request, Request::Accept { invitation });
    drop(bot);
}

#[tokio::test]
async fn a_lost_line_is_resumed() {
    let mut desk = Desk::open().await;
    let bot = bot(&desk, PASSWORD);
    let mut call = desk.call().await;
    assert_eq!(call.welcome("r1", false).await, None);
    until(&bot, |seen| seen.online).await;
    drop(call);
    let mut call = desk.call().await;
    assert_eq!(call.welcome("r2", true).await.as_deref(), Some("r1"));
    until(&bot, |seen| seen.online).await;
    assert_eq!(desk.logins.load(Ordering::SeqCst), 1, "the session is kept");
    assert_eq!(bot.stop().await.reconnects, 1);
}

#[tokio::test]
async fn a_session_that_is_gone_is_made_anew() {
    let mut desk = Desk::open().await;
    let bot = bot(&desk, PASSWORD);
    let mut call = desk.call().await;
    call.welcome("r1", false).await;
    desk.expired.store(1, Ordering::SeqCst);
    drop(call);
    let mut call = desk.call().await;
    assert_eq!(call.welcome("r2", false).await.as_deref(), Some("r1"));
    assert_eq!(desk.logins.load(Ordering::SeqCst), 2);
    let report = bot.stop().await;
    assert_eq!(report.refused["notSignedIn"], 1);
}

#[tokio::test]
async fn a_wrong_password_ends_it() {
    let desk = Desk::open().await;
    let bot = bot(&desk, "wrong");
    until(&bot, |seen| seen.gave_up.is_some()).await;
    assert_eq!(bot.stop().await.refused["wrongLogin"], 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for() {
    let server = Server::new("https://127.0.0.1:1", &crate::Trust::Anybody).unwrap();
    let account = AccountId::from("511922101");
    let mut plan = BotPlan::terminal(account, PASSWORD.into(), String::new(), 1);
    plan.media = None;
    let bot = Bot::start(server, plan);
    until(&bot, |seen| seen.trouble.is_some()).await;
    let refused = bot.order(
        None,
        Request::Hello {
            version: 1,
            device: Device::Terminal,
            resume: None,
            participant: None,
            auto_answer: true,
        },
    );
    assert!(matches!(refused.await, Err(RequestError::Lost)));
    assert!(bot.stop().await.login_ms.is_none());
}
