//! Clients that come, come back, and whose media is whose.

use liandong_domain::{AccountId, Outcome, ParticipantId};
use liandong_protocol::{JournalState, Push, Refusal, RefusalCode, Reply};
use tokio::sync::oneshot;

use super::{After, Batch, Coming, Running};
use crate::clock;
use crate::desk::clients::{Arrival, ClientId, ConnectionId, Hold, encode_push};
use crate::desk::{Hello, encode_reply, tell};
use crate::journal::Journal;
use crate::media::ice_servers;
use crate::views::snapshot::{self, Answering};
use crate::views::wire::{self, refuse};

impl<J: Journal> Running<J> {
    pub(super) fn attach(
        &mut self,
        hello: Hello,
        id: u32,
        reply: oneshot::Sender<Result<(ClientId, ConnectionId), Refusal>>,
        batch: &mut Batch,
    ) {
        let county = self.ledger.county();
        if snapshot::me(county, &self.setting, &hello.account).is_none() {
            let refusal = refuse(RefusalCode::NotSignedIn, "the account is not active");
            drop(reply.send(Err(refusal)));
            return;
        }
        let account = hello.account.clone();
        let attached = self.clients.attach(Arrival {
            account: hello.account,
            device: hello.device,
            answering: Answering {
                automatic: hello.auto_answer,
            },
            resume: hello.resume,
            outbox: hello.outbox,
        });
        batch.devices.insert(account.clone());
        batch.after.push(After::Welcome(Coming {
            attached,
            account,
            claim: hello.claim,
            id,
            reply,
        }));
    }

    /// The media of a stay belongs to the client that called or accepted.
    pub(super) fn hold(&mut self, client: ClientId, outcome: &Outcome) {
        let county = self.ledger.county();
        let Some(account) = self.clients.one(client).map(|one| &one.account) else {
            return;
        };
        let stay = match outcome {
            Outcome::Called { conference, .. } => county
                .conference(*conference)
                .and_then(|one| one.stay_of(account)),
            Outcome::Accepted { participant, .. } => county
                .participant(*participant)
                .filter(|one| one.is_present()),
            Outcome::Reported { .. }
            | Outcome::GroupCreated { .. }
            | Outcome::PlanSaved { .. }
            | Outcome::Done => None,
        };
        let Some(stay) = stay else { return };
        // A repeated order, or a further ring by somebody who is in: nothing moves.
        if self.clients.holder(stay.id).is_some() {
            return;
        }
        if let Some(held) = self.clients.one(client).and_then(|one| one.stay)
            && held != stay.id
        {
            self.media.drop_client(client);
        }
        self.clients.hold(stay.id, client, Hold::Own);
    }

    /// Media of participants who are not there any more ends.
    pub(super) fn release_gone(&mut self) {
        let county = self.ledger.county();
        let gone: Vec<_> = self
            .clients
            .holders()
            .filter(|(stay, _)| {
                !county
                    .participant(*stay)
                    .is_some_and(|one| one.is_present())
            })
            .collect();
        for (stay, client) in gone {
            self.clients.release(stay);
            self.media.drop_client(client);
        }
    }

    pub(super) fn welcome(&mut self, coming: Coming) {
        let Coming {
            attached,
            account,
            claim,
            id,
            reply,
        } = coming;
        let client = attached.client;
        if !attached.resumed {
            self.take_up(client, &account, claim);
        }
        let county = self.ledger.county();
        let me = snapshot::me(county, &self.setting, &account);
        let Some((found, me)) = self.clients.one_mut(client).zip(me) else {
            drop(reply.send(Err(refuse(RefusalCode::NotSignedIn, "gone meanwhile"))));
            return;
        };
        let snapshot = tell::welcome(county, &self.setting, found);
        let welcome = Reply::Welcome {
            me,
            resume: attached.resume,
            resumed: attached.resumed,
            server_time_ms: wire::ms(clock::now()),
            snapshot,
            ice_servers: ice_servers::given(&self.setting.ice_servers, &account, clock::now()),
        };
        found.outbox.reply(encode_reply(id, Ok(welcome)));
        if self.overload > 0 {
            let level = self.overload;
            found.outbox.push(encode_push(Push::Overload { level }));
        }
        if self.journal_state != JournalState::Well {
            let state = self.journal_state;
            found.outbox.push(encode_push(Push::Journal { state }));
        }
        for push in self.media.catch_up(client) {
            found.outbox.push(encode_push(push));
        }
        drop(reply.send(Ok((client, attached.connection))));
    }

    /// After a restart, or a page that was loaded anew: the account's stay goes to
    /// the client that says it is its own, else to whichever comes while
    /// nobody has it.
    fn take_up(&mut self, client: ClientId, account: &AccountId, claim: Option<ParticipantId>) {
        let Some(stay) = self.ledger.county().stay_of(account).map(|stay| stay.id) else {
            return;
        };
        let hold = if claim == Some(stay) {
            Hold::Own
        } else {
            Hold::Found
        };
        if !self.clients.may_take_up(stay, hold) {
            return;
        }
        let Some(before) = self.clients.hold(stay, client, hold) else {
            return;
        };
        self.media.drop_client(before);
        // If it is there, it learns that the call is another device's.
        if let Some(other) = self.clients.one_mut(before).filter(|one| one.welcomed) {
            let snapshot = tell::welcome(self.ledger.county(), &self.setting, other);
            other.outbox.resync(encode_push(Push::Resync { snapshot }));
        }
    }

    pub(super) fn resync(&mut self, client: ClientId, connection: ConnectionId) {
        let found = self.clients.one_mut(client);
        if let Some(found) = found.filter(|found| found.connection == connection) {
            let snapshot = tell::welcome(self.ledger.county(), &self.setting, found);
            found.outbox.resync(encode_push(Push::Resync { snapshot }));
            if self.journal_state != JournalState::Well {
                let state = self.journal_state;
                found.outbox.push(encode_push(Push::Journal { state }));
            }
            for push in self.media.catch_up(client) {
                found.outbox.push(encode_push(push));
            }
        }
    }
}
