//! Connections: passed through with the line's rate and delay.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::link::Link;
use crate::proxy::{Shared, Way};

/// One segment on Ethernet; the line's rate works on pieces of this size.
const SEGMENT: usize = 1460;
/// Segments on their way in one direction.
const MAX_FLYING: usize = 4096;

pub(crate) async fn run(listener: TcpListener, shared: Shared) {
    let mut number = 0;
    loop {
        // The client left while it was accepted, or there are no more files: the next try tells.
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        number += 1;
        if shared.setting.borrow().tcp {
            shared.count(|counters| counters.tcp_connections += 1);
            tokio::spawn(connection(client, shared.clone(), number));
        }
    }
}

async fn connection(client: TcpStream, shared: Shared, number: u64) {
    let Ok(server) = TcpStream::connect(shared.server).await else {
        return; // as seen from the client: closed
    };
    // Small writes are not to wait for acknowledgements: the line's delay is the model's.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Numbers of connections and of UDP clients are kept apart.
    let line = shared.line(number | 1 << 20);
    let mut setting = shared.setting.clone();
    let pass = async {
        tokio::join!(
            one_way(Way::Up, line.up, from_client, to_server, &shared),
            one_way(Way::Down, line.down, from_server, to_client, &shared),
        )
    };
    tokio::select! {
        _ = pass => {}
        // Closed by the test; an error says that the proxy ends.
        _ = setting.wait_for(|setting| !setting.tcp) => {}
    }
}

/// Ends with the stream; then the other side is told.
async fn one_way(
    way: Way,
    mut link: Link,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
) {
    let (flying, mut arriving) = mpsc::channel::<(Duration, Vec<u8>)>(MAX_FLYING);
    let mut setting = shared.setting.clone();
    let read = async move {
        let mut buffer = vec![0; SEGMENT];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if setting.has_changed().unwrap_or(false) {
                let new = setting.borrow_and_update();
                let conditions = match way {
                    Way::Up => new.up.clone(),
                    Way::Down => new.down.clone(),
                };
                link.change(shared.now(), conditions);
            }
            let at = link.stream(shared.now(), length);
            shared.count(|counters| match way {
                Way::Up => counters.up.stream_bytes += length as u64,
                Way::Down => counters.down.stream_bytes += length as u64,
            });
            if flying.send((at, buffer[..length].to_vec())).await.is_err() {
                return;
            }
            let free = shared.now() + link.hold(shared.now());
            sleep_until(shared.moment(free)).await;
        }
    };
    let write = async {
        while let Some((at, segment)) = arriving.recv().await {
            sleep_until(shared.moment(at)).await;
            if to.write_all(&segment).await.is_err() {
                return;
            }
        }
        // Already closed is as good.
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
