//! The little that the signaling side has to know of an offer.

/// The DTLS certificate's fingerprint (RFC 8122 §5), as written, in lower
/// case. The node checks the offer; here it only tells connections apart.
#[must_use]
pub fn fingerprint(sdp: &str) -> Option<String> {
    sdp.lines()
        .find_map(|line| line.trim_end().strip_prefix("a=fingerprint:"))
        .map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_found_in_session_or_media() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256 AB:CD\r\n";
        assert_eq!(fingerprint(sdp).unwrap(), "sha-256 ab:cd");
        assert_eq!(fingerprint("v=0\r\n"), None);
    }
}
