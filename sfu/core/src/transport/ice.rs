//! The lite side of ICE (RFC 8445 §2.5): answers checks, never sends any.
//!
//! The peer finds the paths and chooses; a path is valid while its checks,
//! signed with our password, keep coming. They are the peer's consent to receive as well (RFC 7675).
//! A peer whose network changes is followed at its first nomination from elsewhere, or
//! at its first media or check once the old path is silent.

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

/// Media on another path than the chosen one, which has been silent for so long: the peer has moved.
const QUIET: Duration = Duration::from_millis(300);
/// Likewise, with nothing but a check on the other path. Media brings feedback more often than that...
const QUIET_IN_CALL: Duration = Duration::from_millis(900);
/// ...and without media, libwebrtc checks its path every 2.5 s.
const QUIET_AT_REST: Duration = Duration::from_secs(3);
/// A path that carried media so lately is in use.
const IN_CALL: Duration = Duration::from_secs(5);
/// Two paths nominated in turn within this time: aggressive nomination (RFC 5245 §8.1.1.2).
const CONTEST: Duration = Duration::from_secs(2);

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
    /// The last check, or packet of media.
    heard_at: Instant,
    media_at: Option<Instant>,
    nominated_at: Option<Instant>,
    /// Of the last check.
    priority: u32,
}

impl KnownPath {
    fn is_silent(&self, now: Instant, time: Duration) -> bool {
        now.saturating_duration_since(self.heard_at) >= time
    }

    fn is_in_call(&self, now: Instant) -> bool {
        self.media_at
            .is_some_and(|at| now.saturating_duration_since(at) < IN_CALL)
    }
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
        self.validate(now, path, request.priority(), outbox);
        if nominates {
            self.nominate(now, path, outbox);
        } else {
            self.follow_check(now, path, outbox);
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

    /// Authentic media came by this path. A peer whose network has changed may use another
    /// path before its next nomination: it is answered where it is.
    pub(super) fn heard(&mut self, now: Instant, path: Path, outbox: &mut Outbox) {
        let Some(known) = self.paths.iter_mut().find(|known| known.path == path) else {
            return;
        };
        known.heard_at = now;
        known.media_at = Some(now);
        if self.selected != Some(path) && self.chosen().is_some_and(|c| c.is_silent(now, QUIET)) {
            self.select(path, outbox);
        }
    }

    fn chosen(&self) -> Option<&KnownPath> {
        self.paths
            .iter()
            .find(|known| Some(known.path) == self.selected)
    }

    /// The latest choice holds. But a peer with aggressive nomination chooses all its paths again
    /// and again, and means the one of the highest priority that works (RFC 5245 §8.1.1.2).
    fn nominate(&mut self, now: Instant, path: Path, outbox: &mut Outbox) {
        self.nominated = true;
        let Some(known) = self.paths.iter_mut().find(|known| known.path == path) else {
            return;
        };
        let before = known.nominated_at.replace(now);
        let priority = known.priority;
        let outdone = self.chosen().is_some_and(|chosen| {
            let contested = before.is_some_and(|before| {
                now.saturating_duration_since(before) < CONTEST
                    && chosen.nominated_at.is_some_and(|at| at >= before)
            });
            contested && chosen.priority >= priority && !chosen.is_silent(now, QUIET)
        });
        if !outdone {
            self.select(path, outbox);
        }
    }

    /// A check that chooses nothing says at least that its path works.
    fn follow_check(&mut self, now: Instant, path: Path, outbox: &mut Outbox) {
        let left = self.chosen().is_some_and(|chosen| {
            let quiet = if chosen.is_in_call(now) {
                QUIET_IN_CALL
            } else {
                QUIET_AT_REST
            };
            chosen.is_silent(now, quiet)
        });
        if left {
            self.select(path, outbox);
        }
    }

    /// Goes on where the freshest check came from; with no path left, the peer has
    /// [`CONSENT_LIFETIME`] to come back.
    pub(super) fn close_path(&mut self, now: Instant, path: Path, outbox: &mut Outbox) {
        let Some(place) = self.paths.iter().position(|known| known.path == path) else {
            return;
        };
        self.paths.swap_remove(place);
        outbox.tell(TransportEvent::PathForgotten(path));
        if self.selected != Some(path) {
            return;
        }
        match self.paths.iter().max_by_key(|known| known.heard_at) {
            Some(freshest) => {
                let freshest = freshest.path;
                self.select(freshest, outbox);
            }
            None => {
                self.selected = None;
                self.since = now;
            }
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

    fn validate(&mut self, now: Instant, path: Path, priority: u32, outbox: &mut Outbox) {
        if let Some(known) = self.paths.iter_mut().find(|known| known.path == path) {
            known.checked_at = now;
            known.heard_at = now;
            known.priority = priority;
            return;
        }
        if self.paths.is_full() {
            self.forget_stalest(outbox);
        }
        self.paths.push(KnownPath {
            path,
            checked_at: now,
            heard_at: now,
            media_at: None,
            nominated_at: None,
            priority,
        });
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
