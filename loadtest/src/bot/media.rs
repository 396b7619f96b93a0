//! A bot's media connection: one negotiation per conference, made again when
//! it breaks or the server says that it lost it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use liandong_protocol::{ConferenceId, RefusalCode, Reply, Request};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use webrtc::peer_connection::{PeerConnection, RTCSessionDescription};

use super::board::{Board, Place};
use super::described::{Section, sections};
use super::link::{Link, RequestError};
use super::observer::{Happening, Observer, broken, connected};
use super::peer::{self, Tracks};
use super::picture::{Picture, Wanted};
use super::sending::{Sending, Stream};
use super::{MediaPlan, Seen, Tally};
use crate::media::codec::CodecError;
use crate::media::sound::SoundLoop;
use crate::media::video::{Size, VideoLoop};

/// Candidates are all local: gathering is a matter of milliseconds.
const GATHER_PATIENCE: Duration = Duration::from_secs(5);
/// From the answer to the connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
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
    /// Which of the bot's encodings the server wants.
    pub(super) wanted: Wanted,
    /// Counts the wishes for an ICE restart.
    pub(super) restarts: watch::Receiver<u32>,
}

/// The media of one conference.
pub(super) struct Media {
    pub(super) conference: ConferenceId,
    /// Counts how often the server lost the media.
    losses: watch::Sender<u32>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Media {
    pub(super) fn start(conference: ConferenceId, surroundings: Surroundings) -> Self {
        let (stop, stopped) = oneshot::channel();
        let losses = watch::Sender::new(0);
        let keeper = Keeper {
            conference,
            surroundings,
            losses: losses.subscribe(),
            ever_connected: OnceLock::new(),
        };
        Self {
            conference,
            losses,
            stop,
            task: tokio::spawn(keeper.run(stopped)),
        }
    }

    /// The server lost the media: negotiate anew.
    pub(super) fn renegotiate(&self) {
        self.losses
            .send_modify(|losses| *losses = losses.wrapping_add(1));
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
    losses: watch::Receiver<u32>,
    /// Set by the first connection.
    ever_connected: OnceLock<()>,
}

impl Keeper {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let mut wait = FIRST_WAIT;
        loop {
            let connected = OnceLock::new();
            let ending = match self.once(&connected, &mut stopped).await {
                Ok(ending) => ending,
                Err(error) => Some(Ending::broken(error)),
            };
            self.surroundings
                .seen
                .send_modify(|seen| seen.media_connected = false);
            if connected.get().is_some() {
                wait = FIRST_WAIT;
            }
            let (conference, index) = (self.conference, self.surroundings.index);
            match ending {
                None => return,
                Some(Ending::Over(code)) => {
                    tracing::debug!(%conference, index, ?code, "no media any more");
                    return;
                }
                Some(Ending::Again(reason)) => {
                    tracing::debug!(%conference, index, reason, "media is negotiated again");
                }
            }
            tokio::select! {
                _ = &mut stopped => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// One media connection, from its making to its end; `None` when the bot hangs up.
    async fn once(
        &self,
        connected: &OnceLock<()>,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Result<Option<Ending>, webrtc::error::Error> {
        let around = &self.surroundings;
        around.wanted.all();
        let (observer, happenings) = Observer::new(around.board.clone());
        let (connection, tracks) =
            peer::build(&around.plan, around.index, observer.clone()).await?;
        let attempt = Attempt {
            keeper: self,
            connection: &connection,
            observer: &observer,
            connected,
            offered_after: OnceLock::new(),
        };
        let ending = tokio::select! {
            _ = stopped => None,
            ending = attempt.run(tracks, happenings) => Some(ending),
            () = attempt.lost() => Some(Ending::broken("the server lost it")),
        };
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "closing the media connection");
        }
        Ok(ending)
    }
}

/// One negotiation and what follows from it.
struct Attempt<'a> {
    keeper: &'a Keeper,
    connection: &'a Arc<dyn PeerConnection>,
    observer: &'a Observer,
    /// Set once the connection was up.
    connected: &'a OnceLock<()>,
    /// The number of losses when the offer went out; before that none matters.
    offered_after: OnceLock<u32>,
}

impl Attempt<'_> {
    async fn run(
        &self,
        tracks: Option<Tracks>,
        mut happenings: mpsc::Receiver<Happening>,
    ) -> Ending {
        let mut restarts = self.keeper.surroundings.restarts.clone();
        restarts.mark_unchanged();
        let negotiated = self.negotiate(&mut happenings).await;
        let (answer, offered) = match negotiated {
            Ok(negotiated) => negotiated,
            Err(ending) => return ending,
        };
        let up = tokio::time::timeout(CONNECT_PATIENCE, connected(&mut happenings)).await;
        match up {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Ending::Again(reason),
            Err(_) => return Ending::broken("no connection after the answer"),
        }
        let around = &self.keeper.surroundings;
        let took_ms = offered.elapsed().as_secs_f64() * 1e3;
        let again = self.keeper.ever_connected.set(()).is_err();
        around.tally.add(|report| {
            report.media_connect_ms = Some(took_ms);
            report.media_reconnects += u64::from(again);
        });
        around.board.connected(Instant::now());
        around.seen.send_modify(|seen| seen.media_connected = true);
        // Only the first call can set it; the attempt has only one.
        let _ = self.connected.set(());
        let sending = async {
            match tracks {
                Some(tracks) => self.send(tracks, &answer).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(sending);
        loop {
            tokio::select! {
                () = &mut sending => return Ending::broken("the tracks are gone"),
                reason = broken(&mut happenings) => return Ending::Again(reason),
                // An error says that the bot is gone, which is waited for elsewhere.
                Ok(()) = restarts.changed() => {
                    if let Err(ending) = self.restart(&mut happenings).await {
                        return ending;
                    }
                }
            }
        }
    }

    /// The same connection over another path; what was negotiated stays.
    async fn restart(&self, happenings: &mut mpsc::Receiver<Happening>) -> Result<(), Ending> {
        self.connection
            .restart_ice()
            .await
            .map_err(Ending::broken)?;
        self.exchange(happenings).await?;
        let tally = &self.keeper.surroundings.tally;
        tally.add(|report| report.ice_restarts += 1);
        Ok(())
    }

    /// Waits until the server loses what this attempt has offered.
    async fn lost(&self) {
        let mut losses = self.keeper.losses.clone();
        let mine = |losses: &u32| {
            self.offered_after
                .get()
                .is_some_and(|before| losses != before)
        };
        if losses.wait_for(mine).await.is_err() {
            // The bot hangs up, which is waited for elsewhere.
            std::future::pending().await
        }
    }

    /// Offer and answer. Gives the answer's sections and when the offer went out.
    async fn negotiate(
        &self,
        happenings: &mut mpsc::Receiver<Happening>,
    ) -> Result<(Vec<Section>, Instant), Ending> {
        let (answer, offered) = self.exchange(happenings).await?;
        Ok((sections(&answer), offered))
    }

    /// Offer and answer, and when the offer went out.
    async fn exchange(
        &self,
        happenings: &mut mpsc::Receiver<Happening>,
    ) -> Result<(String, Instant), Ending> {
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
        // Before any packet; a restart leaves them as they are.
        if self.observer.place(self.places(&sections(&answer))) {
            self.keeper.surroundings.board.restart(Instant::now());
        }
        let described = RTCSessionDescription::answer(answer.clone()).map_err(Ending::broken)?;
        self.connection
            .set_remote_description(described)
            .await
            .map_err(|e| Ending::Again(format!("the answer is not understood: {e}")))?;
        Ok((answer, offered))
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
        // Only the first call can set it; the attempt has only one.
        let _ = self.offered_after.set(*self.keeper.losses.borrow());
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
        let sizes: Vec<Size> = tracks.video.iter().map(|(size, _)| *size).collect();
        // Encoding blocks; it is done once per site, size and process.
        let made = tokio::task::spawn_blocking(move || made(index, &sizes));
        let (loops, sound) = match made.await.map_err(|e| e.to_string()) {
            Ok(Ok(made)) => made,
            Ok(Err(error)) | Err(error) => {
                tracing::warn!(%error, index, "there is nothing to send");
                return std::future::pending().await;
            }
        };
        let prepared = |stream: &mut Stream, section: Option<&Section>| {
            if let Some(section) = section {
                let mid = section.mid.clone().into_bytes();
                stream.mid = section.extension(peer::MID).map(|id| (id, mid.into()));
                stream.level = section.extension(peer::AUDIO_LEVEL);
            }
        };
        let mut audio = tracks.audio;
        prepared(&mut audio, answer.first());
        let camera = answer.get(1);
        let mut track = None;
        let mut pictures = Vec::with_capacity(loops.len());
        for ((size, mut stream), frames) in tracks.video.into_iter().zip(loops) {
            prepared(&mut stream, camera);
            let rid = camera.and_then(|section| section.extension(peer::RID));
            stream.rid = rid
                .filter(|_| !size.rid.is_empty())
                .map(|id| (id, Bytes::from_static(size.rid.as_bytes())));
            track.get_or_insert_with(|| stream.track.clone());
            pictures.push(Picture::new(stream, size, frames));
        }
        let Some(track) = track else {
            return std::future::pending().await;
        };
        let sending = Sending {
            pictures,
            wanted: around.wanted.clone(),
            audio,
            sound,
            tally: around.tally.clone(),
            track,
        };
        sending.run().await;
    }
}

/// The loops of a site, in these sizes.
fn made(index: u16, sizes: &[Size]) -> Result<(Vec<Arc<VideoLoop>>, Arc<SoundLoop>), String> {
    let loops: Result<_, _> = sizes
        .iter()
        .map(|size| VideoLoop::of(index, *size))
        .collect();
    let sound = SoundLoop::of(index).map_err(|e| e.to_string())?;
    Ok((loops.map_err(|e: CodecError| e.to_string())?, sound))
}

#[cfg(test)]
mod tests;
