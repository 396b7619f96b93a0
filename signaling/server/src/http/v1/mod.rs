//! `/api/v1`: the door for other platforms. docs/api.md is for whoever writes to it.
//!
//! * [`caller`] – whose request it is
//! * [`files`] – photos and documents of a report
//! * [`incidents`] – reports, and how they stand
//! * [`sites`] – where a platform may report to

pub mod caller;
pub mod files;
pub mod incidents;
pub mod sites;

use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::ALLOW;
use liandong_protocol::platform::ProblemCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::Trouble;

/// A report with all its texts at their longest, each character escaped.
const MAX_REPORT_BYTES: usize = 64 * 1024;

/// The routes, with what the document says of them.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(incidents::report, incidents::list))
        .routes(routes!(incidents::show))
        .routes(routes!(sites::list))
        .routes(routes!(files::add))
        .layer(DefaultBodyLimit::max(MAX_REPORT_BYTES))
        .layer(axum::middleware::map_response(other_method))
}

/// Everything else under `/api`: not the console's page.
pub async fn nothing() -> Trouble {
    Trouble::new(ProblemCode::NotFound, "there is nothing at this address")
}

/// The address is known, the method is not: axum says so without a body.
async fn other_method(response: Response) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = response.headers().get(ALLOW).cloned();
        let trouble = Trouble::new(ProblemCode::MethodNotAllowed, "see the header Allow");
        let mut problem = trouble.into_response();
        problem
            .headers_mut()
            .extend(allowed.map(|methods| (ALLOW, methods)));
        problem
    } else {
        response
    }
}
