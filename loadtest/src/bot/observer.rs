//! Hears what the media stack has to say: its states, and what it receives.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceGatheringState, RTCPeerConnectionState,
};

use super::board::{Board, Place};

/// Disconnected may heal by itself; longer than this it is made anew.
const HEAL_PATIENCE: Duration = Duration::from_millis(1500);

/// What the media stack tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Happening {
    Gathered,
    State(RTCPeerConnectionState),
}

/// Waits until the connection is up; or says why it will not be.
pub(super) async fn connected(happenings: &mut mpsc::Receiver<Happening>) -> Result<(), String> {
    loop {
        match happenings.recv().await {
            Some(Happening::State(RTCPeerConnectionState::Connected)) => return Ok(()),
            Some(Happening::State(
                state @ (RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed),
            )) => return Err(format!("the connection is {state}")),
            Some(_) => {}
            None => return Err("the media stack ended".to_owned()),
        }
    }
}

/// Waits until the connection is beyond healing.
pub(super) async fn broken(happenings: &mut mpsc::Receiver<Happening>) -> String {
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
            Err(_) => return "the connection is disconnected".to_owned(),
            Ok(None) => return "the media stack ended".to_owned(),
            Ok(Some(Happening::State(state))) => match state {
                RTCPeerConnectionState::Disconnected => healing = true,
                RTCPeerConnectionState::Connected => healing = false,
                RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                    return format!("the connection is {state}");
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
    /// By SSRC; known once the answer is there, which is before any packet.
    places: OnceLock<BTreeMap<u32, Place>>,
    board: Arc<Board>,
}

impl Observer {
    /// What it hears comes out of the channel.
    pub(super) fn new(board: Arc<Board>) -> (Arc<Self>, mpsc::Receiver<Happening>) {
        // A connection changes its state a few times in its life.
        let (happened, happenings) = mpsc::channel(16);
        let observer = Self {
            happened,
            places: OnceLock::new(),
            board,
        };
        (Arc::new(observer), happenings)
    }

    /// Which stream belongs into which slot. Only the first call counts: an ICE restart
    /// changes no stream. True of that call.
    pub(super) fn place(&self, places: BTreeMap<u32, Place>) -> bool {
        self.places.set(places).is_ok()
    }
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
        let packet = match event {
            TrackRemoteEvent::OnRtpPacket(packet) => packet,
            TrackRemoteEvent::OnEnded => break,
            _ => continue,
        };
        if board.packet(place, &packet, Instant::now()) {
            let request = PictureLossIndication {
                sender_ssrc: 0,
                media_ssrc: packet.header.ssrc,
            };
            // An error says that the connection is gone, and the next one asks itself.
            let _ = track.write_rtcp(vec![Box::new(request)]).await;
        }
    }
}
