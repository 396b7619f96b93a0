//! The OpenAPI document, made from the routes themselves: what is served is in it.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, api, console, files, health, metrics, v1, webhooks};
use crate::auth::session::COOKIE_NAME;
use crate::auth::signature;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Liandong 联动",
        description = "Three-tier video dispatch and command for a county.\n\n\
            Times are UTC; places are WGS84 in degrees. Clients of people (console, room terminal, \
            phone) use the WebSocket at `/ws`, which is not described here. Other platforms use \
            `/api/v1`; docs/api.md shows how to sign a request with openssl and curl.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "platforms", description = "For other platforms: 12345, grid platform, camera analytics, opinion monitoring"),
        (name = "session", description = "For people"),
        (name = "operation", description = "For those who run the server"),
    ),
    modifiers(&Schemes),
)]
struct Document;

/// How a request shows who it is from.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = |text: &str| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.description = Some(text.to_owned());
            SecurityScheme::Http(http)
        };
        let key = |name: &str, text: &str| ApiKeyValue::with_description(name, text);
        for (name, scheme) in [
            ("token", bearer("The platform's token")),
            (
                "metrics",
                bearer("The token of the section [metrics]; not needed on this machine"),
            ),
            (
                "signature",
                SecurityScheme::ApiKey(ApiKey::Header(key(
                    signature::HEADER,
                    "platform=ID, time=UNIX SECONDS, nonce=8 TO 64 LETTERS AND DIGITS, v1=HEX of \
                     HMAC-SHA256(key, METHOD \\n PATH?QUERY \\n time \\n nonce \\n HEX(SHA-256(body)))",
                ))),
            ),
            (
                "session",
                SecurityScheme::ApiKey(ApiKey::Cookie(key(COOKIE_NAME, "Set by /api/login"))),
            ),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// Every route that is an interface, with its description.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(api::login))
        .routes(routes!(api::logout))
        .routes(routes!(api::me))
        .routes(routes!(files::add))
        .routes(routes!(files::show))
        .merge(v1::routes())
        .routes(routes!(webhooks::list))
        .routes(routes!(webhooks::again))
        .routes(routes!(serve))
        .routes(routes!(health::healthz))
        .routes(routes!(metrics::show))
        .routes(routes!(console::authority))
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json")),
)]
pub async fn serve() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let (_, document) = routes().split_for_parts();
        Bytes::from(serde_json::to_vec(&document).unwrap_or_default())
    });
    (
        [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-cache"),
        ],
        text.clone(),
    )
        .into_response()
}
