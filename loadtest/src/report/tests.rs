use super::*;

fn bot(answered: f64, lost: u64) -> BotReport {
    BotReport {
        order_to_answered_ms: Some(answered),
        video_packets_sent: 10,
        audio_packets_sent: 50,
        video_slots: vec![SlotReport {
            packets: 100,
            lost,
            first_frame_ms: vec![answered / 2.0],
            ..SlotReport::default()
        }],
        ..BotReport::default()
    }
}

#[test]
fn summary_adds_up_the_bots() {
    let mut bots: Vec<_> = (1..=49).map(|i| bot(f64::from(i) * 10.0, 0)).collect();
    bots[3].video_slots[0].lost = 2;
    bots[3].refuse(RefusalCode::NotBelow);
    bots[4].offline_ms = vec![300.0, 100.0];
    bots.push(BotReport::default()); // never answered
    let s = Summary::of(&bots);
    assert_eq!(s.bots, 50);
    assert_eq!(s.answered, 49);
    assert_eq!(s.answer_p95_ms, Some(470.0));
    assert_eq!(s.packets_sent, 49 * 60);
    assert_eq!((s.packets_received, s.packets_lost), (4900, 2));
    assert_eq!(s.first_frame_ms.unwrap().max, 245.0);
    assert_eq!(s.refused, 1);
    assert_eq!((s.offline_ms.unwrap().p50, s.media_away_ms), (100.0, None));
    assert_eq!(bots[3].refused["notBelow"], 1);
}

#[test]
fn one_failed_check_fails_the_report() {
    let mut report = Report {
        checks: vec![Check {
            name: "all answered".into(),
            passed: true,
            found: "49 of 49".into(),
        }],
        ..Report::default()
    };
    assert!(report.passed());
    report.checks.push(Check {
        name: "no loss".into(),
        passed: false,
        found: "3 packets".into(),
    });
    assert!(!report.passed());
    let words = report.in_words();
    assert!(words.contains("FAILED") && words.contains("no loss: 3 packets"));
}

#[test]
fn report_survives_its_json() {
    let report = Report {
        scenario: "call".into(),
        bots: vec![bot(12.0, 1)],
        summary: Summary::of(&[bot(12.0, 1)]),
        ..Report::default()
    };
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}
