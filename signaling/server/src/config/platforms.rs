//! Other platforms that report by `/api/v1`: what is in the file, checked.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use liandong_protocol::SiteCode;
use serde::Deserialize;

use super::check::Mistakes;
use super::{Site, file};

/// RFC 2104 §3: a key shorter than the hash's output weakens it.
const MIN_KEY_LENGTH: usize = 32;
const MAX_NAME_CHARS: usize = 64;
const DEFAULT_PER_MINUTE: u32 = 120;
const MAX_PER_MINUTE: u32 = 6_000;

/// What a platform may do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "camelCase")]
pub enum Right {
    /// Report incidents, and add files to its own.
    Report,
    /// See how its own reports stand.
    Read,
}

/// One that may use `/api/v1`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Platform {
    /// In its signatures.
    pub id: String,
    /// As people see it; also whose reports are whose.
    pub name: String,
    /// Of its signatures; absent: it cannot sign.
    pub key: Option<Secret>,
    /// SHA-256 of its bearer token; absent: it has none.
    pub token_hash: Option<[u8; 32]>,
    /// Where reports go that name no site.
    pub site: SiteCode,
    /// That site and all below it: where it may report to.
    pub sites: BTreeSet<SiteCode>,
    pub rights: BTreeSet<Right>,
    pub per_minute: u32,
}

/// Shown to nobody.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(pub Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What could be read; what could not is among the mistakes.
pub(super) fn check(
    platforms: Vec<file::Platform>,
    folder: &Path,
    sites: &[Site],
    mistakes: &mut Mistakes,
) -> Vec<Platform> {
    let mut checked: Vec<Platform> = Vec::new();
    for (index, platform) in platforms.into_iter().enumerate() {
        // As a person counts.
        let at = format!("platforms[{}]", index + 1);
        if checked
            .iter()
            .any(|one| one.id == platform.id || one.name == platform.name)
        {
            mistakes.add(
                &at,
                format_args!(
                    "id {} or name {} is there twice",
                    platform.id, platform.name
                ),
                "give each platform an id and a name of its own",
            );
        }
        checked.extend(one(platform, &at, folder, sites, mistakes));
    }
    checked
}

fn one(
    file: file::Platform,
    at: &str,
    folder: &Path,
    sites: &[Site],
    mistakes: &mut Mistakes,
) -> Option<Platform> {
    let before = mistakes.0.len();
    let in_id = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if file.id.is_empty() || file.id.len() > 32 || !file.id.bytes().all(in_id) {
        mistakes.add(
            format_args!("{at}.id"),
            format_args!("{:?} cannot be an id", file.id),
            "use 1 to 32 small Latin letters, digits or '-'",
        );
    }
    let name = file.name.trim();
    if name.is_empty()
        || name.chars().count() > MAX_NAME_CHARS
        || name.chars().any(char::is_control)
    {
        mistakes.add(
            format_args!("{at}.name"),
            "is empty, too long or no plain text",
            format_args!("write the platform's name in up to {MAX_NAME_CHARS} characters"),
        );
    }
    let key = file
        .key_file
        .as_ref()
        .and_then(|path| secret(&folder.join(path), &format!("{at}.key_file"), mistakes));
    let token_hash = token_hash(file.token_sha256.as_deref(), at, mistakes);
    if file.key_file.is_none() && file.token_sha256.is_none() {
        mistakes.add(
            at,
            "cannot show who it is",
            "name key_file (for signatures), token_sha256 (for a bearer token) or both",
        );
    }
    let per_minute = file.requests_per_minute.unwrap_or(DEFAULT_PER_MINUTE);
    if !(1..=MAX_PER_MINUTE).contains(&per_minute) {
        mistakes.add(
            format_args!("{at}.requests_per_minute"),
            format_args!("is {per_minute}"),
            format_args!("use 1 to {MAX_PER_MINUTE}; {DEFAULT_PER_MINUTE} is the default"),
        );
    }
    let site = site(file.site, at, sites, mistakes)?;
    let name = name.to_owned();
    (mistakes.0.len() == before).then(|| Platform {
        sites: subtree(&site, sites),
        id: file.id,
        name,
        key,
        token_hash,
        site,
        rights: file
            .rights
            .unwrap_or_else(|| vec![Right::Report, Right::Read])
            .into_iter()
            .collect(),
        per_minute,
    })
}

/// The file's text without the end of its line: what `openssl rand -hex 32` writes.
pub(super) fn secret(path: &Path, at: &str, mistakes: &mut Mistakes) -> Option<Secret> {
    let read = std::fs::metadata(path).and_then(|meta| Ok((meta, std::fs::read(path)?)));
    let (meta, bytes) = match read {
        Ok(read) => read,
        Err(error) => {
            mistakes.add(
                at,
                format_args!("{}: {error}", path.display()),
                "name a file, relative to the configuration file: openssl rand -hex 32 > FILE",
            );
            return None;
        }
    };
    if meta.permissions().mode() & 0o077 != 0 {
        mistakes.add(
            at,
            format_args!("others may read {}", path.display()),
            "chmod 600 the file",
        );
    }
    let key = bytes.trim_ascii();
    if key.len() < MIN_KEY_LENGTH {
        mistakes.add(
            at,
            format_args!("is shorter than {MIN_KEY_LENGTH} characters"),
            "make it with: openssl rand -hex 32 > FILE",
        );
    }
    Some(Secret(key.to_vec()))
}

fn token_hash(text: Option<&str>, at: &str, mistakes: &mut Mistakes) -> Option<[u8; 32]> {
    let text = text?;
    let hash = hex::decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    if hash.is_none() {
        mistakes.add(
            format_args!("{at}.token_sha256"),
            "is not the SHA-256 of a token",
            "write the 64 digits that this prints: printf %s TOKEN | sha256sum",
        );
    }
    hash
}

fn site(
    code: Option<String>,
    at: &str,
    sites: &[Site],
    mistakes: &mut Mistakes,
) -> Option<SiteCode> {
    let found = match &code {
        Some(code) => sites.iter().find(|site| site.code.0 == *code),
        // Parents come before children.
        None => sites.first(),
    };
    if found.is_none() && !sites.is_empty() {
        mistakes.add(
            format_args!("{at}.site"),
            format_args!("there is no site {}", code.unwrap_or_default()),
            "use a code of the table of sites, or leave it out for the whole county",
        );
    }
    found.map(|site| site.code.clone())
}

/// Parents come before children.
fn subtree(root: &SiteCode, sites: &[Site]) -> BTreeSet<SiteCode> {
    let mut within = BTreeSet::from([root.clone()]);
    for site in sites {
        if site
            .parent
            .as_ref()
            .is_some_and(|parent| within.contains(parent))
        {
            within.insert(site.code.clone());
        }
    }
    within
}
