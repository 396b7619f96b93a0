//! libvpx and libopus of the system, safely. Used at a bot's start to make its
//! loops, and once a second per slot to look at a keyframe.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::NonNull;

/// What went wrong inside a codec library.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    #[error("the codec library gave no codec")]
    Unavailable,
    #[error("encoding failed ({0})")]
    Encode(i32),
    /// Damaged data: of the sender's making.
    #[error("decoding failed ({0})")]
    Decode(i32),
    #[error("a picture of {0} bytes does not have the announced size")]
    Size(usize),
}

unsafe extern "C" {
    fn liandong_vp8_encoder_open(w: c_uint, h: c_uint, fps: c_uint, kbps: c_uint) -> *mut c_void;
    fn liandong_vp8_encode(
        encoder: *mut c_void,
        i420: *mut u8,
        w: c_uint,
        h: c_uint,
        pts: i64,
        kind: c_int,
        data: *mut *const u8,
        length: *mut usize,
    ) -> c_int;
    fn liandong_vp8_encoder_close(encoder: *mut c_void);
    fn liandong_vp8_decoder_open() -> *mut c_void;
    fn liandong_vp8_decode(
        decoder: *mut c_void,
        data: *const u8,
        length: c_uint,
        i420: *mut u8,
        capacity: usize,
        width: *mut c_uint,
        height: *mut c_uint,
    ) -> c_int;
    fn liandong_vp8_decoder_close(decoder: *mut c_void);
    fn liandong_opus_encoder_open(bits_per_second: c_int) -> *mut c_void;
    fn liandong_opus_encode(
        encoder: *mut c_void,
        samples: *const i16,
        count: c_int,
        out: *mut u8,
        capacity: c_int,
    ) -> c_int;
    fn liandong_opus_encoder_close(encoder: *mut c_void);
    fn liandong_opus_decoder_open() -> *mut c_void;
    fn liandong_opus_decode(
        decoder: *mut c_void,
        data: *const u8,
        length: c_int,
        samples: *mut i16,
        capacity: c_int,
    ) -> c_int;
    fn liandong_opus_decoder_close(decoder: *mut c_void);
}

/// A handle of the bridge with the function that ends it.
#[derive(Debug)]
struct Handle {
    pointer: NonNull<c_void>,
    close: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: the libraries keep no thread-local state per codec; a handle has one
// owner, and all calls take `&mut`.
unsafe impl Send for Handle {}

impl Handle {
    fn new(
        pointer: *mut c_void,
        close: unsafe extern "C" fn(*mut c_void),
    ) -> Result<Self, CodecError> {
        let pointer = NonNull::new(pointer).ok_or(CodecError::Unavailable)?;
        Ok(Self { pointer, close })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by the matching open, closed only here.
        unsafe { (self.close)(self.pointer.as_ptr()) }
    }
}

/// A picture: planes Y, U, V one after the other, chroma halved both ways.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct I420 {
    /// Pixels; even.
    pub width: usize,
    /// Pixels; even.
    pub height: usize,
    pub bytes: Vec<u8>,
}

impl I420 {
    /// A black picture of an even size.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        let luma = width * height;
        let mut bytes = vec![16; luma + luma / 2];
        bytes[luma..].fill(128);
        Self {
            width,
            height,
            bytes,
        }
    }
}

/// What later frames may build on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FrameKind {
    /// Begins anew.
    Key,
    /// Later frames build on it.
    Base,
    /// Nothing builds on it: the upper temporal layer.
    Discardable,
}

#[derive(Debug)]
pub struct Vp8Encoder {
    handle: Handle,
    width: usize,
    height: usize,
    next_pts: i64,
}

impl Vp8Encoder {
    /// # Errors
    /// The library refuses the size or the rate.
    pub fn new(width: usize, height: usize, fps: u32, kbps: u32) -> Result<Self, CodecError> {
        // SAFETY: plain numbers.
        let pointer =
            unsafe { liandong_vp8_encoder_open(width as c_uint, height as c_uint, fps, kbps) };
        Ok(Self {
            handle: Handle::new(pointer, liandong_vp8_encoder_close)?,
            width,
            height,
            next_pts: 0,
        })
    }

    /// One frame; `picture` is taken mutable because libvpx wraps it as such,
    /// it is not changed.
    ///
    /// # Errors
    /// A picture of another size, or an error of the library.
    pub fn encode(&mut self, picture: &mut I420, kind: FrameKind) -> Result<Vec<u8>, CodecError> {
        let right = self.width * self.height * 3 / 2;
        if (picture.width, picture.height) != (self.width, self.height)
            || picture.bytes.len() != right
        {
            return Err(CodecError::Size(picture.bytes.len()));
        }
        let pts = self.next_pts;
        self.next_pts += 1;
        let kind = match kind {
            FrameKind::Base => 0,
            FrameKind::Key => 1,
            FrameKind::Discardable => 2,
        };
        let mut data = std::ptr::null();
        let mut length = 0;
        // SAFETY: the buffer has exactly the size of the picture, checked above.
        let code = unsafe {
            liandong_vp8_encode(
                self.handle.pointer.as_ptr(),
                picture.bytes.as_mut_ptr(),
                self.width as c_uint,
                self.height as c_uint,
                pts,
                kind,
                &mut data,
                &mut length,
            )
        };
        if code != 0 || data.is_null() {
            return Err(CodecError::Encode(code));
        }
        // SAFETY: libvpx's own buffer, valid until the next call on this encoder.
        Ok(unsafe { std::slice::from_raw_parts(data, length) }.to_vec())
    }
}

#[derive(Debug)]
pub struct Vp8Decoder {
    handle: Handle,
    buffer: Vec<u8>,
}

impl Vp8Decoder {
    /// The largest picture that is looked at, in bytes of I420: 1280×720.
    const CAPACITY: usize = 1280 * 720 * 3 / 2;

    /// # Errors
    /// The library gives no decoder.
    pub fn new() -> Result<Self, CodecError> {
        // SAFETY: takes nothing.
        let pointer = unsafe { liandong_vp8_decoder_open() };
        Ok(Self {
            handle: Handle::new(pointer, liandong_vp8_decoder_close)?,
            buffer: Vec::new(),
        })
    }

    /// One frame; the data may be anything.
    ///
    /// # Errors
    /// Not decodable, or larger than 1280×720.
    pub fn decode(&mut self, frame: &[u8]) -> Result<I420, CodecError> {
        self.buffer.resize(Self::CAPACITY, 0);
        let (mut width, mut height) = (0, 0);
        let length = c_uint::try_from(frame.len()).map_err(|_| CodecError::Decode(0))?;
        // SAFETY: both buffers are given with their lengths; libvpx is made for hostile data.
        let code = unsafe {
            liandong_vp8_decode(
                self.handle.pointer.as_ptr(),
                frame.as_ptr(),
                length,
                self.buffer.as_mut_ptr(),
                self.buffer.len(),
                &mut width,
                &mut height,
            )
        };
        if code != 0 {
            return Err(CodecError::Decode(code));
        }
        let (width, height) = (width as usize, height as usize);
        let length = width * height + 2 * width.div_ceil(2) * height.div_ceil(2);
        Ok(I420 {
            width,
            height,
            bytes: self.buffer[..length].to_vec(),
        })
    }
}

/// 48 kHz, mono, with in-band FEC and DTX.
#[derive(Debug)]
pub struct OpusEncoder(Handle);

impl OpusEncoder {
    /// # Errors
    /// The library gives no encoder.
    pub fn new(bits_per_second: i32) -> Result<Self, CodecError> {
        // SAFETY: a plain number.
        let pointer = unsafe { liandong_opus_encoder_open(bits_per_second) };
        Handle::new(pointer, liandong_opus_encoder_close).map(Self)
    }

    /// One frame of 2.5 to 60 ms. Up to two bytes mean: nothing to send (DTX).
    ///
    /// # Errors
    /// A length that is no Opus frame.
    pub fn encode(&mut self, samples: &[i16]) -> Result<Vec<u8>, CodecError> {
        let mut out = vec![0; 1275];
        // SAFETY: both buffers are given with their lengths.
        let code = unsafe {
            liandong_opus_encode(
                self.0.pointer.as_ptr(),
                samples.as_ptr(),
                samples.len() as c_int,
                out.as_mut_ptr(),
                out.len() as c_int,
            )
        };
        let length = usize::try_from(code).map_err(|_| CodecError::Encode(code))?;
        out.truncate(length);
        Ok(out)
    }
}

/// 48 kHz, mono.
#[derive(Debug)]
pub struct OpusDecoder(Handle);

impl OpusDecoder {
    /// # Errors
    /// The library gives no decoder.
    pub fn new() -> Result<Self, CodecError> {
        // SAFETY: takes nothing.
        let pointer = unsafe { liandong_opus_decoder_open() };
        Handle::new(pointer, liandong_opus_decoder_close).map(Self)
    }

    /// One packet; the data may be anything.
    ///
    /// # Errors
    /// Not decodable.
    pub fn decode(&mut self, packet: &[u8]) -> Result<Vec<i16>, CodecError> {
        let mut samples = vec![0; 5760]; // 120 ms, the longest packet
        let length = c_int::try_from(packet.len()).map_err(|_| CodecError::Decode(0))?;
        // SAFETY: both buffers are given with their lengths.
        let code = unsafe {
            liandong_opus_decode(
                self.0.pointer.as_ptr(),
                packet.as_ptr(),
                length,
                samples.as_mut_ptr(),
                samples.len() as c_int,
            )
        };
        let count = usize::try_from(code).map_err(|_| CodecError::Decode(code))?;
        samples.truncate(count);
        Ok(samples)
    }
}
