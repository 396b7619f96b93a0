//! What the media node hears of speakers, for the exchange before the desk: that one may be
//! waiting for its disk, and a speaker would lose the floor though his sound came.

use std::collections::VecDeque;

use liandong_sfu_node::NodeEvent;
use tokio::sync::mpsc;

use super::{Input, Talk, group_of};

/// Events that the channel to the desk holds.
const CHANNEL: usize = 256;
/// Behind so many the desk gets no figures, which come again.
const MAX_FIGURES: usize = 4_096;
/// With so many the node keeps what is new until the desk is there again.
const MAX_WAITING: usize = 65_536;

/// Gives what is left for the desk. Ends with the node or with the desk.
pub fn start(talk: Talk, events: mpsc::Receiver<NodeEvent>) -> mpsc::Receiver<NodeEvent> {
    let (desk, received) = mpsc::channel(CHANNEL);
    tokio::spawn(run(talk, events, desk));
    received
}

async fn run(talk: Talk, mut events: mpsc::Receiver<NodeEvent>, desk: mpsc::Sender<NodeEvent>) {
    let mut waiting = VecDeque::new();
    loop {
        tokio::select! {
            event = events.recv(), if waiting.len() < MAX_WAITING => match event {
                Some(event) => waiting.extend(talk.hear(event, waiting.len() < MAX_FIGURES)),
                None => break,
            },
            permit = desk.reserve(), if !waiting.is_empty() => {
                let Ok(permit) = permit else { return };
                if let Some(event) = waiting.pop_front() {
                    permit.send(event);
                }
            }
        }
    }
    for event in waiting {
        if desk.send(event).await.is_err() {
            return;
        }
    }
}

impl Talk {
    /// Never waits. Gives what is for the desk; `figures`: it has room for those, too.
    fn hear(&self, event: NodeEvent, figures: bool) -> Option<NodeEvent> {
        let (ours, again, desks) = match &event {
            NodeEvent::Speaking { room, .. } => {
                let ours = group_of(*room).is_some();
                (ours, true, !ours)
            }
            // Whose peer it is, the exchange knows.
            NodeEvent::Stats { .. } => (true, true, true),
            NodeEvent::Connected { .. }
            | NodeEvent::Disconnected { .. }
            | NodeEvent::SourceStarted { .. }
            | NodeEvent::SourceSilent { .. }
            | NodeEvent::SlotLive { .. }
            | NodeEvent::Overload { .. }
            | NodeEvent::Demand { .. }
            | NodeEvent::SpeechRate { .. } => (false, false, true),
        };
        if ours && let Err(error) = self.inputs.try_send(Input::Node(event.clone())) {
            tracing::warn!(%error, "the exchange is behind");
        }
        (desks && (figures || !again)).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use liandong_sfu_node::RoomId;

    use super::super::Waiting;
    use super::*;

    #[tokio::test]
    async fn exchange_hears_speakers_while_the_desk_takes_nothing() {
        let (talk, Waiting(mut inputs)) = Talk::channel();
        let (node, events) = mpsc::channel(1);
        let mut desk = start(talk, events);
        // More than the desk's channel and the node's hold together.
        let room = RoomId(super::super::TALK_ROOMS | 1);
        let peers = Vec::new();
        for _ in 0..=CHANNEL {
            node.send(NodeEvent::Overload { level: 1 }).await.unwrap();
        }
        let speaking = NodeEvent::Speaking { room, peers };
        node.send(speaking).await.unwrap();
        let heard = inputs.recv().await;
        assert!(matches!(
            heard,
            Some(Input::Node(NodeEvent::Speaking { .. }))
        ));
        drop(node);
        let mut left = 0;
        while desk.recv().await.is_some() {
            left += 1;
        }
        assert_eq!(left, CHANNEL + 1);
    }
}
