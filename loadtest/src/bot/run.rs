//! The life of a bot: log in, connect, live, come back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use liandong_protocol::server::{Ring, SentTrack};
use liandong_protocol::talk::{FloorAct, TalkNews};
use liandong_protocol::{InvitationId, PROTOCOL_VERSION, Push, RefusalCode, Reply, Request};
use rand::RngExt;
use tokio::sync::{mpsc, oneshot, watch};

use super::call::OwnCall;
use super::link::{Link, RequestError};
use super::{BotPlan, Order, Seen, Tally, answer};
use crate::server::{LoginError, Server, Session};

/// The first wait after a loss; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Short, because a call is to go on within five seconds of a restart.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);

/// How a connection ended.
enum Ending {
    /// By the scenario.
    Stopped,
    /// The line was cut, or the server is not there: come back as the same client.
    Lost,
    /// Log in again.
    SessionGone,
    /// Wait so long before the next try.
    Wait(Duration),
    /// No retry helps.
    GiveUp(String),
}

pub(super) struct Runner {
    server: Server,
    plan: BotPlan,
    seen: watch::Sender<Seen>,
    tally: Tally,
    session: Option<Session>,
    /// From the last welcome.
    resume: Option<String>,
    /// When the last connection was lost.
    lost_at: Option<Instant>,
    /// Dropping the sender tells the answering task that the ring stopped.
    rings: HashMap<InvitationId, oneshot::Sender<()>>,
    call: OwnCall,
}

impl Runner {
    pub(super) fn new(
        server: Server,
        plan: BotPlan,
        seen: watch::Sender<Seen>,
        tally: Tally,
        call: OwnCall,
    ) -> Self {
        Self {
            call,
            server,
            plan,
            seen,
            tally,
            session: None,
            resume: None,
            lost_at: None,
            rings: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut wait = FIRST_WAIT;
        loop {
            let ending = match self.connect().await {
                Ok((link, pushes, rings)) => {
                    wait = FIRST_WAIT;
                    let ending = self.live(&link, pushes, rings, &mut orders).await;
                    self.call.offline();
                    self.lost_at = Some(Instant::now());
                    self.seen.send_modify(|seen| seen.online = false);
                    self.rings.clear();
                    ending
                }
                Err(ending) => ending,
            };
            // Spread, so that fifty bots do not come back at the same moment.
            let mut pause = wait.mul_f64(rand::rng().random_range(0.5..1.0));
            wait = (wait * 2).min(LONGEST_WAIT);
            match ending {
                Ending::Stopped => break,
                Ending::GiveUp(reason) => {
                    tracing::debug!(account = %self.plan.account, "gives up: {reason}");
                    self.seen.send_modify(|seen| seen.gave_up = Some(reason));
                    break;
                }
                Ending::SessionGone => self.session = None,
                Ending::Wait(at_least) => pause = pause.max(at_least),
                Ending::Lost => {}
            }
            if !idle(pause, &mut orders).await {
                break;
            }
        }
        self.call.stop().await;
    }

    /// Logs in where needed, opens the WebSocket and says hello.
    async fn connect(&mut self) -> Result<(Link, mpsc::Receiver<Push>, Vec<Ring>), Ending> {
        let session = match &self.session {
            Some(session) => session.clone(),
            None => self.login().await?,
        };
        let (link, pushes) = Link::open(&self.server, &session)
            .await
            .map_err(|error| self.failed(&error))?;
        let hello = Request::Hello {
            version: PROTOCOL_VERSION,
            device: self.plan.device,
            resume: self.resume.clone(),
            participant: None,
            auto_answer: self.plan.auto_answer,
        };
        match link.request(hello).await {
            Ok(Reply::Welcome {
                me,
                resume,
                resumed,
                snapshot,
                ..
            }) => {
                if self.resume.replace(resume).is_some() {
                    let offline = self.lost_at.take().map(|at| at.elapsed());
                    self.tally.add(|report| {
                        report.reconnects += 1;
                        let offline_ms = offline.map(|o| o.as_secs_f64() * 1e3);
                        report.offline_ms.extend(offline_ms);
                    });
                    tracing::debug!(account = %me.account, resumed, "came back");
                }
                let now = Instant::now();
                self.seen.send_modify(|seen| {
                    seen.start(&snapshot, now);
                    seen.me = Some(me);
                    seen.online = true;
                    seen.trouble = None;
                });
                self.call.online(&link, resumed);
                Ok((link, pushes, snapshot.rings))
            }
            Ok(other) => Err(Ending::GiveUp(format!("hello was answered by {other:?}"))),
            Err(RequestError::Lost) => Err(Ending::Lost),
            Err(RequestError::Refused(refusal)) => Err(self.failed(&LoginError::Refused(refusal))),
        }
    }

    async fn login(&mut self) -> Result<Session, Ending> {
        let start = Instant::now();
        let session = self
            .server
            .login(&self.plan.account, &self.plan.password)
            .await
            .map_err(|error| self.failed(&error))?;
        let took_ms = start.elapsed().as_secs_f64() * 1e3;
        self.tally.add(|report| {
            report.login_ms.get_or_insert(took_ms);
        });
        self.session = Some(session.clone());
        Ok(session)
    }

    /// What to do after an error on the way in.
    fn failed(&self, error: &LoginError) -> Ending {
        tracing::debug!(account = %self.plan.account, %error, "not connected");
        if let LoginError::Refused(refusal) = error {
            self.tally.add(|report| report.refuse(refusal.code));
            if refusal.code == RefusalCode::NotSignedIn {
                return Ending::SessionGone;
            }
            if let Some(ms) = refusal.retry_after_ms {
                return Ending::Wait(Duration::from_millis(u64::from(ms)));
            }
            if refusal.code == RefusalCode::ProtocolVersion {
                return Ending::GiveUp(error.to_string());
            }
        }
        if error.is_final() {
            return Ending::GiveUp(error.to_string());
        }
        self.seen.send_if_modified(|seen| {
            let first = seen.trouble.is_none();
            seen.trouble.get_or_insert_with(|| error.to_string());
            first
        });
        Ending::Lost
    }

    /// One connection, from the welcome to its end.
    async fn live(
        &mut self,
        link: &Link,
        mut pushes: mpsc::Receiver<Push>,
        rings: Vec<Ring>,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Ending {
        for ring in rings {
            self.ring(ring, link);
        }
        let mut changes = self.seen.subscribe();
        changes.mark_changed();
        loop {
            tokio::select! {
                push = pushes.recv() => match push {
                    None => return Ending::Lost,
                    Some(Push::SignedOut { refusal }) => {
                        self.tally.add(|report| report.refuse(refusal.code));
                        return Ending::SessionGone;
                    }
                    Some(push) => self.push(push, link),
                },
                // The sender is this bot's own: the channel never closes.
                _ = changes.changed() => {
                    let seen = changes.borrow_and_update().clone();
                    self.call.follow(&seen).await;
                }
                order = orders.recv() => match order {
                    None => return Ending::Stopped,
                    Some(order) => self.order(order, link),
                },
            }
        }
    }

    fn push(&mut self, push: Push, link: &Link) {
        let now = Instant::now();
        self.seen.send_modify(|seen| seen.apply(&push, now));
        match push {
            Push::Ring { ring } => self.ring(ring, link),
            Push::RingStopped { invitation, .. } => {
                self.rings.remove(&invitation);
            }
            Push::SendLayers {
                conference,
                track: SentTrack::Camera,
                layers,
            } => self.call.send_layers(conference, &layers),
            Push::SlotQuality { conference, slots } => self.call.quality(conference, &slots),
            Push::MediaLost { conference } => self.call.media_lost(conference),
            Push::Resync { snapshot } => {
                for ring in snapshot.rings {
                    self.ring(ring, link);
                }
            }
            Push::Talk { news } => listen(news, link),
            _ => {}
        }
    }

    fn ring(&mut self, ring: Ring, link: &Link) {
        let invitation = ring.invitation;
        if self.rings.contains_key(&invitation) {
            return;
        }
        tracing::debug!(account = %self.plan.account, %invitation, "rings");
        let (going, stopped) = oneshot::channel();
        tokio::spawn(answer::carry_out(
            ring,
            self.plan.behaviour,
            stopped,
            link.clone(),
            self.seen.clone(),
            self.tally.clone(),
        ));
        self.rings.insert(invitation, going);
    }

    /// Orders run beside the pushes, or a slow one would hold everything up.
    fn order(&self, order: Order, link: &Link) {
        let (link, seen, tally) = (link.clone(), self.seen.clone(), self.tally.clone());
        tokio::spawn(async move {
            let result = link.order(order.key, order.request).await;
            match &result {
                Ok(Reply::Called { conference, .. }) => {
                    seen.send_modify(|seen| seen.enter(*conference, None));
                }
                Ok(Reply::Accepted {
                    conference,
                    participant,
                }) => seen.send_modify(|seen| seen.enter(*conference, Some(*participant))),
                Err(RequestError::Refused(refusal)) => {
                    tally.add(|report| report.refuse(refusal.code));
                }
                Ok(_) | Err(RequestError::Lost) => {}
            }
            // The asker may have given up.
            drop(order.reply.send(result));
        });
    }
}

/// Listens to the talk groups that it belongs to, so that whoever tries one is not alone in it.
fn listen(news: TalkNews, link: &Link) {
    let groups = match news {
        TalkNews::All { groups } => groups,
        TalkNews::Group { group } => vec![group],
        TalkNews::Gone { .. }
        | TalkNews::Floor { .. }
        | TalkNews::Listeners { .. }
        | TalkNews::Standing { .. }
        | TalkNews::Spoke { .. }
        | TalkNews::MediaLost { .. }
        | TalkNews::SpeechRate { .. } => return,
    };
    for group in groups.into_iter().filter(|group| group.member) {
        let link = link.clone();
        tokio::spawn(async move {
            let (group, act) = (group.id, FloorAct::Listen);
            if let Err(error) = link.request(Request::Floor { group, act }).await {
                tracing::debug!(%error, "does not listen");
            }
        });
    }
}

/// Waits; orders that come meanwhile are lost. False when the scenario stops the bot.
async fn idle(pause: Duration, orders: &mut mpsc::Receiver<Order>) -> bool {
    let end = tokio::time::sleep(pause);
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return true,
            order = orders.recv() => match order {
                Some(order) => drop(order.reply.send(Err(RequestError::Lost))),
                None => return false,
            },
        }
    }
}
