//! What a client offers.

use std::fmt::Write as _;

use liandong_sfu_core::rtp::Extension;

use crate::client::{Client, DEPENDENCY, LEVEL, MID, OPUS, REPAIRED_RID, RID, VP8, WIDE};
use crate::scalable::Scheme;
use crate::sending::RIDS;

impl Client {
    pub fn offer(&self) -> String {
        let mids = 2 + self.wants.video_slots + self.wants.audio_slots;
        let bundle: Vec<String> = (0..mids).map(|mid| mid.to_string()).collect();
        let mut sdp = format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n",
            bundle.join(" ")
        );
        let mut mid = 0;
        let sends = if self.wants.listens {
            "inactive"
        } else {
            "sendonly"
        };
        self.section(&mut sdp, &mut mid, "audio", sends);
        self.section(&mut sdp, &mut mid, "video", sends);
        for _ in 0..self.wants.video_slots {
            self.section(&mut sdp, &mut mid, "video", "recvonly");
        }
        for _ in 0..self.wants.audio_slots {
            self.section(&mut sdp, &mut mid, "audio", "recvonly");
        }
        sdp
    }

    fn section(&self, sdp: &mut String, mid: &mut usize, kind: &str, direction: &str) {
        let rtx = kind == "video" && self.wants.rtx;
        let red = match direction {
            "recvonly" => self.wants.red,
            _ => self.wants.repeats,
        };
        let types = match (kind, rtx) {
            ("audio", _) if red => "111 63".to_owned(),
            ("audio", _) => "111".to_owned(),
            (_, true) => "96 97".to_owned(),
            (_, false) => "96".to_owned(),
        };
        write!(
            sdp,
            "m={kind} 9 UDP/TLS/RTP/SAVPF {types}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:{}\r\na=setup:actpass\r\n\
             a=mid:{mid}\r\na=extmap:{MID} urn:ietf:params:rtp-hdrext:sdes:mid\r\na={direction}\r\n\
             a=rtcp-mux\r\na=rtcp-rsize\r\n",
            self.local.ufrag(),
            self.local.pwd(),
            self.certificate.fingerprint_sha256(),
        )
        .unwrap();
        let levels = direction == "recvonly" || self.wants.sends_levels;
        if kind == "audio" {
            sdp.push_str("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n");
            if red {
                sdp.push_str("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n");
            }
            if levels {
                write!(sdp, "a=extmap:{LEVEL} {}\r\n", Extension::AudioLevel.uri()).unwrap();
            }
        } else {
            write!(
                sdp,
                "a=rtpmap:96 {}/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
                 a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb\r\n",
                self.wants.scheme.codec()
            )
            .unwrap();
            if self.wants.scheme == Scheme::Av1Temporal {
                let uri = Extension::DependencyDescriptor.uri();
                write!(
                    sdp,
                    "a=extmap-allow-mixed\r\na=extmap:{DEPENDENCY} {uri}\r\n"
                )
                .unwrap();
            }
        }
        if self.wants.wide {
            let payload_type = if kind == "audio" { OPUS } else { VP8 };
            write!(
                sdp,
                "a=rtcp-fb:{payload_type} transport-cc\r\na=extmap:{WIDE} {}\r\n",
                Extension::TransportCc.uri()
            )
            .unwrap();
        }
        if self.wants.simulcast && kind == "video" && direction == "sendonly" {
            for (id, extension) in [
                (RID, Extension::Rid),
                (REPAIRED_RID, Extension::RepairedRid),
            ] {
                write!(sdp, "a=extmap:{id} {}\r\n", extension.uri()).unwrap();
            }
            for rid in RIDS {
                write!(sdp, "a=rid:{rid} send\r\n").unwrap();
            }
            write!(sdp, "a=simulcast:send {}\r\n", RIDS.join(";")).unwrap();
        }
        if rtx {
            sdp.push_str("a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
        }
        *mid += 1;
    }
}
