//! Photos, voice notes and documents of an incident. The rules know what a file is called; what is
//! in it the server keeps, under its hash.

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_FILE_NAME_CHARS, MAX_KEY_CHARS};
use crate::refusal::Refusal;
use crate::text::clean;

/// One file, as the server has found it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRef {
    /// SHA-256 of what it holds, 64 hexadecimal digits.
    pub id: String,
    /// By what it holds, `image/jpeg`.
    pub media_type: String,
    /// As its sender calls it; may be empty.
    pub name: String,
    pub bytes: u32,
}

impl FileRef {
    /// With a name that can be shown.
    pub(crate) fn cleaned(&self) -> Result<Self, Refusal> {
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.id.len() != MAX_KEY_CHARS || !self.id.bytes().all(hexadecimal) {
            return Err(Refusal::Malformed("a file's id is its SHA-256"));
        }
        Ok(Self {
            name: clean(&self.name, MAX_FILE_NAME_CHARS)?,
            ..self.clone()
        })
    }
}
