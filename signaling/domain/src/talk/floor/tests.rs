//! Every state under every input, and what the outputs say.

use super::*;

const T0: Timestamp = Timestamp(1_000_000);
/// A member who speaks in the states that have a holder.
const HOLDER: Talker = Talker(1);
/// A member who waits in the states that have a queue.
const QUEUED: Talker = Talker(2);
const OTHER: Talker = Talker(3);
const COUNTY: Talker = Talker(4);
const ALARM: Talker = Talker(5);
/// May only listen.
const DEAF: Talker = Talker(6);
const STRANGER: Talker = Talker(9);

fn at(seconds: u64) -> Timestamp {
    Timestamp(T0.0 + seconds * 1_000)
}

fn drain(floor: &mut Floor) -> Vec<Output> {
    std::iter::from_fn(|| floor.poll_output()).collect()
}

/// All listen; nobody speaks.
fn idle() -> Floor {
    let mut floor = Floor::new(FloorRules {
        queue_length: 2,
        ..FloorRules::default()
    });
    for (who, rank) in [
        (HOLDER, Some(Rank::Member)),
        (QUEUED, Some(Rank::Member)),
        (OTHER, Some(Rank::Member)),
        (COUNTY, Some(Rank::CountyCommander)),
        (ALARM, Some(Rank::Sos)),
        (DEAF, None),
    ] {
        floor.handle_input(T0, Input::Join { who, rank });
    }
    drain(&mut floor);
    floor
}

fn taken(by: Talker) -> Floor {
    let mut floor = idle();
    floor.handle_input(T0, Input::Request { who: by });
    drain(&mut floor);
    floor
}

fn queued() -> Floor {
    let mut floor = taken(HOLDER);
    floor.handle_input(T0, Input::Request { who: QUEUED });
    drain(&mut floor);
    floor
}

/// The limit has come at 30 s; media came at 28 s.
fn pending(mut floor: Floor) -> Floor {
    for second in (2..30).step_by(2) {
        floor.handle_input(at(second), Input::Media { who: HOLDER });
    }
    floor.handle_input(at(30), Input::Timeout);
    drain(&mut floor);
    floor
}

fn inputs() -> Vec<(&'static str, Input)> {
    let request = |who| Input::Request { who };
    let release = |who| Input::Release { who };
    let rank = |who, rank| Input::SetRank { who, rank };
    let why = TalkEnd::Lost;
    let leave = |who| Input::Leave { who, why };
    vec![
        ("holder asks", request(HOLDER)),
        ("queued asks", request(QUEUED)),
        ("other asks", request(OTHER)),
        ("county asks", request(COUNTY)),
        ("alarm asks", request(ALARM)),
        ("deaf asks", request(DEAF)),
        ("stranger asks", request(STRANGER)),
        ("holder lets go", release(HOLDER)),
        ("queued lets go", release(QUEUED)),
        ("other lets go", release(OTHER)),
        ("holder's media", Input::Media { who: HOLDER }),
        ("other's media", Input::Media { who: OTHER }),
        ("holder lost", Input::Lost { who: HOLDER }),
        ("queued leaves", leave(QUEUED)),
        ("other leaves", leave(OTHER)),
        (
            "joins",
            Input::Join {
                who: STRANGER,
                rank: Some(Rank::Member),
            },
        ),
        ("holder silenced", rank(HOLDER, None)),
        ("queued raised", rank(QUEUED, Some(Rank::Township))),
        ("closed", Input::Close),
        ("early timeout", Input::Timeout),
    ]
}

/// Who holds, in what state, and who waits: `-`, `T1`, `P1`, `T1 2,3`.
fn shown(floor: &Floor) -> String {
    let state = match floor.state() {
        State::Idle => "-".to_owned(),
        State::Taken(hold) => format!("T{}", hold.who.0),
        State::PendingRevoke(hold) => format!("P{}", hold.who.0),
    };
    let queue: Vec<String> = floor.queue().map(|(who, _)| who.0.to_string()).collect();
    format!("{state} {}", queue.join(",")).trim_end().to_owned()
}

#[test]
fn every_state_under_every_input() {
    let states = [
        ("idle", idle(), T0),
        ("taken", taken(HOLDER), T0),
        ("taken, one waits", queued(), T0),
        ("pending", pending(taken(HOLDER)), at(30)),
        ("pending, one waits", pending(queued()), at(30)),
        ("taken by alarm", taken(ALARM), T0),
    ];
    let table = [
        ("holder asks", ["T1", "T1", "T1 2", "P1", "P1 2", "T5 1"]),
        (
            "queued asks",
            ["T2", "T1 2", "T1 2", "P1 2", "P1 2", "T5 2"],
        ),
        (
            "other asks",
            ["T3", "T1 3", "T1 2,3", "P1 3", "P1 2,3", "T5 3"],
        ),
        ("county asks", ["T4", "T4", "T4 2", "T4", "T4 2", "T5 4"]),
        ("alarm asks", ["T5", "T5", "T5 2", "T5", "T5 2", "T5"]),
        ("deaf asks", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("stranger asks", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("holder lets go", ["-", "-", "T2", "-", "T2", "T5"]),
        ("queued lets go", ["-", "T1", "T1", "P1", "P1", "T5"]),
        ("other lets go", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("holder's media", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("other's media", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("holder lost", ["-", "-", "T2", "-", "T2", "T5"]),
        ("queued leaves", ["-", "T1", "T1", "P1", "P1", "T5"]),
        ("other leaves", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("joins", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
        ("holder silenced", ["-", "-", "T2", "-", "T2", "T5"]),
        ("queued raised", ["-", "T1", "T2", "P1", "T2", "T5"]),
        ("closed", ["-", "-", "-", "-", "-", "-"]),
        ("early timeout", ["-", "T1", "T1 2", "P1", "P1 2", "T5"]),
    ];
    let inputs = inputs();
    assert_eq!(inputs.len(), table.len());
    for ((name, input), (row, cells)) in inputs.into_iter().zip(table) {
        assert_eq!(name, row);
        for ((state, floor, now), expected) in states.iter().zip(cells) {
            let mut floor = floor.clone();
            floor.handle_input(*now, input);
            assert_eq!(shown(&floor), expected, "{name} while {state}");
            gates_follow(&mut floor, name, state);
        }
    }
}

/// A gate opens for the holder only, and closes before another one opens.
fn gates_follow(floor: &mut Floor, input: &str, state: &str) {
    let holder = floor.holder().map(|hold| hold.who);
    let mut last_open = None;
    let mut closed = 0;
    for output in drain(floor) {
        if let Output::Gate { who, open } = output {
            if open {
                last_open = Some(who);
            } else {
                assert_eq!(last_open, None, "{input} while {state}: closed too late");
                closed += 1;
            }
        }
    }
    assert!(closed <= 1, "{input} while {state}");
    if let Some(opened) = last_open {
        assert_eq!(Some(opened), holder, "{input} while {state}");
    }
}

#[test]
fn gate_moves_before_anybody_is_told() {
    let mut floor = taken(HOLDER);
    floor.handle_input(at(1), Input::Request { who: COUNTY });
    let cause = TalkEnd::Preempted;
    assert_eq!(
        drain(&mut floor),
        [
            Output::Gate {
                who: HOLDER,
                open: false
            },
            Output::Revoke {
                who: HOLDER,
                cause,
                by: at(1)
            },
            Output::Spoke {
                who: HOLDER,
                rank: Rank::Member,
                from: T0,
                until: at(1),
                end: cause
            },
            Output::Gate {
                who: COUNTY,
                open: true
            },
            Output::Granted {
                who: COUNTY,
                until: at(31)
            },
            Output::Taken {
                who: COUNTY,
                rank: Rank::CountyCommander
            },
        ]
    );
}

#[test]
fn limit_warns_then_cuts_then_the_next_speaks() {
    let mut floor = queued();
    let mut now = T0;
    let mut revoked = Vec::new();
    while floor.holder().is_some_and(|hold| hold.who == HOLDER) {
        // Media goes on all the time.
        now = Timestamp(floor.poll_timeout().unwrap().0.min(now.0 + 1_000));
        floor.handle_input(now, Input::Media { who: HOLDER });
        floor.handle_input(now, Input::Timeout);
        revoked.extend(drain(&mut floor).into_iter().filter_map(|one| match one {
            Output::Revoke { by, cause, .. } => Some((now, by, cause)),
            _ => None,
        }));
    }
    let cause = TalkEnd::TooLong;
    assert_eq!(revoked, [(at(30), at(33), cause), (at(33), at(33), cause)]);
    assert_eq!(shown(&floor), "T2");
    assert_eq!(floor.holder().unwrap().until, at(63));
}

#[test]
fn whose_device_sends_nothing_loses_the_floor() {
    let mut floor = taken(HOLDER);
    floor.handle_input(at(2), Input::Media { who: HOLDER });
    assert_eq!(floor.poll_timeout(), Some(at(6)));
    floor.handle_input(at(5), Input::Timeout);
    assert_eq!(shown(&floor), "T1");
    floor.handle_input(at(6), Input::Timeout);
    let outputs = drain(&mut floor);
    assert!(outputs.contains(&Output::Idle), "{outputs:?}");
    assert!(matches!(
        outputs[1],
        Output::Revoke {
            cause: TalkEnd::NoMedia,
            ..
        }
    ));
    assert_eq!(floor.poll_timeout(), None);
}

#[test]
fn reasons_of_a_refusal() {
    let denied = |floor: &mut Floor, who| {
        floor.handle_input(T0, Input::Request { who });
        drain(floor).into_iter().find_map(|one| match one {
            Output::Deny { who, cause } => Some((who, cause)),
            _ => None,
        })
    };
    assert_eq!(
        denied(&mut idle(), DEAF),
        Some((DEAF, DenyCause::ReceiveOnly))
    );
    assert_eq!(
        denied(&mut idle(), STRANGER),
        Some((STRANGER, DenyCause::NotListening))
    );
    // The queue of two is full: a higher rank waits in place of the last.
    let mut full = taken(ALARM);
    assert_eq!(denied(&mut full, HOLDER), None);
    assert_eq!(denied(&mut full, QUEUED), None);
    assert_eq!(
        denied(&mut full, OTHER),
        Some((OTHER, DenyCause::QueueFull))
    );
    assert_eq!(
        denied(&mut full, COUNTY),
        Some((QUEUED, DenyCause::QueueFull))
    );
    assert_eq!(shown(&full), "T5 4,1");
    // Without a queue.
    let rules = FloorRules {
        queue_length: 0,
        ..FloorRules::default()
    };
    let mut busy = taken(HOLDER);
    busy.handle_input(T0, Input::SetRules { rules });
    assert_eq!(denied(&mut busy, OTHER), Some((OTHER, DenyCause::Taken)));
    assert_eq!(denied(&mut busy, COUNTY), None);
    // Alone nobody speaks, but an alarm is never refused.
    let mut alone = Floor::new(FloorRules::default());
    let rank = Some(Rank::Member);
    alone.handle_input(T0, Input::Join { who: OTHER, rank });
    assert_eq!(denied(&mut alone, OTHER), Some((OTHER, DenyCause::OnlyOne)));
    let rank = Some(Rank::Sos);
    alone.handle_input(T0, Input::SetRank { who: OTHER, rank });
    assert_eq!(denied(&mut alone, OTHER), None);
    assert_eq!(shown(&alone), "T3");
}

#[test]
fn alarm_that_is_over_gives_way_to_whoever_counts_more() {
    let mut floor = taken(ALARM);
    floor.handle_input(T0, Input::Request { who: COUNTY });
    assert_eq!(shown(&floor), "T5 4");
    let rank = Some(Rank::Member);
    floor.handle_input(at(1), Input::SetRank { who: ALARM, rank });
    assert_eq!(shown(&floor), "T4");
}

#[test]
fn nobody_speaks_to_those_alone_whose_line_is_lost() {
    let mut floor = Floor::new(FloorRules::default());
    let rank = Some(Rank::Member);
    for who in [HOLDER, OTHER] {
        floor.handle_input(T0, Input::Join { who, rank });
    }
    floor.handle_input(T0, Input::Lost { who: OTHER });
    drain(&mut floor);
    floor.handle_input(T0, Input::Request { who: HOLDER });
    let (who, cause) = (HOLDER, DenyCause::OnlyOne);
    assert_eq!(drain(&mut floor), [Output::Deny { who, cause }]);
    // Back, and no newcomer.
    floor.handle_input(T0, Input::Join { who: OTHER, rank });
    assert_eq!(drain(&mut floor), []);
    floor.handle_input(T0, Input::Request { who: HOLDER });
    assert_eq!(shown(&floor), "T1");
}
