//! A bot's media connection: one negotiation per conference, made again when
//! it breaks or the server says that it lost it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use liandong_protocol::{ConferenceId, RefusalCode, Reply, Request};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceGatheringState, RTCPeerConnectionState,
    RTCSessionDescription,
};

use super::board::{Board, Place};
use super::described::{Section, sections};
use super::link::{Link, RequestError};
use super::peer::{self, Tracks};
use super::sending::{Sending, Stream};
use super::{MediaPlan, Seen, Tally};
use crate::media::sound::SoundLoop;
use crate::media::vp8::VideoLoop;

/// Candidates are all local: gathering is a matter of milliseconds.
const GATHER_PATIENCE: Duration = Duration::from_secs(5);
/// From the answer to the connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// Disconnected may heal by itself; longer than this it is made anew.
const HEAL_PATIENCE: Duration = Duration::from_millis(1500);
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a media task shares with its bot.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) plan: MediaPlan,
    pub(super) index: u16,
    /// The present connection to the server, if any.
    pub(super) link: watch::Receiver<Option<Link>>,
    pub(super) seen: watch::Sender<Seen>,
    pub(super) tally: Tally,
    pub(super) board: Arc<Board>,
}

/// The media of one conference.
pub(super) struct Media {
    pub(super) conference: ConferenceId,
    again: Arc<Notify>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Media {
    pub(super) fn start(conference: ConferenceId, surroundings: Surroundings) -> Self {
        let (stop, stopped) = oneshot::channel();
        let again = Arc::new(Notify::new());
        let keeper = Keeper {
            conference,
            surroundings,
            again: again.clone(),
        };
        Self {
            conference,
            again,
            stop,
            task: tokio::spawn(keeper.run(stopped)),
        }
    }

    /// The server lost the media: negotiate anew.
    pub(super) fn renegotiate(&self) {
        self.again.notify_one();
    }

    pub(super) async fn stop(self) {
        drop(self.stop);
        // A panic in the task has been reported.
        let _ = self.task.await;
    }
}

/// Why a media connection ended.
enum Ending {
    /// Broken, or asked for: once more.
    Again(String),
    /// The conference is over for this bot.
    Over(RefusalCode),
}

impl Ending {
    fn broken(error: impl std::fmt::Display) -> Self {
        Self::Again(error.to_string())
    }
}

struct Keeper {
    conference: ConferenceId,
    surroundings: Surroundings,
    again: Arc<Notify>,
}

impl Keeper {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let mut wait = FIRST_WAIT;
        let mut ever_connected = false;
        loop {
            let connected = Arc::new(OnceLock::new());
            let (happened, happenings) = mpsc::channel(16);
            let observer = Arc::new(Observer {
                happened,
                places: OnceLock::new(),
                board: self.surroundings.board.clone(),
            });
            let (connection, tracks) = match peer::build(
                &self.surroundings.plan,
                self.surroundings.index,
                observer.clone(),
            )
            .await
            {
                Ok(built) => built,
                Err(error) => {
                    tracing::warn!(%error, "no media connection can be made");
                    return;
                }
            };
            let attempt = Attempt {
                keeper: &self,
                connection: &connection,
                observer: &observer,
                connected: connected.clone(),
            };
            let ending = tokio::select! {
                _ = &mut stopped => None,
                ending = attempt.run(tracks, happenings) => Some(ending),
            };
            self.surroundings
                .seen
                .send_modify(|seen| seen.media_connected = false);
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "closing the media connection");
            }
            if connected.get().is_some() {
                if ever_connected {
                    self.surroundings.tally.add(|r| r.media_reconnects += 1);
                }
                ever_connected = true;
                wait = FIRST_WAIT;
            }
            match ending {
                None => return,
                Some(Ending::Over(code)) => {
                    tracing::debug!(?code, conference = %self.conference, "no media any more");
                    return;
                }
                Some(Ending::Again(reason)) => {
                    let (conference, index) = (self.conference, self.surroundings.index);
                    tracing::info!(%conference, index, reason, "media is negotiated again");
                }
            }
            tokio::select! {
                _ = &mut stopped => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// One negotiation and what follows from it.
struct Attempt<'a> {
    keeper: &'a Keeper,
    connection: &'a Arc<dyn PeerConnection>,
    observer: &'a Observer,
    /// Set once the connection was up.
    connected: Arc<OnceLock<()>>,
}

impl Attempt<'_> {
    async fn run(
        self,
        tracks: Option<Tracks>,
        mut happenings: mpsc::Receiver<Happening>,
    ) -> Ending {
        let negotiated = self.negotiate(&mut happenings).await;
        let (answer, offered) = match negotiated {
            Ok(negotiated) => negotiated,
            Err(ending) => return ending,
        };
        let up = tokio::time::timeout(CONNECT_PATIENCE, connected(&mut happenings)).await;
        match up {
            Ok(Ok(())) => {}
            Ok(Err(ending)) => return ending,
            Err(_) => return Ending::broken("no connection after the answer"),
        }
        let around = &self.keeper.surroundings;
        let took_ms = offered.elapsed().as_secs_f64() * 1e3;
        around
            .tally
            .add(|report| report.media_connect_ms = Some(took_ms));
        around.board.restart(Instant::now());
        around.seen.send_modify(|seen| seen.media_connected = true);
        // Only the first call can set it; the attempt has only one.
        let _ = self.connected.set(());
        let sending = async {
            match tracks {
                Some(tracks) => self.send(tracks, &answer).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sending => Ending::broken("the tracks are gone"),
            ending = broken(&mut happenings) => ending,
            () = self.keeper.again.notified() => Ending::broken("the server lost it"),
        }
    }

    /// Offer and answer. Gives the answer's sections and when the offer went out.
    async fn negotiate(
        &self,
        happenings: &mut mpsc::Receiver<Happening>,
    ) -> Result<(Vec<Section>, Instant), Ending> {
        let offer = self
            .connection
            .create_offer(None)
            .await
            .map_err(Ending::broken)?;
        self.connection
            .set_local_description(offer)
            .await
            .map_err(Ending::broken)?;
        // Without trickling, the offer has to hold all candidates.
        let gathered = async {
            while let Some(happening) = happenings.recv().await {
                if happening == Happening::Gathered {
                    return;
                }
            }
        };
        tokio::time::timeout(GATHER_PATIENCE, gathered)
            .await
            .map_err(|_| Ending::broken("gathering candidates took too long"))?;
        let local = self.connection.local_description().await;
        let sdp = local.ok_or_else(|| Ending::broken("no offer"))?.sdp;
        let offered = Instant::now();
        let answer = self.offer(sdp).await?;
        let sections = sections(&answer);
        let places = self.places(&sections);
        // Only the first call can set it; the attempt has only one.
        let _ = self.observer.places.set(places);
        let answer = RTCSessionDescription::answer(answer).map_err(Ending::broken)?;
        self.connection
            .set_remote_description(answer)
            .await
            .map_err(|e| Ending::Again(format!("the answer is not understood: {e}")))?;
        Ok((sections, offered))
    }

    async fn offer(&self, sdp: String) -> Result<String, Ending> {
        let mut links = self.keeper.surroundings.link.clone();
        let link = match links.wait_for(Option::is_some).await {
            Ok(link) => link.clone(),
            Err(_) => return Err(Ending::broken("the bot ended")),
        };
        let Some(link) = link else {
            return Err(Ending::broken("offline"));
        };
        let conference = self.keeper.conference;
        match link.request(Request::Offer { conference, sdp }).await {
            Ok(Reply::Answer { sdp, .. }) => Ok(sdp),
            Ok(other) => Err(Ending::Again(format!(
                "the offer was answered by {other:?}"
            ))),
            Err(RequestError::Lost) => Err(Ending::broken("the connection was lost")),
            Err(RequestError::Refused(refusal)) => {
                self.keeper
                    .surroundings
                    .tally
                    .add(|report| report.refuse(refusal.code));
                match refusal.code {
                    RefusalCode::NotInConference
                    | RefusalCode::UnknownConference
                    | RefusalCode::Ended => Err(Ending::Over(refusal.code)),
                    code => Err(Ending::Again(format!("{code:?}: {}", refusal.message))),
                }
            }
        }
    }

    /// Which stream belongs into which slot, by the order of the offer.
    fn places(&self, sections: &[Section]) -> BTreeMap<u32, Place> {
        let plan = &self.keeper.surroundings.plan;
        let own = if plan.sends { 2 } else { 0 };
        let videos = usize::from(plan.video_slots);
        let received = sections.iter().skip(own).enumerate();
        received
            .filter_map(|(number, section)| {
                let place = if number < videos {
                    Place::Video(number)
                } else {
                    Place::Audio(number - videos)
                };
                Some((section.ssrc?, place))
            })
            .collect()
    }

    async fn send(&self, tracks: Tracks, answer: &[Section]) {
        let around = &self.keeper.surroundings;
        let index = around.index;
        // Encoding blocks; it is done once per site and process.
        let made = tokio::task::spawn_blocking(move || {
            Ok::<_, crate::media::codec::CodecError>((VideoLoop::of(index)?, SoundLoop::of(index)?))
        })
        .await;
        let (pictures, sound) = match made {
            Ok(Ok(made)) => made,
            Ok(Err(error)) => {
                tracing::warn!(%error, index, "there is nothing to send");
                return std::future::pending().await;
            }
            Err(error) => {
                tracing::warn!(%error, index, "there is nothing to send");
                return std::future::pending().await;
            }
        };
        let prepared = |mut stream: Stream, section: Option<&Section>| {
            if let Some(section) = section {
                let mid = section.mid.clone().into_bytes();
                stream.mid = section.extension(peer::MID).map(|id| (id, mid.into()));
                stream.level = section.extension(peer::AUDIO_LEVEL);
            }
            stream
        };
        let sending = Sending {
            audio: prepared(tracks.audio, answer.first()),
            video: prepared(tracks.video, answer.get(1)),
            pictures,
            sound,
            tally: around.tally.clone(),
        };
        sending.run().await;
    }
}

/// What the media stack tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Happening {
    Gathered,
    State(RTCPeerConnectionState),
}

async fn connected(happenings: &mut mpsc::Receiver<Happening>) -> Result<(), Ending> {
    loop {
        match happenings.recv().await {
            Some(Happening::State(RTCPeerConnectionState::Connected)) => return Ok(()),
            Some(Happening::State(
                state @ (RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed),
            )) => return Err(Ending::Again(format!("the connection is {state}"))),
            Some(_) => {}
            None => return Err(Ending::broken("the media stack ended")),
        }
    }
}

/// Waits until the connection is beyond healing.
async fn broken(happenings: &mut mpsc::Receiver<Happening>) -> Ending {
    let mut healing = false;
    loop {
        let next = async {
            if healing {
                tokio::time::timeout(HEAL_PATIENCE, happenings.recv()).await
            } else {
                Ok(happenings.recv().await)
            }
        };
        match next.await {
            Err(_) => return Ending::broken("the connection is disconnected"),
            Ok(None) => return Ending::broken("the media stack ended"),
            Ok(Some(Happening::State(state))) => match state {
                RTCPeerConnectionState::Disconnected => healing = true,
                RTCPeerConnectionState::Connected => healing = false,
                RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                    return Ending::Again(format!("the connection is {state}"));
                }
                _ => {}
            },
            Ok(Some(Happening::Gathered)) => {}
        }
    }
}

/// Hears the media stack; called on its own task, so nothing here may wait.
pub(super) struct Observer {
    happened: mpsc::Sender<Happening>,
    places: OnceLock<BTreeMap<u32, Place>>,
    board: Arc<Board>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Observer {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            // Full: sixteen unread events mean that nobody waits for this one.
            let _ = self.happened.try_send(Happening::Gathered);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let _ = self.happened.try_send(Happening::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let places = self.places.get();
        let ssrcs = track.ssrcs().await;
        let place = ssrcs
            .iter()
            .find_map(|ssrc| places.and_then(|p| p.get(ssrc)).copied());
        let Some(place) = place else {
            tracing::warn!(?ssrcs, "a stream that the answer does not name");
            return;
        };
        tokio::spawn(receive(track, place, self.board.clone()));
    }
}

async fn receive(track: Arc<dyn TrackRemote>, place: Place, board: Arc<Board>) {
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => board.packet(place, &packet, Instant::now()),
            TrackRemoteEvent::OnEnded => break,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
