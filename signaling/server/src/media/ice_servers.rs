//! STUN and TURN servers as a client gets them: with credentials of its own
//! where the TURN server shares a secret with us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use liandong_domain::{AccountId, Timestamp};
use liandong_protocol::server::IceServer;
use sha1::Sha1;

use crate::config::{self, IceAccess};

/// What an account's client is given at this moment.
#[must_use]
pub fn given(servers: &[config::IceServer], to: &AccountId, now: Timestamp) -> Vec<IceServer> {
    servers
        .iter()
        .map(|server| {
            let (username, credential) = match &server.access {
                IceAccess::Open => (None, None),
                IceAccess::Password {
                    username,
                    credential,
                } => (Some(username.clone()), Some(credential.clone())),
                IceAccess::Secret { secret, valid } => {
                    let until = now.after(*valid).0 / 1_000;
                    let username = format!("{until}:{to}");
                    let credential = sign(secret, &username);
                    (Some(username), credential)
                }
            };
            IceServer {
                urls: server.urls.clone(),
                username,
                credential,
            }
        })
        .collect()
}

/// The password that a TURN server computes from the user name as well
/// (draft-uberti-behave-turn-rest-00 §2.2).
fn sign(secret: &str, username: &str) -> Option<String> {
    // A key of any length will do.
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(username.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn credentials_are_those_that_a_turn_server_computes() {
        // `printf 1600043200:alice | openssl dgst -sha1 -hmac key -binary | base64`
        assert_eq!(
            sign("key", "1600043200:alice").as_deref(),
            Some("xjzN0U/uAom44+tc1JQnS25IyHc=")
        );
    }

    #[test]
    fn each_account_gets_its_own_for_a_time() {
        let server = config::IceServer {
            urls: vec!["turn:a".to_owned()],
            access: IceAccess::Secret {
                secret: "key".to_owned(),
                valid: Duration::from_secs(3_600),
            },
        };
        let servers = [server];
        let at = |ms| given(&servers, &"alice".into(), Timestamp(ms)).remove(0);
        let now = at(1_600_039_600_500);
        assert_eq!(now.username.as_deref(), Some("1600043200:alice"));
        assert_eq!(
            now.credential.as_deref(),
            Some("xjzN0U/uAom44+tc1JQnS25IyHc=")
        );
        assert_ne!(at(1_600_039_700_000).credential, now.credential);
        assert!(!format!("{now:?}").contains("xjzN0U/uAom44+tc1JQnS25IyHc="));
    }

    #[test]
    fn open_and_fixed_servers_are_given_as_they_are() {
        let servers = [
            config::IceServer {
                urls: vec!["stun:a".to_owned()],
                access: IceAccess::Open,
            },
            config::IceServer {
                urls: vec!["turn:b".to_owned()],
                access: IceAccess::Password {
                    username: "u".to_owned(),
                    credential: "c".to_owned(),
                },
            },
        ];
        let given = given(&servers, &"alice".into(), Timestamp(0));
        assert_eq!((&given[0].username, &given[0].credential), (&None, &None));
        assert_eq!(given[1].credential.as_deref(), Some("c"));
    }
}
