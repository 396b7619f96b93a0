//! STUN and TURN servers for the clients: what is in the file, checked.

use std::time::Duration;

use super::check::Mistakes;
use super::file;

/// Of a shared secret, in characters.
const MIN_SECRET_LENGTH: usize = 16;
const DEFAULT_VALID_HOURS: u32 = 12;
const MAX_VALID_HOURS: u32 = 24 * 7;
/// A browser warns from five, since each costs time when a call begins.
const MAX_SERVERS: usize = 8;

/// One server, or several under the same access.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IceServer {
    /// RFC 7064 and RFC 7065.
    pub urls: Vec<String>,
    pub access: IceAccess,
}

/// How a client gets in.
#[derive(Clone, Eq, PartialEq)]
pub enum IceAccess {
    /// STUN is open to all.
    Open,
    Password {
        username: String,
        credential: String,
    },
    /// Credentials for a time, made for each client (draft-uberti-behave-turn-rest-00).
    Secret { secret: String, valid: Duration },
}

impl std::fmt::Debug for IceAccess {
    /// Never shows a credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Password { .. } => "Password(..)",
            Self::Secret { .. } => "Secret(..)",
        })
    }
}

/// What could be read; what could not is among the mistakes.
pub(super) fn check(servers: Vec<file::IceServer>, mistakes: &mut Mistakes) -> Vec<IceServer> {
    if servers.len() > MAX_SERVERS {
        mistakes.add(
            "media.ice_servers",
            format_args!("are {}, more than {MAX_SERVERS}", servers.len()),
            "name one or two: clients try all of them at each call",
        );
    }
    servers
        .into_iter()
        .enumerate()
        .map(|(index, server)| {
            // As a person counts.
            let at = format!("media.ice_servers[{}]", index + 1);
            check_one(server, &at, mistakes)
        })
        .collect()
}

fn check_one(server: file::IceServer, at: &str, mistakes: &mut Mistakes) -> IceServer {
    if server.urls.is_empty() {
        mistakes.add(
            at,
            "has no urls",
            "write urls = [\"turn:HOST:3478?transport=udp\"]",
        );
    }
    let mut relays = false;
    for url in &server.urls {
        match kind_of(url) {
            Some(Kind::Stun) => {}
            Some(Kind::Turn) => relays = true,
            None => mistakes.add(
                at,
                format_args!("{url:?} is no address of a STUN or TURN server"),
                "write stun:HOST:PORT, turn:HOST:PORT?transport=udp (or tcp), or turns:HOST:PORT",
            ),
        }
    }
    let access = access(server, at, relays, mistakes);
    access.unwrap_or(IceServer {
        urls: Vec::new(),
        access: IceAccess::Open,
    })
}

fn access(
    server: file::IceServer,
    at: &str,
    relays: bool,
    mistakes: &mut Mistakes,
) -> Option<IceServer> {
    let hours = server.valid_hours.unwrap_or(DEFAULT_VALID_HOURS);
    if !(1..=MAX_VALID_HOURS).contains(&hours) {
        mistakes.add(
            format_args!("{at}.valid_hours"),
            format_args!("is {hours}"),
            format_args!("use 1 to {MAX_VALID_HOURS}; {DEFAULT_VALID_HOURS} is the default"),
        );
    }
    let access = match (server.username, server.credential, server.secret) {
        (None, None, None) if relays => {
            mistakes.add(
                at,
                "a TURN server lets nobody in without credentials",
                "add username and credential, or the secret that it shares",
            );
            return None;
        }
        (None, None, None) => IceAccess::Open,
        (Some(username), Some(credential), None) => IceAccess::Password {
            username,
            credential,
        },
        (None, None, Some(secret)) => {
            if secret.len() < MIN_SECRET_LENGTH {
                mistakes.add(
                    format_args!("{at}.secret"),
                    format_args!("is shorter than {MIN_SECRET_LENGTH} characters"),
                    "use a long random text, the same as in the TURN server",
                );
            }
            IceAccess::Secret {
                secret,
                valid: Duration::from_secs(u64::from(hours) * 3_600),
            }
        }
        (Some(_), None, None) | (None, Some(_), None) => {
            mistakes.add(
                at,
                "username and credential go together",
                "write both, or only the secret",
            );
            return None;
        }
        (_, _, Some(_)) => {
            mistakes.add(
                at,
                "has a secret and a username or credential",
                "write either username and credential, or the secret",
            );
            return None;
        }
    };
    Some(IceServer {
        urls: server.urls,
        access,
    })
}

enum Kind {
    Stun,
    Turn,
}

/// `scheme:host[:port][?transport=udp|tcp]`; an IPv6 address in brackets.
fn kind_of(url: &str) -> Option<Kind> {
    let (scheme, rest) = url.split_once(':')?;
    let kind = match scheme {
        "stun" | "stuns" => Kind::Stun,
        "turn" | "turns" => Kind::Turn,
        _ => return None,
    };
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let asks = match (&kind, query) {
        (_, None) | (Kind::Turn, Some("transport=udp" | "transport=tcp")) => true,
        (Kind::Stun | Kind::Turn, Some(_)) => false,
    };
    let authority: http::uri::Authority = place.parse().ok()?;
    let plain = !authority.host().is_empty() && !place.contains('@');
    // `Authority` takes what is behind the last colon for a port only if it is one.
    let port = place.len() == authority.host().len() || authority.port_u16().is_some_and(|p| p > 0);
    (asks && plain && port).then_some(kind)
}
