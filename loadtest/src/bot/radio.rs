//! A member of talk groups: presses the key, waits, speaks, lets go; with sound where
//! the machine carries it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use liandong_protocol::talk::{FloorAct, FloorStanding, TalkNews};
use liandong_protocol::{AccountId, Device, PROTOCOL_VERSION, Push, Reply, Request, TalkGroupId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceGatheringState, RTCSessionDescription,
};

use super::MediaPlan;
use super::described::sections;
use super::link::Link;
use super::peer;
use super::sending::Stream;
use crate::media::sound::{FRAME_SAMPLES, SoundLoop};
use crate::server::Server;

/// One packet of sound.
const TICK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(20);

type Standings = BTreeMap<TalkGroupId, FloorStanding>;

/// One signed-in device without a call.
#[derive(Debug)]
pub struct Radio {
    link: Link,
    /// Those that the account belongs to.
    groups: watch::Receiver<Vec<TalkGroupId>>,
    standings: watch::Receiver<Standings>,
    reader: JoinHandle<()>,
}

impl Radio {
    /// Logs in and says hello; waits where the server wants it.
    ///
    /// # Errors
    /// The login is refused for good, or the server is not there.
    pub async fn open(
        server: &Server,
        account: &AccountId,
        password: &str,
    ) -> anyhow::Result<Self> {
        let session = loop {
            match server.login(account, password).await {
                Ok(session) => break session,
                Err(error) if error.is_final() => return Err(error.into()),
                // Hundreds at once from one address: the server spreads them.
                Err(error) => {
                    tracing::debug!(%account, %error, "waits");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        };
        let (link, pushes) = Link::open(server, &session).await?;
        let (groups, seen_groups) = watch::channel(Vec::new());
        let (standings, seen_standings) = watch::channel(Standings::new());
        let reader = tokio::spawn(read(pushes, groups, standings));
        let hello = Request::Hello {
            version: PROTOCOL_VERSION,
            device: Device::Phone,
            resume: None,
            participant: None,
            auto_answer: false,
        };
        link.request(hello).await?;
        Ok(Self {
            link,
            groups: seen_groups,
            standings: seen_standings,
            reader,
        })
    }

    /// The first group that the account belongs to.
    ///
    /// # Errors
    /// None is told in time.
    pub async fn group(&self) -> anyhow::Result<TalkGroupId> {
        let mut groups = self.groups.clone();
        let found = tokio::time::timeout(PATIENCE, groups.wait_for(|all| !all.is_empty())).await;
        let found = found.context("no group in time")??;
        found.first().copied().context("no group")
    }

    /// # Errors
    /// Refused, or the line is lost.
    pub async fn act(&self, group: TalkGroupId, act: FloorAct) -> anyhow::Result<Reply> {
        Ok(self.link.request(Request::Floor { group, act }).await?)
    }

    /// Presses the key. Gives the first answer, and how long it took.
    ///
    /// # Errors
    /// Refused, lost, or no answer in time.
    pub async fn press(&self, group: TalkGroupId) -> anyhow::Result<(FloorStanding, Duration)> {
        let mut standings = self.standings.clone();
        standings.mark_unchanged();
        let pressed = Instant::now();
        let request = self.link.request(Request::Floor {
            group,
            act: FloorAct::Request,
        });
        let answer = async {
            standings.changed().await?;
            let took = pressed.elapsed();
            let standing = standings.borrow().get(&group).cloned();
            anyhow::Ok((standing.context("another group")?, took))
        };
        let (reply, answer) = tokio::join!(request, tokio::time::timeout(PATIENCE, answer));
        reply?;
        answer.context("no answer in time")?
    }

    /// Waits for the turn. False: it was denied or taken away.
    ///
    /// # Errors
    /// The turn does not come in time.
    pub async fn turn(&self, group: TalkGroupId) -> anyhow::Result<bool> {
        let mut standings = self.standings.clone();
        let decided =
            |all: &Standings| !matches!(all.get(&group), Some(FloorStanding::Queued { .. }));
        let patience = Duration::from_secs(120);
        let decided = tokio::time::timeout(patience, standings.wait_for(decided)).await;
        let decided = decided.context("the turn did not come")??;
        Ok(matches!(
            decided.get(&group),
            Some(FloorStanding::Holding { .. })
        ))
    }

    /// # Errors
    /// Refused, or the line is lost.
    pub async fn let_go(&self, group: TalkGroupId) -> anyhow::Result<()> {
        self.act(group, FloorAct::Release).await?;
        // So that no late word of this press is taken for the answer to the next.
        let mut standings = self.standings.clone();
        let silent =
            |all: &Standings| matches!(all.get(&group), Some(FloorStanding::Silent { .. }));
        let silent = tokio::time::timeout(PATIENCE, standings.wait_for(silent)).await;
        silent.context("not silent in time")??;
        Ok(())
    }
}

impl Drop for Radio {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(
    mut pushes: mpsc::Receiver<Push>,
    groups: watch::Sender<Vec<TalkGroupId>>,
    standings: watch::Sender<Standings>,
) {
    while let Some(push) = pushes.recv().await {
        let Push::Talk { news } = push else { continue };
        match news {
            TalkNews::All { groups: all } => {
                let own = all.iter().filter(|group| group.member);
                groups.send_replace(own.map(|group| group.id).collect());
            }
            TalkNews::Standing { group, standing } => {
                standings.send_modify(|all| {
                    all.insert(group, standing);
                });
            }
            TalkNews::Group { .. }
            | TalkNews::Gone { .. }
            | TalkNews::Floor { .. }
            | TalkNews::Listeners { .. }
            | TalkNews::Spoke { .. }
            | TalkNews::MediaLost { .. }
            | TalkNews::SpeechRate { .. } => {}
        }
    }
}

/// What one connection of sound has received.
#[derive(Debug, Default)]
struct Heard {
    packets: AtomicU64,
    first: Mutex<Option<Instant>>,
}

impl Heard {
    fn packet(&self, now: Instant) {
        if self.packets.fetch_add(1, Ordering::Relaxed) == 0 {
            *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
}

/// Hears the media stack.
struct Ear {
    gathered: mpsc::Sender<()>,
    heard: Arc<Heard>,
    first: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Ear {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            // Full: it is known already.
            let _ = self.gathered.try_send(());
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let (heard, first) = (Arc::clone(&self.heard), self.first.clone());
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                match event {
                    TrackRemoteEvent::OnRtpPacket(_) => {
                        heard.packet(Instant::now());
                        first.send_replace(true);
                    }
                    TrackRemoteEvent::OnEnded => break,
                    _ => {}
                }
            }
        });
    }
}

/// The sound of one group at one device.
pub struct Sound {
    connection: Arc<dyn PeerConnection>,
    heard: Arc<Heard>,
    first: watch::Receiver<bool>,
    offered: Instant,
    voice: JoinHandle<()>,
    /// True while the key is pressed.
    speaks: watch::Sender<bool>,
}

impl std::fmt::Debug for Sound {
    /// The media stack has nothing to show.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sound")
            .field("packets", &self.packets())
            .finish_non_exhaustive()
    }
}

impl Sound {
    /// Listens and negotiates. The offer is ready before: what counts is from the wish to the sound.
    ///
    /// # Errors
    /// The media stack or the server refuses.
    pub async fn open(radio: &Radio, group: TalkGroupId, index: u16) -> anyhow::Result<Self> {
        let plan = MediaPlan {
            video_slots: 0,
            audio_slots: 1,
            ..MediaPlan::default()
        };
        let heard = Arc::new(Heard::default());
        let (gathered, mut gathering) = mpsc::channel(1);
        let (first_told, first) = watch::channel(false);
        let ear = Ear {
            gathered,
            heard: Arc::clone(&heard),
            first: first_told,
        };
        let (connection, mut stream) = peer::build_sound(&plan, index, Arc::new(ear)).await?;
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer).await?;
        tokio::time::timeout(PATIENCE, gathering.recv())
            .await
            .context("no candidates in time")?;
        let local = connection.local_description().await.context("no offer")?;
        let offered = Instant::now();
        radio.act(group, FloorAct::Listen).await?;
        let answer = radio.act(group, FloorAct::Offer { sdp: local.sdp }).await?;
        let Reply::Answer { sdp, .. } = answer else {
            bail!("the offer was answered by {answer:?}");
        };
        if let Some(own) = sections(&sdp).first() {
            let mid = own.mid.clone().into_bytes();
            stream.mid = own.extension(peer::MID).map(|id| (id, mid.into()));
            stream.level = own.extension(peer::AUDIO_LEVEL);
        }
        connection
            .set_remote_description(RTCSessionDescription::answer(sdp)?)
            .await?;
        let (speaks, speaking) = watch::channel(false);
        let sound = SoundLoop::of(index)?;
        Ok(Self {
            connection,
            heard,
            first,
            offered,
            voice: tokio::spawn(speak(stream, sound, speaking)),
            speaks,
        })
    }

    pub fn speak(&self, speaks: bool) {
        self.speaks.send_replace(speaks);
    }

    /// Packets received so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.heard.packets.load(Ordering::Relaxed)
    }

    /// From the wish to listen to the first packet of somebody's voice.
    ///
    /// # Errors
    /// Nothing comes in time.
    pub async fn first_after(&self) -> anyhow::Result<Duration> {
        let mut first = self.first.clone();
        tokio::time::timeout(PATIENCE, first.wait_for(|came| *came))
            .await
            .context("nothing was heard")??;
        let at = *self
            .heard
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = at.context("nothing was heard")?;
        Ok(at.duration_since(self.offered))
    }

    pub async fn close(self) {
        self.voice.abort();
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "the connection does not close");
        }
    }
}

/// A voice as long as the key is pressed; nothing else.
async fn speak(mut stream: Stream, sound: Arc<SoundLoop>, speaking: watch::Receiver<bool>) {
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let began = Instant::now();
    let mut spoke = false;
    loop {
        clock.tick().await;
        let speaks = *speaking.borrow();
        if speaks {
            let tick = (began.elapsed().as_millis() / TICK.as_millis()) as u64;
            let frame = sound.voice(tick);
            let timestamp = (tick as u32).wrapping_mul(FRAME_SAMPLES as u32);
            if let Some(packet) = frame.packet.clone() {
                // RFC 6464 §3: the voice bit, then the level.
                let level = Some(u8::from(frame.voice) << 7 | frame.level);
                if let Err(error) = stream.send(timestamp, !spoke, level, packet).await {
                    tracing::debug!(%error, "stops speaking");
                    return;
                }
            }
        }
        spoke = speaks;
    }
}
