//! What a bot does with a ring.

use std::time::Duration;

use liandong_protocol::server::Ring;
use liandong_protocol::{Reply, Request};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::link::{Link, RequestError};
use super::{Behaviour, Seen, Tally};

/// The decision: what to send, and how long after the ring.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    Accept(Duration),
    Decline,
    Ignore,
}

pub(super) fn decide(behaviour: Behaviour, ring: &Ring) -> Decision {
    match behaviour {
        Behaviour::Answer => Decision::Accept(Duration::from_millis(u64::from(
            ring.auto_answer_in_ms.unwrap_or(0),
        ))),
        Behaviour::AnswerAfter(delay) => Decision::Accept(delay),
        Behaviour::Decline => Decision::Decline,
        Behaviour::Never => Decision::Ignore,
    }
}

/// Carries the decision out. The ring stops when the sender of `stopped` goes;
/// an answer that is on its way then is still waited for, because accepting
/// stops the ring, too.
pub(super) async fn carry_out(
    ring: Ring,
    behaviour: Behaviour,
    mut stopped: oneshot::Receiver<()>,
    link: Link,
    seen: watch::Sender<Seen>,
    tally: Tally,
) {
    let rung = Instant::now();
    let invitation = ring.invitation;
    let result = match decide(behaviour, &ring) {
        Decision::Ignore => return,
        Decision::Decline => link.request(Request::Decline { invitation }).await,
        Decision::Accept(delay) => {
            tokio::select! {
                () = tokio::time::sleep_until(rung + delay) => {}
                _ = &mut stopped => return,
            }
            link.request(Request::Accept { invitation }).await
        }
    };
    match result {
        Ok(Reply::Accepted {
            conference,
            participant,
        }) => {
            let waited_ms = rung.elapsed().as_secs_f64() * 1e3;
            tally.add(|report| report.ring_to_answered_ms = Some(waited_ms));
            seen.send_modify(|seen| seen.enter(conference, Some(participant)));
        }
        Ok(_) => {}
        Err(RequestError::Refused(refusal)) => {
            tracing::debug!(%invitation, ?refusal, "the answer was refused");
            tally.add(|report| report.refuse(refusal.code));
        }
        // The ring is in the next snapshot if it still rings.
        Err(RequestError::Lost) => {}
    }
}

#[cfg(test)]
mod tests {
    use liandong_protocol::{AccountId, ConferenceId, InvitationId, SiteCode};

    use super::*;

    fn ring(auto_answer_in_ms: Option<u32>) -> Ring {
        Ring {
            invitation: InvitationId(1),
            conference: ConferenceId(1),
            title: String::new(),
            from: AccountId::from("commander"),
            from_name: String::new(),
            from_site: SiteCode::from("511922"),
            from_site_name: String::new(),
            auto_answer_in_ms,
            forced: None,
            deadline_ms: 0.0,
        }
    }

    #[test]
    fn behaviours() {
        let ms = Duration::from_millis;
        let answer = |behaviour, auto| decide(behaviour, &ring(auto));
        assert_eq!(
            answer(Behaviour::Answer, Some(3000)),
            Decision::Accept(ms(3000))
        );
        assert_eq!(answer(Behaviour::Answer, None), Decision::Accept(ms(0)));
        assert_eq!(
            answer(Behaviour::AnswerAfter(ms(5)), Some(3000)),
            Decision::Accept(ms(5))
        );
        assert_eq!(answer(Behaviour::Decline, None), Decision::Decline);
        assert_eq!(answer(Behaviour::Never, Some(1)), Decision::Ignore);
    }
}
