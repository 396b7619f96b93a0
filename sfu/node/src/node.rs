//! The handle that the signaling side holds.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use liandong_sfu_core::Engine;
use liandong_sfu_core::api::{Command, EngineConfig, Secrets, SlotView};
use liandong_sfu_core::ids::{PeerId, RoomId, SourceId, Track, WorkerIndex};
use liandong_sfu_core::transport::Certificate;
use prometheus_client::registry::Registry;
use rand::TryRng as _;
use tokio::sync::{mpsc, oneshot};

use crate::config::{NodeConfig, NodeError};
use crate::control::{Control, Spans};
use crate::event::{Answered, NodeEvent, OfferError, Shown, WorkerLoad};
use crate::figures::WorkerFigures;
use crate::links::link;
use crate::locals::Locals;
use crate::mailbox::{Mailbox, Offer, Order};
use crate::metrics::{self, NodeMetrics};
use crate::socket::{MediaPort, advertised};
use crate::tcp::{Arrivals, Tcp};
use crate::worker::{self, Worker};

/// A running media node. Clones are handles to the same node.
#[derive(Clone, Debug)]
pub struct Node {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// What the handle and the workers have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    control: Mutex<Control>,
    mailboxes: Vec<Mailbox>,
    figures: Vec<WorkerFigures>,
    port: u16,
    advertised: Vec<SocketAddr>,
    waiting_offers: usize,
    arrivals: Arc<Arrivals>,
    /// The shed level that the signaling side was told last.
    told_overload: Mutex<u8>,
}

impl Node {
    /// Opens the media port and starts the workers. Events wait in the returned
    /// channel until they are taken.
    pub fn start(config: NodeConfig) -> Result<(Self, mpsc::Receiver<NodeEvent>), NodeError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = config.worker_count(cores)?;
        let media = MediaPort::open(&config, workers)?;
        let advertised = advertised(&config, &media)?;
        let system = |what| move |source| NodeError::System { what, source };
        let mailboxes = (0..workers)
            .map(|_| Mailbox::new())
            .collect::<Result<_, _>>()
            .map_err(system("an eventfd"))?;
        let shared = Arc::new(Shared {
            control: Mutex::new(Control::new(workers, config.limits.clone())),
            mailboxes,
            figures: (0..workers).map(|_| WorkerFigures::default()).collect(),
            port: media.port,
            advertised,
            waiting_offers: config.limits.waiting_offers,
            arrivals: Arc::default(),
            told_overload: Mutex::new(0),
        });
        // A router forwards both protocols of a port of its own.
        let forwarded = !config.advertise_media.is_empty();
        let by_tcp = |at: &SocketAddr| {
            let port = config.tcp_port?;
            Some(if forwarded {
                *at
            } else {
                SocketAddr::new(at.ip(), port)
            })
        };
        let tcp_candidates: Vec<SocketAddr> = shared.advertised.iter().filter_map(by_tcp).collect();
        let locals = Arc::new(Locals::new(media.locals.len()));
        let (events, received) = mpsc::channel(config.limits.waiting_events.max(1));
        let certificate =
            Certificate::generate().map_err(|e| NodeError::Certificate(e.to_string()))?;
        // The engines' common origin of time.
        let epoch = Instant::now();
        let mut threads = Vec::new();
        for (i, (sockets, links)) in media.sockets.into_iter().zip(link(workers)).enumerate() {
            let index = WorkerIndex(i as u8);
            let engine = EngineConfig {
                worker: index,
                certificate: certificate.clone(),
                candidates: shared.advertised.clone(),
                tcp_candidates: tcp_candidates.clone(),
                max_peers: config.limits.peers as usize,
            };
            let seed = random().map_err(system("random numbers"))?;
            let worker = Worker {
                index,
                engine: Engine::new(epoch, engine, seed),
                sockets,
                locals: locals.clone(),
                tcp: Tcp::new().map_err(system("an epoll descriptor"))?,
                links,
                shared: shared.clone(),
                events: events.clone(),
            };
            threads.push(worker::spawn(worker).map_err(system("a thread"))?);
        }
        let threads = Arc::new(Mutex::new(threads));
        Ok((Self { shared, threads }, received))
    }

    /// The UDP port that media comes to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// The addresses that answers name.
    #[must_use]
    pub fn advertised(&self) -> &[SocketAddr] {
        &self.shared.advertised
    }

    /// Answers the offer of a new peer (`None`), or of a known one that
    /// restarts ICE. Answered does not mean connected: that comes as an event.
    pub async fn offer(
        &self,
        peer: Option<PeerId>,
        room: RoomId,
        sdp: String,
    ) -> Result<Answered, OfferError> {
        let secrets = random()
            .map(Secrets)
            .map_err(|_| OfferError::Full("no random numbers from the system"))?;
        let (reply, answer) = oneshot::channel();
        let shared = &self.shared;
        {
            let mut control = shared.control();
            let is_new = peer.is_none();
            let peer = match peer {
                Some(peer) if control.is_in(peer, room) => peer,
                Some(_) => return Err(OfferError::UnknownPeer),
                None => {
                    let placed = control.place(room)?;
                    if let Some(spans) = placed.spans {
                        shared.tell_spans(spans);
                    }
                    placed.peer
                }
            };
            let offer = Box::new(Offer {
                peer,
                room,
                sdp,
                secrets,
                is_new,
                reply,
            });
            let mailbox = shared.mailbox(peer.worker());
            if let Err(e) = mailbox.post_offer(offer, shared.waiting_offers) {
                if is_new && let Some(spans) = control.forget(peer) {
                    shared.tell_spans(spans);
                }
                return Err(e);
            }
        }
        answer.await.unwrap_or(Err(OfferError::Stopped))
    }

    /// Takes a connection to the TCP port that does not speak TLS: the first byte of a
    /// TLS record is 22 (RFC 8446 §5.1), that of a check's length (RFC 4571 §2) at most 2. Returns when a
    /// worker has it, or when it was not a client's.
    pub async fn accept_tcp(&self, stream: tokio::net::TcpStream) {
        let shared = &self.shared;
        let Some((worker, arrived)) = shared.arrivals.receive(stream).await else {
            return;
        };
        // A worker of another node, or of an earlier start of this one.
        if let Some(mailbox) = shared.mailboxes.get(usize::from(worker.0)) {
            mailbox.post(Order::Connection(Box::new(arrived)));
        }
    }

    /// The peer goes, with all that it sends and shows. Unknown peers are ignored:
    /// they may just have gone by themselves.
    pub fn leave(&self, peer: PeerId) {
        let control = self.shared.control();
        if control.knows(peer) {
            self.shared.order(peer, Command::Leave { peer });
        }
    }

    /// Shows `slots[i]` in the peer's slot i; slots beyond the end go empty. Only
    /// what differs from the last call acts.
    pub fn set_slots(&self, peer: PeerId, slots: &[Option<Shown>]) {
        let mut control = self.shared.control();
        for (slot, shown) in control.change_slots(peer, slots) {
            let order = Command::SetSlot {
                peer,
                slot,
                source: shown.map(|shown| shown.source),
                view: shown.map_or_else(SlotView::default, |shown| shown.view),
            };
            self.shared.order(peer, order);
        }
    }

    /// Closed: what the peer sends on this track is dropped from now on.
    pub fn gate(&self, peer: PeerId, track: Track, open: bool) {
        let control = self.shared.control();
        if control.knows(peer) {
            let source = SourceId { peer, track };
            self.shared.order(peer, Command::Gate { source, open });
        }
    }

    /// Of each worker, by its index.
    #[must_use]
    pub fn loads(&self) -> Vec<WorkerLoad> {
        let peers = self.shared.control().peers_by_worker();
        let figures = self.shared.all_figures().iter();
        figures
            .zip(peers)
            .map(|(figures, peers)| WorkerLoad {
                peers,
                cpu: figures.cpu(),
                rtp_forwarded: figures.engine().rtp_forwarded,
                dropped: metrics::dropped(figures),
            })
            .collect()
    }

    /// Adds this node's metrics to what the program exports.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(NodeMetrics(self.shared.clone())));
    }

    /// Lets all peers go and ends the workers.
    pub async fn shutdown(self) {
        {
            let control = self.shared.control();
            for peer in control.peers() {
                self.shared.order(peer, Command::Leave { peer });
            }
            for mailbox in &self.shared.mailboxes {
                mailbox.post(Order::Stop);
            }
        }
        let threads = std::mem::take(&mut *lock(&self.threads));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A worker that panicked has said so already.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

impl Shared {
    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        lock(&self.control)
    }

    /// Of a worker of this node: control places peers on no others.
    pub(crate) fn mailbox(&self, worker: WorkerIndex) -> &Mailbox {
        &self.mailboxes[usize::from(worker.0)]
    }

    pub(crate) fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    pub(crate) fn figures(&self, worker: WorkerIndex) -> &WorkerFigures {
        &self.figures[usize::from(worker.0)]
    }

    /// Tells the highest level of all workers where it is news. Under a lock, so that the
    /// last one told is the last one that was true.
    pub(crate) fn tell_overload(&self, tell: impl FnOnce(u8)) {
        let mut told = lock(&self.told_overload);
        let levels = self.figures.iter().map(|figures| figures.shed.value());
        let highest = levels.max().unwrap_or(0).min(u8::MAX.into()) as u8;
        if *told != highest {
            *told = highest;
            tell(highest);
        }
    }

    pub(crate) fn all_figures(&self) -> &[WorkerFigures] {
        &self.figures
    }

    pub(crate) fn mailboxes(&self) -> &[Mailbox] {
        &self.mailboxes
    }

    fn order(&self, peer: PeerId, command: Command) {
        self.mailbox(peer.worker()).post(Order::Engine(command));
    }

    /// The peer is gone from its worker.
    pub(crate) fn forget(&self, peer: PeerId) {
        let mut control = self.control();
        if let Some(spans) = control.forget(peer) {
            self.tell_spans(spans);
        }
    }

    /// With the control lock held, so that two changes of a room arrive in their order.
    fn tell_spans(&self, spans: Spans) {
        let Spans {
            room,
            workers,
            tell,
        } = spans;
        for (i, mailbox) in self.mailboxes.iter().enumerate() {
            if tell & 1 << i != 0 {
                mailbox.post(Order::Engine(Command::RoomSpans { room, workers }));
            }
        }
    }
}

/// From the system's generator.
fn random() -> std::io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(std::io::Error::other)?;
    Ok(bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain data, whole between statements; a worker that panics ends the process anyway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn config(port: u16) -> NodeConfig {
        NodeConfig {
            listen: vec![Ipv4Addr::LOCALHOST.into()],
            port,
            workers: 2,
            ..NodeConfig::default()
        }
    }

    /// Handles go to other tasks, offers are awaited in them.
    fn is_sendable<T: Send>(value: T) -> T {
        value
    }

    #[tokio::test]
    async fn second_node_on_a_port_is_told_so_and_the_first_goes_on() {
        let (first, _events) = Node::start(config(0)).unwrap();
        let refused = Node::start(config(first.port())).map(|_| ());
        let Err(e @ NodeError::PortBusy(_)) = refused else {
            panic!("{refused:?}");
        };
        assert!(e.to_string().contains("set another media port"), "{e}");
        assert_eq!(first.loads().len(), 2);
        let port = first.port();
        first.shutdown().await;
        let (again, _events) = Node::start(config(port)).unwrap();
        again.shutdown().await;
    }

    #[tokio::test]
    async fn stopped_node_refuses_offers() {
        let (node, mut events) = Node::start(config(0)).unwrap();
        node.clone().shutdown().await;
        assert_eq!(events.recv().await, None);
        let offer = is_sendable(node.offer(None, RoomId(1), String::new()));
        assert_eq!(offer.await, Err(OfferError::Stopped));
        assert!(node.loads().iter().all(|load| load.peers == 0));
    }
}
