//! The program between real sockets.

#![allow(clippy::unwrap_used)] // a test's helpers panic as the test does

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a busy machine; a test that passes does not wait it out.
const PATIENCE: Duration = Duration::from_secs(20);

struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Program {
    fn start(server: SocketAddr, begin: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_liandong-impair"))
            .args(["--server", &server.to_string(), "--begin", begin])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let first = line(&mut output);
        let address = first["listening"].as_str().unwrap().parse().unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            child,
            output,
            address,
        }
    }

    fn say(&mut self, text: &str) -> Value {
        writeln!(self.input, "{text}").unwrap();
        line(&mut self.output)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> Value {
    let mut text = String::new();
    output.read_line(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2000];
    let (length, from) = socket.recv_from(&mut buffer).unwrap();
    (buffer[..length].to_vec(), from)
}

#[test]
fn each_client_has_its_own_source_and_gets_its_own_answers() {
    let server = socket();
    let mut program = Program::start(server.local_addr().unwrap(), "{}");
    let clients = [socket(), socket()];
    let mut sources = Vec::new();
    for (number, client) in clients.iter().enumerate() {
        client
            .send_to(&[number as u8; 30], program.address)
            .unwrap();
        let (data, from) = receive(&server);
        assert_eq!(data, [number as u8; 30]);
        assert_ne!(from, client.local_addr().unwrap());
        sources.push(from);
    }
    assert_ne!(sources[0], sources[1]);
    for (number, from) in sources.iter().enumerate().rev() {
        server.send_to(&[number as u8; 40], from).unwrap();
        let (data, from) = receive(&clients[number]);
        assert_eq!((data, from), (vec![number as u8; 40], program.address));
    }
    let counters = program.say("{}");
    assert_eq!(counters["up"]["bytes"], 60);
    assert_eq!(counters["down"]["datagrams"], 2);
    assert_eq!(counters["udpClients"], 2);
}

#[test]
fn a_rebound_client_comes_from_elsewhere_and_is_answered_there() {
    let server = socket();
    let mut program = Program::start(server.local_addr().unwrap(), "{}");
    let client = socket();
    client.send_to(b"before", program.address).unwrap();
    let (_, before) = receive(&server);
    let changes = [
        (r#"{"rebind":{}}"#, "127.0.0.1"),
        (r#"{"rebind":{"from":"127.0.0.9"}}"#, "127.0.0.9"),
    ];
    for (rebinds, (change, ip)) in (1..).zip(changes) {
        program.say(change);
        let start = Instant::now();
        // The client's task hears of it a moment later.
        while program.say("{}")["rebound"] != rebinds {
            assert!(start.elapsed() < PATIENCE);
        }
        client.send_to(b"after", program.address).unwrap();
        let (data, after) = receive(&server);
        assert_eq!(data, b"after");
        assert_ne!(after, before);
        assert_eq!(after.ip().to_string(), ip);
        server.send_to(b"back", after).unwrap();
        assert_eq!(receive(&client).0, b"back");
    }
}

#[test]
fn one_client_alone_can_be_rebound() {
    let server = socket();
    let mut program = Program::start(server.local_addr().unwrap(), "{}");
    let (moves, stays) = (socket(), socket());
    let address = program.address;
    let from = |client: &UdpSocket| {
        client.send_to(b"here", address).unwrap();
        receive(&server).1
    };
    let before = [from(&moves), from(&stays)];
    let port = moves.local_addr().unwrap().port();
    program.say(&format!(r#"{{"rebind":{{"clientPort":{port}}}}}"#));
    let start = Instant::now();
    while program.say("{}")["rebound"] != 1 {
        assert!(start.elapsed() < PATIENCE);
    }
    assert_ne!(from(&moves), before[0]);
    assert_eq!(from(&stays), before[1]);
}

#[test]
fn delay_holds_back_and_blocking_stops() {
    let server = socket();
    let begin = r#"{"up":{"delayMs":300}}"#;
    let mut program = Program::start(server.local_addr().unwrap(), begin);
    let client = socket();
    let sent = Instant::now();
    client.send_to(b"slow", program.address).unwrap();
    assert_eq!(receive(&server).0, b"slow");
    assert!(sent.elapsed() >= Duration::from_millis(300));

    program.say(r#"{"udp":false,"up":{"delayMs":0}}"#);
    client.send_to(b"stopped", program.address).unwrap();
    let start = Instant::now();
    while program.say("{}")["blocked"] != 1 {
        assert!(start.elapsed() < PATIENCE);
    }
    program.say(r#"{"udp":true}"#);
    client.send_to(b"goes on", program.address).unwrap();
    assert_eq!(receive(&server).0, b"goes on");
}

#[test]
fn loss_takes_datagrams_and_spares_streams() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let begin = r#"{"up":{"loss":1},"down":{"delayMs":100}}"#;
    let mut program = Program::start(server, begin);
    let mut client = TcpStream::connect(program.address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let sent = Instant::now();
    let question = vec![7; 100_000];
    client.write_all(&question).unwrap();
    let (mut accepted, _) = listener.accept().unwrap();
    accepted.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut heard = vec![0; question.len()];
    accepted.read_exact(&mut heard).unwrap();
    assert_eq!(heard, question);
    accepted.write_all(b"answer").unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");
    assert!(sent.elapsed() >= Duration::from_millis(100));

    socket().send_to(b"datagram", program.address).unwrap();
    let start = Instant::now();
    while program.say("{}")["up"]["lost"] != 1 {
        assert!(start.elapsed() < PATIENCE);
    }
    program.say(r#"{"tcp":false}"#);
    assert!(matches!(client.read(&mut answer), Ok(0) | Err(_)), "broken");
    drop(accepted);
}

#[test]
fn a_mistake_is_told_and_changes_nothing() {
    let server = socket();
    let mut program = Program::start(server.local_addr().unwrap(), "{}");
    for line in [r#"{"up":{"loss":2}}"#, "what", r#"{"sideways":{}}"#] {
        assert!(program.say(line)["mistake"].is_string(), "{line}");
    }
    socket().send_to(b"through", program.address).unwrap();
    assert_eq!(receive(&server).0, b"through");
}
