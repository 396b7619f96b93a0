//! What protecting costs per packet of 1,200 bytes: one `name: value` line each, in nanoseconds.

use std::time::Instant;

use liandong_sfu_core::transport::{
    MAX_TRAILER, OutboundStream, SrtpError, SrtpIn, SrtpOut, SrtpProfile,
};

const PACKET: usize = 1_200;
const HEADER: usize = 12;
/// Less than half the sequence space, and little enough to stay in the cache.
const BATCH: usize = 256;
const ROUNDS: usize = 200;

fn main() -> Result<(), SrtpError> {
    for (name, profile) in [
        ("aead_aes_128_gcm", SrtpProfile::AeadAes128Gcm),
        ("aead_aes_256_gcm", SrtpProfile::AeadAes256Gcm),
        ("aes128_cm_sha1_80", SrtpProfile::Aes128CmHmacSha1_80),
    ] {
        let (protect_ns, unprotect_ns) = measure(profile)?;
        println!("srtp_protect_ns_{name}: {protect_ns}");
        println!("srtp_unprotect_ns_{name}: {unprotect_ns}");
    }
    Ok(())
}

/// The best round of many, so that what else runs on the machine counts little.
fn measure(profile: SrtpProfile) -> Result<(u128, u128), SrtpError> {
    let (key_len, salt_len) = profile.master_lengths();
    let (key, salt) = ([1u8; 32], [2u8; 14]);
    let (key, salt) = (&key[..key_len], &salt[..salt_len]);
    let out = SrtpOut::new(profile, key, salt).ok_or(SrtpError::Malformed)?;
    let mut inbound = SrtpIn::new(profile, key, salt).ok_or(SrtpError::Malformed)?;
    let mut stream = OutboundStream::default();
    let mut sequence = 0u16;
    let mut packets = vec![[0u8; PACKET + MAX_TRAILER]; BATCH];
    let mut best = (u128::MAX, u128::MAX);
    for _ in 0..ROUNDS {
        for packet in &mut packets {
            packet[0] = 0x80;
            packet[2..4].copy_from_slice(&sequence.to_be_bytes());
            sequence = sequence.wrapping_add(1);
        }
        let mut sealed_len = 0;
        let protect = nanoseconds(|| {
            for packet in &mut packets {
                sealed_len = out.protect_rtp(&mut stream, packet, HEADER, PACKET)?;
            }
            Ok(())
        })?;
        let unprotect = nanoseconds(|| {
            for packet in &mut packets {
                inbound.unprotect_rtp(&mut packet[..sealed_len])?;
            }
            Ok(())
        })?;
        best = (best.0.min(protect), best.1.min(unprotect));
    }
    Ok((best.0 / BATCH as u128, best.1 / BATCH as u128))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn nanoseconds(work: impl FnOnce() -> Result<(), SrtpError>) -> Result<u128, SrtpError> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_nanos())
}
