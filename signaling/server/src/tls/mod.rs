//! TLS: whose certificate we show.
//!
//! * [`authority`] – an own authority and a server certificate, made at the first start
//! * [`addresses`] – what the certificate has to be good for
//! * [`acceptor`] – the rustls configuration, renewed while running

pub mod acceptor;
pub mod addresses;
pub mod authority;
