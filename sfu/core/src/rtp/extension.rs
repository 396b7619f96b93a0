//! RTP header extensions (RFC 8285): which ids were negotiated, what a packet
//! carries, and the block that we write for a receiver.

use arrayvec::ArrayVec;

use super::packet::{ExtensionForm, RtpHeader};

/// The header extensions that the server understands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Extension {
    /// Which m-line a packet belongs to (RFC 9143).
    Mid,
    /// Which layer of a simulcast (RFC 8852).
    Rid,
    /// Which layer a repair packet repairs (RFC 8852).
    RepairedRid,
    /// How loud the speech is (RFC 6464).
    AudioLevel,
    /// When the sender sent it: 6.18 fixed-point seconds.
    AbsSendTime,
    /// A number per packet across all streams of a transport
    /// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2).
    TransportCc,
    /// How the receiver has to turn the picture (3GPP TS 26.114 §7.4.5).
    VideoOrientation,
    /// How long the receiver may buffer.
    PlayoutDelay,
    /// Which layer a frame is of and what it needs to be decoded (AV1 RTP specification, appendix A).
    DependencyDescriptor,
}

impl Extension {
    pub const ALL: [Self; 9] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::AudioLevel,
        Self::AbsSendTime,
        Self::TransportCc,
        Self::VideoOrientation,
        Self::PlayoutDelay,
        Self::DependencyDescriptor,
    ];

    /// Its name in `a=extmap`.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportCc => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Self::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
        }
    }

    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.uri() == uri)
    }
}

/// The ids that one m-line negotiated.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExtensionMap {
    /// By the order of [`Extension::ALL`]; 0 is not negotiated.
    ids: [u8; Extension::ALL.len()],
}

impl ExtensionMap {
    /// Enters an extension under an id from 1 to 255. Later entries win.
    pub fn insert(&mut self, extension: Extension, id: u8) {
        self.ids[extension as usize] = id;
    }

    #[must_use]
    pub fn id(&self, extension: Extension) -> Option<u8> {
        match self.ids[extension as usize] {
            0 => None,
            id => Some(id),
        }
    }

    #[must_use]
    pub fn extension(&self, id: u8) -> Option<Extension> {
        let known = |extension: &Extension| self.id(*extension) == Some(id);
        Extension::ALL.into_iter().find(known)
    }

    /// The negotiated extensions with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (Extension, u8)> {
        Extension::ALL
            .into_iter()
            .filter_map(|extension| Some((extension, self.id(extension)?)))
    }

    /// Reads all known elements of a packet in one pass. Elements of a wrong
    /// length count as absent.
    #[must_use]
    pub fn read<'a>(&self, header: &RtpHeader, packet: &'a [u8]) -> ExtensionValues<'a> {
        let mut values = ExtensionValues::default();
        for (id, value) in header.extensions(packet) {
            match self.extension(id) {
                Some(Extension::Mid) => values.mid = Some(value),
                Some(Extension::Rid) => values.rid = Some(value),
                Some(Extension::RepairedRid) => values.repaired_rid = Some(value),
                Some(Extension::AudioLevel) => values.audio_level = AudioLevel::parse(value),
                Some(Extension::AbsSendTime) => {
                    values.abs_send_time = <[u8; 3]>::try_from(value)
                        .ok()
                        .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]));
                }
                Some(Extension::TransportCc) => {
                    // Version 2 of the extension has a feedback request behind the number.
                    values.transport_sequence =
                        value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
                }
                Some(Extension::VideoOrientation) => {
                    values.video_orientation = value.first().copied();
                }
                Some(Extension::PlayoutDelay) => {
                    values.playout_delay = <[u8; 3]>::try_from(value).ok();
                }
                Some(Extension::DependencyDescriptor) => {
                    values.dependency_descriptor = Some(value);
                }
                None => {}
            }
        }
        values
    }
}

/// The known elements of one packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExtensionValues<'a> {
    pub mid: Option<&'a [u8]>,
    pub rid: Option<&'a [u8]>,
    pub repaired_rid: Option<&'a [u8]>,
    pub audio_level: Option<AudioLevel>,
    /// 24 bits: seconds in 6.18 fixed point.
    pub abs_send_time: Option<u32>,
    pub transport_sequence: Option<u16>,
    /// The byte as the sender wrote it: camera, flip, rotation.
    pub video_orientation: Option<u8>,
    /// Twelve bits each of minimum and maximum, in 10 ms.
    pub playout_delay: Option<[u8; 3]>,
    /// Not looked into yet.
    pub dependency_descriptor: Option<&'a [u8]>,
}

/// RFC 6464 §3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AudioLevel {
    /// 0 is the loudest, 127 silence: -dBov.
    pub minus_dbov: u8,
    /// The sender believes that it is speech.
    pub voice: bool,
}

impl AudioLevel {
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let first = *value.first()?;
        Some(Self {
            minus_dbov: first & 0x7f,
            voice: first & 0x80 != 0,
        })
    }

    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self.minus_dbov & 0x7f | (self.voice as u8) << 7
    }
}

/// The elements of a packet in order: id and value. Ends at the first that
/// runs over the block's end.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    form: Option<ExtensionForm>,
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(super) fn new(form: Option<ExtensionForm>, block: &'a [u8]) -> Self {
        Self { form, rest: block }
    }

    /// Id and length in bytes of the next element, and what follows its head.
    fn head(&self, form: ExtensionForm) -> Option<(u8, usize, &'a [u8])> {
        let (&first, rest) = self.rest.split_first()?;
        match form {
            // A zero byte is padding in either form.
            _ if first == 0 => Some((0, 0, rest)),
            // Id 15 ends the block (RFC 8285 §4.2).
            ExtensionForm::OneByte if first >> 4 == 15 => None,
            // Id 0 with a length other than 0 is invalid; the length is honoured and the element skipped.
            ExtensionForm::OneByte => Some((first >> 4, usize::from(first & 0x0f) + 1, rest)),
            ExtensionForm::TwoByte => {
                let (&length, rest) = rest.split_first()?;
                Some((first, usize::from(length), rest))
            }
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let form = self.form?;
        while let Some((id, length, after)) = self.head(form) {
            let Some((value, rest)) = after.split_at_checked(length) else {
                break;
            };
            self.rest = rest;
            if id != 0 {
                return Some((id, value));
            }
        }
        self.rest = &[];
        None
    }
}

/// Writes an extension block, head and padding included: what follows the fixed
/// header of a packet whose X bit is set. Gives its length in bytes; 0 without
/// elements, and then the X bit stays clear.
///
/// In the one-byte form where it can be; else, that is for an id above 14 or a
/// value not within 1 to 16 bytes, in the two-byte form (RFC 8285 §4.3), which
/// only a receiver takes that agreed to `a=extmap-allow-mixed`.
///
/// `None` if `out` is too short, an id is 0 or 15, or a value longer than 255 bytes.
#[must_use]
pub fn write_extensions(out: &mut [u8], elements: &[(u8, &[u8])]) -> Option<usize> {
    if elements.is_empty() {
        return Some(0);
    }
    let form = if elements.iter().all(fits_one_byte) {
        ExtensionForm::OneByte
    } else {
        ExtensionForm::TwoByte
    };
    let mut at = 4;
    for &(id, value) in elements {
        if matches!(id, 0 | 15) {
            return None;
        }
        match form {
            ExtensionForm::OneByte => *out.get_mut(at)? = id << 4 | (value.len() - 1) as u8,
            ExtensionForm::TwoByte => {
                *out.get_mut(at)? = id;
                at += 1;
                *out.get_mut(at)? = u8::try_from(value.len()).ok()?;
            }
        }
        at += 1;
        out.get_mut(at..at + value.len())?.copy_from_slice(value);
        at += value.len();
    }
    let end = at.next_multiple_of(4);
    out.get_mut(at..end)?.fill(0);
    let words = u16::try_from(end / 4 - 1).ok()?;
    let [first, second] = words.to_be_bytes();
    let [profile, low] = match form {
        ExtensionForm::OneByte => [0xbe, 0xde],
        ExtensionForm::TwoByte => [0x10, 0x00],
    };
    out[..4].copy_from_slice(&[profile, low, first, second]);
    Some(end)
}

/// As [`write_extensions`], with the elements of a block that it wrote (or none), and one
/// more behind them.
#[must_use]
pub fn append_extension(out: &mut [u8], block: &[u8], element: (u8, &[u8])) -> Option<usize> {
    let form = block.get(..2).map(|profile| match profile {
        [0xbe, 0xde] => ExtensionForm::OneByte,
        _ => ExtensionForm::TwoByte,
    });
    let known = Elements::new(form, block.get(4..).unwrap_or_default());
    let elements: ArrayVec<(u8, &[u8]), { Extension::ALL.len() + 1 }> = known
        .take(Extension::ALL.len())
        .chain(std::iter::once(element))
        .collect();
    write_extensions(out, &elements)
}

/// RFC 8285 §4.2.
fn fits_one_byte(&(id, value): &(u8, &[u8])) -> bool {
    (1..=14).contains(&id) && (1..=16).contains(&value.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::packet::RtpView;
    use proptest::prelude::*;

    fn packet(profile: [u8; 2], block: &[u8]) -> Vec<u8> {
        assert_eq!(block.len() % 4, 0);
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend(profile);
        packet.extend(((block.len() / 4) as u16).to_be_bytes());
        packet.extend(block);
        packet
    }

    fn elements(packet: &[u8]) -> Vec<(u8, &[u8])> {
        RtpView::parse(packet).unwrap().extensions().collect()
    }

    #[test]
    fn one_byte_form_skips_padding_and_stops_at_fifteen() {
        let block = [0x10, 0xaa, 0, 0x21, 0xbb, 0xcc, 0xf0, 0x10];
        let bytes = packet([0xbe, 0xde], &block);
        let (one, two): (&[u8], &[u8]) = (&[0xaa], &[0xbb, 0xcc]);
        assert_eq!(elements(&bytes), [(1, one), (2, two)]);
    }

    #[test]
    fn two_byte_form_has_empty_and_long_values() {
        let mut block = vec![1, 0, 0, 200, 20];
        block.extend([7; 20]);
        block.extend([0; 3]);
        let bytes = packet([0x10, 0x05], &block);
        let long: &[u8] = &[7; 20];
        assert_eq!(elements(&bytes), [(1, &[][..]), (200, long)]);
    }

    #[test]
    fn element_over_the_end_is_dropped() {
        let one = packet([0xbe, 0xde], &[0x10, 0xaa, 0x2f, 1]);
        assert_eq!(elements(&one), [(1, &[0xaa][..])]);
        let two = packet([0x10, 0x00], &[1, 1, 9, 5]);
        assert_eq!(elements(&two), [(1, &[9][..])]);
    }

    #[test]
    fn known_elements_are_read_in_one_pass() {
        let mut map = ExtensionMap::default();
        map.insert(Extension::Mid, 4);
        map.insert(Extension::AudioLevel, 1);
        map.insert(Extension::AbsSendTime, 2);
        map.insert(Extension::TransportCc, 3);
        map.insert(Extension::VideoOrientation, 13);
        let block = [
            0x10, 0x85, 0x22, 1, 2, 3, 0x31, 0xab, 0xcd, 0x41, b'1', b'2', 0xd0, 0x03, 0xe0, 0,
        ];
        let bytes = packet([0xbe, 0xde], &block);
        let values = map.read(&RtpHeader::parse(&bytes).unwrap(), &bytes);
        assert_eq!(values.mid, Some(&b"12"[..]));
        assert_eq!(
            values.audio_level,
            Some(AudioLevel {
                minus_dbov: 5,
                voice: true
            })
        );
        assert_eq!(values.audio_level.unwrap().to_byte(), 0x85);
        assert_eq!(values.abs_send_time, Some(0x01_0203));
        assert_eq!(values.transport_sequence, Some(0xabcd));
        assert_eq!(values.video_orientation, Some(3));
        assert_eq!(values.rid, None);
    }

    #[test]
    fn uris_lead_back_to_their_extension() {
        for extension in Extension::ALL {
            assert_eq!(Extension::from_uri(extension.uri()), Some(extension));
        }
        assert_eq!(Extension::from_uri("urn:nothing"), None);
    }

    #[test]
    fn impossible_blocks_are_not_written() {
        let mut out = [0; 8];
        assert_eq!(write_extensions(&mut out, &[]), Some(0));
        for (id, value) in [
            (0, &[1][..]),
            (15, &[1]),
            (1, &[0; 17]),
            (1, &[0; 5]),
            (16, &[0; 3]),
        ] {
            assert_eq!(write_extensions(&mut out, &[(id, value)]), None);
        }
        assert_eq!(write_extensions(&mut [0; 300], &[(1, &[0; 256])]), None);
        assert_eq!(write_extensions(&mut [], &[(1, &[1])]), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            values in proptest::collection::vec((1..=14_u8, proptest::collection::vec(any::<u8>(), 1..=16)), 0..8),
            // Sometimes one that only the two-byte form can hold.
            large in proptest::option::of((16..=255_u8, proptest::collection::vec(any::<u8>(), 0..=255)))
        ) {
            let values: Vec<_> = values.into_iter().chain(large).collect();
            let wanted: Vec<(u8, &[u8])> = values.iter().map(|(id, value)| (*id, value.as_slice())).collect();
            let mut out = vec![0xff; 12 + 4 + 8 * 18 + 260];
            out[..12].copy_from_slice(&[0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
            let length = write_extensions(&mut out[12..], &wanted).unwrap();
            out.truncate(12 + length);
            if wanted.is_empty() {
                out[0] = 0x80;
            }
            prop_assert_eq!(&elements(&out), &wanted);
            // The same, but for the last one, and that behind it.
            let Some((last, before)) = wanted.split_last() else {
                return Ok(());
            };
            let mut block = vec![0; out.len()];
            let length = write_extensions(&mut block, before).unwrap();
            let mut whole = vec![0; out.len()];
            let length = append_extension(&mut whole, &block[..length], *last).unwrap();
            prop_assert_eq!(&whole[..length], &out[12..]);
        }

        #[test]
        fn garbage_ends(block in proptest::collection::vec(any::<u8>(), 0..100), two in any::<bool>()) {
            let form = if two { ExtensionForm::TwoByte } else { ExtensionForm::OneByte };
            prop_assert!(Elements::new(Some(form), &block).count() <= block.len());
        }
    }
}
