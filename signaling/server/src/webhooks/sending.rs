//! One try of one message, after Standard Webhooks: signature, timeouts, and how long to wait.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use sha2::Sha256;

use super::store::Message;
use crate::config::{Secret, Webhook};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Standard Webhooks asks for 15 to 30 s.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Between two tries; with this a receiver that comes back waits an hour at most.
const MAX_WAIT: Duration = Duration::from_secs(3_600);
const MAX_TROUBLE_CHARS: usize = 160;

/// Where messages of one receiver go.
#[derive(Debug)]
pub struct Receiver {
    client: Client,
    config: Webhook,
}

/// Why a message was not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// A status, or why there was no answer.
    pub text: String,
    /// The receiver wants nothing more.
    pub is_final: bool,
    /// As the receiver asks.
    pub retry_after: Option<Duration>,
}

pub type Tried = Result<(), Trouble>;

impl Receiver {
    /// # Errors
    /// The authority's certificate is no certificate.
    pub fn new(config: &Webhook) -> Result<Self, reqwest::Error> {
        // No redirect is followed: it could lead to what only this machine reaches. No proxy of
        // the environment is asked: the configuration says where messages go.
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent(concat!("liandong/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &config.authority {
            client = client.tls_certs_only(Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self {
            client: client.build()?,
            config: config.clone(),
        })
    }

    /// Any status of 2xx is success; the body of the answer is not read.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, message: &Message, now_s: i64) -> Tried {
        let sent = self
            .client
            .post(self.config.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", now_s)
            .header(
                "webhook-signature",
                signature(&self.config.secret, &message.id, now_s, &message.body),
            )
            .body(message.body.clone())
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => {
                let asked = answer.headers().get(RETRY_AFTER);
                Err(Trouble {
                    text: answer.status().to_string(),
                    // Standard Webhooks: the receiver is gone for good.
                    is_final: answer.status() == StatusCode::GONE,
                    retry_after: asked
                        .and_then(|value| value.to_str().ok()?.parse().ok())
                        .map(Duration::from_secs),
                })
            }
            Err(error) => Err(Trouble {
                text: words(&error),
                is_final: false,
                retry_after: None,
            }),
        }
    }
}

/// The last cause says most: "connection refused", "certificate expired".
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().chars().take(MAX_TROUBLE_CHARS).collect()
}

/// `v1,` and the HMAC-SHA256 over `id.timestamp.body`, in base64.
#[must_use]
pub fn signature(secret: &Secret, id: &str, now_s: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.0) else {
        return String::new(); // HMAC takes keys of every length
    };
    mac.update(format!("{id}.{now_s}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Before the next try: twice as long each time, less a random part of up to half, so that receivers
/// which came back together are not called together. `random` decides the part.
#[must_use]
pub fn wait(config: &Webhook, attempts_before: u32, trouble: &Trouble, random: u16) -> Duration {
    let doubled = config
        .retry
        .saturating_mul(2_u32.saturating_pow(attempts_before.min(20)));
    let longest = doubled.min(MAX_WAIT);
    let part = f64::from(random) / f64::from(u16::MAX);
    let jittered = longest.mul_f64(1.0 - part / 2.0);
    let asked = trouble.retry_after.unwrap_or_default().min(MAX_WAIT);
    jittered.max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_that_of_the_specification_s_example() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let found = signature(
            &Secret(secret),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(found, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn waits_double_up_to_an_hour_and_follow_retry_after() {
        let config = Webhook {
            id: "oa".to_owned(),
            url: "https://oa.example/".parse().unwrap(),
            secret: Secret(Vec::new()),
            events: None,
            platform: None,
            authority: None,
            retry: Duration::from_secs(5),
            give_up: Duration::from_secs(86_400),
        };
        let trouble = |retry_after: Option<u64>| Trouble {
            text: String::new(),
            is_final: false,
            retry_after: retry_after.map(Duration::from_secs),
        };
        let waits = |attempts, random| wait(&config, attempts, &trouble(None), random).as_millis();
        assert_eq!(
            [0, 1, 2].map(|attempts| waits(attempts, 0)),
            [5_000, 10_000, 20_000]
        );
        assert_eq!(waits(0, u16::MAX), 2_500);
        assert_eq!(waits(40, 0), 3_600_000);
        assert_eq!(
            wait(&config, 0, &trouble(Some(60)), 0),
            Duration::from_secs(60)
        );
        assert_eq!(wait(&config, 0, &trouble(Some(99_999)), 0), MAX_WAIT);
    }
}
