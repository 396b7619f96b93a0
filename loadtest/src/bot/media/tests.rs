//! Bots' media against the real media node, without a server between them.

use liandong_sfu_node::{Node, NodeConfig, NodeEvent, PeerId, RoomId, Shown};

use super::*;
use crate::bot::slot::Occupant;
use crate::report::BotReport;

const CALL: ConferenceId = ConferenceId(1);
/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Rig {
    node: Node,
    events: mpsc::Receiver<NodeEvent>,
    bots: Vec<RigBot>,
}

struct RigBot {
    media: Media,
    board: Arc<Board>,
    tally: Tally,
    peer: PeerId,
    /// The peers that the bot's further offers make.
    names: mpsc::Receiver<PeerId>,
    restarts: watch::Sender<u32>,
    _link: watch::Sender<Option<Link>>,
}

impl Rig {
    fn start() -> Self {
        let local = std::net::IpAddr::from([127, 0, 0, 1]);
        let config = NodeConfig {
            listen: vec![local],
            port: 0,
            advertise: vec![local],
            workers: 2,
            ..NodeConfig::default()
        };
        let (node, events) = Node::start(config).unwrap();
        Self {
            node,
            events,
            bots: Vec::new(),
        }
    }

    /// A bot whose requests are answered by the node itself; returns when it is connected.
    async fn join(&mut self, index: u16) {
        self.join_with(index, false, false).await;
    }

    /// `stays`: further offers are of the same peer, as they are while the server knows it.
    async fn join_with(&mut self, index: u16, simulcast: bool, stays: bool) {
        let (outgoing, mut requests) = mpsc::channel::<crate::bot::link::Outgoing>(8);
        let (named, mut names) = mpsc::channel(8);
        let node = self.node.clone();
        tokio::spawn(async move {
            let mut present = None;
            while let Some(outgoing) = requests.recv().await {
                let Request::Offer { sdp, .. } = outgoing.request else {
                    panic!("only offers are expected");
                };
                let answered = node.offer(present, RoomId(1), sdp).await.unwrap();
                present = stays.then_some(answered.peer);
                named.send(answered.peer).await.unwrap();
                let reply = Reply::Answer {
                    sdp: answered.sdp,
                    video_slots: u32::from(answered.video_slots),
                };
                drop(outgoing.reply.send(Ok(reply)));
            }
        });
        let plan = MediaPlan {
            video_slots: 2,
            audio_slots: 2,
            simulcast,
            ..MediaPlan::default()
        };
        let link = watch::Sender::new(Some(Link { outgoing }));
        let board = Arc::new(Board::new(&plan));
        let tally = Tally::default();
        let seen = watch::Sender::new(Seen::default());
        let restarts = watch::Sender::new(0);
        let mut changes = seen.subscribe();
        let media = Media::start(
            CALL,
            Surroundings {
                plan,
                index,
                link: link.subscribe(),
                seen,
                tally: tally.clone(),
                board: board.clone(),
                wanted: Wanted::default(),
                restarts: restarts.subscribe(),
            },
        );
        let peer = names.recv().await.unwrap();
        let up = changes.wait_for(|seen| seen.media_connected);
        tokio::time::timeout(PATIENCE, up).await.unwrap().unwrap();
        self.bots.push(RigBot {
            media,
            board,
            tally,
            peer,
            names,
            restarts,
            _link: link,
        });
    }

    /// Puts bots into a bot's slots and says so, as the server does.
    fn show(&self, bot: usize, sites: &[Option<usize>]) {
        let shown: Vec<_> = sites
            .iter()
            .map(|s| s.map(|s| Shown::camera(self.bots[s].peer)))
            .collect();
        let occupants: Vec<_> = sites
            .iter()
            .map(|s| {
                s.map(|s| Occupant {
                    participant: s as u32,
                    index: Some(s as u16 + 1),
                })
            })
            .collect();
        let bot = &self.bots[bot];
        self.node.set_slots(bot.peer, &shown);
        bot.board.announce(&occupants, Instant::now());
    }

    fn report(&self, bot: usize) -> BotReport {
        let bot = &self.bots[bot];
        let mut report = bot.tally.add(|report| report.clone());
        bot.board.report(&mut report, Instant::now());
        report
    }

    /// Looks at the figures until they satisfy.
    async fn until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut look = tokio::time::interval(Duration::from_millis(50));
        while !condition(self) {
            assert!(
                Instant::now() < deadline,
                "{what}: {:#?}",
                (0..self.bots.len())
                    .map(|b| self.report(b))
                    .collect::<Vec<_>>()
            );
            look.tick().await;
            while self.events.try_recv().is_ok() {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_see_and_hear_each_other_through_the_node() {
    let mut rig = Rig::start();
    for index in 1..=3 {
        VideoLoop::of(index, Size::SINGLE).unwrap();
        SoundLoop::of(index).unwrap();
        rig.join(index).await;
    }
    rig.show(0, &[Some(1), Some(2)]);
    rig.show(1, &[Some(2), None]);
    rig.show(2, &[None, Some(0)]);
    rig.until("all see each other", |rig| {
        let frames = |bot: usize, slot: usize| rig.report(bot).video_slots[slot].frames;
        frames(0, 0).min(frames(0, 1)) > 25 && frames(1, 0) > 25 && frames(2, 1) > 25
    })
    .await;

    rig.show(0, &[Some(2), Some(1)]);
    rig.until("the switched slots show the others", |rig| {
        let slots = rig.report(0).video_slots;
        slots.iter().all(|slot| slot.first_frame_ms.len() == 2)
    })
    .await;

    rig.until("somebody is heard", |rig| {
        rig.report(0).audio_slots.iter().any(|s| s.packets > 5)
    })
    .await;

    for bot in 0..3 {
        let report = rig.report(bot);
        for slot in report.video_slots.iter().chain(&report.audio_slots) {
            assert_eq!((slot.lost, slot.wrong_frames), (0, 0), "{report:#?}");
            assert_eq!((slot.duplicate, slot.pictures_wrong), (0, 0), "{report:#?}");
        }
        let checked: u64 = report.video_slots.iter().map(|s| s.pictures_checked).sum();
        assert!(checked > 0, "{report:#?}");
    }
    // Two came into view of each, twice: the node asks at most once for each, or serves what it kept.
    let asked = [1, 2].map(|bot| rig.report(bot).keyframes_on_request);
    assert!(asked.iter().all(|n| *n <= 4), "{asked:?}");
    // The node loses a bot's media: it comes back by itself, once.
    rig.node.leave(rig.bots[0].peer);
    rig.bots[0].media.renegotiate();
    rig.bots[0].peer = rig.bots[0].names.recv().await.unwrap();
    rig.show(0, &[Some(1), Some(2)]);
    rig.until("the media is back", |rig| {
        let report = rig.report(0);
        report.media_reconnects == 1 && !report.media_away_ms.is_empty()
    })
    .await;
    assert!(
        rig.bots[0].names.try_recv().is_err(),
        "one offer was enough"
    );
    for bot in rig.bots.drain(..) {
        bot.media.stop().await;
    }
    rig.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulcast_is_seen_and_goes_on_over_a_restarted_path() {
    let mut rig = Rig::start();
    for index in 1..=2 {
        for size in Size::SIMULCAST {
            VideoLoop::of(index, size).unwrap();
        }
        rig.join_with(index, true, true).await;
    }
    rig.show(0, &[Some(1), None]);
    rig.show(1, &[Some(0), None]);
    let frames = |rig: &Rig, bot: usize| rig.report(bot).video_slots[0].frames;
    rig.until("both see each other", |rig| {
        frames(rig, 0).min(frames(rig, 1)) > 10
    })
    .await;

    for bot in 0..2 {
        let health = rig.report(bot).video_slots[0].health.clone();
        assert_eq!(health.garbled_frames, 0, "{health:?}");
    }
    rig.bots[0].restarts.send_modify(|n| *n += 1);
    rig.until("the path is restarted", |rig| {
        rig.report(0).ice_restarts == 1
    })
    .await;
    let before = [0, 1].map(|bot| frames(&rig, bot));
    rig.until("both still see each other", |rig| {
        [0, 1]
            .iter()
            .all(|bot| frames(rig, *bot) > before[*bot] + 20)
    })
    .await;
    for bot in 0..2 {
        let report = rig.report(bot);
        assert_eq!(report.media_reconnects, 0, "{report:#?}");
        assert!(!report.video_slots[0].health.stuck, "{report:#?}");
    }
    for bot in rig.bots.drain(..) {
        bot.media.stop().await;
    }
    rig.node.shutdown().await;
}
