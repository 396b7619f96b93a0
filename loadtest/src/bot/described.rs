//! The few lines of an SDP answer that the bot itself needs: which stream
//! comes into which slot, and the numbers of the header extensions.

/// One media section, in the order of the offer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Section {
    pub(super) mid: String,
    /// Port 0: refused (RFC 9429 §5.3.1).
    pub(super) rejected: bool,
    /// The primary stream; absent where the server says none.
    pub(super) ssrc: Option<u32>,
    /// Number and URI of each header extension.
    extensions: Vec<(u8, String)>,
}

impl Section {
    /// The negotiated number of a header extension (RFC 8285 §5).
    pub(super) fn extension(&self, uri: &str) -> Option<u8> {
        let found = self.extensions.iter().find(|(_, name)| name == uri);
        found.map(|(id, _)| *id)
    }
}

pub(super) fn sections(sdp: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push(Section {
                rejected: media.split(' ').nth(1) == Some("0"),
                ..Section::default()
            });
            continue;
        }
        let (Some(section), Some(attribute)) = (sections.last_mut(), line.strip_prefix("a="))
        else {
            continue;
        };
        read(section, attribute);
    }
    sections
}

fn read(section: &mut Section, attribute: &str) {
    let Some((name, value)) = attribute.split_once(':') else {
        return;
    };
    let mut words = value.split(' ');
    match name {
        "mid" => section.mid = value.to_owned(),
        // FID: the primary stream and its retransmissions (RFC 5576 §4.2).
        "ssrc-group" if words.next() == Some("FID") => {
            section.ssrc = words.next().and_then(|w| w.parse().ok()).or(section.ssrc);
        }
        "ssrc" if section.ssrc.is_none() => {
            section.ssrc = words.next().and_then(|w| w.parse().ok());
        }
        "extmap" => {
            let id = words.next().and_then(|w| w.split('/').next());
            let id = id.and_then(|w| w.parse().ok());
            if let (Some(id), Some(uri)) = (id, words.next()) {
                section.extensions.push((id, uri.to_owned()));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_extensions_of_an_answer() {
        let sdp = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=ice-lite\r\n\
            m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
            a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:2\r\n\
            a=ssrc:42 cname:x\r\na=ssrc:43 cname:x\r\na=ssrc-group:FID 43 42\r\n\
            m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:3\r\na=ssrc:7 cname:x\r\n";
        let sections = sections(sdp);
        assert_eq!(sections.len(), 3);
        let mid = "urn:ietf:params:rtp-hdrext:sdes:mid";
        assert_eq!(sections[0].extension(mid), Some(4));
        assert_eq!((sections[0].ssrc, sections[1].extension(mid)), (None, None));
        assert_eq!(
            (sections[1].mid.as_str(), sections[1].ssrc),
            ("2", Some(43))
        );
        assert_eq!((sections[2].rejected, sections[2].ssrc), (true, Some(7)));
    }

    #[test]
    fn garbage_gives_nothing() {
        assert!(sections("a=mid:1\nx\n").is_empty());
        let odd = sections("m=\na=ssrc:\na=extmap:\na=extmap:x y\na=ssrc-group:FID\n");
        assert_eq!(odd, [Section::default()]);
    }
}
