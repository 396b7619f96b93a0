//! The framing of datagrams on TCP (RFC 4571). Its parser is within `sfu/node`; it needs
//! nothing else of that crate, so it is built here once more.

#[allow(dead_code, unreachable_pub)]
#[path = "../../../node/src/tcp/framing.rs"]
mod parser;

use parser::{Deframer, MAX_FRAME};

/// Pieces of a stream, as they come, each behind its length in a byte.
pub fn framing(data: &[u8]) {
    let mut deframer = Deframer::default();
    let mut rest = data;
    while let Some((&length, after)) = rest.split_first() {
        let (piece, after) = after.split_at(usize::from(length).min(after.len()));
        let shown = |datagram: &mut [u8]| assert!((1..=MAX_FRAME).contains(&datagram.len()));
        if deframer.take(&mut piece.to_vec(), shown).is_err() {
            break;
        }
        rest = after;
    }
}
