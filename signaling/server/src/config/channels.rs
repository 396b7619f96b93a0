//! Channels besides the WebSocket: what is in the file, checked.

use super::check::Mistakes;
use super::file;

/// Of the secret that is shared with the gateway, in characters.
const MIN_SECRET_LENGTH: usize = 16;

/// Web Push to phones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Push {
    /// Whom a push service can ask: `mailto:` or `https:` (RFC 8292 §2.1).
    pub contact: String,
    /// Origins of push services besides those of the usual browsers.
    pub services: Vec<String>,
}

/// A gateway for text messages or calls.
#[derive(Clone, Eq, PartialEq)]
pub struct Gateway {
    pub url: String,
    pub secret: String,
}

impl std::fmt::Debug for Gateway {
    /// Shows neither secret nor URL, which may hold one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

pub(super) fn push(section: Option<file::Push>, mistakes: &mut Mistakes) -> Option<Push> {
    let section = section?;
    if !section.contact.starts_with("mailto:") && !section.contact.starts_with("https://") {
        mistakes.add(
            "push.contact",
            "is neither mailto: nor https://",
            "name whom a push service can write to, like mailto:admin@example.org",
        );
    }
    for service in &section.services {
        let origin = reqwest::Url::parse(service).map(|url| url.origin().ascii_serialization());
        if origin.as_ref() != Ok(service) {
            mistakes.add(
                "push.services",
                format_args!("{service} is no origin"),
                "write https://host or https://host:port, without a path",
            );
        }
    }
    Some(Push {
        contact: section.contact,
        services: section.services,
    })
}

pub(super) fn gateway(section: Option<file::Gateway>, mistakes: &mut Mistakes) -> Option<Gateway> {
    let section = section?;
    let url = reqwest::Url::parse(&section.url);
    if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        mistakes.add(
            "gateway.url",
            "is no http or https address",
            "write the address that takes messages",
        );
    }
    if section.secret.len() < MIN_SECRET_LENGTH {
        mistakes.add(
            "gateway.secret",
            format_args!("is shorter than {MIN_SECRET_LENGTH} characters"),
            "use a long random text, the same at the gateway",
        );
    }
    Some(Gateway {
        url: section.url,
        secret: section.secret,
    })
}
