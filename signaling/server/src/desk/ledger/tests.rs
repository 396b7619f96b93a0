use liandong_domain::Target;

use super::*;
use crate::testing::{Disk, Paper, directory};

const NOW: Timestamp = Timestamp(1_000);

fn call() -> (Actor, Order) {
    let order = Order::Call {
        targets: vec![Target::Site { code: "101".into() }],
        title: None,
        ordered: true,
        incident: None,
    };
    (Actor::Account("commander".into()), order)
}

async fn open(paper: &Paper) -> Result<Ledger<Paper>, JournalError> {
    let snapshots = Snapshots::of(paper.folder());
    Ledger::open(paper.clone(), snapshots, Timing::default()).await
}

async fn ledger(paper: &Paper) -> Ledger<Paper> {
    let mut ledger = open(paper).await.unwrap();
    ledger
        .order(&Actor::System, None, &directory(), NOW)
        .unwrap();
    ledger.commit(NOW).await.unwrap();
    ledger
}

#[tokio::test]
async fn nothing_shows_before_it_is_journaled() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    let (by, order) = call();
    ledger.order(&by, Some("key"), &order, NOW).unwrap();
    assert_eq!(ledger.county().conferences().count(), 0);
    let events = ledger.commit(NOW).await.unwrap();
    assert!(!events.is_empty());
    assert_eq!(ledger.county().conferences().count(), 1);
    assert_eq!(usize::try_from(ledger.seq()).unwrap(), paper.len());
}

#[tokio::test]
async fn full_disk_takes_the_whole_batch_back_and_the_next_try_acts_once() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    let before = ledger.county().clone();
    let (by, order) = call();
    paper.disk(Disk::Full);
    for key in ["one", "two"] {
        ledger.order(&by, Some(key), &order, NOW).unwrap();
    }
    assert!(ledger.commit(NOW).await.is_err());
    assert!(ledger.trouble().is_some());
    assert_eq!(*ledger.county(), before);
    paper.disk(Disk::Well);
    ledger.order(&by, Some("one"), &order, NOW).unwrap();
    ledger.commit(NOW).await.unwrap();
    assert!(ledger.trouble().is_none());
    assert_eq!(ledger.county().conferences().count(), 1);
}

#[tokio::test]
async fn append_that_succeeded_in_spite_of_its_error_is_found_in_the_journal() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    let (by, order) = call();
    paper.disk(Disk::Lies);
    ledger.order(&by, Some("key"), &order, NOW).unwrap();
    assert!(ledger.commit(NOW).await.is_err());
    paper.disk(Disk::Well);
    ledger.order(&by, Some("key"), &order, NOW).unwrap();
    let error = ledger.commit(NOW).await.unwrap_err();
    assert!(matches!(error, JournalError::Diverged { .. }), "{error}");
    assert_eq!(ledger.county().conferences().count(), 1);
    // The same key once more gives the same outcome and writes nothing.
    let written = paper.len();
    let outcome = ledger.order(&by, Some("key"), &order, NOW).unwrap();
    assert!(matches!(outcome, Outcome::Called { .. }));
    ledger.commit(NOW).await.unwrap();
    assert_eq!(paper.len(), written);
}

#[tokio::test]
async fn replay_gives_the_same_county() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    let (by, order) = call();
    ledger.order(&by, Some("key"), &order, NOW).unwrap();
    ledger.access(
        Access::SignedIn {
            account: "commander".into(),
            address: [127, 0, 0, 1].into(),
        },
        NOW,
    );
    ledger.commit(NOW).await.unwrap();
    let again = open(&paper).await.unwrap();
    assert_eq!(again.county(), ledger.county());
    assert_eq!(again.seq(), ledger.seq());
}

#[tokio::test]
async fn entry_of_a_later_version_stops_the_start_and_says_so() {
    for (body, said) in [
        (
            r#"{"version":1,"event":{"type":"earthquake"}}"#,
            "earthquake",
        ),
        (r#"{"version":9,"event":{"type":"earthquake"}}"#, "form 9"),
        // Understood as far as it goes, but not meant so.
        (
            r#"{"version":9,"event":{"type":"restarted","at":1}}"#,
            "form 9",
        ),
        (r#"{"version":9,"weather":{}}"#, "form 9"),
    ] {
        let paper = Paper::new();
        drop(ledger(&paper).await);
        let draft = Draft {
            at_ms: 1,
            actor: "system".into(),
            body: body.into(),
        };
        let seq = paper.append(vec![draft]).await.unwrap();
        let error = open(&paper).await.unwrap_err();
        assert!(
            matches!(error, JournalError::Later { seq: s, .. } if s == seq),
            "{error}"
        );
        let text = error.to_string();
        assert!(
            text.contains("later version") && text.contains(said),
            "{text}"
        );
    }
}

#[tokio::test]
async fn trouble_ends_by_itself_and_is_written_down() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    let (by, order) = call();
    paper.disk(Disk::Full);
    ledger.order(&by, None, &order, NOW).unwrap();
    assert!(ledger.commit(NOW).await.is_err());
    ledger.refused(1);
    ledger.look_after(Timestamp(2_000));
    assert!(ledger.commit(Timestamp(2_000)).await.is_err());
    paper.disk(Disk::Well);
    ledger.look_after(Timestamp(3_000));
    ledger.commit(Timestamp(3_000)).await.unwrap();
    assert!(ledger.trouble().is_none());
    let last = paper.sheet().entries.last().unwrap().body.clone();
    assert_eq!(
        last,
        r#"{"version":1,"upkeep":{"type":"wasUnwritable","since":1000,"refused":1}}"#
    );
    // Well again, nothing more is written.
    let written = paper.len();
    ledger.look_after(Timestamp(4_000));
    ledger.commit(Timestamp(4_000)).await.unwrap();
    assert_eq!(paper.len(), written);
    assert_eq!(open(&paper).await.unwrap().county(), ledger.county());
}

#[tokio::test]
async fn damage_is_trouble_that_stays() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    paper.sheet().damage = Some(JournalError::Damaged("page 7".into()));
    ledger.look_after(NOW);
    assert!(ledger.trouble().unwrap().error.is_damage());
    let (by, order) = call();
    ledger.order(&by, None, &order, NOW).unwrap();
    assert!(ledger.commit(NOW).await.is_err());
    assert_eq!(ledger.county().conferences().count(), 0);
}

#[tokio::test]
async fn start_from_a_snapshot_gives_the_same_state() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    ledger.snapshot().write().await;
    let (by, order) = call();
    ledger.order(&by, Some("key"), &order, NOW).unwrap();
    ledger.commit(NOW).await.unwrap();
    // What the snapshot covers is not read again: broken, it would stop the start.
    paper.sheet().entries[0].body = "broken".to_owned();
    let again = open(&paper).await.unwrap();
    assert_eq!(again.county(), ledger.county());
    assert_eq!(again.seq(), ledger.seq());
}

#[tokio::test]
async fn snapshot_of_another_journal_is_removed() {
    let (paper, other) = (Paper::new(), Paper::new());
    let mut ledger = ledger(&paper).await;
    let (by, order) = call();
    ledger.order(&by, None, &order, Timestamp(2)).unwrap();
    ledger.commit(NOW).await.unwrap();
    let strange = Ledger {
        snapshots: Snapshots::of(paper.folder()),
        ..self::ledger(&other).await
    };
    strange.snapshot().write().await;
    let mut last = paper.sheet().entries.clone();
    last[usize::try_from(strange.seq()).unwrap() - 1].hash[0] ^= 1;
    paper.sheet().entries = last;
    assert_eq!(open(&paper).await.unwrap().county(), ledger.county());
    assert!(
        Snapshots::of(paper.folder())
            .newest_first()
            .next()
            .is_none()
    );
}

#[tokio::test]
async fn snapshot_is_due_after_many_entries_and_only_once() {
    let paper = Paper::new();
    let mut ledger = ledger(&paper).await;
    assert!(ledger.snapshot_due().is_none());
    for n in 0..SNAPSHOT_EVERY {
        ledger.access(
            Access::SignedOut {
                account: "commander".into(),
                address: [127, 0, 0, 1].into(),
            },
            Timestamp(n),
        );
    }
    ledger.commit(NOW).await.unwrap();
    assert!(ledger.snapshot_due().is_some());
    assert!(ledger.snapshot_due().is_none());
}
