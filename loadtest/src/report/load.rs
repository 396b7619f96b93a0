//! What a run took of the machine.

use serde::{Deserialize, Serialize};

/// Over the time that all were in the call.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Load {
    pub seconds: f64,
    /// CPU time of the server, in cores (1: one core all the time).
    pub server_cores: f64,
    /// CPU time of the bots, in cores.
    pub bots_cores: f64,
    /// Memory of the server at the end.
    pub server_rss_kb: u64,
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "server {:.2} cores and {} MB, bots {:.2} cores, over {:.0} s",
            self.server_cores,
            self.server_rss_kb / 1000,
            self.bots_cores,
            self.seconds
        )
    }
}
