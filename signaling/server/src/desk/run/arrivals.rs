//! Clients that come, come back, and whose media is whose.

use liandong_domain::{AccountId, Outcome};
use liandong_protocol::{Push, Refusal, RefusalCode, Reply};
use tokio::sync::oneshot;

use super::{After, Batch, Running};
use crate::clock;
use crate::desk::clients::{Arrival, Attached, ClientId, ConnectionId, encode_push};
use crate::desk::{Hello, encode_reply, tell};
use crate::journal::Journal;
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
        batch.after.push(After::Welcome {
            attached,
            account,
            id,
            reply,
        });
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
            Outcome::Done => None,
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
        self.clients.hold(stay.id, client);
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

    pub(super) fn welcome(
        &mut self,
        attached: Attached,
        account: &AccountId,
        id: u32,
        reply: oneshot::Sender<Result<(ClientId, ConnectionId), Refusal>>,
    ) {
        let county = self.ledger.county();
        let client = attached.client;
        // After a restart, or a page that was loaded anew: the account's
        // stay is taken up by whoever comes first, unless somebody has it.
        if !attached.resumed
            && let Some(stay) = county.stay_of(account)
        {
            let holder = self.clients.holder(stay.id);
            let is_lost = |id| self.clients.one(id).is_none_or(|one| !one.is_connected());
            if holder.is_none_or(is_lost)
                && let Some(before) = self.clients.hold(stay.id, client)
            {
                self.media.drop_client(before);
            }
        }
        let me = snapshot::me(county, &self.setting, account);
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
            ice_servers: Vec::new(),
        };
        found.outbox.reply(encode_reply(id, Ok(welcome)));
        if let Some(slots) = self.media.catch_up(client) {
            found.outbox.push(encode_push(slots));
        }
        drop(reply.send(Ok((client, attached.connection))));
    }

    pub(super) fn resync(&mut self, client: ClientId, connection: ConnectionId) {
        let found = self.clients.one_mut(client);
        if let Some(found) = found.filter(|found| found.connection == connection) {
            let snapshot = tell::welcome(self.ledger.county(), &self.setting, found);
            found.outbox.resync(encode_push(Push::Resync { snapshot }));
            if let Some(slots) = self.media.catch_up(client) {
                found.outbox.push(encode_push(slots));
            }
        }
    }
}
