//! The worker threads: each waits for datagrams, orders and its neighbours,
//! shows them to its engine, and sends what the engine gives.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use liandong_sfu_core::Engine;
use liandong_sfu_core::api::{Command, CommandError, Event, Flushed, Outbox, Outcome, Received};
use liandong_sfu_core::ids::{Path, SourceId, WorkerIndex};
use socket2::Socket;
use tokio::sync::mpsc;

use crate::event::{Answered, NodeEvent, OfferError};
use crate::figures::WorkerFigures;
use crate::links::Links;
use crate::load::Load;
use crate::locals::Locals;
use crate::mailbox::{Mailbox, Offer, Order};
use crate::node::Shared;
use crate::outgoing::Outgoing;
use crate::sys::{self, Ready};
use crate::tcp::{Arrived, Tcp};
use crate::udp::Udp;

/// Datagrams and relays taken from each neighbour before anything else has its turn.
const FROM_NEIGHBOUR: usize = 256;
/// While the signaling side is behind with its events, they are offered again this often.
const EVENT_RETRY: Duration = Duration::from_millis(20);

/// One worker, as its thread sees it.
pub(crate) struct Worker {
    pub index: WorkerIndex,
    pub engine: Engine,
    /// One for each listen address.
    pub sockets: Vec<Socket>,
    pub locals: Arc<Locals>,
    pub tcp: Tcp,
    pub links: Links,
    pub shared: Arc<Shared>,
    pub events: mpsc::Sender<NodeEvent>,
}

/// Starts the worker's thread.
pub(crate) fn spawn(worker: Worker) -> std::io::Result<JoinHandle<()>> {
    let index = worker.index;
    let name = format!("media-{}", index.0);
    std::thread::Builder::new()
        .name(name)
        .spawn(move || or_abort(index, || Turning::new(worker).run()))
}

/// A node without one of its workers would look alive and leave its peers
/// without media: better end the process, so that its supervisor starts it again.
fn or_abort(index: WorkerIndex, work: impl FnOnce() -> std::io::Result<()>) {
    let why = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return,
        Ok(Err(e)) => format!("cannot wait for input: {e}"),
        Err(_) => "panicked".to_owned(),
    };
    tracing::error!(
        worker = index.0,
        why,
        "media worker failed; the process ends"
    );
    std::process::abort();
}

struct Turning {
    index: WorkerIndex,
    engine: Engine,
    udp: Udp,
    tcp: Tcp,
    links: Links,
    shared: Arc<Shared>,
    outgoing: Outgoing,
    /// Which other worker a path's datagrams belong to.
    owners: HashMap<Path, WorkerIndex>,
    /// Connections that may end once what the engine still had for them is sent.
    released: Vec<Path>,
    outbox: Outbox,
    orders: VecDeque<Order>,
    load: Load,
    stopping: bool,
}

impl Turning {
    fn new(worker: Worker) -> Self {
        Self {
            index: worker.index,
            engine: worker.engine,
            udp: Udp::new(worker.sockets, worker.locals),
            tcp: worker.tcp,
            links: worker.links,
            shared: worker.shared,
            outgoing: Outgoing::new(worker.events),
            owners: HashMap::new(),
            released: Vec::new(),
            outbox: Outbox::default(),
            orders: VecDeque::new(),
            load: Load::new(),
            stopping: false,
        }
    }

    fn run(&mut self) -> std::io::Result<()> {
        let shared = self.shared.clone();
        let mailbox = shared.mailbox(self.index);
        let figures = shared.figures(self.index);
        figures.begin();
        // The wake first, TCP, then the sockets in the order of `Path::local`.
        let mut ready = vec![Ready::to_read(mailbox.wake()), self.tcp.readable()];
        ready.extend(self.udp.readable());
        let mut busy = false;
        while !self.stopping {
            let timeout = if busy {
                Some(Duration::ZERO)
            } else {
                self.idle()
            };
            let rested = Instant::now();
            sys::wait(&mut ready, timeout)?;
            self.load.rested(rested.elapsed());
            busy = self.turn(&ready, mailbox, figures);
        }
        mailbox.close();
        Ok(())
    }

    /// How long there is nothing to do unless something comes.
    fn idle(&self) -> Option<Duration> {
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        let engine = self.engine.poll_timeout().map(until);
        let tcp = self.tcp.poll_timeout().map(until);
        let retry = self.outgoing.is_behind().then_some(EVENT_RETRY);
        let waits = [engine, tcp, retry, self.load.interval()];
        waits.into_iter().flatten().min()
    }

    /// Takes one batch of everything that is ready and sends what comes of it;
    /// whether more waits already.
    fn turn(&mut self, ready: &[Ready], mailbox: &Mailbox, figures: &WorkerFigures) -> bool {
        let now = Instant::now();
        let mut busy = false;
        self.udp.begin_turn();
        if ready[0].is_ready() {
            self.take_orders(now, mailbox, figures);
        }
        busy |= self.take_from_neighbours(now, figures);
        if ready[1].is_ready() {
            self.take_from_connections(now, figures);
        }
        if self.tcp.poll_timeout().is_some_and(|at| at <= now) {
            self.tcp.expire(now, figures);
        }
        for (local, _) in ready[2..].iter().enumerate().filter(|(_, r)| r.is_ready()) {
            busy |= self.take_datagrams(now, local, mailbox, figures);
        }
        if self.engine.poll_timeout().is_some_and(|at| at <= now) {
            self.engine.handle_timeout(now);
        }
        // Before anything is sent, see `take_datagrams`; and what sending brought about.
        self.take_events(figures);
        self.send(figures);
        self.report_closed(now);
        for path in self.released.drain(..) {
            self.tcp.release(path, figures);
        }
        self.take_events(figures);
        self.wake_neighbours();
        self.watch_load(now, figures);
        figures.publish(self.engine.counters());
        busy
    }

    /// Measures this turn, and sheds video or takes it up again.
    fn watch_load(&mut self, now: Instant, figures: &WorkerFigures) {
        if let Some(delay) = self.udp.age() {
            figures.delay.observe(delay.as_secs_f64());
            self.load.delayed(delay);
        }
        let Some((level, sample)) = self.load.turned(now, || figures.cpu()) else {
            return;
        };
        tracing::warn!(
            worker = self.index.0,
            level,
            ?sample,
            "video reduced so far"
        );
        figures.shed.set(level.into());
        self.carry_out(now, Command::Shed { level });
        let Self {
            shared, outgoing, ..
        } = self;
        shared.tell_overload(|level| {
            outgoing.tell(NodeEvent::Overload { level });
        });
    }

    fn take_orders(&mut self, now: Instant, mailbox: &Mailbox, figures: &WorkerFigures) {
        mailbox.wake().clear();
        let mut orders = std::mem::take(&mut self.orders);
        mailbox.take(&mut orders);
        for order in orders.drain(..) {
            match order {
                Order::Offer(offer) => self.answer(now, *offer),
                Order::Engine(command) => self.carry_out(now, command),
                Order::PathOwned { path, worker } => {
                    self.owners.insert(path, worker);
                }
                Order::PathReleased { path, worker } => {
                    // Another worker may own it by now.
                    if self.owners.get(&path) == Some(&worker) {
                        self.owners.remove(&path);
                    }
                }
                Order::Connection(arrived) => self.take_connection(now, *arrived, figures),
                Order::Stop => self.stopping = true,
            }
        }
        self.orders = orders;
    }

    fn answer(&mut self, now: Instant, offer: Offer) {
        let Offer {
            peer,
            room,
            sdp,
            secrets,
            is_new,
            reply,
        } = offer;
        let command = Command::Offer {
            peer,
            room,
            sdp,
            secrets,
        };
        let answer = match self.engine.command(now, command) {
            Ok(Outcome::Answered {
                sdp,
                video_slots,
                sources,
            }) => Ok(Answered {
                peer,
                sdp,
                video_slots,
                sources: sources.into_iter().map(|s| s.track).collect(),
            }),
            // An offer is answered or refused; this would be the engine's mistake.
            Ok(Outcome::Done) => Err(OfferError::BadOffer("no answer".to_owned())),
            Err(e) => Err(refusal(e)),
        };
        if answer.is_err() && is_new {
            self.shared.forget(peer);
        }
        // Whoever asked may have gone; then the peer never connects and times out.
        let _ = reply.send(answer);
    }

    fn carry_out(&mut self, now: Instant, command: Command) {
        match self.engine.command(now, command) {
            Ok(_) => {}
            // Control and departures race; the departure was told as an event.
            Err(e) => tracing::debug!(worker = self.index.0, %e, "order without effect"),
        }
    }

    fn take_connection(&mut self, now: Instant, arrived: Arrived, figures: &WorkerFigures) {
        let Self { engine, tcp, .. } = self;
        tcp.add(now, arrived, figures, |path, datagram| {
            receive_by_tcp(engine, now, path, datagram, figures);
        });
        self.report_closed(now);
    }

    fn take_from_connections(&mut self, now: Instant, figures: &WorkerFigures) {
        let Self { engine, tcp, .. } = self;
        tcp.turn(figures, |path, datagram| {
            receive_by_tcp(engine, now, path, datagram, figures);
        });
        self.report_closed(now);
    }

    fn report_closed(&mut self, now: Instant) {
        for path in self.tcp.closed() {
            // A path that was nobody's yet is none that the engine could miss.
            let _ = self.engine.command(now, Command::PathClosed { path });
        }
    }

    fn take_from_neighbours(&mut self, now: Instant, figures: &WorkerFigures) -> bool {
        let Self { engine, links, .. } = self;
        let more_relays = links.relays(FROM_NEIGHBOUR, |relay| engine.relay(now, relay));
        let more_datagrams = links.datagrams(FROM_NEIGHBOUR, |path, datagram| {
            // Never handed over twice: two workers in disagreement would play ball with it.
            if let Received::NotMine(_) = engine.receive(now, path, datagram) {
                figures.dropped_unknown_path.add(1);
            }
        });
        more_relays | more_datagrams
    }

    fn take_datagrams(
        &mut self,
        now: Instant,
        local: usize,
        mailbox: &Mailbox,
        figures: &WorkerFigures,
    ) -> bool {
        let more = self.udp.fetch(local, figures);
        // A path's owner tells of it before it answers the check, so whatever the
        // client sends upon the answer comes after that news: read the news first.
        if mailbox.wake().is_rung() {
            self.take_orders(now, mailbox, figures);
        }
        let Self {
            engine,
            links,
            owners,
            udp,
            index,
            ..
        } = self;
        udp.show(figures, |path, datagram| {
            let Received::NotMine(named) = engine.receive(now, path, datagram) else {
                return;
            };
            let owner = named.or_else(|| owners.get(&path).copied());
            match owner.filter(|owner| owner != index) {
                None => figures.dropped_unknown_path.add(1),
                Some(owner) => match links.hand_over(owner, path, datagram, named.is_some()) {
                    Ok(()) => figures.handed_over.add(1),
                    Err(_) => figures.dropped_handover_full.add(1),
                },
            }
        });
        more
    }

    fn send(&mut self, figures: &WorkerFigures) {
        loop {
            self.outbox.clear();
            // Anew for each part: receivers' lines are judged by when packets leave, and the
            // last of many leaves much later than the first.
            let now = Instant::now();
            let flushed = self.engine.flush(now, &mut self.outbox);
            let Outbox {
                bytes, datagrams, ..
            } = &self.outbox;
            self.udp.send(bytes, datagrams, figures);
            self.tcp.send(bytes, datagrams, figures);
            for relay in self.outbox.relays.drain(..) {
                for worker in others(relay.workers, self.index) {
                    match self.links.relay(worker, relay.clone()) {
                        Ok(()) => figures.relayed.add(1),
                        Err(_) => figures.dropped_relay_full.add(1),
                    }
                }
            }
            match flushed {
                Flushed::Done => return,
                Flushed::More => {}
            }
        }
    }

    fn take_events(&mut self, figures: &WorkerFigures) {
        self.outgoing.retry();
        while let Some(event) = self.engine.poll_event() {
            self.carry_event(event, figures);
        }
    }

    /// Tells the signaling side, or the worker that the event names.
    fn carry_event(&mut self, event: Event, figures: &WorkerFigures) {
        let me = self.index;
        let told = match event {
            Event::Connected { peer, after } => NodeEvent::Connected { peer, after },
            Event::Disconnected { peer, reason } => {
                self.shared.forget(peer);
                NodeEvent::Disconnected { peer, reason }
            }
            Event::SourceStarted { source } => {
                let SourceId { peer, track } = source;
                NodeEvent::SourceStarted { peer, track }
            }
            Event::SourceSilent { source } => {
                let SourceId { peer, track } = source;
                NodeEvent::SourceSilent { peer, track }
            }
            Event::SlotLive {
                peer,
                slot,
                source,
                after,
            } => NodeEvent::SlotLive {
                peer,
                slot,
                shows: source.peer,
                after,
            },
            Event::Speaking { room, peers } => NodeEvent::Speaking { room, peers },
            Event::Stats { peer, stats, slots } => NodeEvent::Stats { peer, stats, slots },
            Event::Demand { source, encodings } => {
                let SourceId { peer, track } = source;
                NodeEvent::Demand {
                    peer,
                    track,
                    encodings,
                }
            }
            Event::SpeechRate {
                source,
                bits_per_second,
            } => NodeEvent::SpeechRate {
                peer: source.peer,
                bits_per_second,
            },
            Event::SpeechNeedAt {
                worker,
                source,
                bits_per_second,
            } => {
                let order = Command::SpeechNeed {
                    source,
                    bits_per_second,
                };
                return self.post(worker, Order::Engine(order));
            }
            Event::SubscribeAt {
                worker,
                source,
                encodings,
            } => {
                let at = me;
                let order = Command::Subscribe {
                    source,
                    encodings,
                    at,
                };
                return self.post(worker, Order::Engine(order));
            }
            Event::UnsubscribeAt { worker, source } => {
                let order = Command::Unsubscribe { source, at: me };
                return self.post(worker, Order::Engine(order));
            }
            Event::KeyframeAt {
                worker,
                source,
                encoding,
            } => {
                let order = Command::RequestKeyframe { source, encoding };
                return self.post(worker, Order::Engine(order));
            }
            Event::EncodingsAt {
                worker,
                source,
                figures,
            } => {
                let order = Command::Encodings { source, figures };
                return self.post(worker, Order::Engine(order));
            }
            Event::SourceGoneAt { worker, source } => {
                let order = Command::SourceGone { source };
                return self.post(worker, Order::Engine(order));
            }
            // No other worker can receive what comes by a connection of this one.
            Event::PathOwned { path, .. } if path.is_tcp() => return self.tcp.proven(path),
            Event::PathReleased { path } if path.is_tcp() => {
                return self.released.push(path);
            }
            Event::PathOwned { path, .. } => {
                self.owners.remove(&path);
                return self.post_to_others(|| Order::PathOwned { path, worker: me });
            }
            Event::PathReleased { path } => {
                return self.post_to_others(|| Order::PathReleased { path, worker: me });
            }
        };
        if !self.outgoing.tell(told) {
            figures.dropped_events.add(1);
        }
    }

    fn post(&self, worker: WorkerIndex, order: Order) {
        if let Some(mailbox) = self.shared.mailboxes().get(usize::from(worker.0)) {
            mailbox.post(order);
        }
    }

    fn post_to_others(&self, order: impl Fn() -> Order) {
        for (i, mailbox) in self.shared.mailboxes().iter().enumerate() {
            if i != usize::from(self.index.0) {
                mailbox.post(order());
            }
        }
    }

    fn wake_neighbours(&mut self) {
        for worker in others(self.links.take_written(), self.index) {
            if let Some(mailbox) = self.shared.mailboxes().get(usize::from(worker.0)) {
                mailbox.wake().ring();
            }
        }
    }
}

/// A connection's worker was named by its first check; later ones cannot change it.
fn receive_by_tcp(
    engine: &mut Engine,
    now: Instant,
    path: Path,
    datagram: &mut [u8],
    figures: &WorkerFigures,
) {
    if let Received::NotMine(_) = engine.receive(now, path, datagram) {
        figures.dropped_unknown_path.add(1);
    }
}

/// The workers of a set but this one.
fn others(workers: u64, me: WorkerIndex) -> impl Iterator<Item = WorkerIndex> {
    let mut left = workers & !(1 << me.0);
    std::iter::from_fn(move || {
        let lowest = (left != 0).then(|| left.trailing_zeros())?;
        left &= left - 1;
        Some(WorkerIndex(lowest as u8))
    })
}

fn refusal(e: CommandError) -> OfferError {
    match e {
        CommandError::BadOffer(why) => OfferError::BadOffer(why),
        CommandError::Full(what) => OfferError::Full(what),
        CommandError::UnknownPeer => OfferError::UnknownPeer,
        other => OfferError::BadOffer(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs itself once more in another process, for that one does not survive.
    #[test]
    fn a_panicking_worker_ends_the_process() {
        use std::os::unix::process::ExitStatusExt;

        const CHILD: &str = "LIANDONG_TEST_PANICKING_WORKER";
        if std::env::var_os(CHILD).is_some() {
            let worker = || or_abort(WorkerIndex(0), || panic!("as the test wants"));
            std::thread::spawn(worker).join().ok();
            return;
        }
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "worker::tests::a_panicking_worker_ends_the_process",
                "--exact",
            ])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert_eq!(child.status.signal(), Some(libc::SIGABRT), "{child:?}");
    }

    #[test]
    fn a_set_of_workers_is_walked_without_oneself() {
        let walked: Vec<u8> = others(0b1011 | 1 << 63, WorkerIndex(1))
            .map(|w| w.0)
            .collect();
        assert_eq!(walked, [0, 3, 63]);
        assert_eq!(others(0, WorkerIndex(0)).count(), 0);
    }
}
