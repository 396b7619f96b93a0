//! Prometheus metrics of a node, read at scrape time from what the workers count.

use std::fmt::Error;
use std::sync::Arc;

use liandong_sfu_core::api::Counters;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::figures::{Gauge, Histogram, WorkerFigures};
use crate::node::Shared;

/// Reads one node's figures.
#[derive(Debug)]
pub(crate) struct NodeMetrics(pub Arc<Shared>);

/// (name, help, what to read)
type Counted = (
    &'static str,
    &'static str,
    fn(&WorkerFigures, &Counters) -> u64,
);

const COUNTERS: [Counted; 19] = [
    (
        "media_received_datagrams",
        "Datagrams that came in",
        |w, _| w.received_datagrams.count(),
    ),
    ("media_received_bytes", "UDP payload received", |w, _| {
        w.received_bytes.count()
    }),
    ("media_sent_datagrams", "Datagrams that went out", |w, _| {
        w.sent_datagrams.count()
    }),
    ("media_sent_bytes", "UDP payload sent", |w, _| {
        w.sent_bytes.count()
    }),
    (
        "media_sent_messages",
        "Messages given to the kernel; a train of datagrams is one",
        |w, _| w.sent_messages.count(),
    ),
    ("media_send_calls", "Calls of sendmmsg", |w, _| {
        w.send_calls.count()
    }),
    (
        "media_handed_over",
        "Datagrams passed to the worker they belong to",
        |w, _| w.handed_over.count(),
    ),
    (
        "media_relayed",
        "Packets passed to other workers of their room",
        |w, _| w.relayed.count(),
    ),
    ("media_rtp_received", "RTP packets of sources", |_, e| {
        e.rtp_received
    }),
    (
        "media_rtp_forwarded",
        "RTP packets sent into slots",
        |_, e| e.rtp_forwarded,
    ),
    ("media_rtcp_received", "RTCP compounds", |_, e| {
        e.rtcp_received
    }),
    ("media_stun_received", "STUN messages", |_, e| {
        e.stun_received
    }),
    ("media_dtls_received", "DTLS datagrams", |_, e| {
        e.dtls_received
    }),
    (
        "media_retransmitted",
        "Packets sent again on request",
        |_, e| e.retransmitted,
    ),
    ("media_nack_sent", "Packets asked for again", |_, e| {
        e.nack_sent
    }),
    (
        "media_keyframes_requested",
        "Keyframe requests to sources",
        |_, e| e.keyframes_requested,
    ),
    (
        "media_receive_errors",
        "Receive calls that failed",
        |w, _| w.receive_errors.count(),
    ),
    (
        "media_tcp_unproven",
        "TCP connections that ended without a verified check",
        |w, _| w.tcp_unproven.count(),
    ),
    (
        "media_dropped_events",
        "Statistics and speaking indications that nobody took in time",
        |w, _| w.dropped_events.count(),
    ),
];

/// (name, help, what to read)
type Gauged = (&'static str, &'static str, fn(&WorkerFigures) -> &Gauge);

const GAUGES: [Gauged; 2] = [
    (
        "media_tcp_connections",
        "TCP connections of a worker",
        |w| &w.tcp_connections,
    ),
    (
        "media_shed_level",
        "How far a worker reduces video because it cannot keep up; 0: not at all",
        |w| &w.shed,
    ),
];

/// (reason, what to read) of `media_dropped`.
type Dropped = (&'static str, fn(&WorkerFigures, &Counters) -> u64);

const DROPPED: [Dropped; 17] = [
    ("truncated", |w, _| w.dropped_truncated.count()),
    ("unclassified", |_, e| e.dropped_unclassified),
    ("unknown_path", |w, e| {
        w.dropped_unknown_path.count() + e.dropped_unknown_path
    }),
    ("handover_full", |w, _| w.dropped_handover_full.count()),
    ("relay_full", |w, _| w.dropped_relay_full.count()),
    ("send_full", |w, _| w.dropped_send_full.count()),
    ("send_full_video", |w, _| w.dropped_send_full_video.count()),
    ("send_refused", |w, _| w.dropped_send_refused.count()),
    ("tcp_full", |w, _| w.dropped_tcp_full.count()),
    ("tcp_gone", |w, _| w.dropped_tcp_gone.count()),
    ("tcp_malformed", |w, _| w.dropped_tcp_malformed.count()),
    ("stun", |_, e| e.dropped_stun),
    ("dtls", |_, e| e.dropped_dtls),
    ("unauthentic", |_, e| e.dropped_unauthentic),
    ("replayed", |_, e| e.dropped_replayed),
    ("malformed", |_, e| e.dropped_malformed),
    ("gated", |_, e| e.dropped_gated),
];

/// Of one worker, for all reasons together.
pub(crate) fn dropped(figures: &WorkerFigures) -> u64 {
    let engine = figures.engine();
    DROPPED.iter().map(|(_, read)| read(figures, &engine)).sum()
}

impl NodeMetrics {
    fn counters(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let engines: Vec<Counters> = self.0.all_figures().iter().map(|w| w.engine()).collect();
        let workers = || self.0.all_figures().iter().zip(&engines).enumerate();
        for (name, help, read) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (worker, (figures, engine)) in workers() {
                let labels = [("worker", worker)];
                ConstCounter::new(read(figures, engine)).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "Datagrams and packets dropped";
        let mut family =
            encoder.encode_descriptor("media_dropped", help, None, MetricType::Counter)?;
        for (reason, read) in DROPPED {
            for (worker, (figures, engine)) in workers() {
                let worker = worker.to_string();
                let labels = [("worker", worker.as_str()), ("reason", reason)];
                ConstCounter::new(read(figures, engine)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn peers_and_cpu(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let peers = self.0.control().peers_by_worker();
        let help = "Peers that live on a worker";
        let mut family = encoder.encode_descriptor("media_peers", help, None, MetricType::Gauge)?;
        for (worker, count) in peers.into_iter().enumerate() {
            let labels = [("worker", worker)];
            ConstGauge::new(i64::from(count)).encode(family.encode_family(&labels)?)?;
        }
        for (name, help, read) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (worker, figures) in self.0.all_figures().iter().enumerate() {
                let labels = [("worker", worker)];
                let value = read(figures).value() as i64;
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        let help = "TCP connections that did not get as far as a worker";
        let mut family =
            encoder.encode_descriptor("media_tcp_turned_away", help, None, MetricType::Counter)?;
        let arrivals = self.0.arrivals();
        for (reason, count) in [
            ("too_many", &arrivals.refused),
            ("no_check", &arrivals.strangers),
        ] {
            let count = count.load(std::sync::atomic::Ordering::Relaxed);
            ConstCounter::new(count).encode(family.encode_family(&[("reason", reason)])?)?;
        }
        let help = "User and system time of a worker's thread";
        let mut family = encoder.encode_descriptor(
            "media_cpu",
            help,
            Some(&Unit::Seconds),
            MetricType::Counter,
        )?;
        for (worker, figures) in self.0.all_figures().iter().enumerate() {
            let labels = [("worker", worker)];
            let used = figures.cpu().unwrap_or_default().as_secs_f64();
            ConstCounter::new(used).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn histogram<const N: usize>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help, unit): (&str, &str, Option<&Unit>),
        of: fn(&WorkerFigures) -> &Histogram<N>,
    ) -> Result<(), Error> {
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (worker, figures) in self.0.all_figures().iter().enumerate() {
            let histogram = of(figures);
            family
                .encode_family(&[("worker", worker)])?
                .encode_histogram::<NoLabelSet>(
                    histogram.sum(),
                    histogram.count(),
                    &histogram.buckets(),
                    None,
                )?;
        }
        Ok(())
    }
}

impl Collector for NodeMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.peers_and_cpu(&mut encoder)?;
        self.counters(&mut encoder)?;
        let queue_delay = (
            "media_queue_delay",
            "From a datagram's arrival in the kernel to its turn",
            Some(&Unit::Seconds),
        );
        self.histogram(&mut encoder, queue_delay, |w| &w.queue_delay)?;
        let delay = (
            "media_delay",
            "From a datagram's arrival in the kernel until what came of it was sent",
            Some(&Unit::Seconds),
        );
        self.histogram(&mut encoder, delay, |w| &w.delay)?;
        let batch = ("media_receive_batch", "Datagrams of one receive call", None);
        self.histogram(&mut encoder, batch, |w| &w.batch)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use crate::{Node, NodeConfig};

    #[tokio::test]
    async fn figures_of_each_worker_are_rendered() {
        let config = NodeConfig {
            port: 0,
            workers: 2,
            ..NodeConfig::default()
        };
        let (node, _events) = Node::start(config).unwrap();
        let mut registry = Registry::default();
        node.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "media_peers{worker=\"1\"} 0",
            "media_rtp_forwarded_total{worker=\"0\"} 0",
            "media_dropped_total{worker=\"1\",reason=\"replayed\"} 0",
            "media_queue_delay_seconds_bucket{le=\"0.001\",worker=\"0\"} 0",
            "media_receive_batch_count{worker=\"1\"} 0",
            "media_cpu_seconds_total{worker=\"0\"} ",
            "media_shed_level{worker=\"1\"} 0",
            "media_tcp_connections{worker=\"0\"} 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        node.shutdown().await;
    }
}
