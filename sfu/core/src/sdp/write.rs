//! Writing an answer.

use std::fmt::{self, Write};

use super::answer::{Accepted, AnswerParams, Candidate, CandidateProtocol, Line, Slot};
use super::codecs::{Agreed, encoding};
use super::negotiated::{DtlsRole, Negotiated};
use super::offer::{Direction, Media, OfferedEncoding, OfferedExtension, is_token};

/// The answer's text.
pub(super) fn answer(
    params: &AnswerParams<'_>,
    negotiated: &Negotiated,
    lines: &[Line<'_>],
) -> String {
    let mut text = String::with_capacity(1_024 * lines.len());
    // Writing into a String cannot fail.
    let _ = write_answer(&mut text, params, negotiated, lines);
    text
}

fn write_answer(
    text: &mut String,
    params: &AnswerParams<'_>,
    negotiated: &Negotiated,
    lines: &[Line<'_>],
) -> fmt::Result {
    let (id, version) = (params.session_id, params.session_version);
    write!(
        text,
        "v=0\r\no=- {id} {version} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    )?;
    write!(text, "a=group:BUNDLE {}\r\n", negotiated.bundle.join(" "))?;
    write!(text, "a=ice-lite\r\na=msid-semantic: WMS *\r\n")?;
    let digest: Vec<String> = params
        .fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    write!(text, "a=fingerprint:sha-256 {}\r\n", digest.join(":"))?;

    let mut tagged = true;
    for line in lines {
        let Some(accepted) = &line.accepted else {
            write_rejected(text, line.media)?;
            continue;
        };
        write_media(text, line.media, accepted)?;
        write_transport(text, params, negotiated)?;
        // The others of the bundle share them (RFC 8843 §9).
        if tagged {
            write_candidates(text, params.candidates)?;
        }
        tagged = false;
        write_codecs(text, &accepted.codecs)?;
        for offered in &accepted.extensions {
            write_extension(text, offered)?;
        }
        if line.media.mixed_extensions {
            write!(text, "a=extmap-allow-mixed\r\n")?;
        }
        write_encodings(text, &accepted.encodings)?;
        if let Some(slot) = accepted.slot {
            write_slot(text, params.cname, accepted, slot)?;
        }
    }
    Ok(())
}

/// RFC 3264 §6: port 0, and at least one format; with its name, because the
/// `webrtc` crate refuses an answer with a number that it cannot look up.
fn write_rejected(text: &mut String, media: &Media) -> fmt::Result {
    let printable =
        |word: &&str| !word.is_empty() && word.bytes().all(|b| is_token(b) || b == b'/');
    let or = |word, otherwise| Some(word).filter(printable).unwrap_or(otherwise);
    let name = or(media.name.as_str(), "application");
    let protocol = or(media.protocol.as_str(), "RTP/SAVPF");
    let mut formats = media.formats.iter().map(String::as_str);
    let format = formats.find(printable).unwrap_or("0");
    write!(
        text,
        "m={name} 0 {protocol} {format}\r\nc=IN IP4 0.0.0.0\r\n"
    )?;
    let payload = media
        .payloads
        .iter()
        .find(|payload| format.parse() == Ok(payload.number));
    let encoding = payload.map(|payload| payload.encoding.as_str());
    if let Some(encoding) = encoding.filter(printable) {
        write!(text, "a=rtpmap:{format} {encoding}\r\n")?;
    }
    if !media.mid.is_empty() {
        write!(text, "a=mid:{}\r\n", media.mid)?;
    }
    write!(text, "a=inactive\r\n")
}

fn write_media(text: &mut String, media: &Media, accepted: &Accepted) -> fmt::Result {
    write!(text, "m={} 9 {}", media.name, media.protocol)?;
    for agreed in &accepted.codecs {
        write!(text, " {}", agreed.media.payload_type)?;
    }
    for rtx in accepted.codecs.iter().filter_map(|agreed| agreed.media.rtx) {
        write!(text, " {rtx}")?;
    }
    write!(text, "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\n", media.mid)?;
    write!(text, "a={}\r\n", direction(accepted.direction))
}

fn write_transport(
    text: &mut String,
    params: &AnswerParams<'_>,
    negotiated: &Negotiated,
) -> fmt::Result {
    let setup = match negotiated.dtls_role {
        DtlsRole::Passive => "passive",
        DtlsRole::Active => "active",
    };
    let (ufrag, pwd) = (params.ice_ufrag, params.ice_pwd);
    write!(
        text,
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\na=setup:{setup}\r\n"
    )?;
    write!(text, "a=rtcp-mux\r\na=rtcp-rsize\r\n")
}

/// RFC 8839 §5.1, RFC 6544 §4.5; priorities by RFC 8445 §5.1.2.1 in the order given, UDP first.
fn write_candidates(text: &mut String, candidates: &[Candidate]) -> fmt::Result {
    for (index, candidate) in candidates.iter().enumerate() {
        let (transport, type_preference, suffix) = match candidate.protocol {
            CandidateProtocol::Udp => ("udp", 126u32, ""),
            CandidateProtocol::TcpPassive => ("tcp", 90, " tcptype passive"),
        };
        let local_preference = 0xffff - index.min(0xffff) as u32;
        let priority = type_preference << 24 | local_preference << 8 | 255;
        let (ip, port) = (candidate.addr.ip(), candidate.addr.port());
        write!(
            text,
            "a=candidate:{} 1 {transport} {priority} {ip} {port} typ host{suffix}\r\n",
            index + 1
        )?;
    }
    write!(text, "a=end-of-candidates\r\n")
}

fn write_codecs(text: &mut String, codecs: &[Agreed]) -> fmt::Result {
    for Agreed { media, parameters } in codecs {
        let number = media.payload_type;
        write!(text, "a=rtpmap:{number} {}\r\n", encoding(media.codec))?;
        let feedback = media.feedback;
        for (wanted, name) in [
            (feedback.remb, "goog-remb"),
            (feedback.transport_cc, "transport-cc"),
            (feedback.fir, "ccm fir"),
            (feedback.nack, "nack"),
            (feedback.pli, "nack pli"),
        ] {
            if wanted {
                write!(text, "a=rtcp-fb:{number} {name}\r\n")?;
            }
        }
        if !parameters.is_empty() {
            write!(text, "a=fmtp:{number} {parameters}\r\n")?;
        }
        if let Some(rtx) = media.rtx {
            write!(
                text,
                "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={number}\r\n"
            )?;
        }
    }
    Ok(())
}

fn write_extension(text: &mut String, offered: &OfferedExtension) -> fmt::Result {
    // Seen from our side, the direction is the other one (RFC 8285 §6).
    let suffix = match offered.direction {
        None => "",
        Some(Direction::SendRecv) => "/sendrecv",
        Some(Direction::SendOnly) => "/recvonly",
        Some(Direction::RecvOnly) => "/sendonly",
        Some(Direction::Inactive) => "/inactive",
    };
    let (id, uri) = (offered.id, offered.extension.uri());
    write!(text, "a=extmap:{id}{suffix} {uri}\r\n")
}

/// RFC 8851 §6.3: with the restrictions of the offer; RFC 8853 §5.3.2.
fn write_encodings(text: &mut String, encodings: &[OfferedEncoding]) -> fmt::Result {
    if encodings.is_empty() {
        return Ok(());
    }
    for encoding in encodings {
        let numbers: Vec<String> = encoding.payload_types.iter().map(u8::to_string).collect();
        let types = format!("pt={}", numbers.join(","));
        let parts = [
            Some(types.as_str()).filter(|_| !numbers.is_empty()),
            Some(encoding.restrictions.as_str()).filter(|text| !text.is_empty()),
        ];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        let space = if parts.is_empty() { "" } else { " " };
        let (rid, restrictions) = (&encoding.rid, parts.join(";"));
        write!(text, "a=rid:{rid} recv{space}{restrictions}\r\n")?;
    }
    let rids: Vec<&str> = encodings.iter().map(|e| e.rid.as_str()).collect();
    write!(text, "a=simulcast:recv {}\r\n", rids.join(";"))
}

/// RFC 8830, RFC 5576. Each slot is a stream of its own: what it shows changes,
/// so no two slots can be kept in step by the browser.
fn write_slot(text: &mut String, cname: &str, accepted: &Accepted, slot: Slot) -> fmt::Result {
    let (name, index, ssrc, rtx) = match slot {
        Slot::Video(index, ssrcs) => ("video", index, ssrcs.ssrc, Some(ssrcs.rtx_ssrc)),
        Slot::Audio(index, ssrc) => ("audio", index, ssrc, None),
    };
    write!(text, "a=msid:{name}-slot-{index} {name}-{index}\r\n")?;
    let repaired = accepted
        .codecs
        .iter()
        .any(|agreed| agreed.media.rtx.is_some());
    let rtx = rtx.filter(|_| repaired);
    if let Some(rtx) = rtx {
        write!(text, "a=ssrc-group:FID {ssrc} {rtx}\r\n")?;
    }
    for ssrc in [Some(ssrc), rtx].into_iter().flatten() {
        write!(text, "a=ssrc:{ssrc} cname:{cname}\r\n")?;
    }
    Ok(())
}

const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}
