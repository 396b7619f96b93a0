//! The second factor and one-time links, over HTTP as a browser has them.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod support;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::{County, PASSWORD};
use totp_rs::TOTP;

/// What was answered: status, the cookie that was set, and the body.
type Answer = (u16, Option<String>, Value);

async fn post(county: &County, path: &str, cookie: &str, body: Value) -> Answer {
    let headers = format!("Cookie: {cookie}\r\n");
    let (status, cookie, text) = county.http("POST", path, &headers, &body.to_string()).await;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    (status, cookie, body)
}

async fn login(county: &County, account: &str, code: Option<&str>) -> Answer {
    let mut body = json!({ "account": account, "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = code.into();
    }
    post(county, "/api/login", "", body).await
}

fn refused(answer: Answer, status: u16, code: &str) {
    assert_eq!((answer.0, answer.2["code"].as_str()), (status, Some(code)));
    assert_eq!(answer.1, None);
}

/// The code of an app that has scanned the picture, so many steps from now.
fn app(totp: &TOTP, steps: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    totp.generate(now.as_secs() + 30 * steps)
}

/// Whether the cookie is good: the status.
async fn me(county: &County, cookie: &str) -> u16 {
    let headers = format!("Cookie: {cookie}\r\n");
    county.http("GET", "/api/me", &headers, "").await.0
}

/// What is in every file of the folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![std::fs::read(path).unwrap()]
            }
        })
        .collect()
}

/// Sets it up: the app, and the recovery codes.
async fn enrol(county: &County, cookie: &str) -> (TOTP, Vec<String>) {
    let early = json!({ "code": "123456" });
    let answer = post(county, "/api/second-factor/confirm", cookie, early).await;
    refused(answer, 409, "notBegun");
    let (status, _, begun) = post(
        county,
        "/api/second-factor/begin",
        cookie,
        json!({ "code": "" }),
    )
    .await;
    assert_eq!(status, 200, "{begun}");
    let totp = TOTP::from_url(begun["uri"].as_str().unwrap()).unwrap();
    assert!(begun["qrSvg"].as_str().unwrap().contains("<svg"));
    let wrong = json!({ "code": "12345" });
    let answer = post(county, "/api/second-factor/confirm", cookie, wrong).await;
    refused(answer, 401, "wrongCode");
    let code = json!({ "code": app(&totp, 0) });
    let (status, _, told) = post(county, "/api/second-factor/confirm", cookie, code).await;
    assert_eq!(status, 200, "{told}");
    let codes = serde_json::from_value(told["codes"].clone()).unwrap();
    (totp, codes)
}

#[tokio::test]
async fn role_that_must_have_one_can_do_nothing_else_before() {
    let county = County::new();
    county.configure("second_factor = [\"commander\"]");
    let server = county.start();
    let (status, cookie, _) = login(&county, "commander", None).await;
    assert_eq!(status, 200);
    let cookie = cookie.unwrap();
    let headers = format!("Cookie: {cookie}\r\n");
    let (status, _, me) = county.http("GET", "/api/me", &headers, "").await;
    assert!(status == 403 && me.contains("enrolFirst"), "{me}");
    let socket = county.socket(&[("cookie", cookie.as_str())]).await;
    assert_eq!(socket.err(), Some(403));
    let body = json!({ "account": "field1" });
    refused(
        post(&county, "/api/links", &cookie, body).await,
        403,
        "enrolFirst",
    );
    // Others need none.
    let other = county.cookie("101").await;
    assert!(county.socket(&[("cookie", other.as_str())]).await.is_ok());

    let (totp, codes) = enrol(&county, &cookie).await;
    assert_eq!(county.http("GET", "/api/me", &headers, "").await.0, 200);
    assert!(county.socket(&[("cookie", cookie.as_str())]).await.is_ok());
    drop(server);

    let _server = county.start();
    refused(login(&county, "commander", None).await, 401, "codeNeeded");
    let next = app(&totp, 1);
    assert_eq!(login(&county, "commander", Some(&next)).await.0, 200);
    refused(
        login(&county, "commander", Some(&next)).await,
        401,
        "wrongCode",
    );
    assert_eq!(login(&county, "commander", Some(&codes[0])).await.0, 200);
    refused(
        login(&county, "commander", Some(&codes[0])).await,
        401,
        "wrongCode",
    );
    // Somebody with the session alone cannot put his own phone in its place.
    let answer = post(
        &county,
        "/api/second-factor/begin",
        &cookie,
        json!({ "code": "" }),
    )
    .await;
    refused(answer, 401, "wrongCode");

    let files = files(&county.data());
    let holds = |text: &str| {
        let mut all = files.iter().flat_map(|file| file.windows(text.len()));
        all.any(|window| window == text.as_bytes())
    };
    // What was written just now is among them, also while the store has a log beside it.
    assert!(holds("secondFactorSet"));
    assert!(!holds(&totp.get_secret_base32()) && !holds(&codes[1]));
}

#[tokio::test]
async fn sessions_opened_before_by_the_password_alone_end() {
    let county = County::new();
    county.add_account("admin,Admin,administrator,1,");
    let _server = county.start();
    let (own, other) = (county.cookie("101").await, county.cookie("101").await);
    let (mut socket, _) = county.client("101").await;
    let (totp, _) = enrol(&county, &own).await;
    assert_eq!(socket.closed().await, 1008);
    assert_eq!(me(&county, &own).await, 200);
    assert_eq!(me(&county, &other).await, 401);

    let code = app(&totp, 1);
    let (_, second, _) = login(&county, "101", Some(&code)).await;
    let admin = county.cookie("admin").await;
    let of = json!({ "account": "101" });
    let (status, ..) = post(&county, "/api/second-factor/reset", &admin, of).await;
    assert_eq!(status, 204);
    for cookie in [own, second.unwrap()] {
        assert_eq!(me(&county, &cookie).await, 401);
    }
    assert_eq!(me(&county, &admin).await, 200);
}

#[tokio::test]
async fn wrong_codes_lock_like_wrong_passwords() {
    let county = County::new();
    let _server = county.start();
    let cookie = county.cookie("101").await;
    let (totp, _) = enrol(&county, &cookie).await;
    for _ in 0..5 {
        refused(
            login(&county, "101", Some("000000")).await,
            401,
            "wrongCode",
        );
    }
    let code = app(&totp, 1);
    assert_eq!(login(&county, "101", Some(&code)).await.0, 423);
}

#[tokio::test]
async fn administrators_help_who_lost_his_phone_and_nobody_else_does() {
    let county = County::new();
    county.add_account("admin,Admin,administrator,1,");
    let _server = county.start();
    let cookie = county.cookie("101").await;
    enrol(&county, &cookie).await;
    let of = || json!({ "account": "101" });
    let reset = "/api/second-factor/reset";
    let other = county.cookie("commander").await;
    refused(post(&county, reset, &other, of()).await, 403, "notAllowed");
    refused(login(&county, "101", None).await, 401, "codeNeeded");
    let admin = county.cookie("admin").await;
    for (account, status, code) in [
        ("admin", 403, "notAllowed"),
        ("nobody", 404, "unknownTarget"),
    ] {
        let body = json!({ "account": account });
        refused(post(&county, reset, &admin, body).await, status, code);
    }
    assert_eq!(post(&county, reset, &admin, of()).await.0, 204);
    assert_eq!(login(&county, "101", None).await.0, 200);
}

#[tokio::test]
async fn it_is_removed_on_a_stopped_server_and_the_journal_tells_it() {
    let county = County::new();
    let server = county.start();
    let cookie = county.cookie("101").await;
    enrol(&county, &cookie).await;
    let remove = |account: &str| county.run(&["second-factor", "remove"], Path::new(account));
    let (done, said) = remove("101");
    assert!(!done && said.contains("in use"), "{said}");
    drop(server);
    let (done, said) = remove("102");
    assert!(!done && said.contains("no second factor"), "{said}");
    let (done, said) = remove("101");
    assert!(done, "{said}");
    let (sound, said) = county.verify();
    assert!(sound, "{said}");

    let _server = county.start();
    assert_eq!(me(&county, &cookie).await, 401);
    assert_eq!(login(&county, "101", None).await.0, 200);
    let told = files(&county.data());
    let removed = br#"{"type":"secondFactorRemoved","account":"101","by":"system""#;
    let holds = |file: &Vec<u8>| file.windows(removed.len()).any(|window| window == removed);
    assert!(told.iter().any(holds));
}

#[tokio::test]
async fn link_signs_a_field_phone_in_once() {
    let county = County::new();
    let server = county.start();
    let dispatcher = county.cookie("1").await;
    let make = |account: &str| json!({ "account": account });
    for account in ["101", "field1"] {
        let cookie = county.cookie(account).await;
        let answer = post(&county, "/api/links", &cookie, make("field1")).await;
        refused(answer, 403, "notAllowed");
    }
    let answer = post(&county, "/api/links", &dispatcher, make("commander")).await;
    refused(answer, 403, "notAllowed");
    let answer = post(&county, "/api/links", &dispatcher, make("nobody")).await;
    refused(answer, 404, "unknownTarget");

    let (status, _, link) = post(&county, "/api/links", &dispatcher, make("field1")).await;
    assert_eq!(status, 200, "{link}");
    let url = link["url"].as_str().unwrap();
    let token = url.split_once("#link=").unwrap().1;
    drop(server);
    let _server = county.start();
    let redeem = |token: &str| post(&county, "/api/login/link", "", json!({ "token": token }));
    refused(redeem("another").await, 401, "linkUsed");
    let (status, _, told) = post(&county, "/api/login/link", "", json!({})).await;
    assert_eq!((status, told["code"].as_str()), (400, Some("malformed")));
    assert!(told["message"].as_str().unwrap().contains("token"));
    let long = json!({ "account": "x".repeat(17 * 1024) });
    let answer = post(&county, "/api/links", &dispatcher, long).await;
    refused(answer, 413, "tooLarge");
    let (status, cookie, me) = redeem(token).await;
    assert_eq!((status, me["account"].as_str()), (200, Some("field1")));
    let cookie = cookie.unwrap();
    assert!(county.socket(&[("cookie", cookie.as_str())]).await.is_ok());
    refused(redeem(token).await, 401, "linkUsed");
}
