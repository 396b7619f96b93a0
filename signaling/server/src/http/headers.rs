//! What goes with every response: a browser is told to trust nothing that is
//! not from here.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

/// Styles inline: the component library writes its own. Workers from blobs:
/// the map and media code make them. No HSTS: with an own authority it would
/// lock people out for good when the certificate changes.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; media-src 'self' blob: mediastream:; font-src 'self' data:; \
    connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const FEATURES: &str = "camera=(self), microphone=(self), display-capture=(self), \
    fullscreen=(self), geolocation=(self), autoplay=(self), screen-wake-lock=(self), \
    usb=(), serial=(), payment=()";

/// Middleware.
pub async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    put(response.headers_mut());
    response
}

fn put(headers: &mut HeaderMap) {
    let fixed = HeaderValue::from_static;
    // A file has a stricter one.
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(fixed(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(X_FRAME_OPTIONS, fixed("DENY"));
    headers.insert(REFERRER_POLICY, fixed("no-referrer"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        fixed(FEATURES),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        fixed("same-origin"),
    );
}
