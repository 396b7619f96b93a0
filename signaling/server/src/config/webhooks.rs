//! Where messages go out to: what is in the file, checked.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::check::Mistakes;
use super::file;
use super::platforms::{Platform, Secret, secret};

/// Standard Webhooks: 24 to 64 bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const MAX_WEBHOOKS: usize = 32;

/// What can be told, by its name on the wire.
pub const EVENTS: [&str; 20] = [
    "incident.reported",
    "incident.verified",
    "incident.markedDuplicate",
    "incident.markedFalse",
    "incident.levelled",
    "incident.escalated",
    "incident.assigned",
    "incident.responded",
    "incident.convened",
    "incident.controlled",
    "incident.closed",
    "incident.reviewed",
    "incident.noted",
    "incident.attached",
    "incident.planStarted",
    "incident.planStopped",
    "incident.planStep",
    "incident.planStepSettled",
    "incident.unreached",
    "incident.reached",
];

/// One receiver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Webhook {
    pub id: String,
    pub url: Url,
    pub secret: Secret,
    /// Of [`EVENTS`]; absent: all.
    pub events: Option<BTreeSet<String>>,
    /// Only of incidents that this platform has reported, by its name; absent: of all.
    pub platform: Option<String>,
    /// PEM of the authority that the receiver's certificate is from; absent: those of the system.
    pub authority: Option<Vec<u8>>,
    /// Before the second try; each further wait is twice as long.
    pub retry: Duration,
    pub give_up: Duration,
}

/// What could be read; what could not is among the mistakes.
pub(super) fn check(
    webhooks: Vec<file::Webhook>,
    folder: &Path,
    platforms: &[Platform],
    mistakes: &mut Mistakes,
) -> Vec<Webhook> {
    if webhooks.len() > MAX_WEBHOOKS {
        mistakes.add(
            "webhooks",
            format_args!("are {}, more than {MAX_WEBHOOKS}", webhooks.len()),
            "let one receiver pass them on",
        );
    }
    let mut checked: Vec<Webhook> = Vec::new();
    for (index, webhook) in webhooks.into_iter().enumerate() {
        // As a person counts.
        let at = format!("webhooks[{}]", index + 1);
        if checked.iter().any(|one| one.id == webhook.id) {
            mistakes.add(
                &at,
                format_args!("id {} is there twice", webhook.id),
                "give each its own",
            );
        }
        if let Some(name) = &webhook.platform
            && !platforms.iter().any(|one| one.name == *name)
        {
            mistakes.add(
                format_args!("{at}.platform"),
                format_args!("there is no platform of the name {name}"),
                "write the name of one of the [[platforms]], or leave it out for all incidents",
            );
        }
        checked.extend(one(webhook, &at, folder, mistakes));
    }
    checked
}

fn one(file: file::Webhook, at: &str, folder: &Path, mistakes: &mut Mistakes) -> Option<Webhook> {
    let before = mistakes.0.len();
    let in_id = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if file.id.is_empty() || file.id.len() > 32 || !file.id.bytes().all(in_id) {
        mistakes.add(
            format_args!("{at}.id"),
            format_args!("{:?} cannot be an id", file.id),
            "use 1 to 32 small Latin letters, digits or '-'",
        );
    }
    let url = url(&file, at, mistakes);
    let secret = secret(
        &folder.join(&file.secret_file),
        &format!("{at}.secret_file"),
        mistakes,
    )
    .and_then(|text| signing_key(&text, at, mistakes));
    for event in file.events.iter().flatten() {
        if !EVENTS.contains(&event.as_str()) {
            mistakes.add(
                format_args!("{at}.events"),
                format_args!("there is no {event}"),
                format_args!("use some of {}", EVENTS.join(", ")),
            );
        }
    }
    let authority = file
        .ca_file
        .as_ref()
        .and_then(|path| authority(&folder.join(path), at, mistakes));
    let mut within = |field: &str, value: Option<u32>, default: u32, from: u32, to: u32| {
        let value = value.unwrap_or(default);
        if !(from..=to).contains(&value) {
            mistakes.add(
                format_args!("{at}.{field}"),
                format_args!("is {value}"),
                format_args!("use {from} to {to}; {default} is the default"),
            );
        }
        u64::from(value)
    };
    let retry = Duration::from_secs(within("retry_seconds", file.retry_seconds, 5, 1, 600));
    let give_up =
        Duration::from_secs(3_600 * within("give_up_hours", file.give_up_hours, 24, 1, 168));
    let (url, secret) = (url?, secret?);
    (mistakes.0.len() == before).then(|| Webhook {
        id: file.id,
        url,
        secret,
        events: file.events.map(|events| events.into_iter().collect()),
        platform: file.platform,
        authority,
        retry,
        give_up,
    })
}

/// What is no certificate would make every message fail, and nobody would hear why.
fn authority(path: &Path, at: &str, mistakes: &mut Mistakes) -> Option<Vec<u8>> {
    let what = match std::fs::read(path) {
        Ok(pem) => {
            let read = reqwest::Certificate::from_pem_bundle(&pem);
            if read.is_ok_and(|all| !all.is_empty()) {
                return Some(pem);
            }
            "holds no certificate".to_owned()
        }
        Err(error) => error.to_string(),
    };
    mistakes.add(
        format_args!("{at}.ca_file"),
        format_args!("{}: {what}", path.display()),
        "name a PEM file, relative to the configuration file",
    );
    None
}

/// In clear only where the configuration says that it may be.
fn url(file: &file::Webhook, at: &str, mistakes: &mut Mistakes) -> Option<Url> {
    let url = Url::parse(&file.url)
        .ok()
        .filter(|url| url.has_host() && url.username().is_empty() && url.password().is_none());
    let right = url
        .as_ref()
        .is_some_and(|url| url.scheme() == "https" || (url.scheme() == "http" && file.allow_http));
    if !right {
        mistakes.add(
            format_args!("{at}.url"),
            format_args!("{} is no address that messages may go to", file.url),
            "use https://…, without a user; within a network of your own, http://… with allow_http = true",
        );
    }
    url.filter(|_| right)
}

/// `whsec_` and base64, as Standard Webhooks writes it.
fn signing_key(text: &Secret, at: &str, mistakes: &mut Mistakes) -> Option<Secret> {
    let key = std::str::from_utf8(&text.0)
        .ok()
        .and_then(|text| STANDARD.decode(text.strip_prefix("whsec_")?).ok())
        .filter(|key| SECRET_BYTES.contains(&key.len()));
    if key.is_none() {
        mistakes.add(
            format_args!("{at}.secret_file"),
            "has no secret of Standard Webhooks",
            "make it with: printf 'whsec_%s' \"$(openssl rand -base64 32)\" > FILE",
        );
    }
    key.map(Secret)
}
