//! A client whose network changes: where it is answered, and how soon.

use std::net::{Ipv6Addr, SocketAddr};

use super::*;

/// One step: when, what came, and from where.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A nominating check.
    Nominate(u64, char),
    /// A check that nominates nothing.
    Probe(u64, char),
    /// Authentic media.
    Media(u64, char),
}

use Step::{Media, Nominate, Probe};

/// a: Wi-Fi by IPv4; b: mobile by IPv6; c: TCP, by another of the node's sockets.
fn way(name: char) -> Path {
    match name {
        'a' => path(4_000),
        'b' => Path {
            local: 0,
            remote: SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7), 4_001)),
        },
        'c' => Path {
            local: 9,
            remote: SocketAddr::from(([198, 51, 100, 9], 50_123)),
        },
        other => panic!("no way {other}"),
    }
}

/// Priorities as full agents give them: UDP before TCP.
fn check_by(name: char, nominate: bool) -> Vec<u8> {
    let priority = match name {
        'a' => 0x7e00_01ff,
        'b' => 0x7d00_01ff,
        _ => 0x5a00_01ff,
    };
    let (ours, theirs) = (credentials(1), credentials(2));
    let check = Check {
        to: &ours,
        from: theirs.ufrag(),
        nominate,
        controlling: true,
    };
    check.bytes_of(ours.pwd(), priority)
}

#[test]
fn a_client_is_answered_where_it_is() {
    type Row = (&'static str, &'static [Step], char);
    let table: &[Row] = &[
        (
            "the first check that came",
            &[Probe(0, 'a'), Probe(5, 'b')],
            'a',
        ),
        (
            "a nomination moves at once, Wi-Fi to mobile, IPv4 to IPv6",
            &[Nominate(0, 'a'), Media(1_000, 'a'), Nominate(1_010, 'b')],
            'b',
        ),
        (
            "a nomination moves at once, UDP to TCP, however low its priority",
            &[Nominate(0, 'a'), Media(1_000, 'a'), Nominate(1_010, 'c')],
            'c',
        ),
        (
            "media that was on its way when the peer moved does not move it back",
            &[
                Nominate(0, 'a'),
                Nominate(1_000, 'b'),
                Media(1_050, 'a'),
                Media(1_060, 'b'),
            ],
            'b',
        ),
        (
            "media by another path, the old one silent: moved before any nomination",
            &[
                Nominate(0, 'a'),
                Probe(5, 'b'),
                Media(1_000, 'a'),
                Media(1_350, 'b'),
            ],
            'b',
        ),
        (
            "media by another path while the old one lives: the peer's choice holds",
            &[
                Nominate(0, 'a'),
                Probe(5, 'b'),
                Media(1_000, 'a'),
                Media(1_100, 'b'),
            ],
            'a',
        ),
        (
            "media from where no check was verified counts for nothing",
            &[Nominate(0, 'a'), Media(1_000, 'a'), Media(2_000, 'b')],
            'a',
        ),
        (
            "a check alone, less than a second after the call went silent",
            &[Nominate(0, 'a'), Media(1_000, 'a'), Probe(1_950, 'b')],
            'b',
        ),
        (
            "a check alone while media comes",
            &[Nominate(0, 'a'), Media(1_000, 'a'), Probe(1_500, 'b')],
            'a',
        ),
        (
            "at rest a path is checked every 2.5 s: another one's check takes nothing",
            &[
                Nominate(0, 'a'),
                Probe(2_400, 'b'),
                Nominate(2_500, 'a'),
                Probe(4_900, 'b'),
            ],
            'a',
        ),
        (
            "at rest, the old path silent for longer",
            &[Nominate(0, 'a'), Nominate(2_500, 'a'), Probe(5_600, 'c')],
            'c',
        ),
        (
            "aggressive nomination means the highest priority of those that work",
            &[
                Nominate(0, 'a'),
                Nominate(20, 'b'),
                Nominate(40, 'c'),
                Nominate(60, 'a'),
                Nominate(80, 'b'),
                Nominate(100, 'c'),
            ],
            'a',
        ),
        (
            "aggressive nomination, the best path dead",
            &[
                Nominate(0, 'a'),
                Nominate(20, 'b'),
                Nominate(40, 'a'),
                Nominate(200, 'b'),
                Nominate(400, 'b'),
            ],
            'b',
        ),
        (
            "back to Wi-Fi within the contest's time: only until the other is silent",
            &[
                Nominate(0, 'c'),
                Nominate(500, 'a'),
                Nominate(900, 'c'),
                Media(910, 'c'),
                Nominate(1_300, 'c'),
            ],
            'c',
        ),
    ];
    for (what, steps, wanted) in table {
        let start = epoch();
        let mut server = invited(start);
        for step in *steps {
            let (Nominate(at, _) | Probe(at, _) | Media(at, _)) = *step;
            let now = start + Duration::from_millis(at);
            match *step {
                Nominate(_, by) => server.handle_stun(now, way(by), &check_by(by, true)),
                Probe(_, by) => server.handle_stun(now, way(by), &check_by(by, false)),
                Media(_, by) => {
                    server.heard(now, way(by));
                    Ok(())
                }
            }
            .unwrap();
        }
        assert_eq!(server.path(), Some(way(*wanted)), "{what}");
        let selections = events(&mut server)
            .into_iter()
            .filter(|event| matches!(event, TransportEvent::PathChanged { .. }));
        assert!(selections.count() <= 5, "{what}");
    }
}

/// A restart of ICE from the new network: the call goes on there with the first nomination.
#[test]
fn restart_from_another_network_takes_the_call_along() {
    let start = epoch();
    let mut server = invited(start);
    server
        .handle_stun(start, way('a'), &check_by('a', true))
        .unwrap();
    let (local, remote) = (credentials(3), credentials(4));
    server.restart_ice(local.clone(), remote_of(&remote));
    let fresh = |nominate| {
        Check {
            to: &local,
            from: remote.ufrag(),
            nominate,
            controlling: true,
        }
        .bytes()
    };
    let at = |ms| start + Duration::from_millis(ms);
    server.heard(at(100), way('a'));
    server
        .handle_stun(at(200), way('b'), &fresh(false))
        .unwrap();
    assert_eq!(
        server.path(),
        Some(way('a')),
        "the old path lives until the new is chosen"
    );
    server.handle_stun(at(250), way('b'), &fresh(true)).unwrap();
    assert_eq!(server.path(), Some(way('b')));
    assert!(
        server
            .handle_stun(at(300), way('a'), &check_by('a', true))
            .is_err()
    );
    assert_eq!(server.path(), Some(way('b')));
}
