//! A gateway for text messages or calls: one signed POST for each message.
//!
//! Request: JSON `{"id","name","phone","title","text"}`, with the headers
//! `liandong-timestamp` (Unix seconds) and `liandong-signature`: hex of
//! HMAC-SHA256 over the timestamp, a full stop and the body. The `id` is the
//! same for a message that is sent again. The answer may be
//! `{"result":"acknowledged"|"delivered"|"failed"|"unreachable"}`; without one, any
//! 2xx means delivered. What is known later comes to `POST /api/gateway/results`
//! as `{"id","result"}`, signed in the same way.

use hmac::{Hmac, KeyInit, Mac};
use liandong_domain::PursuitId;
use liandong_domain::pursuit::AttemptResult;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

use super::{Adapter, Busy, Message, Sending, Told, Waits, may_be_repeated};
use crate::clock;

/// A signature is taken so long after its time, so that an old one cannot be sent again.
const VALID_FOR_S: u64 = 300;
/// What a gateway may answer.
const MAX_ANSWER_BYTES: usize = 4_096;

/// The secret that is shared with the gateway.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    /// Never shows it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    fn mac(&self, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        Some(mac)
    }

    /// Hex.
    #[must_use]
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mac = self.mac(timestamp, body);
        mac.map(|mac| hex::encode(mac.finalize().into_bytes()))
            .unwrap_or_default()
    }

    /// That the body was signed with the secret, just now.
    #[must_use]
    pub fn holds(&self, timestamp: &str, signature: &str, body: &[u8], now_s: u64) -> bool {
        let recent = timestamp
            .parse::<u64>()
            .is_ok_and(|at| at.abs_diff(now_s) <= VALID_FOR_S);
        let signature = hex::decode(signature).unwrap_or_default();
        // Compared in constant time.
        let mac = self.mac(timestamp, body);
        recent && mac.is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    }
}

/// The configured gateway.
#[derive(Debug)]
pub struct Gateway {
    url: String,
    secret: Secret,
    client: reqwest::Client,
    waits: Waits,
}

#[derive(Serialize)]
struct Request<'a> {
    id: String,
    name: &'a str,
    phone: &'a str,
    title: &'a str,
    text: &'a str,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Answered {
    Acknowledged,
    Delivered,
    Failed,
    Unreachable,
}

#[derive(Deserialize)]
struct Answer {
    result: Answered,
}

/// What comes later.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Later {
    /// Of the message.
    #[schema(example = "7-3")]
    id: String,
    result: Answered,
}

impl From<Answered> for AttemptResult {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Acknowledged => AttemptResult::Acknowledged,
            Answered::Delivered => AttemptResult::Delivered,
            Answered::Failed => AttemptResult::Failed,
            Answered::Unreachable => AttemptResult::Unreachable,
        }
    }
}

impl Later {
    /// Which attempt it is about; `None` for an id that is none of ours.
    #[must_use]
    pub fn told(&self) -> Option<Told> {
        let (pursuit, attempt) = self.id.split_once('-')?;
        Some(Told {
            pursuit: PursuitId(pursuit.parse().ok()?),
            attempt: attempt.parse().ok()?,
            result: self.result.into(),
        })
    }
}

impl Gateway {
    #[must_use]
    pub fn new(url: String, secret: Secret, client: reqwest::Client, waits: Waits) -> Self {
        Self {
            url,
            secret,
            client,
            waits,
        }
    }

    /// What a busy gateway does not take at once it is given again, under the same id.
    async fn post(&self, message: &Message) -> AttemptResult {
        for wait in self.waits {
            match self.post_once(message).await {
                Ok(result) => return result,
                Err(Busy) => tokio::time::sleep(wait).await,
            }
        }
        self.post_once(message)
            .await
            .unwrap_or(AttemptResult::Failed)
    }

    async fn post_once(&self, message: &Message) -> Result<AttemptResult, Busy> {
        let Some(phone) = message.phone.as_deref() else {
            return Ok(AttemptResult::Unreachable);
        };
        let request = Request {
            id: format!("{}-{}", message.pursuit, message.attempt),
            name: &message.name,
            phone,
            title: &message.title,
            text: &message.text,
        };
        let Ok(body) = serde_json::to_vec(&request) else {
            return Ok(AttemptResult::Failed);
        };
        let timestamp = (clock::now().0 / 1_000).to_string();
        let signature = self.secret.sign(&timestamp, &body);
        let sent = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("liandong-timestamp", timestamp)
            .header("liandong-signature", signature)
            .body(body)
            .send()
            .await;
        match sent {
            Ok(response) if response.status().is_success() => Ok(answer(response).await),
            Ok(response) => {
                let status = response.status();
                tracing::warn!(%status, "the gateway refuses a message");
                if may_be_repeated(status) {
                    Err(Busy)
                } else {
                    Ok(AttemptResult::Failed)
                }
            }
            Err(error) => {
                // Without the URL, which may hold a token.
                tracing::warn!(error = %error.without_url(), "the gateway cannot be reached");
                Err(Busy)
            }
        }
    }
}

async fn answer(mut response: reqwest::Response) -> AttemptResult {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            break; // not an answer of ours
        }
        body.extend_from_slice(&chunk);
    }
    let read: Result<Answer, _> = serde_json::from_slice(&body);
    read.map_or(AttemptResult::Delivered, |answer| answer.result.into())
}

impl Adapter for Gateway {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.post(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_holds_for_its_body_and_its_time_only() {
        let secret = Secret::new("sixteen characters".to_owned());
        let signature = secret.sign("1000", b"body");
        assert!(secret.holds("1000", &signature, b"body", 1_000));
        assert!(secret.holds("1000", &signature, b"body", 1_300));
        assert!(!secret.holds("1000", &signature, b"body", 1_301), "old");
        assert!(!secret.holds("1001", &signature, b"body", 1_000));
        assert!(!secret.holds("1000", &signature, b"bodies", 1_000));
        assert!(!secret.holds("1000", "", b"body", 1_000));
        assert!(!secret.holds("now", &signature, b"body", 1_000));
        let other = Secret::new("another one".to_owned());
        assert!(!other.holds("1000", &signature, b"body", 1_000));
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn later_word_names_its_attempt() {
        let later = |text: &str| serde_json::from_str::<Later>(text).unwrap().told();
        let told = later(r#"{"id":"7-3","result":"acknowledged"}"#).unwrap();
        assert_eq!((told.pursuit, told.attempt), (PursuitId(7), 3));
        assert_eq!(told.result, AttemptResult::Acknowledged);
        for id in ["", "7", "7-", "-3", "a-b", "7-3-1"] {
            let text = format!(r#"{{"id":"{id}","result":"failed"}}"#);
            assert_eq!(later(&text), None, "{id}");
        }
    }

    const NO_WAIT: Waits = [std::time::Duration::ZERO; 2];

    /// A gateway on this machine that checks the signature and answers so.
    async fn gateway(answer: &'static str) -> String {
        let secret = Secret::new("sixteen characters".to_owned());
        let router = axum::Router::new().fallback(
            move |headers: http::HeaderMap, body: bytes::Bytes| async move {
                let text = |name: &str| headers[name].to_str().unwrap().to_owned();
                let (at, signature) = (text("liandong-timestamp"), text("liandong-signature"));
                let now_s = clock::now().0 / 1_000;
                if secret.holds(&at, &signature, &body, now_s) {
                    (http::StatusCode::OK, answer)
                } else {
                    (http::StatusCode::UNAUTHORIZED, "")
                }
            },
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sms?token=abc", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn message(phone: Option<&str>) -> Message {
        Message {
            pursuit: PursuitId(7),
            attempt: 3,
            name: "张三".to_owned(),
            account: None,
            phone: phone.map(ToOwned::to_owned),
            title: "河水漫堤".to_owned(),
            text: "沙河镇综治中心".to_owned(),
        }
    }

    #[tokio::test]
    async fn gateway_is_asked_by_a_signed_request_and_its_answer_counts() {
        let client = crate::channels::http_client().unwrap();
        for (answer, expected) in [
            ("", AttemptResult::Delivered),
            (r#"{"result":"acknowledged"}"#, AttemptResult::Acknowledged),
            (r#"{"result":"unreachable"}"#, AttemptResult::Unreachable),
        ] {
            let url = gateway(answer).await;
            let secret = Secret::new("sixteen characters".to_owned());
            let known = Gateway::new(url.clone(), secret, client.clone(), NO_WAIT);
            assert_eq!(known.send(&message(Some("138"))).await, expected);
            assert_eq!(known.send(&message(None)).await, AttemptResult::Unreachable);
            let wrong = Secret::new("another secret text".to_owned());
            let stranger = Gateway::new(url, wrong, client.clone(), NO_WAIT);
            assert_eq!(
                stranger.send(&message(Some("138"))).await,
                AttemptResult::Failed
            );
        }
        // Nobody listens there, however often it is tried.
        let secret = Secret::new("sixteen characters".to_owned());
        let nobody = Gateway::new("http://127.0.0.1:1/".to_owned(), secret, client, NO_WAIT);
        assert_eq!(
            nobody.send(&message(Some("138"))).await,
            AttemptResult::Failed
        );
    }

    #[tokio::test]
    async fn busy_gateway_is_asked_again_under_the_same_id() {
        let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = std::sync::Arc::clone(&asked);
        let router = axum::Router::new().fallback(move |body: bytes::Bytes| async move {
            let mut asked = told.lock().unwrap();
            asked.push(body);
            match asked.len() {
                1 => http::StatusCode::SERVICE_UNAVAILABLE,
                2 => http::StatusCode::TOO_MANY_REQUESTS,
                _ => http::StatusCode::ACCEPTED,
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = crate::channels::http_client().unwrap();
        let secret = Secret::new("sixteen characters".to_owned());
        let known = Gateway::new(url, secret, client, NO_WAIT);
        let result = known.send(&message(Some("138"))).await;
        assert_eq!(result, AttemptResult::Delivered);
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 3);
        assert!(
            asked.iter().all(|body| *body == asked[0]),
            "the same message"
        );
    }
}
