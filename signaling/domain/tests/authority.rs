//! The table of authority, whole: tier × tier × order and role × order.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use liandong_domain::authority::{Post, may_give_link, role_may};
use liandong_domain::{Account, AccountId, Order, OrderKind, Refusal, RefusalCode, Role, SiteCode};
use support::{
    CHUNCHANGBA, COMMANDER, COUNTY, DATANGBA, DISPATCHER, FIELD_CHUNCHANGBA, FIELD_COUNTY,
    FIELD_JIZHOU, JIZHOU, LUOPING, SHAHE, Shell, call, person, site,
};

/// County, two townships, two communities of the first and one of the other,
/// and the field units of the first ones.
const POSTS: [&str; 9] = [
    DISPATCHER,
    JIZHOU,
    SHAHE,
    CHUNCHANGBA,
    DATANGBA,
    LUOPING,
    FIELD_COUNTY,
    FIELD_JIZHOU,
    FIELD_CHUNCHANGBA,
];

/// Row: who orders; column: whom; both in the order of `POSTS`. An `x` where
/// the row stands above the column.
const ABOVE: [&str; 9] = [
    ". x x x x x x x x",
    ". . . x x . . x x",
    ". . . . . x . . .",
    ". . . . . . . . x",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
];

/// An `x` where the row knows of the column and so may ask for it.
const KNOWS: [&str; 9] = [
    "x x x x x x x x x",
    "x x x x x . . x x",
    "x x x . . x . . .",
    "x x . x x . . . x",
    "x x . x x . . . .",
    "x . x . . x . . .",
    "x x x x x x x . .",
    "x x x x x . . x .",
    "x x . x x . . . x",
];

fn is_above(row: usize, column: usize) -> bool {
    ABOVE[row].split(' ').nth(column) == Some("x")
}

fn knows(row: usize, column: usize) -> bool {
    KNOWS[row].split(' ').nth(column) == Some("x")
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..POSTS.len()).flat_map(|row| (0..POSTS.len()).map(move |column| (row, column)))
}

#[test]
fn every_post_over_every_post() {
    let shell = Shell::dark();
    let directory = shell.county.directory();
    for (row, column) in pairs() {
        let [upper, lower] = [row, column].map(|one| {
            let account = directory.account(&AccountId::from(POSTS[one])).unwrap();
            Post::of_account(account)
        });
        assert_eq!(
            upper.is_above(lower, directory),
            is_above(row, column),
            "{} over {}",
            POSTS[row],
            POSTS[column]
        );
    }
}

#[test]
fn ordered_and_asked_calls_from_every_post_to_every_post() {
    let shell = Shell::lit();
    for (row, column) in pairs() {
        let (caller, callee) = (POSTS[row], POSTS[column]);
        let mut targets = vec![person(callee)];
        if column < 6 {
            // The same by the site for which the account answers.
            targets.push(site(if column == 0 { COUNTY } else { callee }));
        }
        for target in targets {
            for ordered in [true, false] {
                let by = liandong_domain::Actor::Account(caller.into());
                let order = call(std::slice::from_ref(&target), ordered);
                let outcome = shell.county.decide(&by, &order, shell.now);
                let code = outcome.err().map(|refusal: Refusal| refusal.code());
                let expected = match (ordered, row == column) {
                    (true | false, _) if !knows(row, column) => Some(RefusalCode::UnknownTarget),
                    (true, _) if !is_above(row, column) => Some(RefusalCode::NotBelow),
                    (true, _) | (false, false) => None,
                    (false, true) => Some(RefusalCode::NobodyToRing),
                };
                assert_eq!(code, expected, "{caller} to {target:?}, ordered {ordered}");
            }
        }
    }
}

/// All posts are in one conference whose chair is `chair`.
fn everybody(chair: &str) -> Shell {
    let mut shell = Shell::lit();
    let row = POSTS.iter().position(|one| *one == chair).unwrap();
    let others = (0..POSTS.len()).filter(|column| *column != row);
    let (known, unknown): (Vec<_>, Vec<_>) = others.partition(|column| knows(row, *column));
    let people = |columns: &[usize]| -> Vec<_> {
        let accounts = columns.iter().map(|column| POSTS[*column]);
        accounts.map(person).collect()
    };
    let conference = shell.call(chair, &people(&known), false);
    for one in known {
        shell.join(POSTS[one]);
    }
    if !unknown.is_empty() {
        // The county knows everybody.
        let invite = Order::Invite {
            conference,
            targets: people(&unknown),
            ordered: false,
        };
        shell.by(DISPATCHER, invite).unwrap();
        for one in unknown {
            shell.join(POSTS[one]);
        }
    }
    shell
}

#[test]
fn orders_to_one_participant_need_the_chair_or_a_post_above() {
    // The chair stands at the bottom, so that it adds nothing to the others.
    let chair = POSTS[8];
    let shell = everybody(chair);
    for (row, column) in pairs() {
        let participant = shell.stay(POSTS[column]).unwrap();
        let (conference, participant) = (participant.conference, participant.id);
        for order in [
            Order::Mute {
                conference,
                participant,
                muted: true,
            },
            Order::Remove {
                conference,
                participant,
                reason: "演练".to_owned(),
            },
        ] {
            let by = liandong_domain::Actor::Account(POSTS[row].into());
            let outcome = shell.county.decide(&by, &order, shell.now);
            let code = outcome.err().map(|refusal| refusal.code());
            let allowed = POSTS[row] == chair || is_above(row, column);
            let expected = (!allowed).then_some(RefusalCode::NotChair);
            assert_eq!(code, expected, "{} {order:?}", POSTS[row]);
        }
    }
}

#[test]
fn orders_to_the_whole_conference_need_the_chair_or_a_post_above_the_chair() {
    for (column, chair) in POSTS.into_iter().enumerate() {
        let mut shell = everybody(chair);
        // Somebody who is absent and can be called again.
        let conference = shell.stay(chair).unwrap().conference;
        let invite = Order::Invite {
            conference,
            targets: vec![person(COMMANDER)],
            ordered: false,
        };
        shell.by(chair, invite).unwrap();
        let invitation = shell.ring_of(COMMANDER).unwrap();
        shell.by(COMMANDER, Order::Decline { invitation }).unwrap();

        for (row, caller) in POSTS.into_iter().enumerate() {
            for order in [
                Order::InviteAbsent { conference },
                Order::MuteAll {
                    conference,
                    muted: true,
                },
                Order::HandOver {
                    conference,
                    participant: shell.stay(caller).unwrap().id,
                },
                Order::End { conference },
            ] {
                let by = liandong_domain::Actor::Account(caller.into());
                let outcome = shell.county.decide(&by, &order, shell.now);
                let code = outcome.err().map(|refusal| refusal.code());
                let allowed = row == column || is_above(row, column);
                let expected = (!allowed).then_some(RefusalCode::NotChair);
                assert_eq!(code, expected, "{caller} with chair {chair}: {order:?}");
            }
        }
    }
}

#[test]
fn every_role_and_order() {
    let orders = OrderKind::ALL;
    assert_eq!(orders.len(), 78);
    // Columns in the order of `OrderKind::ALL`: seven of the system, then call,
    // invite, invite absent, cancel; accept, decline, leave; remove, end, mute,
    // mute all, hand over; own media; incidents: report, verify, duplicate, false,
    // level, escalate, assign, respond, control, close, review, note, attach; talk groups: create,
    // change, dissolve, raise and cancel an alarm, spoke; conduct: mode, role,
    // permit, hand, lower hand, lock, lobby, enter, withdraw, admit, move, insert, observe;
    // call up, next, broadcast, end; spotlight, carousel (start, pause, next, stop), roll (start,
    // stop); order device, answer device; what is received is of the system; plans: install, save,
    // approve, retire, start, stop; duty: plan, cancel, hand over, contacts; pursuits: pursue, result.
    let commands = ".......xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxx..xxxxxxxxxx.";
    let community =
        ".......xxxxxxxxxxxxxxxxxxxxxxxxxx...xx.xxxxxxxxxxxxxxxxxxxxxxxxxx.....xxxxxxx.";
    let in_the_field =
        ".......xxxxxxxxxxxxxx......x...xx...xx.xxxxxxxxxxxx.xxxxxxxxxxxxx...........x.";
    let administers =
        "...........xxx.....xx..........xx.........x...xx................x..x.x..xxxx..";
    let listens_in =
        "...........xxx.....xx..........xx.........x...xx...x............x.............";
    let table = [
        (Role::Commander, commands),
        (Role::Dispatcher, commands),
        (Role::Township, commands),
        (Role::Community, community),
        (Role::Field, in_the_field),
        (Role::Administrator, administers),
        (Role::Supervisor, listens_in),
    ];
    assert_eq!(table.len(), Role::ALL.len());
    for (role, row) in table {
        for (order, mark) in orders.into_iter().zip(row.chars()) {
            assert_eq!(role_may(role, order), mark == 'x', "{role:?} {order:?}");
        }
    }
}

/// Every role at every tier, to every role at every tier: only who administers or
/// dispatches above gives a link, and only to the field.
#[test]
fn links_are_given_downwards_to_the_field_only() {
    let shell = Shell::dark();
    let directory = shell.county.directory();
    let account = |role, site: &str, active| Account {
        id: "x".into(),
        name: "x".to_owned(),
        role,
        site: site.into(),
        active,
    };
    let sites = [COUNTY, JIZHOU, CHUNCHANGBA, SHAHE];
    for (by, to) in Role::ALL
        .into_iter()
        .flat_map(|by| Role::ALL.map(|to| (by, to)))
    {
        for (upper, lower) in sites.into_iter().flat_map(|by| sites.map(|to| (by, to))) {
            let [giver, taker] = [account(by, upper, true), account(to, lower, true)];
            let under = |code: &str, of: &str| directory.is_under(&code.into(), &of.into());
            let expected = matches!(by, Role::Administrator | Role::Dispatcher)
                && to == Role::Field
                && (upper == lower || under(lower, upper));
            let may = may_give_link(&giver, &taker, directory);
            assert_eq!(may, expected, "{by:?} of {upper} to {to:?} of {lower}");
            let gone = account(to, lower, false);
            assert!(!may_give_link(&giver, &gone, directory));
            assert!(!may_give_link(
                &account(by, upper, false),
                &taker,
                directory
            ));
        }
    }
}

#[test]
fn sites_that_may_be_ordered_are_marked_so() {
    let shell = Shell::dark();
    let commanded = |account: &str| {
        let sites = shell.county.directory().sites();
        sites
            .filter(|one| shell.county.may_order(&account.into(), &one.code))
            .count()
    };
    assert_eq!(commanded(COMMANDER), 49);
    assert_eq!(commanded(JIZHOU), 8);
    assert_eq!(commanded(CHUNCHANGBA), 0);
    assert_eq!(commanded(FIELD_COUNTY), 0);
    assert_eq!(commanded(support::SUPERVISOR), 0);
}

#[test]
fn everybody_sees_his_subtree_and_who_stands_around_it() {
    let shell = Shell::dark();
    let seen = |account: &str| {
        let sites = shell.county.sites_for(&account.into());
        sites
            .into_iter()
            .map(|one| one.code.clone())
            .collect::<Vec<SiteCode>>()
    };
    assert_eq!(seen(COMMANDER).len(), 50);
    assert_eq!(seen(COMMANDER)[0], COUNTY.into());
    // The county, 13 townships, its own 8 communities.
    assert_eq!(seen(JIZHOU).len(), 22);
    // The county, its township, the 8 communities there.
    assert_eq!(seen(CHUNCHANGBA).len(), 10);
    assert!(!seen(CHUNCHANGBA).contains(&LUOPING.into()));
    assert!(shell.county.sees_presence(&JIZHOU.into(), &DATANGBA.into()));
    assert!(
        !shell
            .county
            .sees_presence(&CHUNCHANGBA.into(), &DATANGBA.into())
    );
    assert!(
        !shell
            .county
            .sees_presence(&CHUNCHANGBA.into(), &JIZHOU.into())
    );

    assert!(
        shell
            .county
            .sees_presence(&FIELD_COUNTY.into(), &COUNTY.into())
    );
    assert!(
        !shell
            .county
            .sees_presence(&FIELD_COUNTY.into(), &JIZHOU.into())
    );

    let people = |account: &str| shell.county.people_for(&account.into()).len();
    assert_eq!(
        (people(COMMANDER), people(JIZHOU), people(LUOPING)),
        (3, 2, 0)
    );
}

#[test]
fn a_conference_is_seen_from_above_and_by_whom_it_concerns() {
    let mut shell = Shell::lit();
    let id = shell.call(JIZHOU, &[site(CHUNCHANGBA)], true);
    let conference = shell.conference(id).clone();
    for (account, sees) in [
        (COMMANDER, true),
        (JIZHOU, true),
        (CHUNCHANGBA, true),
        (DATANGBA, false),
        (SHAHE, false),
        (FIELD_JIZHOU, false),
        ("nobody", false),
    ] {
        let seen = shell.county.sees_conference(&account.into(), &conference);
        assert_eq!(seen, sees, "{account}");
    }
}

#[test]
fn a_caller_who_has_left_sees_no_more_than_its_post_allows() {
    let mut shell = Shell::lit();
    let id = shell.call(FIELD_JIZHOU, &[site(JIZHOU)], false);
    shell.join(JIZHOU);
    let invite = Order::Invite {
        conference: id,
        targets: vec![site(CHUNCHANGBA)],
        ordered: true,
    };
    shell.by(JIZHOU, invite).unwrap();
    shell.join(CHUNCHANGBA);
    let sees = |shell: &Shell, account: &str| {
        let conference = shell.conference(id);
        shell.county.sees_conference(&account.into(), conference)
    };
    assert!(sees(&shell, FIELD_JIZHOU));
    shell
        .by(FIELD_JIZHOU, Order::Leave { conference: id })
        .unwrap();
    assert!(!shell.conference(id).is_over());
    assert!(!sees(&shell, FIELD_JIZHOU));
    // A centre goes on seeing what was called from its own site.
    shell.by(JIZHOU, Order::Leave { conference: id }).unwrap();
    assert!(sees(&shell, JIZHOU));
}
