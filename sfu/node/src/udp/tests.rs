use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::*;
use crate::config::NodeConfig;
use crate::socket::MediaPort;

fn path(port: u16) -> Path {
    Path {
        local: 0,
        remote: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
    }
}

/// Couples datagrams of these (port, length), laid out one after the other; gives
/// each train's (port, segment, datagrams).
fn trains(datagrams: &[(u16, usize)], segments: bool) -> Vec<(u16, u16, u16)> {
    let mut trains = Vec::new();
    let mut start = 0;
    for (port, len) in datagrams {
        let one = datagram(path(*port), start, *len as u16);
        couple(&mut trains, &one, None, segments);
        start += u32::from(one.len);
    }
    trains
        .iter()
        .map(|t| (t.to.port(), t.segment, t.datagrams))
        .collect()
}

#[test]
fn equal_sizes_to_one_destination_couple_and_the_last_may_be_shorter() {
    let frame = [(1, 1_200), (1, 1_200), (1, 700), (1, 700), (1, 1_200)];
    assert_eq!(
        trains(&frame, true),
        [(1, 1_200, 3), (1, 700, 1), (1, 1_200, 1)]
    );
    assert_eq!(trains(&frame, false).len(), 5);
}

#[test]
fn other_destinations_begin_new_trains() {
    let fan = [(1, 1_200), (1, 1_200), (2, 1_200), (1, 1_200)];
    assert_eq!(
        trains(&fan, true),
        [(1, 1_200, 2), (2, 1_200, 1), (1, 1_200, 1)]
    );
}

#[test]
fn trains_end_at_the_kernels_limits() {
    let small = [(1, 100); 130];
    assert_eq!(
        trains(&small, true),
        [(1, 100, 64), (1, 100, 64), (1, 100, 2)]
    );
    let large = [(1, 1_400); 60];
    assert_eq!(trains(&large, true), [(1, 1_400, 46), (1, 1_400, 14)]);
}

/// A worker's UDP on loopback of both families.
fn loopback() -> (Udp, u16) {
    let config = NodeConfig {
        listen: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        port: 0,
        ..NodeConfig::default()
    };
    let mut media = MediaPort::open(&config, 1).unwrap();
    let locals = Arc::new(Locals::new(media.locals.len()));
    (Udp::new(media.sockets.remove(0), locals), media.port)
}

fn client(ip: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    socket
}

fn wait_and_receive(udp: &mut Udp, figures: &WorkerFigures) -> Vec<(Path, Vec<u8>)> {
    let mut ready: Vec<Ready> = udp.readable().collect();
    sys::wait(&mut ready, Some(Duration::from_secs(10))).unwrap();
    let mut got = Vec::new();
    for (local, _) in ready.iter().enumerate().filter(|(_, r)| r.is_ready()) {
        let mut more = true;
        while more {
            more = udp.fetch(local, figures);
            udp.show(figures, |from, d| got.push((from, d.to_vec())));
        }
    }
    got
}

#[test]
fn batches_go_round_on_both_families() {
    let (mut udp, port) = loopback();
    let figures = WorkerFigures::default();
    let ips: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let clients: Vec<UdpSocket> = ips.into_iter().map(client).collect();
    let mut got = Vec::new();
    for i in 0..100u8 {
        for (client, ip) in clients.iter().zip(ips) {
            client.send_to(&[i; 200], (ip, port)).unwrap();
        }
        got.extend(wait_and_receive(&mut udp, &figures));
    }
    while got.len() < 200 {
        got.extend(wait_and_receive(&mut udp, &figures));
    }

    // All of it back, each client's datagrams together.
    got.sort_by_key(|(from, _)| *from);
    let mut bytes = Vec::new();
    let mut datagrams = Vec::new();
    for (to, content) in &got {
        datagrams.push(Datagram {
            to: *to,
            start: bytes.len() as u32,
            len: content.len() as u16,
            video: false,
        });
        bytes.extend_from_slice(content);
    }
    udp.send(&bytes, &datagrams, &figures);
    for client in &clients {
        for i in 0..100u8 {
            let mut buffer = [0; 2_000];
            let (len, from) = client.recv_from(&mut buffer).unwrap();
            assert_eq!(from.port(), port);
            assert_eq!(buffer[..len], [i; 200]);
        }
    }
    assert_eq!(figures.received_datagrams.count(), 200);
    assert_eq!(figures.sent_datagrams.count(), 200);
    assert!(figures.queue_delay.count() > 0);
}

#[test]
fn trains_arrive_as_the_datagrams_they_were() {
    let (mut udp, _) = loopback();
    let figures = WorkerFigures::default();
    let receivers: Vec<UdpSocket> = (0..3).map(|_| client(Ipv4Addr::LOCALHOST.into())).collect();
    let sizes = [1_200usize, 1_200, 1_200, 333, 64, 1_200];
    let mut bytes = Vec::new();
    let mut datagrams = Vec::new();
    for (r, receiver) in receivers.iter().enumerate() {
        for (i, len) in sizes.into_iter().enumerate() {
            datagrams.push(Datagram {
                to: path(receiver.local_addr().unwrap().port()),
                start: bytes.len() as u32,
                len: len as u16,
                video: false,
            });
            bytes.resize(bytes.len() + len, (r * 16 + i) as u8);
        }
    }
    udp.send(&bytes, &datagrams, &figures);
    for (r, receiver) in receivers.iter().enumerate() {
        for (i, len) in sizes.into_iter().enumerate() {
            let mut buffer = [0; 2_000];
            let got = receiver.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..got], vec![(r * 16 + i) as u8; len]);
        }
    }
    if udp.ports[0].segments {
        assert_eq!(figures.sent_messages.count(), 9);
    }
    assert_eq!(figures.send_calls.count(), 1);
}

#[test]
fn merged_datagrams_are_shown_one_by_one() {
    let (mut udp, port) = loopback();
    let (mut sender, _) = loopback();
    let figures = WorkerFigures::default();
    let bytes: Vec<u8> = (0..10u8).flat_map(|i| [i; 500]).collect();
    let datagrams: Vec<Datagram> = (0..10)
        .map(|i| Datagram {
            to: path(port),
            start: i * 500,
            len: 500,
            video: false,
        })
        .collect();
    sender.send(&bytes, &datagrams, &figures);
    let mut got = Vec::new();
    while got.len() < 10 {
        got.extend(wait_and_receive(&mut udp, &figures));
    }
    let contents: Vec<Vec<u8>> = got.into_iter().map(|(_, d)| d).collect();
    assert_eq!(
        contents,
        (0..10u8).map(|i| vec![i; 500]).collect::<Vec<_>>()
    );
}

#[test]
fn what_cannot_go_is_counted_and_the_rest_goes() {
    let (mut udp, _) = loopback();
    let figures = WorkerFigures::default();
    let receiver = client(Ipv4Addr::LOCALHOST.into());
    let good = path(receiver.local_addr().unwrap().port());
    let mut nowhere = good;
    nowhere.remote.set_port(0);
    let send = |to, i: u32| Datagram {
        to,
        start: i * 100,
        len: 100,
        video: false,
    };
    udp.send(
        &[7; 300],
        &[send(good, 0), send(nowhere, 1), send(good, 2)],
        &figures,
    );
    let mut buffer = [0; 200];
    for _ in 0..2 {
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 100);
    }
    assert_eq!(figures.dropped_send_refused.count(), 1);
}

#[test]
fn a_train_that_may_not_go_goes_as_single_datagrams() {
    let (mut udp, _) = loopback();
    let to = path(9);
    for (start, len) in [(0, 300), (300, 300), (600, 10)] {
        couple(
            &mut udp.ports[0].trains,
            &datagram(to, start, len),
            None,
            true,
        );
    }
    udp.ports[0].uncouple(0);
    let singles: Vec<(usize, usize, u16)> = udp.ports[0]
        .trains
        .iter()
        .map(|t| (t.start, t.len, t.datagrams))
        .collect();
    assert_eq!(singles, [(0, 300, 1), (300, 300, 1), (600, 10, 1)]);
}

fn datagram(to: Path, start: u32, len: u16) -> Datagram {
    Datagram {
        to,
        start,
        len,
        video: false,
    }
}

#[test]
fn video_gives_way_and_the_rest_keeps_its_order() {
    let mut trains = Vec::new();
    for start in 0..6 {
        let video = start % 2 == 1;
        let one = Datagram {
            video,
            ..datagram(path(9), start * 10, 10)
        };
        couple(&mut trains, &one, None, true);
    }
    // Of one kind only.
    assert_eq!(trains.len(), 6);
    assert_eq!(shed_video(&mut trains, 2), 2);
    let left: Vec<usize> = trains.iter().map(|t| t.start).collect();
    assert_eq!(left, [0, 10, 20, 40]);
    assert_eq!(shed_video(&mut trains, 2), 0);
}

#[test]
fn full_interface_counts_as_full() {
    let mut trains = Vec::new();
    couple(&mut trains, &datagram(path(9), 0, 10), None, true);
    for (error, trouble) in [
        (libc::ENOBUFS, Trouble::Full),
        (libc::EAGAIN, Trouble::Full),
        (libc::EINTR, Trouble::Again),
        (libc::EINVAL, Trouble::Refused),
    ] {
        let error = io::Error::from_raw_os_error(error);
        assert_eq!(Trouble::of(&error, &trains[0]), trouble);
    }
}

/// As on a machine with several addresses: 127.0.0.0/8 are all ours.
#[test]
fn replies_leave_from_the_address_that_was_asked() {
    let config = NodeConfig {
        listen: vec![Ipv4Addr::UNSPECIFIED.into()],
        port: 0,
        ..NodeConfig::default()
    };
    let mut media = MediaPort::open(&config, 2).unwrap();
    let locals = Arc::new(Locals::new(1));
    let mut other = Udp::new(media.sockets.remove(1), locals.clone());
    let mut udp = Udp::new(media.sockets.remove(0), locals);
    let figures = WorkerFigures::default();
    let client = client(Ipv4Addr::LOCALHOST.into());
    for last in 1..=5 {
        let asked: IpAddr = Ipv4Addr::new(127, 0, 0, last).into();
        client.send_to(b"here", (asked, media.port)).unwrap();
        let mut ready: Vec<Ready> = udp.readable().chain(other.readable()).collect();
        sys::wait(&mut ready, Some(Duration::from_secs(10))).unwrap();
        // The kernel chooses the worker; the answer may be the other one's.
        let (receives, answers) = if ready[0].is_ready() {
            (&mut udp, &mut other)
        } else {
            (&mut other, &mut udp)
        };
        receives.fetch(0, &figures);
        let mut from = None;
        receives.show(&figures, |path, _| from = Some(path));
        let to = from.unwrap();
        let train = [datagram(to, 0, 100), datagram(to, 100, 100)];
        for (answers, times) in [(answers, 2), (receives, 2)] {
            answers.send(&[7; 200], &train, &figures);
            for _ in 0..times {
                let (len, at) = client.recv_from(&mut [0; 200]).unwrap();
                assert_eq!((len, at.ip()), (100, asked));
            }
        }
    }
}
