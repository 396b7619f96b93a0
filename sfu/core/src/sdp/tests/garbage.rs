//! Real offers changed at random, and texts that are none.

use proptest::prelude::*;

use super::*;

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Cut(usize),
    Put(usize, String),
    Remove(usize, usize),
    DropLine(usize),
    RepeatLine(usize),
    SwapLines(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..60_000usize;
    let spice = prop_oneof![
        "[0-9a-z:/=;* \r\n-]{1,6}",
        any::<char>().prop_map(String::from),
        Just("99999999999999999999".to_owned()),
        Just("\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n".to_owned()),
    ];
    prop_oneof![
        1 => at.clone().prop_map(Change::Cut),
        4 => (at.clone(), spice).prop_map(|(at, text)| Change::Put(at, text)),
        2 => (at.clone(), 1..40usize).prop_map(|(at, length)| Change::Remove(at, length)),
        3 => at.clone().prop_map(Change::DropLine),
        2 => at.clone().prop_map(Change::RepeatLine),
        2 => (at.clone(), at).prop_map(|(a, b)| Change::SwapLines(a, b)),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let floor = |at: usize| text.floor_char_boundary(at % (text.len() + 1));
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let count = lines.len().max(1);
    match change {
        Change::Cut(at) => return text[..floor(*at)].to_owned(),
        Change::Put(at, what) => {
            let at = floor(*at);
            return [&text[..at], what, &text[at..]].concat();
        }
        Change::Remove(at, length) => {
            let at = floor(*at);
            let end = text.floor_char_boundary((at + length).min(text.len()));
            return [&text[..at], &text[end..]].concat();
        }
        _ if lines.is_empty() => {}
        Change::DropLine(at) => drop(lines.remove(at % count)),
        Change::RepeatLine(at) => lines.insert(at % count, lines[at % count]),
        Change::SwapLines(a, b) => lines.swap(a % count, b % count),
    }
    lines.concat()
}

proptest! {
    /// Whatever becomes of a real offer: no panic, and an answer is an answer.
    #[test]
    fn changed_offers_are_answered_or_refused(
        which in 0..4usize, changes in proptest::collection::vec(change(), 1..12)
    ) {
        let mut text = [CHROMIUM, FIREFOX, WEBRTC_RS, SIMULCAST][which].to_owned();
        for change in &changes {
            text = apply(&text, change);
        }
        if let Ok((answered, negotiated)) = answer(&text) {
            check_answer(&text, &answered, &negotiated);
        }
    }

    #[test]
    fn garbage_is_refused(text in "\\PC{0,200}") {
        prop_assert!(answer(&text).is_err());
        let begun = format!("v=0\r\n{text}");
        prop_assert!(answer(&begun).is_err());
    }
}
