//! Reading an offer.

use rtc_sdp::description::common::Attribute;
use rtc_sdp::description::media::MediaDescription;
use rtc_sdp::description::session::SessionDescription;

use super::negotiated::{DtlsRole, Fingerprint, HashAlgorithm, IceCredentials, SentStream};
use super::{MAX_ENCODINGS, MAX_MEDIA, MAX_OFFER_BYTES, SdpError};
use crate::rtp::Extension;

/// Certificates that a client may choose from.
const MAX_FINGERPRINTS: usize = 8;
/// Feedback lines kept of one payload type.
const MAX_FEEDBACK: usize = 16;
/// Characters of the restrictions of an encoding that are kept.
const MAX_RESTRICTIONS: usize = 256;

/// What we understood of an offer.
#[derive(Clone, Debug)]
pub struct Offer {
    pub(super) ice: IceCredentials,
    pub(super) fingerprints: Vec<Fingerprint>,
    /// Ours, following from the offered one.
    pub(super) dtls_role: DtlsRole,
    pub(super) media: Vec<Media>,
}

/// One m-line.
#[derive(Clone, Debug)]
pub(super) struct Media {
    pub kind: Kind,
    /// As written in the m-line, for the echo of a rejected one.
    pub name: String,
    pub protocol: String,
    pub formats: Vec<String>,
    /// Empty only if rejected.
    pub mid: String,
    /// The offerer gave it up, or it is nothing for us.
    pub rejected: bool,
    pub direction: Direction,
    /// `a=content:slides` (RFC 4796).
    pub slides: bool,
    pub payloads: Vec<Payload>,
    pub extensions: Vec<OfferedExtension>,
    /// Both forms of header extensions may come on one stream (RFC 8285 §6).
    pub mixed_extensions: bool,
    pub streams: Vec<SentStream>,
    /// What the offerer would send at the same time, in the order of `a=simulcast`.
    pub encodings: Vec<OfferedEncoding>,
}

/// One of several encodings of a track (RFC 8851 §4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct OfferedEncoding {
    pub rid: String,
    /// The payload types that it is restricted to; empty if to none.
    pub payload_types: Vec<u8>,
    /// Behind the direction and the payload types, as offered.
    pub restrictions: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Audio,
    Video,
    Other,
}

/// From the offerer's side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// A payload type with all that is said of it.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub number: u8,
    /// Lower case, such as `opus/48000/2`.
    pub encoding: String,
    /// `a=fmtp`, lower case.
    pub parameters: String,
    /// `a=rtcp-fb`, such as `nack pli`.
    pub feedback: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct OfferedExtension {
    pub extension: Extension,
    /// 1 to 255, not 15; beyond 14 in the two-byte form only.
    pub id: u8,
    pub direction: Option<Direction>,
}

impl Offer {
    /// # Errors
    /// If it cannot be answered, whatever the server would agree to.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        if text.len() > MAX_OFFER_BYTES {
            return Err(SdpError::TooLarge);
        }
        let description = SessionDescription::unmarshal(&mut std::io::Cursor::new(text))
            .map_err(|error| SdpError::Syntax(error.to_string()))?;
        if description.media_descriptions.len() > MAX_MEDIA {
            return Err(SdpError::TooLarge);
        }
        let session = Attributes(&description.attributes);
        let bundle: Vec<&str> = session
            .values("group")
            .find_map(|group| group.strip_prefix("BUNDLE"))
            .map(|mids| mids.split_whitespace().take(MAX_MEDIA).collect())
            .unwrap_or_default();

        let media: Vec<Media> = description
            .media_descriptions
            .iter()
            .map(|media| Media::read(media, session.has(MIXED)))
            .collect();
        check_mids(&media, &bundle)?;

        // The transport is that of the tagged m-line, the first of the group that is not
        // rejected (RFC 8843 §7.2.1); what it does not say, the session may.
        let tagged = media
            .iter()
            .position(|media| !media.rejected)
            .ok_or(SdpError::NoMedia)?;
        let levels = [
            Attributes(&description.media_descriptions[tagged].attributes),
            session,
        ];
        if !levels.iter().any(|level| level.has("rtcp-mux")) {
            return Err(SdpError::NoRtcpMux);
        }
        let first = |key| levels.iter().find_map(|level| level.value(key));
        let fingerprints = levels
            .iter()
            .map(|level| {
                level
                    .values("fingerprint")
                    .filter_map(read_fingerprint)
                    .take(MAX_FINGERPRINTS)
                    .collect()
            })
            .find(|found: &Vec<Fingerprint>| !found.is_empty())
            .ok_or(SdpError::BadFingerprint)?;
        Ok(Self {
            ice: read_ice(first("ice-ufrag"), first("ice-pwd")).ok_or(SdpError::BadIce)?,
            fingerprints,
            dtls_role: match first("setup") {
                Some("actpass" | "active") => DtlsRole::Passive,
                Some("passive") => DtlsRole::Active,
                _ => return Err(SdpError::BadSetup),
            },
            media,
        })
    }

    /// How many SSRC pairs its video slots can use; more than the limit may come out.
    #[must_use]
    pub fn video_slots(&self) -> usize {
        let slot = |media: &&Media| media.is_video_slot();
        self.media.iter().filter(slot).count()
    }

    /// How many SSRCs its audio slots can use; more than the limit may come out.
    #[must_use]
    pub fn audio_slots(&self) -> usize {
        let slot = |media: &&Media| media.is_audio_slot();
        self.media.iter().filter(slot).count()
    }
}

/// RFC 8285 §6.
const MIXED: &str = "extmap-allow-mixed";

impl Media {
    /// `mixed`: said of the whole session.
    fn read(description: &MediaDescription, mixed: bool) -> Self {
        let attributes = Attributes(&description.attributes);
        let name = &description.media_name;
        let kind = match name.media.as_str() {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => Kind::Other,
        };
        let protocol = name.protos.join("/");
        let is_rtp = matches!(
            protocol.as_str(),
            "UDP/TLS/RTP/SAVPF" | "TCP/TLS/RTP/SAVPF" | "RTP/SAVPF"
        );
        // With bundle-only, port 0 does not reject (RFC 8843 §6).
        let gone = name.port.value == 0 && !attributes.has("bundle-only");
        Self {
            kind,
            name: name.media.clone(),
            protocol,
            formats: name.formats.clone(),
            mid: attributes.value("mid").unwrap_or_default().to_owned(),
            rejected: kind == Kind::Other || !is_rtp || gone,
            direction: attributes.direction(),
            slides: attributes.value("content") == Some("slides"),
            payloads: read_payloads(&name.formats, &attributes),
            extensions: attributes
                .values("extmap")
                .filter_map(read_extension)
                .collect(),
            mixed_extensions: mixed || attributes.has(MIXED),
            streams: read_streams(&attributes),
            encodings: read_encodings(&attributes),
        }
    }

    pub(super) fn sends(&self) -> bool {
        !self.rejected && matches!(self.direction, Direction::SendOnly | Direction::SendRecv)
    }

    pub(super) fn is_video_slot(&self) -> bool {
        !self.rejected && self.kind == Kind::Video && self.direction == Direction::RecvOnly
    }

    pub(super) fn is_audio_slot(&self) -> bool {
        !self.rejected
            && self.kind == Kind::Audio
            && matches!(self.direction, Direction::RecvOnly | Direction::SendRecv)
    }
}

/// The attributes of one level. Lookups give the first of a name.
#[derive(Clone, Copy)]
struct Attributes<'a>(&'a [Attribute]);

impl<'a> Attributes<'a> {
    fn values(self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |attribute| attribute.key == key)
            .filter_map(|attribute| attribute.value.as_deref())
    }

    fn value(self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    fn has(self, key: &str) -> bool {
        self.0.iter().any(|attribute| attribute.key == key)
    }

    fn direction(self) -> Direction {
        self.0
            .iter()
            .find_map(|attribute| Direction::read(&attribute.key))
            // RFC 8866 §6.7.
            .unwrap_or(Direction::SendRecv)
    }
}

impl Direction {
    fn read(word: &str) -> Option<Self> {
        match word {
            "sendrecv" => Some(Self::SendRecv),
            "sendonly" => Some(Self::SendOnly),
            "recvonly" => Some(Self::RecvOnly),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }
}

/// Every live m-line has a mid of its own within the group. Mids come back in the answer and in
/// a one-byte header extension, hence their form (RFC 8285 §4.2).
fn check_mids(media: &[Media], bundle: &[&str]) -> Result<(), SdpError> {
    let mut seen = std::collections::BTreeSet::new();
    for media in media {
        let mid = media.mid.as_str();
        if mid.is_empty() && media.rejected {
            continue;
        }
        if !(1..=16).contains(&mid.len()) || !mid.bytes().all(is_token) || !seen.insert(mid) {
            return Err(SdpError::BadMid);
        }
        if !media.rejected && !bundle.contains(&mid) {
            return Err(SdpError::NotBundled);
        }
    }
    Ok(())
}

/// RFC 8866 §9, token-char.
pub(super) fn is_token(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'~')
        || byte.is_ascii_alphanumeric()
}

/// RFC 8839 §5.4.
fn read_ice(ufrag: Option<&str>, pwd: Option<&str>) -> Option<IceCredentials> {
    let ice_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let (ufrag, pwd) = (ufrag?, pwd?);
    let fits = (4..=256).contains(&ufrag.len())
        && (22..=256).contains(&pwd.len())
        && ufrag.bytes().chain(pwd.bytes()).all(ice_char);
    fits.then(|| IceCredentials {
        ufrag: ufrag.to_owned(),
        pwd: pwd.to_owned(),
    })
}

/// RFC 8122 §5; hashes that we do not know, and those too weak to know, are `None`.
fn read_fingerprint(value: &str) -> Option<Fingerprint> {
    let (name, digits) = value.split_once(' ')?;
    let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
        "sha-256" => (HashAlgorithm::Sha256, 32),
        "sha-384" => (HashAlgorithm::Sha384, 48),
        "sha-512" => (HashAlgorithm::Sha512, 64),
        _ => return None,
    };
    let digest = digits
        .trim()
        .split(':')
        .map(|byte| {
            let well_formed = byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit());
            well_formed
                .then(|| u8::from_str_radix(byte, 16).ok())
                .flatten()
        })
        // One more than any digest, so that too many do not pass and too many cannot overflow.
        .take(65)
        .collect::<Option<Vec<u8>>>()?;
    (digest.len() == length).then(|| Fingerprint {
        algorithm,
        digest: digest.into_iter().collect(),
    })
}

fn read_payloads(formats: &[String], attributes: &Attributes<'_>) -> Vec<Payload> {
    let mut payloads: Vec<Payload> = Vec::new();
    for number in formats.iter().filter_map(|format| format.parse().ok()) {
        if number <= 127 && payloads.iter().all(|known| known.number != number) {
            payloads.push(Payload {
                number,
                encoding: String::new(),
                parameters: String::new(),
                feedback: Vec::new(),
            });
        }
    }
    // "<number> <rest>"
    let split = |value: &str| {
        let (number, rest) = value.split_once(' ')?;
        Some((number.to_owned(), rest.trim().to_ascii_lowercase()))
    };
    for (number, encoding) in attributes.values("rtpmap").filter_map(split) {
        if let Some(payload) = find(&mut payloads, &number) {
            payload.encoding = encoding;
        }
    }
    for (number, parameters) in attributes.values("fmtp").filter_map(split) {
        if let Some(payload) = find(&mut payloads, &number) {
            payload.parameters = parameters;
        }
    }
    for (number, feedback) in attributes.values("rtcp-fb").filter_map(split) {
        let one = number.parse().ok();
        for payload in &mut payloads {
            if (number == "*" || one == Some(payload.number))
                && payload.feedback.len() < MAX_FEEDBACK
            {
                payload.feedback.push(feedback.clone());
            }
        }
    }
    payloads
}

fn find<'a>(payloads: &'a mut [Payload], number: &str) -> Option<&'a mut Payload> {
    let number: u8 = number.parse().ok()?;
    payloads.iter_mut().find(|payload| payload.number == number)
}

/// RFC 8285 §8: `<id>[/<direction>] <uri> [<attributes>]`.
fn read_extension(value: &str) -> Option<OfferedExtension> {
    let mut words = value.split_whitespace();
    let (id, uri) = (words.next()?, words.next()?);
    let (id, direction) = match id.split_once('/') {
        Some((id, direction)) => (id, Some(Direction::read(direction)?)),
        None => (id, None),
    };
    let id = id.parse().ok().filter(|id| !matches!(id, 0 | 15))?;
    Some(OfferedExtension {
        extension: Extension::from_uri(uri)?,
        id,
        direction,
    })
}

/// SSRCs of `a=ssrc`, paired by `a=ssrc-group:FID` (RFC 5576). At most 16 streams are kept.
fn read_streams(attributes: &Attributes<'_>) -> Vec<SentStream> {
    const MAX_STREAMS: usize = 16;
    let pairs: Vec<(u32, u32)> = attributes
        .values("ssrc-group")
        .filter_map(|group| {
            let mut words = group.strip_prefix("FID ")?.split_whitespace();
            let ssrc = words.next()?.parse().ok()?;
            Some((ssrc, words.next()?.parse().ok()?))
        })
        .take(MAX_STREAMS)
        .collect();
    let mut streams: Vec<SentStream> = Vec::new();
    for value in attributes.values("ssrc") {
        let word = value.split_whitespace().next().unwrap_or_default();
        let Ok(ssrc) = word.parse() else { continue };
        let known = streams.iter().any(|stream| stream.ssrc == ssrc);
        let repairs = pairs.iter().any(|pair| pair.1 == ssrc);
        if !known && !repairs && streams.len() < MAX_STREAMS {
            let pair = pairs.iter().find(|pair| pair.0 == ssrc);
            let rtx = pair.map(|pair| pair.1);
            streams.push(SentStream { ssrc, rtx });
        }
    }
    streams
}

/// `a=simulcast:send <list>` (RFC 8853 §5.1): of each stream the first alternative that an
/// `a=rid` declares. A paused one counts as the others do: it may come at any time.
fn read_encodings(attributes: &Attributes<'_>) -> Vec<OfferedEncoding> {
    let mut words = attributes
        .value("simulcast")
        .unwrap_or_default()
        .split_whitespace();
    let sent = loop {
        match (words.next(), words.next()) {
            (Some("send"), Some(list)) => break list,
            (Some(_), Some(_)) => {}
            (_, _) => return Vec::new(),
        }
    };
    let mut encodings: Vec<OfferedEncoding> = Vec::new();
    for stream in sent.split(';') {
        let known = |rid: &str| encodings.iter().any(|encoding| encoding.rid == rid);
        let found = stream
            .split(',')
            .map(|rid| rid.strip_prefix('~').unwrap_or(rid))
            .filter(|rid| !known(rid))
            .find_map(|rid| {
                attributes
                    .values("rid")
                    .find_map(|line| read_rid(line, rid))
            });
        encodings.extend(found);
        if encodings.len() == MAX_ENCODINGS {
            break;
        }
    }
    encodings
}

/// `<rid> send [<restriction>;...]` (RFC 8851 §10), if it is of this rid.
fn read_rid(line: &str, rid: &str) -> Option<OfferedEncoding> {
    // RFC 8852 §3.1; the length is that of the one-byte form.
    let is_rid = (1..=16).contains(&rid.len()) && rid.bytes().all(|b| b.is_ascii_alphanumeric());
    let rest = line.strip_prefix(rid).filter(|_| is_rid)?;
    let restrictions = rest.trim_start().strip_prefix("send")?;
    let is_ours =
        rest.starts_with(' ') && (restrictions.is_empty() || restrictions.starts_with(' '));
    // They come back in the answer.
    let printable = restrictions.bytes().all(|b| matches!(b, b' '..=b'~'));
    if !is_ours || !printable || restrictions.len() > MAX_RESTRICTIONS {
        return None;
    }
    let mut encoding = OfferedEncoding {
        rid: rid.to_owned(),
        payload_types: Vec::new(),
        restrictions: String::new(),
    };
    for restriction in restrictions.trim().split(';').filter(|r| !r.is_empty()) {
        if let Some(numbers) = restriction.strip_prefix("pt=") {
            encoding.payload_types = numbers.split(',').filter_map(|n| n.parse().ok()).collect();
        } else {
            if !encoding.restrictions.is_empty() {
                encoding.restrictions.push(';');
            }
            encoding.restrictions.push_str(restriction);
        }
    }
    Some(encoding)
}
