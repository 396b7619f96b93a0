//! Files of incidents: `POST` and `GET` under `/api/incidents/{id}/files`, for people.

use std::path::Path as FilePath;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use liandong_domain::incident::{FileRef, Step};
use liandong_domain::{self as domain, AccountId, Actor, IncidentId, IncidentOrder, Order};
use liandong_protocol::incident::IncidentFile;
use liandong_protocol::{Refusal, RefusalCode};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::api::{OwnOrigin, session};
use super::refusal::{Refusals, Refused};
use crate::desk::Desk;
use crate::files::{FileError, Incoming, stream};
use crate::views::wire::{refuse, refuse_for};

/// Shown in the page; everything else is saved.
const SHOWN: [&str; 3] = ["image/", "audio/", "video/"];
/// Whatever it is, nothing in it runs.
const POLICY: &str = "default-src 'none'; sandbox";
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(2);

/// Any bytes, for the document.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "read by the macro only")]
pub struct Binary(Vec<u8>);

/// What goes with a file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct About {
    /// As its sender calls it.
    #[param(
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        example = "现场照片.jpg"
    )]
    pub name: Option<String>,
    /// What it shows.
    #[param(
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        example = "三组河堤"
    )]
    pub text: Option<String>,
}

/// Adds a file to an incident.
///
/// What it is, is found by what it holds: pictures (JPEG, PNG, WebP, GIF, HEIF), sound (WebM, MP4, Ogg,
/// MP3, WAV, AAC, AMR), film (MP4, WebM, QuickTime), PDF and office documents. The same file again
/// changes nothing.
#[utoipa::path(
    post,
    path = "/api/incidents/{incident}/files",
    tag = "session",
    operation_id = "addFile",
    params(("incident" = u32, Path, description = "The incident's number", example = 17, format = Int64, maximum = 4294967295.0), About),
    request_body(content = Binary, content_type = "application/octet-stream", description = "At most 32 MiB"),
    responses(
        (status = 201, description = "It is on the disk and in the timeline", body = IncidentFile),
        (status = 400, description = "Parameters out of their form, an empty file, or a body that did not come whole", body = Refusal),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "No such incident for this account", body = Refusal),
        (status = 413, description = "The file is longer than the limit", body = Refusal),
        (status = 415, description = "A file of a type that is not taken", body = Refusal),
        (status = 429, description = "Too many uploads at present; wait as Retry-After says", body = Refusal),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn add(
    State(app): State<App>,
    _: OwnOrigin,
    id: Result<Path<u32>, PathRejection>,
    about: Result<Query<About>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let held = session(&app, &headers)?;
    let Path(id) = id.map_err(|_| malformed("the incident's number"))?;
    let Query(about) = about.map_err(|_| malformed("the query has name and text only"))?;
    let (account, incident) = (AccountId(held.account.0), IncidentId(id));
    // Before megabytes are written down for nothing.
    visible(&app, account.clone(), incident, |_| Some(())).await?;
    let incoming = receive(&app, &account.0, &headers, body).await?;
    let file = attach(
        &app,
        Actor::Account(account),
        None,
        incident,
        &about,
        incoming,
    )
    .await?;
    Ok((StatusCode::CREATED, Json(file)).into_response())
}

/// Writes the body down, for [`attach`].
///
/// # Errors
/// Why it is not taken; nothing is left then.
pub async fn receive(
    app: &App,
    sender: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Incoming, Refusal> {
    // What the journal could not name would stay until the next start: while it cannot be
    // written, senders who try again would fill the disk.
    if app.desk.status().await?.journal_trouble.is_some() {
        return Err(refuse_for(
            RefusalCode::JournalUnavailable,
            "the journal cannot be written",
            RETRY_AFTER,
        ));
    }
    let incoming = app.files.receive(sender, body, &declared(headers)).await;
    incoming.map_err(refused)
}

/// Orders that the incident has it, and keeps it if so.
///
/// # Errors
/// The refusal; the file is gone then.
pub async fn attach(
    app: &App,
    by: Actor,
    key: Option<String>,
    incident: IncidentId,
    about: &About,
    incoming: Incoming,
) -> Result<IncidentFile, Refusal> {
    let name = about.name.clone().unwrap_or_default();
    let file = FileRef {
        id: incoming.id.clone(),
        media_type: incoming.media_type.to_owned(),
        name: name.trim().to_owned(),
        bytes: incoming.bytes,
    };
    let told = IncidentFile {
        id: file.id.clone(),
        media_type: file.media_type.clone(),
        name: file.name.clone(),
        bytes: file.bytes,
    };
    let step = Step::Attach {
        file,
        text: about.text.clone().unwrap_or_default(),
    };
    let order = Order::Incident {
        order: IncidentOrder::Step { incident, step },
    };
    // In a task of its own: a client that goes away now must not take a file with it that the
    // journal names already.
    let ordering = tokio::spawn(hand_over(app.desk.clone(), incoming, by, key, order));
    let ordered = ordering.await.map_err(|error| {
        tracing::error!(%error, "file neither kept nor refused");
        refuse(RefusalCode::JournalUnavailable, "the server is stopping")
    })?;
    ordered.map(|()| told)
}

async fn hand_over(
    desk: Desk,
    mut incoming: Incoming,
    by: Actor,
    key: Option<String>,
    order: Order,
) -> Result<(), Refusal> {
    incoming.hand_over();
    match desk.order(by, key, order).await {
        Ok(_) => {
            incoming.keep().await;
            Ok(())
        }
        Err(refusal) => {
            // Else it is not known whether the order is written down: the next start finds out.
            if refusal.code != RefusalCode::JournalUnavailable {
                incoming.refused();
            }
            Err(refusal)
        }
    }
}

/// What the request says of its body.
fn declared(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .unwrap_or("")
        .to_owned()
}

/// A file of an incident.
#[utoipa::path(
    get,
    path = "/api/incidents/{incident}/files/{file}",
    tag = "session",
    operation_id = "showFile",
    params(
        ("incident" = u32, Path, description = "The incident's number", example = 17, format = Int64, maximum = 4294967295.0),
        ("file" = String, Path, description = "The file's id", pattern = "^[0-9a-f]{64}$"),
        ("Range" = Option<String>, Header, description = "One range of bytes (RFC 9110 §14)"),
    ),
    responses(
        (status = 200, description = "The file", body = Binary, content_type = "*/*"),
        (status = 206, description = "The part that was asked for", body = Binary, content_type = "*/*"),
        (status = 304, description = "As it is known (If-None-Match)"),
        (status = 400, description = "No number of an incident", body = Refusal),
        (status = 401, description = "No session, or it is over", body = Refusal),
        (status = 404, description = "No such file of such an incident for this account", body = Refusal),
        (status = 416, description = "The range is outside the file"),
        Refusals,
    ),
    security(("session" = [])),
)]
pub async fn show(
    State(app): State<App>,
    path: Result<Path<(u32, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let held = session(&app, &headers)?;
    let Path((id, wanted)) = path.map_err(|_| malformed("the incident's number"))?;
    let file = visible(
        &app,
        AccountId(held.account.0),
        IncidentId(id),
        move |one| one.files.iter().find(|file| file.id == wanted).cloned(),
    )
    .await?;
    let missing = || refuse(RefusalCode::UnknownIncident, "the file is not on the disk");
    let path = app.files.find(&file.id).ok_or_else(missing)?;
    respond(&path, &file, &headers).map_err(|error| {
        tracing::error!(%error, file = file.id, "file not read");
        Refused(missing())
    })
}

/// What `view` finds in the incident, if the account sees it.
async fn visible<T: Send + 'static>(
    app: &App,
    account: AccountId,
    incident: IncidentId,
    view: impl FnOnce(&domain::Incident) -> Option<T> + Send + 'static,
) -> Result<T, Refusal> {
    let seen = app
        .desk
        .look(move |county| {
            let active = county.directory().account(&account);
            active.filter(|account| account.active)?;
            let one = county.incident(incident)?;
            county.sees_incident(&account, one).then(|| view(one))?
        })
        .await?;
    seen.ok_or_else(|| refuse(RefusalCode::UnknownIncident, "no such incident or file"))
}

fn respond(path: &FilePath, file: &FileRef, headers: &HeaderMap) -> std::io::Result<Response> {
    let tag = format!("\"{}\"", file.id);
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let length = std::fs::metadata(path)?.len();
    let (status, body, sent) = if text(IF_NONE_MATCH).is_some_and(|known| known.contains(&tag)) {
        (StatusCode::NOT_MODIFIED, Body::empty(), None)
    } else {
        match text(RANGE).map(|range| part(range, length)) {
            Some(Part::Of { from, to }) => {
                let body = stream(path, from, to - from + 1)?;
                (StatusCode::PARTIAL_CONTENT, body, Some((from, to)))
            }
            Some(Part::Outside) => (StatusCode::RANGE_NOT_SATISFIABLE, Body::empty(), None),
            Some(Part::Whole) | None => (StatusCode::OK, stream(path, 0, length)?, None),
        }
    };
    let mut response = (status, body).into_response();
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(ETAG, tag);
    // A browser asks each time, so that nobody sees it who may not any more.
    put(CACHE_CONTROL, "private, no-cache".to_owned());
    put(CONTENT_SECURITY_POLICY, POLICY.to_owned());
    put(ACCEPT_RANGES, "bytes".to_owned());
    match (status, sent) {
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => put(CONTENT_RANGE, format!("bytes */{length}")),
        (_, Some((from, to))) => {
            put(CONTENT_RANGE, format!("bytes {from}-{to}/{length}"));
            put(CONTENT_LENGTH, (to - from + 1).to_string());
        }
        (StatusCode::OK, None) => put(CONTENT_LENGTH, length.to_string()),
        (_, None) => {}
    }
    if status.is_success() {
        put(CONTENT_TYPE, file.media_type.clone());
        put(CONTENT_DISPOSITION, disposition(file));
    }
    Ok(response)
}

/// One range of bytes (RFC 9110 §14.1.2). Several at once get the whole, as it allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    /// Both ends are sent.
    Of {
        from: u64,
        to: u64,
    },
    Outside,
    Whole,
}

fn part(range: &str, length: u64) -> Part {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let (from, to) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(from), Ok(to)) => (from, to),
        (Ok(from), Err(_)) if last.is_empty() => (from, u64::MAX),
        // The last so many.
        (Err(_), Ok(count)) if first.is_empty() && count > 0 => {
            (length.saturating_sub(count), u64::MAX)
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => return Part::Whole,
    };
    if to < from {
        Part::Whole
    } else if from >= length {
        Part::Outside
    } else {
        Part::Of {
            from,
            to: to.min(length - 1),
        }
    }
}

/// RFC 6266, with the name of any language (RFC 8187).
fn disposition(file: &FileRef) -> String {
    let shown = SHOWN.iter().any(|kind| file.media_type.starts_with(kind));
    let how = if shown { "inline" } else { "attachment" };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let mut name = String::new();
    for b in file.name.bytes() {
        if plain(b) {
            name.push(char::from(b));
        } else {
            name.push_str(&format!("%{b:02X}"));
        }
    }
    if name.is_empty() {
        name.push_str(&file.id[..8]);
    }
    format!("{how}; filename*=UTF-8''{name}")
}

fn malformed(what: &str) -> Refused {
    Refused(refuse(
        RefusalCode::Malformed,
        format!("not of the form: {what}"),
    ))
}

/// Why a file was not taken, in the words of the wire.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn refused(error: FileError) -> Refusal {
    match error {
        FileError::Busy => refuse_for(RefusalCode::TooMany, error.to_string(), RETRY_AFTER),
        FileError::TooLarge => refuse(RefusalCode::TooLarge, error.to_string()),
        FileError::Cut | FileError::Empty => refuse(RefusalCode::Malformed, error.to_string()),
        FileError::Unsupported => refuse(RefusalCode::UnsupportedFile, error.to_string()),
        FileError::Disk(_) | FileError::NearlyFull => {
            tracing::error!(%error, "file not written");
            refuse_for(
                RefusalCode::JournalUnavailable,
                "the disk cannot be written",
                RETRY_AFTER,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Disk, Paper, app};

    async fn reported(app: &App, by: Actor) -> IncidentId {
        use liandong_domain::incident::{Report, ReportSource};

        let report = Report {
            kind: domain::IncidentKind::Sudden,
            level: None,
            title: "塌方".to_owned(),
            text: String::new(),
            place: None,
            address: String::new(),
            site: None,
            source: ReportSource::Account,
        };
        let order = Order::Incident {
            order: IncidentOrder::Report { report },
        };
        let told = app.desk.order(by, None, order).await.unwrap();
        let domain::Outcome::Reported { incident } = told else {
            panic!("{told:?}");
        };
        incident
    }

    #[tokio::test]
    async fn nothing_is_written_down_while_the_journal_cannot_name_it() {
        let (paper, folder) = (Paper::new(), tempfile::tempdir().unwrap());
        let app = app(&paper, folder.path()).await;
        let by = Actor::Account("101".into());
        let incident = reported(&app, by.clone()).await;
        let send = |body: Body| {
            let app = app.clone();
            async move { receive(&app, "101", &HeaderMap::new(), body).await }
        };
        let png = || Body::from(&b"\x89PNG\r\n\x1a\n and what follows"[..]);
        let about = About {
            name: None,
            text: None,
        };
        let incoming = send(png()).await.unwrap();
        paper.disk(Disk::Full);
        let refused = attach(&app, by.clone(), None, incident, &about, incoming).await;
        assert_eq!(refused.unwrap_err().code, RefusalCode::JournalUnavailable);
        let left = || {
            std::fs::read_dir(folder.path().join("files/new"))
                .unwrap()
                .count()
        };
        let before = left();
        let unread = Body::from_stream(futures_util::stream::once(async {
            panic!("read, though it cannot be kept");
            #[allow(unreachable_code, reason = "for the type")]
            Ok::<_, std::io::Error>(axum::body::Bytes::new())
        }));
        let refused = send(unread).await.unwrap_err();
        assert_eq!(refused.code, RefusalCode::JournalUnavailable);
        assert_eq!(left(), before);
    }

    #[tokio::test]
    async fn file_stays_though_its_sender_goes_while_it_is_journaled() {
        let (paper, folder) = (Paper::new(), tempfile::tempdir().unwrap());
        let app = app(&paper, folder.path()).await;
        let by = Actor::Account("101".into());
        let incident = reported(&app, by.clone()).await;
        let png = Body::from(&b"\x89PNG\r\n\x1a\n and what follows"[..]);
        let incoming = app.files.receive("101", png, "image/png").await.unwrap();
        let id = incoming.id.clone();

        paper.disk(Disk::Stuck);
        let about = About {
            name: None,
            text: None,
        };
        {
            let attaching = attach(&app, by, None, incident, &about, incoming);
            tokio::select! {
                told = attaching => panic!("{told:?}"),
                () = paper.is_waited_for() => {} // the sender is gone: nobody asks any more
            }
        }
        paper.disk(Disk::Well);
        let view = move |county: &domain::County| county.incident(incident)?.files.first().cloned();
        let named = app.desk.look(view).await.unwrap();
        assert_eq!(named.map(|file| file.id), Some(id.clone()));
        assert!(app.files.find(&id).is_some());
    }

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (range, expected) in [
            ("bytes=0-", Part::Of { from: 0, to: 9 }),
            ("bytes=2-4", Part::Of { from: 2, to: 4 }),
            ("bytes=8-99", Part::Of { from: 8, to: 9 }),
            ("bytes=-3", Part::Of { from: 7, to: 9 }),
            ("bytes=-99", Part::Of { from: 0, to: 9 }),
            ("bytes=10-", Part::Outside),
            ("bytes=4-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-0", Part::Whole),
            ("lines=1-2", Part::Whole),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Outside);
    }

    #[test]
    fn name_of_any_language_goes_into_the_header_and_nothing_else() {
        let mut file = FileRef {
            id: "a".repeat(64),
            media_type: "image/png".to_owned(),
            name: "现场\"\r\n.png".to_owned(),
            bytes: 1,
        };
        let text = disposition(&file);
        assert_eq!(
            text,
            "inline; filename*=UTF-8''%E7%8E%B0%E5%9C%BA%22%0D%0A.png"
        );
        file.media_type = "application/pdf".to_owned();
        file.name.clear();
        assert_eq!(disposition(&file), "attachment; filename*=UTF-8''aaaaaaaa");
    }
}
