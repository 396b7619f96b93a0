//! Who has the seat.

use super::*;

#[test]
fn seat_is_never_empty_and_is_handed_over_with_a_note() {
    let mut shell = Shell::lit();
    let start = shell.now;
    let hours = |from: u64, to: u64, name: &str| NewShift {
        site: SHAHE.into(),
        person: contact(name, None, Some("13800000004")),
        from: start.after(Duration::from_secs(from * 3_600)),
        to: start.after(Duration::from_secs(to * 3_600)),
    };
    let shifts = vec![
        hours(0, 8, "早班"),
        hours(8, 16, "中班"),
        hours(20, 24, "夜班"),
    ];
    let order = duty(DutyOrder::Plan {
        shifts: shifts.clone(),
    });
    shell.refused(JIZHOU, order.clone(), RefusalCode::NotBelow);
    shell.refused(LUOPING, order.clone(), RefusalCode::NotBelow);
    shell.refused(FIELD_CHUNCHANGBA, order.clone(), RefusalCode::NotAllowed);
    shell.by(SHAHE, order.clone()).unwrap();
    shell.refused(SHAHE, order, RefusalCode::AlreadyThere);
    let seat = |shell: &Shell| -> Vec<String> {
        let on_duty = shell.county.duty().on_duty(&SHAHE.into());
        on_duty.iter().map(|one| one.person.name.clone()).collect()
    };
    assert_eq!(seat(&shell), ["早班"]);
    let over = |duty, to| DutyOrder::HandOver {
        duty,
        to,
        note: "水位正常".to_owned(),
    };
    shell.refused(SHAHE, duty(over(DutyId(2), None)), RefusalCode::NotNow);
    shell.refused(
        SHAHE,
        duty(over(DutyId(9), None)),
        RefusalCode::UnknownShift,
    );
    shell
        .by(SHAHE, duty(over(DutyId(1), Some(DutyId(2)))))
        .unwrap();
    assert_eq!(seat(&shell), ["中班"]);
    let first = shell.county.duty().shift(DutyId(1)).unwrap();
    assert_eq!(
        (first.state, first.note.as_str()),
        (ShiftState::HandedOver, "水位正常")
    );
    // Past its end the seat is kept until the next one begins.
    shell.wait(17 * 3_600_000);
    assert_eq!(seat(&shell), ["中班"]);
    shell.wait(4 * 3_600_000);
    assert_eq!(seat(&shell), ["夜班"]);
    shell.refused(
        SHAHE,
        duty(DutyOrder::Cancel { duty: DutyId(3) }),
        RefusalCode::NotNow,
    );
    let mut wrong = shifts;
    wrong[0].person.phone = Some("12 34".to_owned());
    shell.refused(
        SHAHE,
        duty(DutyOrder::Plan { shifts: wrong }),
        RefusalCode::Malformed,
    );
    assert_eq!(shell.replayed(), shell.county);
}
