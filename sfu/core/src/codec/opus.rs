//! Opus packets (RFC 6716 §3): how long they sound.

/// Duration in ticks of the 48 kHz RTP clock, 120 to 5,760. `None` of a packet
/// that RFC 6716 §3.4 calls malformed, as far as its first two bytes tell.
#[must_use]
pub fn duration(payload: &[u8]) -> Option<u32> {
    let first = *payload.first()?;
    let config = first >> 3;
    let frame: u32 = match config {
        // SILK only: 10, 20, 40, 60 ms.
        0..=11 => [480, 960, 1_920, 2_880][usize::from(config % 4)],
        // Hybrid: 10, 20 ms.
        12..=15 => [480, 960][usize::from(config % 2)],
        // CELT only: 2.5, 5, 10, 20 ms.
        _ => 120 << (config % 4),
    };
    let frames = match first & 0x03 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3f),
    };
    let total = frame * frames;
    (1..=5_760).contains(&total).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_by_steps() {
        let table: &[(&[u8], Option<u32>)] = &[
            (&[], None),
            (&[0x00], Some(480)),         // SILK 10 ms
            (&[0x08], Some(960)),         // SILK 20 ms
            (&[0x18], Some(2_880)),       // SILK 60 ms
            (&[0x68], Some(960)),         // hybrid 20 ms
            (&[0x78], Some(960)),         // hybrid fullband 20 ms, as browsers send
            (&[0x80], Some(120)),         // CELT 2.5 ms
            (&[0xf8], Some(960)),         // CELT 20 ms
            (&[0xf9], Some(1_920)),       // two frames
            (&[0xfb], None),              // count missing
            (&[0xfb, 0x03], Some(2_880)), // three frames
            (&[0xfb, 0x00], None),        // no frame
            (&[0xfb, 0x3f], None),        // over 120 ms
        ];
        for (payload, ticks) in table {
            assert_eq!(duration(payload), *ticks, "{payload:x?}");
        }
    }
}
