//! The lite side of ICE (RFC 8445 §2.5): answers checks, never sends any.
//!
//! The peer finds the paths and chooses; a path is valid while its checks,
//! signed with our password, keep coming. They are the peer's consent to receive as well (RFC 7675).

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use super::outbox::Outbox;
use super::stun::{Password, Refusal, Request};
use super::{DropReason, IceCredentials, IceRemote, TransportEvent};
use crate::ids::Path;

/// RFC 7675 §5.1.
pub const CONSENT_LIFETIME: Duration = Duration::from_secs(30);
/// Paths that are remembered: a client has a few interfaces, IPv4 and IPv6, and its NATs' moods.
pub const MAX_PATHS: usize = 8;

/// Both sides' credentials from one negotiation.
#[derive(Debug)]
struct Generation {
    local: IceCredentials,
    remote: IceRemote,
    password: Password,
}

impl Generation {
    fn new(local: IceCredentials, remote: IceRemote) -> Self {
        let password = Password::new(local.pwd());
        Self {
            local,
            remote,
            password,
        }
    }

    fn signed(&self, request: &Request<'_>) -> bool {
        request.is_for(self.local.ufrag(), self.remote.ufrag())
            && request.is_signed_with(&self.password)
    }
}

#[derive(Debug)]
struct KnownPath {
    path: Path,
    checked_at: Instant,
}

#[derive(Debug)]
pub(super) struct IceLite {
    current: Generation,
    /// After a restart, until the peer nominates with it.
    next: Option<Generation>,
    paths: ArrayVec<KnownPath, MAX_PATHS>,
    selected: Option<Path>,
    /// Whether the peer ever chose. Until then the selected path is a guess.
    nominated: bool,
    /// When the peer was invited; it has [`CONSENT_LIFETIME`] to come.
    since: Instant,
}

impl IceLite {
    pub(super) fn new(now: Instant, local: IceCredentials, remote: IceRemote) -> Self {
        Self {
            current: Generation::new(local, remote),
            next: None,
            paths: ArrayVec::new(),
            selected: None,
            nominated: false,
            since: now,
        }
    }

    pub(super) fn is_restart(&self, remote: &IceRemote) -> bool {
        let latest = self.next.as_ref().unwrap_or(&self.current);
        latest.remote != *remote
    }

    /// Gives the credentials of a restart that this one replaces before it came about.
    pub(super) fn restart(
        &mut self,
        local: IceCredentials,
        remote: IceRemote,
    ) -> Option<IceCredentials> {
        self.next
            .replace(Generation::new(local, remote))
            .map(|replaced| replaced.local)
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        path: Path,
        datagram: &[u8],
        outbox: &mut Outbox,
    ) -> Result<(), DropReason> {
        let request = Request::parse(datagram)?;
        let is_next = self.next.as_ref().is_some_and(|g| g.signed(&request));
        let generation = match &self.next {
            Some(next) if is_next => next,
            _ if self.current.signed(&request) => &self.current,
            _ => {
                if let Some(answer) = request.refuse(Refusal::Unauthorized, None) {
                    outbox.send(path, answer);
                }
                return Err(DropReason::WrongCredentials);
            }
        };
        if request.says_controlled() {
            let password = Some(&generation.password);
            if let Some(answer) = request.refuse(Refusal::RoleConflict, password) {
                outbox.send(path, answer);
            }
            return Err(DropReason::RoleConflict);
        }
        if let Some(answer) = request.answer(path.remote, &generation.password) {
            outbox.send(path, answer);
        }
        let nominates = request.nominates();
        self.validate(now, path, outbox);
        if nominates {
            self.nominated = true;
            self.select(path, outbox);
        }
        // A peer that never nominates has restarted when its first new check is here.
        if is_next
            && (nominates || !self.nominated)
            && let Some(next) = self.next.take()
        {
            self.current = next;
        }
        Ok(())
    }

    /// DTLS came from a valid path: unless the peer has nominated another, it
    /// wants its answer there.
    pub(super) fn hint(&mut self, path: Path, outbox: &mut Outbox) {
        if !self.nominated {
            self.select(path, outbox);
        }
    }

    pub(super) fn accepts(&self, path: Path) -> bool {
        self.paths.iter().any(|known| known.path == path)
    }

    pub(super) fn selected(&self) -> Option<Path> {
        self.selected
    }

    /// Forgets paths without fresh checks. `Err` when none is left: consent is lost.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Result<(), ()> {
        self.paths.retain(|known| {
            let fresh = now < known.checked_at + CONSENT_LIFETIME;
            if !fresh {
                outbox.tell(TransportEvent::PathForgotten(known.path));
            }
            fresh
        });
        let Some(freshest) = self.paths.iter().max_by_key(|known| known.checked_at) else {
            let still_invited = self.selected.is_none() && now < self.since + CONSENT_LIFETIME;
            return if still_invited { Ok(()) } else { Err(()) };
        };
        // The peer stopped checking the path that it had chosen, but not all.
        let freshest = freshest.path;
        if self.selected.is_some_and(|path| !self.accepts(path)) {
            self.select(freshest, outbox);
        }
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        let oldest = self.paths.iter().map(|known| known.checked_at).min();
        oldest.unwrap_or(self.since) + CONSENT_LIFETIME
    }

    fn validate(&mut self, now: Instant, path: Path, outbox: &mut Outbox) {
        if let Some(known) = self.paths.iter_mut().find(|known| known.path == path) {
            known.checked_at = now;
            return;
        }
        if self.paths.is_full() {
            self.forget_stalest(outbox);
        }
        let checked_at = now;
        self.paths.push(KnownPath { path, checked_at });
        outbox.tell(TransportEvent::PathValidated(path));
        if self.selected.is_none() {
            self.select(path, outbox);
        }
    }

    fn forget_stalest(&mut self, outbox: &mut Outbox) {
        let selected = self.selected;
        let stalest = self
            .paths
            .iter()
            .enumerate()
            .filter(|(_, known)| Some(known.path) != selected)
            .min_by_key(|(_, known)| known.checked_at)
            .map(|(place, _)| place);
        if let Some(place) = stalest {
            let forgotten = self.paths.swap_remove(place);
            outbox.tell(TransportEvent::PathForgotten(forgotten.path));
        }
    }

    fn select(&mut self, to: Path, outbox: &mut Outbox) {
        let from = self.selected.replace(to);
        if from != Some(to) {
            outbox.tell(TransportEvent::PathChanged { from, to });
        }
    }
}
