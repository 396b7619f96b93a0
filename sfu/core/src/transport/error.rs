//! What can go wrong with a transport, by what the caller does about it.

/// The negotiated parameters cannot give a transport; the offer has to be refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// RFC 8122 §5: without one the peer cannot be told from anybody else.
    #[error("no certificate fingerprint with a known hash function")]
    NoFingerprint,
    #[error("malformed certificate fingerprint")]
    MalformedFingerprint,
    #[error("malformed ICE credentials: {0}")]
    MalformedCredentials(&'static str),
    /// Ours: the node's certificate could not be made or used.
    #[error("certificate: {0}")]
    Certificate(String),
    #[error("DTLS: {0}")]
    Dtls(String),
}

/// Why a datagram was dropped. The transport is as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DropReason {
    /// No verified check came from there (RFC 8445 §12.2).
    #[error("path without a verified check")]
    UnknownPath,
    #[error("malformed")]
    Malformed,
    /// Not a binding request; a lite agent has sent nothing that could be answered.
    #[error("not a request")]
    NotARequest,
    /// USERNAME, MESSAGE-INTEGRITY or FINGERPRINT is wrong (RFC 8489 §9.1.3).
    #[error("wrong credentials")]
    WrongCredentials,
    /// The peer claims to be controlled, as a lite agent always is (RFC 8445 §7.3.1.1).
    #[error("role conflict")]
    RoleConflict,
    /// The connection has failed or is closed.
    #[error("transport is over")]
    Over,
}
