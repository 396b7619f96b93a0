//! Prometheus metrics of a node, read at scrape time from what the workers count.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::node::Shared;

/// Reads one node's figures.
#[derive(Debug)]
pub(crate) struct NodeMetrics(pub Arc<Shared>);

impl Collector for NodeMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let peers = self.0.control().peers_by_worker();
        let mut family = encoder.encode_descriptor(
            "media_peers",
            "Peers that live on a worker",
            None,
            MetricType::Gauge,
        )?;
        for (worker, count) in peers.into_iter().enumerate() {
            let labels = [("worker", worker)];
            ConstGauge::new(i64::from(count)).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
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
        assert!(text.contains("media_peers{worker=\"1\"} 0"), "{text}");
        node.shutdown().await;
    }
}
