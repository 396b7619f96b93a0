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

/// Every UDP client reaches the server from a new socket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rebind {
    /// On this address of the machine; otherwise on the present one.
    from: Option<IpAddr>,
}

impl Command {
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
            new.from = rebind.from.or(new.from);
        }
        *to = new;
        Ok(())
    }
}
