//! The OpenAPI document, made from the routes themselves: what is served is in it.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, account, api, channels, console, files, health, metrics, v1, webhooks};
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
                    "platform=ID, time=UNIX SECONDS, nonce=8 TO 64 LETTERS AND DIGITS, body=HEX(SHA-256(body)) \
                     (needed with files only), v1=HEX of \
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
        .routes(routes!(api::login_by_link))
        .routes(routes!(api::logout))
        .routes(routes!(api::me))
        .routes(routes!(account::state))
        .routes(routes!(account::begin))
        .routes(routes!(account::confirm))
        .routes(routes!(account::remove))
        .routes(routes!(account::reset))
        .routes(routes!(account::link))
        .routes(routes!(files::add))
        .routes(routes!(files::show))
        .merge(v1::routes())
        .routes(routes!(channels::key))
        .routes(routes!(channels::subscribe, channels::unsubscribe))
        .routes(routes!(channels::result))
        .routes(routes!(webhooks::list))
        .routes(routes!(webhooks::again))
        .routes(routes!(webhooks::all_again))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use http::{Method, StatusCode};
    use tower::ServiceExt as _;

    use super::*;
    use crate::testing::{Paper, app};

    /// Not interfaces of HTTP: the WebSocket, and what refuses all other addresses.
    const NOT_DESCRIBED: [&str; 2] = ["/ws", "/api/{*path}"];

    #[tokio::test]
    async fn document_has_what_is_served_and_nothing_else() {
        let (paper, folder) = (Paper::new(), tempfile::tempdir().unwrap());
        let router = super::super::router(app(&paper, folder.path()).await);
        let (_, document) = routes().split_for_parts();
        let document = serde_json::to_value(document).unwrap();
        let paths = document["paths"].as_object().unwrap();

        // The router tells its addresses only to a debugger.
        let told = format!("{router:?}");
        let (_, told) = told.split_once("paths: ").unwrap();
        let (told, _) = told.split_once("fallback_router").unwrap();
        let told = told.split('"').filter(|text| text.starts_with('/'));
        let served: BTreeSet<&str> = told.filter(|path| !NOT_DESCRIBED.contains(path)).collect();
        let described: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
        assert_eq!(served, described);

        for (path, operations) in paths {
            let mut address = path.clone();
            for parameter in ["{id}", "{incident}", "{entry}", "{file}"] {
                address = address.replace(parameter, "1");
            }
            for method in ["get", "post", "put", "patch", "delete"] {
                let request = Request::builder()
                    .method(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap())
                    .uri(&address)
                    .body(Body::empty());
                let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
                let status = answer.status();
                let body = to_bytes(answer.into_body(), 1_000_000).await.unwrap();
                let taken = status != StatusCode::METHOD_NOT_ALLOWED;
                let told = operations.get(method).map(|one| &one["responses"]);
                assert_eq!(taken, told.is_some(), "{method} {path}: {status}");
                let Some(told) = told else { continue };
                // By nobody who is known, and with nothing in it: that answer is described as well.
                assert!(
                    told.get(status.as_str()).is_some(),
                    "{method} {path}: {status} {body:?}"
                );
            }
        }
    }
}
