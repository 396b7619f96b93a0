//! The web console, built into the binary; and the authority's certificate.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, Method, StatusCode, Uri};
use rust_embed::{Embed, EmbeddedFile};

use super::App;

/// Debug builds read the folder at run time, so that a new build of the
/// console needs no new server.
#[derive(Debug, Embed)]
#[folder = "../../web-console/dist"]
struct Console;

const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Liandong 联动</title>\
    <h1>控制台尚未构建 · The console is not built</h1>\
    <p>在项目目录运行 · Run in the project's folder: <code>make console</code></p>";

/// Everything that is no route: a file of the console, or the page itself,
/// whose own router knows the path.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Console::get(path).filter(|_| !path.is_empty()) {
        return respond(path, file, &headers);
    }
    // A missing picture or script is missing; a page's address has no dot.
    if path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'))
    {
        return StatusCode::NOT_FOUND.into_response();
    }
    match Console::get("index.html") {
        Some(index) => respond("index.html", index, &headers),
        None => (
            StatusCode::NOT_FOUND,
            [(CONTENT_TYPE, "text/html; charset=utf-8")],
            NOT_BUILT,
        )
            .into_response(),
    }
}

fn respond(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    // Vite puts the content's hash into the names of what is under assets.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains(&tag));
    if known {
        return (
            StatusCode::NOT_MODIFIED,
            [(ETAG, tag), (CACHE_CONTROL, caching.to_owned())],
        )
            .into_response();
    }
    let kind = match mime_guess::from_path(path).first_or_octet_stream() {
        kind if kind.type_() == "text" => format!("{kind}; charset=utf-8"),
        kind => kind.to_string(),
    };
    (
        [
            (CONTENT_TYPE, kind),
            (ETAG, tag),
            (CACHE_CONTROL, caching.to_owned()),
        ],
        file.data.into_owned(),
    )
        .into_response()
}

/// The certificate of the installation's own authority: what a phone has to trust.
#[utoipa::path(
    get,
    path = "/ca.pem",
    tag = "operation",
    operation_id = "authority",
    responses(
        (status = 200, description = "PEM", body = String, content_type = "application/x-x509-ca-cert"),
        (status = 404, description = "The certificate is by configuration: there is no own authority"),
        (status = 500, description = "It cannot be read"),
    ),
)]
pub async fn authority(State(app): State<App>) -> Response {
    let Some(path) = app.authority else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match tokio::task::spawn_blocking(move || std::fs::read(path)).await {
        Ok(Ok(pem)) => (
            [
                (CONTENT_TYPE, "application/x-x509-ca-cert"),
                (
                    CONTENT_DISPOSITION,
                    "attachment; filename=\"liandong-ca.pem\"",
                ),
                (CACHE_CONTROL, "no-cache"),
            ],
            pem,
        )
            .into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
