//! One line of a test's wishes.

use std::net::IpAddr;

use serde::Deserialize;

use crate::conditions::Change;
use crate::proxy::Setting;

/// What is to change; what it does not name stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Command {
    /// From the clients to the server.
    up: Change,
    /// From the server to the clients.
    down: Change,
    /// Whether datagrams pass at all.
    udp: Option<bool>,
    /// Whether connections are taken; false also breaks those that are.
    tcp: Option<bool>,
    rebind: Option<Rebind>,
}

/// UDP clients reach the server from new sockets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Rebind {
    /// Only the client that sends from this port, or for whom the proxy does; otherwise all.
    client_port: Option<u16>,
    /// On this address of the machine; otherwise on the present one.
    from: Option<IpAddr>,
}

impl Command {
    /// Every UDP client comes from a new port.
    #[must_use]
    pub fn rebind() -> Self {
        Self {
            rebind: Some(Rebind::default()),
            ..Self::default()
        }
    }

    /// # Errors
    /// A value makes no sense; nothing is changed then.
    pub(crate) fn apply(&self, to: &mut Setting) -> Result<(), String> {
        let mut new = to.clone();
        self.up.apply(&mut new.up)?;
        self.down.apply(&mut new.down)?;
        new.udp = self.udp.unwrap_or(new.udp);
        new.tcp = self.tcp.unwrap_or(new.tcp);
        if let Some(rebind) = &self.rebind {
            new.rebinds += 1;
            new.rebind_only = rebind.client_port;
            new.from = rebind.from.or(new.from);
        }
        *to = new;
        Ok(())
    }
}
