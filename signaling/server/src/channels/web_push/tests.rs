use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

use super::*;

const NO_WAIT: Waits = [std::time::Duration::ZERO; 2];

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// RFC 8291 Appendix A.
#[test]
fn example_of_the_standard_comes_out_byte_for_byte() {
    let to = Subscription {
        endpoint: String::new(),
        p256dh: decode(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        ),
        auth: decode("BTBZMqHH6r4Tts7J_aSIgg"),
    };
    let own = decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
    let own = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, &own).unwrap();
    let salt: [u8; SALT_BYTES] = decode("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
    let text = b"When I grow up, I want to be a watermelon";
    let body = encrypt(&to, &own, &salt, text).unwrap();
    let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIg\
                    Dll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
}

#[test]
fn token_is_for_the_service_and_signed_by_the_key_that_browsers_know() {
    let folder = tempfile::tempdir().unwrap();
    let vapid = Vapid::open(folder.path(), "mailto:admin@example.org").unwrap();
    // The same at the next start.
    let again = Vapid::open(folder.path(), "mailto:admin@example.org").unwrap();
    assert_eq!(vapid.public_key(), again.public_key());

    let text = vapid
        .authorization("https://push.example.org", 1_000)
        .unwrap();
    let token = text.strip_prefix("vapid t=").unwrap();
    let (token, key) = token.split_once(", k=").unwrap();
    assert_eq!(key, vapid.public_key());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(key))
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    let claims = decode(signed.split_once('.').unwrap().1);
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], "https://push.example.org");
    assert_eq!(claims["sub"], "mailto:admin@example.org");
    assert_eq!(claims["exp"], 1_000 + 12 * 3_600);
}

/// A push service and the browser behind it, on this machine.
struct Service {
    origin: String,
    requests: tokio::sync::mpsc::Receiver<(http::HeaderMap, bytes::Bytes)>,
}

async fn service(status: http::StatusCode) -> Service {
    let (told, requests) = tokio::sync::mpsc::channel(4);
    let router = axum::Router::new().fallback(
        move |headers: http::HeaderMap, body: bytes::Bytes| async move {
            told.send((headers, body)).await.unwrap();
            status
        },
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Service { origin, requests }
}

/// What a browser does with the body (RFC 8291 §4, RFC 8188 §2).
fn decrypt(own: &agreement::PrivateKey, auth: &[u8], body: &[u8]) -> Vec<u8> {
    let (salt, rest) = body.split_at(SALT_BYTES);
    assert_eq!(rest[..4], RECORD_SIZE.to_be_bytes());
    let (sender, sealed) = rest[5..].split_at(usize::from(rest[4]));
    let own_public = own.compute_public_key().unwrap();
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, sender);
    let secret = agreement::agree(own, peer, Unspecified, |secret| Ok(secret.to_vec())).unwrap();
    let combined = hkdf::Salt::new(hkdf::HKDF_SHA256, auth).extract(&secret);
    let info: [&[u8]; 3] = [b"WebPush: info\0", own_public.as_ref(), sender];
    let input: [u8; 32] = expand(&combined, &info).unwrap();
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&input);
    let key: [u8; 16] = expand(&prk, &[b"Content-Encoding: aes128gcm\0"]).unwrap();
    let nonce: [u8; 12] = expand(&prk, &[b"Content-Encoding: nonce\0"]).unwrap();
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, &key).unwrap());
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let mut text = sealed.to_vec();
    let text = key
        .open_in_place(nonce, aead::Aad::empty(), &mut text)
        .unwrap();
    let (last, text) = text.split_last().unwrap();
    assert_eq!(*last, 2, "the last record");
    text.to_vec()
}

fn message() -> Message {
    Message {
        pursuit: liandong_domain::PursuitId(7),
        attempt: 1,
        name: "何建国".to_owned(),
        account: Some("field1".into()),
        phone: None,
        title: "河水漫堤".to_owned(),
        text: "沙河镇综治中心".to_owned(),
    }
}

#[tokio::test]
async fn browser_reads_what_was_sent_and_the_service_knows_who_sent_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = service(http::StatusCode::CREATED).await;
    let own = agreement::PrivateKey::generate(&agreement::ECDH_P256).unwrap();
    let browser = Subscription {
        endpoint: format!("{}/send/abc", service.origin),
        p256dh: own.compute_public_key().unwrap().as_ref().to_vec(),
        auth: vec![9; 16],
    };
    let store = Arc::new(Subscriptions::open(folder.path()).unwrap());
    let account = liandong_protocol::AccountId::from("field1");
    store.keep(&account, &browser, 1).unwrap();
    let vapid = Arc::new(Vapid::open(folder.path(), "mailto:admin@example.org").unwrap());
    let key = vapid.public_key();
    let push = WebPush::new(
        vapid,
        store,
        crate::channels::http_client().unwrap(),
        NO_WAIT,
    );
    assert_eq!(push.send(&message()).await, AttemptResult::Delivered);

    let (headers, body) = service.requests.recv().await.unwrap();
    assert_eq!(headers["content-encoding"], "aes128gcm");
    assert_eq!(headers["ttl"], "60");
    let text: Value = serde_json::from_slice(&decrypt(&own, &browser.auth, &body)).unwrap();
    assert_eq!(
        (&text["title"], &text["body"]),
        (&json!("河水漫堤"), &json!("沙河镇综治中心"))
    );
    let token = headers["authorization"].to_str().unwrap();
    let (token, sent_key) = token
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    assert_eq!(sent_key, key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(&key))
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    let claims: Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
    assert_eq!(claims["aud"], service.origin);
}

#[tokio::test]
async fn browser_that_wants_no_more_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(http::StatusCode::GONE).await;
    let own = agreement::PrivateKey::generate(&agreement::ECDH_P256).unwrap();
    let browser = Subscription {
        endpoint: format!("{}/send/abc", service.origin),
        p256dh: own.compute_public_key().unwrap().as_ref().to_vec(),
        auth: vec![9; 16],
    };
    let store = Arc::new(Subscriptions::open(folder.path()).unwrap());
    let account = liandong_protocol::AccountId::from("field1");
    store.keep(&account, &browser, 1).unwrap();
    let vapid = Arc::new(Vapid::open(folder.path(), "mailto:admin@example.org").unwrap());
    let client = crate::channels::http_client().unwrap();
    let push = WebPush::new(vapid, Arc::clone(&store), client, NO_WAIT);
    assert_eq!(push.send(&message()).await, AttemptResult::Unreachable);
    assert_eq!(store.of("field1").unwrap(), []);
    assert_eq!(push.send(&message()).await, AttemptResult::Unreachable);
}

/// Each service answers when both are asked: one after the other would wait in vain.
#[tokio::test]
async fn all_browsers_of_an_account_are_asked_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let router = axum::Router::new().fallback(move || {
        let both = Arc::clone(&both);
        async move {
            both.wait().await;
            http::StatusCode::CREATED
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let store = Arc::new(Subscriptions::open(folder.path()).unwrap());
    let account = liandong_protocol::AccountId::from("field1");
    let own = agreement::PrivateKey::generate(&agreement::ECDH_P256).unwrap();
    for number in 1..=2 {
        let browser = Subscription {
            endpoint: format!("{origin}/send/{number}"),
            p256dh: own.compute_public_key().unwrap().as_ref().to_vec(),
            auth: vec![9; 16],
        };
        store.keep(&account, &browser, number).unwrap();
    }
    let vapid = Arc::new(Vapid::open(folder.path(), "mailto:admin@example.org").unwrap());
    let client = crate::channels::http_client().unwrap();
    let push = WebPush::new(vapid, store, client, NO_WAIT);
    assert_eq!(push.send(&message()).await, AttemptResult::Delivered);
}
