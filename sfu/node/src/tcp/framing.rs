//! Datagrams within a stream of bytes: two bytes of length, then the datagram (RFC 4571 §2).

/// No client sends longer datagrams: they would not pass an Ethernet.
pub(crate) const MAX_FRAME: usize = 2_048;
/// The length in front of each datagram.
pub(crate) const LENGTH: usize = 2;

/// The next frame would be longer than [`MAX_FRAME`]: the far end speaks something else, and
/// where its next frame begins is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TooLong;

/// Puts datagrams together again. Holds less than one frame.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    /// A frame that has begun, its length included.
    begun: Vec<u8>,
}

impl Deframer {
    /// Shows each datagram that `bytes` complete. Empty ones mean nothing and are left out.
    pub(crate) fn take(
        &mut self,
        mut bytes: &mut [u8],
        mut each: impl FnMut(&mut [u8]),
    ) -> Result<(), TooLong> {
        while !self.begun.is_empty() && !bytes.is_empty() {
            let whole = match frame_len(&self.begun)? {
                Some(whole) => whole,
                None => LENGTH,
            };
            let missing = whole.saturating_sub(self.begun.len()).min(bytes.len());
            let (head, rest) = bytes.split_at_mut(missing);
            self.begun.extend_from_slice(head);
            bytes = rest;
            if frame_len(&self.begun)? == Some(self.begun.len()) {
                show(&mut self.begun, &mut each);
                self.begun.clear();
            }
        }
        while let Some(whole) = frame_len(bytes)?
            && whole <= bytes.len()
        {
            let (frame, rest) = bytes.split_at_mut(whole);
            show(frame, &mut each);
            bytes = rest;
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }
}

fn show(frame: &mut [u8], each: &mut impl FnMut(&mut [u8])) {
    if let Some((_, datagram @ [_, ..])) = frame.split_at_mut_checked(LENGTH) {
        each(datagram);
    }
}

/// Of the frame that begins here, its length included; `None`: not enough is there to say.
pub(crate) fn frame_len(bytes: &[u8]) -> Result<Option<usize>, TooLong> {
    match *bytes {
        [high, low, ..] => match usize::from(u16::from_be_bytes([high, low])) {
            len if len > MAX_FRAME => Err(TooLong),
            len => Ok(Some(LENGTH + len)),
        },
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(datagrams: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        for datagram in datagrams {
            stream.extend_from_slice(&(datagram.len() as u16).to_be_bytes());
            stream.extend_from_slice(datagram);
        }
        stream
    }

    #[test]
    fn any_cut_of_the_stream_gives_the_same_datagrams() {
        let sizes = [1, 0, 20, 1_200, 2, MAX_FRAME, 0, 300];
        let datagrams: Vec<Vec<u8>> = sizes.iter().map(|n| vec![*n as u8; *n]).collect();
        let stream = framed(&datagrams);
        let expected: Vec<&Vec<u8>> = datagrams.iter().filter(|d| !d.is_empty()).collect();
        for step in [1, 2, 3, 7, 100, 1_201, stream.len()] {
            let mut deframer = Deframer::default();
            let mut got = Vec::new();
            for part in stream.clone().chunks_mut(step) {
                deframer.take(part, |d| got.push(d.to_vec())).unwrap();
                assert!(deframer.begun.len() < LENGTH + MAX_FRAME);
            }
            assert_eq!(got.iter().collect::<Vec<_>>(), expected, "steps of {step}");
            assert!(deframer.begun.is_empty());
        }
    }

    #[test]
    fn longer_than_any_datagram_is_refused_as_soon_as_its_length_is_there() {
        let long = ((MAX_FRAME + 1) as u16).to_be_bytes();
        for step in [1, 2] {
            let mut deframer = Deframer::default();
            let mut stream = framed(&[vec![7; 9]]);
            stream.extend_from_slice(&long);
            let mut shown = 0;
            let mut parts = stream.chunks_mut(step);
            let refused = parts.any(|part| deframer.take(part, |_| shown += 1) == Err(TooLong));
            // By single bytes, the refusal comes with the next one.
            let refused = refused || deframer.take(&mut [0], |_| shown += 1) == Err(TooLong);
            assert!(refused, "steps of {step}");
            assert_eq!(shown, 1);
        }
    }
}
