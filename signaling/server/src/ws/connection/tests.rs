use liandong_protocol::Device;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;
use crate::auth::session::Token;
use crate::testing::{Disk, Paper, Seat, app};

/// The real routes over plain TCP.
async fn serve(paper: &Paper, data: &std::path::Path) -> (App, std::net::SocketAddr) {
    let app = app(paper, data).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = crate::http::router(app.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (app, address)
}

async fn connect(address: std::net::SocketAddr, token: &Token) -> WebSocketStream<TcpStream> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    let cookie = token.cookie().split(';').next().unwrap().parse().unwrap();
    request.headers_mut().insert("cookie", cookie);
    let stream = TcpStream::connect(address).await.unwrap();
    client_async(request, stream).await.unwrap().0
}

#[tokio::test]
async fn client_that_goes_while_the_desk_takes_it_in_does_not_stay_online() {
    let (paper, folder) = (Paper::new(), tempfile::tempdir().unwrap());
    let (app, address) = serve(&paper, folder.path()).await;
    let token = app
        .sessions
        .begin("101".into(), clock::now_ms())
        .await
        .unwrap();
    let held = app.sessions.find(&token, clock::now_ms()).unwrap();
    let mut socket = connect(address, &token).await;

    // The desk waits for the disk; so the Hello waits for the desk.
    paper.disk(Disk::Stuck);
    let desk = app.desk.clone();
    let commander = tokio::spawn(async move { Seat::take(&desk, "commander", None).await });
    paper.is_waited_for().await;
    let hello = serde_json::to_string(&ClientMessage {
        id: 1,
        key: None,
        request: Request::Hello {
            version: PROTOCOL_VERSION,
            device: Device::Terminal,
            resume: None,
            participant: None,
            auto_answer: true,
        },
    });
    let text = tungstenite::Message::text(hello.unwrap());
    socket.send(text).await.unwrap();
    let waits = async {
        while app.desk.waiting() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waits)
        .await
        .unwrap();
    app.sessions.end(held.id).await.unwrap();
    loop {
        match socket.next().await {
            Some(Ok(tungstenite::Message::Close(_)) | Err(_)) | None => break,
            Some(Ok(_)) => {}
        }
    }
    drop(socket);

    paper.disk(Disk::Well);
    let mut commander = commander.await.unwrap();
    // It comes for a moment, and goes.
    let offline = |push: &Push| match push {
        Push::SitePresence { site, presence } if site.0 == "101" => {
            (*presence == liandong_protocol::Presence::Offline).then_some(())
        }
        _ => None,
    };
    commander.push(offline).await;
    assert_eq!(app.desk.status().await.unwrap().clients, 1);
}
