//! Outgoing webhooks against a receiver in a process of its own, which checks the signatures itself,
//! and which fails, is silent, and dies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use liandong_protocol::webhook::{Webhook, Webhooks};
use serde_json::Value;
use support::{County, PATIENCE, PLATFORM_TOKEN};

/// 32 times `k`.
const SECRET: &str = "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=";

/// Answers as `mode` says: a status, or `hang up`. Writes down what it took, and whether the
/// signature is right by its own reckoning.
const RECEIVER: &str = r#"
import base64, hashlib, hmac, http.server, json, sys, time
port, folder = int(sys.argv[1]), sys.argv[2]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        name, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        mac = hmac.new(b"k" * 32, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
        right = "v1," + base64.b64encode(mac).decode() == self.headers["webhook-signature"]
        mode = open(folder + "/mode").read()
        taken = {"id": name, "right": right and abs(time.time() - int(at)) < 60, "mode": mode, "body": json.loads(body)}
        with open(folder + "/taken", "a") as file:
            file.write(json.dumps(taken) + "\n")
        if mode == "hang up":
            self.connection.close()
            return
        self.send_response(int(mode))
        self.send_header("content-length", "0")
        self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"#;

struct Receiver {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Receiver {
    fn new(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            folder: folder.to_owned(),
            port: port.local_addr().unwrap().port(),
            child: None,
        }
    }

    fn answers(&self, mode: &str) {
        // In one step, so that it never reads half of it.
        std::fs::write(self.folder.join("mode.new"), mode).unwrap();
        std::fs::rename(self.folder.join("mode.new"), self.folder.join("mode")).unwrap();
    }

    fn start(&mut self) {
        let child = Command::new("python3")
            .args(["-c", RECEIVER, &self.port.to_string()])
            .arg(&self.folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn taken(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("taken")).unwrap_or_default();
        // The last line may be half written.
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Waits until it has taken something under this mode since the first `seen`.
    async fn takes(&self, mode: &str, seen: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let taken = self.taken();
            if taken.iter().skip(seen).any(|one| one["mode"] == mode) {
                return taken;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "nothing under {mode}: {taken:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

fn county() -> (County, Receiver) {
    use std::os::unix::fs::PermissionsExt as _;
    let county = County::with_platforms();
    let folder = county.folder.path();
    let receiver = Receiver::new(folder);
    let secret = folder.join("hook.secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = folder.join("liandong.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let hook = format!(
        "[[webhooks]]\nid = \"oa\"\nurl = \"http://127.0.0.1:{}/hook\"\nallow_http = true\n\
         secret_file = \"hook.secret\"\nevents = [\"incident.reported\"]\nretry_seconds = 1\n",
        receiver.port
    );
    std::fs::write(&path, format!("{config}{hook}")).unwrap();
    (county, receiver)
}

async fn report(county: &County, reference: &str) {
    let token = format!("Authorization: Bearer {PLATFORM_TOKEN}\r\n");
    let body = format!(r#"{{"reference":"{reference}","kind":"sudden","title":"滑坡"}}"#);
    let (status, _, answer) = county
        .http("POST", "/api/v1/incidents", &token, &body)
        .await;
    assert_eq!(status, 201, "{answer}");
}

fn reference(taken: &Value) -> &str {
    taken["body"]["data"]["incident"]["reference"]
        .as_str()
        .unwrap()
}

async fn standing(county: &County, cookie: &str) -> Webhook {
    let headers = format!("Cookie: {cookie}\r\n");
    let (status, _, body) = county.http("GET", "/api/webhooks", &headers, "").await;
    assert_eq!(status, 200, "{body}");
    let mut all: Webhooks = serde_json::from_str(&body).unwrap();
    all.webhooks.remove(0)
}

/// The next standing that is as wanted.
async fn stands(county: &County, cookie: &str, wanted: impl Fn(&Webhook) -> bool) -> Webhook {
    let begun = Instant::now();
    loop {
        let hook = standing(county, cookie).await;
        if wanted(&hook) {
            return hook;
        }
        assert!(begun.elapsed() < PATIENCE, "{hook:?}");
    }
}

#[tokio::test]
async fn message_arrives_though_both_sides_fail_and_die() {
    let (county, mut receiver) = county();
    receiver.answers("500");
    receiver.start();
    let server = county.start();
    report(&county, "A-1").await;
    receiver.takes("500", 0).await;
    receiver.answers("hang up");
    receiver.takes("hang up", 0).await;
    // A redirect is no success, and nobody follows it.
    receiver.answers("302");
    let seen = receiver.takes("302", 0).await.len();
    receiver.answers("204");
    let taken = receiver.takes("204", seen - 1).await;
    assert!(taken.iter().all(|one| one["right"] == true), "{taken:?}");
    assert!(
        taken
            .iter()
            .all(|one| one["id"] == taken[0]["id"] && reference(one) == "A-1")
    );
    let admin = county.cookie("admin").await;
    stands(&county, &admin, |hook| {
        hook.delivered == 1 && hook.waiting == 0
    })
    .await;

    // Nobody takes anything; then the server is killed as well.
    receiver.kill();
    report(&county, "A-2").await;
    stands(&county, &admin, |hook| {
        hook.waiting == 1 && hook.trouble.is_some()
    })
    .await;
    drop(server);
    let _server = county.start();
    let seen = receiver.taken().len();
    receiver.start();
    let taken = receiver.takes("204", seen).await;
    assert_eq!(reference(taken.last().unwrap()), "A-2");
    let admin = county.cookie("admin").await;
    stands(&county, &admin, |hook| {
        hook.delivered == 2 && hook.waiting == 0
    })
    .await;
}

#[tokio::test]
async fn what_was_given_up_is_shown_to_administrators_and_sent_again() {
    let (county, mut receiver) = county();
    receiver.answers("410");
    receiver.start();
    let _server = county.start();
    report(&county, "A-1").await;
    let admin = county.cookie("admin").await;
    let hook = stands(&county, &admin, |hook| !hook.dead.is_empty()).await;
    assert_eq!((hook.waiting, hook.dead.len()), (0, 1));
    assert_eq!(hook.dead[0].r#type, "incident.reported");
    assert_eq!(hook.dead[0].trouble, "410 Gone");
    assert!(!format!("{hook:?}").contains("a2tr"), "no secret");

    let path = format!("/api/webhooks/oa/dead/{}", hook.dead[0].entry);
    let commander = format!("Cookie: {}\r\n", county.cookie("commander").await);
    assert_eq!(
        county.http("GET", "/api/webhooks", &commander, "").await.0,
        403
    );
    assert_eq!(county.http("POST", &path, &commander, "").await.0, 403);
    let headers = format!("Cookie: {admin}\r\n");
    assert_eq!(
        county
            .http("POST", "/api/webhooks/oa/dead/1", &headers, "")
            .await
            .0,
        404
    );
    receiver.answers("200");
    assert_eq!(county.http("POST", &path, &headers, "").await.0, 204);
    receiver.takes("200", 1).await;
    stands(&county, &admin, |hook| {
        hook.delivered == 1 && hook.dead.is_empty()
    })
    .await;

    // Many at once.
    receiver.answers("410");
    report(&county, "A-2").await;
    report(&county, "A-3").await;
    stands(&county, &admin, |hook| hook.given_up == 2).await;
    let all = "/api/webhooks/oa/dead";
    assert_eq!(county.http("POST", all, &commander, "").await.0, 403);
    receiver.answers("200");
    assert_eq!(county.http("POST", all, &headers, "").await.0, 204);
    stands(&county, &admin, |hook| {
        hook.delivered == 3 && hook.given_up == 0
    })
    .await;
    assert_eq!(county.http("POST", all, &headers, "").await.0, 404);
}
