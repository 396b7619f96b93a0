//! The allocation, step by step and by dice.

use proptest::prelude::*;

use super::*;

fn start() -> Instant {
    #[allow(clippy::disallowed_methods)] // any instant serves as the origin of virtual time
    Instant::now()
}

const fn layer(encoding: u8, temporal: u8, height: u16, fps: u8, kbps: u32) -> Layer {
    Layer {
        encoding: EncodingIndex(encoding),
        spatial: 0,
        temporal,
        height,
        frames_per_second: fps,
        bits_per_second: kbps * 1_000,
    }
}

/// 180, 360 and 720 lines, two temporal layers each.
const SIMULCAST: [Layer; 6] = [
    layer(0, 0, 180, 15, 90),
    layer(0, 1, 180, 30, 150),
    layer(1, 0, 360, 15, 300),
    layer(1, 1, 360, 30, 500),
    layer(2, 0, 720, 15, 1_000),
    layer(2, 1, 720, 30, 1_700),
];
/// As above, with frames so rare in the base layers that a camera looks jerky.
const JERKY: [Layer; 4] = [
    layer(0, 0, 180, 7, 70),
    layer(0, 1, 180, 30, 150),
    layer(1, 0, 360, 7, 140),
    layer(1, 1, 360, 30, 500),
];

fn wish(prominent: bool, height: u16, layers: &[Layer]) -> Wish {
    Wish {
        prominent,
        height,
        screen: false,
        layers: layers.to_vec(),
        held: Held::default(),
    }
}

fn given(wishes: &[Wish]) -> Vec<Option<(u8, u8)>> {
    let layers = wishes.iter().map(|wish| wish.held.layer);
    layers
        .map(|layer| layer.map(|l| (l.encoding.0, l.temporal)))
        .collect()
}

#[test]
fn budgets_by_steps() {
    let small = || wish(false, 180, &SIMULCAST);
    let middle = || wish(false, 360, &SIMULCAST);
    let pinned = || wish(true, 720, &SIMULCAST);
    let hidden = || wish(false, 0, &SIMULCAST);
    type Row = (&'static str, Option<u64>, Vec<Wish>, Vec<Option<(u8, u8)>>);
    let table: Vec<Row> = vec![
        (
            "no limit: as large as the view",
            None,
            vec![small(), middle(), pinned(), hidden()],
            vec![Some((0, 1)), Some((1, 1)), Some((2, 1)), None],
        ),
        (
            "nothing fits",
            Some(80),
            vec![middle(), small()],
            vec![None, None],
        ),
        (
            "one fits: the larger",
            Some(100),
            vec![small(), middle()],
            vec![None, Some((0, 0))],
        ),
        (
            "both their lowest before one is raised",
            Some(230),
            vec![small(), middle()],
            vec![Some((0, 0)), Some((0, 0))],
        ),
        (
            "the larger is raised first",
            Some(390),
            vec![small(), middle()],
            vec![Some((0, 0)), Some((1, 0))],
        ),
        (
            "equals are raised in turn",
            Some(650),
            vec![middle(), middle()],
            vec![Some((1, 0)), Some((1, 0))],
        ),
        (
            "the prominent one first",
            Some(1_100),
            vec![middle(), pinned()],
            vec![Some((0, 0)), Some((2, 0))],
        ),
        (
            "a hidden one costs nothing",
            Some(500),
            vec![hidden(), middle()],
            vec![None, Some((1, 1))],
        ),
    ];
    for (what, kbps, mut wishes, expected) in table {
        allocate(start(), kbps.map(|kbps| kbps * 1_000), &mut wishes);
        assert_eq!(given(&wishes), expected, "{what}");
    }
}

#[test]
fn screens_are_sharp_and_cameras_fluent() {
    let mut wishes = [wish(false, 360, &JERKY)];
    allocate(start(), Some(300_000), &mut wishes);
    assert_eq!(given(&wishes), [Some((0, 1))]);
    let mut wishes = [wish(false, 360, &JERKY)];
    wishes[0].screen = true;
    allocate(start(), Some(300_000), &mut wishes);
    assert_eq!(given(&wishes), [Some((1, 0))]);
}

/// One stream of two spatial layers, of two temporal ones each.
const SVC: [Layer; 4] = [
    layer(0, 0, 360, 8, 150),
    layer(0, 1, 360, 30, 250),
    spatial(1, layer(0, 0, 720, 8, 500)),
    spatial(1, layer(0, 1, 720, 30, 900)),
];

const fn spatial(spatial: u8, layer: Layer) -> Layer {
    Layer { spatial, ..layer }
}

#[test]
fn layers_of_one_stream_are_as_good_as_encodings() {
    let now = start();
    for (screen, kbps, expected) in [
        (false, 1_000, Some((1, 1))),
        // A camera rather moves, a screen is rather read.
        (false, 600, Some((0, 1))),
        (true, 600, Some((1, 0))),
        (false, 200, Some((0, 0))),
        (true, 200, Some((0, 0))),
        (true, 100, None),
    ] {
        let mut wishes = [wish(false, 720, &SVC)];
        wishes[0].screen = screen;
        allocate(now, Some(kbps * 1_000), &mut wishes);
        let held = wishes[0].held.layer;
        let given = held.map(|layer| (layer.spatial, layer.temporal));
        assert_eq!(given, expected, "{screen} {kbps}");
    }
    let mut small = [wish(false, 360, &SVC)];
    allocate(now, None, &mut small);
    let held = small[0].held.layer;
    assert_eq!(
        held.map(|layer| (layer.spatial, layer.temporal)),
        Some((0, 1))
    );
}

#[test]
fn down_at_once_and_up_after_a_while() {
    let mut now = start();
    let mut wishes = [wish(false, 720, &SIMULCAST)];
    let mut at = |now, kbps: u64| {
        allocate(now, Some(kbps * 1_000), &mut wishes);
        given(&wishes)[0]
    };
    assert_eq!(at(now, 2_500), Some((2, 1)));
    assert_eq!(at(now, 350), Some((1, 0)));
    // Fits, but barely: never.
    for _ in 0..5 {
        now += FITS_FOR;
        assert_eq!(at(now, 520), Some((1, 0)));
    }
    assert_eq!(at(now, 600), Some((1, 0)));
    now += FITS_FOR / 2;
    // An interruption begins the wait anew.
    assert_eq!(at(now, 350), Some((1, 0)));
    now += FITS_FOR / 2;
    assert_eq!(at(now, 600), Some((1, 0)));
    now += FITS_FOR;
    assert_eq!(at(now, 600), Some((1, 1)));
    assert_eq!(at(now, 50), None);
    assert_eq!(at(now, 600), None, "resuming waits as well");
    now += FITS_FOR;
    assert_eq!(at(now, 600), Some((1, 1)));
}

#[test]
fn a_new_view_does_not_wait() {
    let now = start();
    let mut wishes = [wish(false, 180, &SIMULCAST)];
    allocate(now, Some(3_000_000), &mut wishes);
    assert_eq!(given(&wishes), [Some((0, 1))]);
    wishes[0].height = 720;
    wishes[0].held.renew();
    allocate(now, Some(3_000_000), &mut wishes);
    assert_eq!(given(&wishes), [Some((2, 1))]);
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let layers =
        proptest::collection::vec((0..3_u8, 0..2_u8, 0..3_u8, 1..60_u8, 10..2_000_u32), 0..8);
    (any::<bool>(), 0..1_100_u16, any::<bool>(), layers).prop_map(
        |(prominent, height, screen, layers)| Wish {
            prominent,
            height,
            screen,
            layers: layers
                .into_iter()
                .map(|(e, s, t, fps, kbps)| spatial(s, layer(e, t, 180 << (e + s), fps, kbps)))
                .collect(),
            held: Held::default(),
        },
    )
}

proptest! {
    #[test]
    fn the_budget_is_kept_and_used(
        mut wishes in proptest::collection::vec(any_wish(), 0..12),
        budgets in proptest::collection::vec(0..6_000_u64, 1..5),
    ) {
        let mut now = start();
        for kbps in budgets {
            now += FITS_FOR / 2;
            allocate(now, Some(kbps * 1_000), &mut wishes);
            let layers: Vec<_> = wishes.iter().map(|wish| wish.held.layer).collect();
            let spent: u64 = layers.iter().flatten().map(|l| u64::from(l.bits_per_second)).sum();
            prop_assert!(spent <= kbps * 1_000);
            for (wish, layer) in wishes.iter().zip(&layers) {
                let Some(layer) = layer else { continue };
                prop_assert!(wish.height > 0 && wish.layers.contains(layer));
                // Not larger than the view asks for.
                let smaller = wish.layers.iter().any(|l| l.height >= wish.height && l.height < layer.height);
                prop_assert!(!smaller);
            }
        }
    }

    #[test]
    fn nobody_is_raised_before_all_have_their_lowest(
        mut wishes in proptest::collection::vec(any_wish(), 2..10), kbps in 0..4_000_u64,
    ) {
        allocate(start(), Some(kbps * 1_000), &mut wishes);
        // Handed out by rank, one lowest layer after the other, as long as there is enough.
        let mut order: Vec<&Wish> = wishes.iter().collect();
        order.sort_by_key(|wish| (Reverse(wish.prominent), Reverse(wish.height)));
        let mut left = kbps * 1_000;
        for wish in order {
            let cheapest = wish.usable().iter().map(|l| u64::from(l.bits_per_second)).min();
            let fits = cheapest.is_some_and(|cost| cost <= left);
            prop_assert_eq!(wish.held.layer.is_some(), fits);
            left -= cheapest.filter(|_| fits).unwrap_or(0);
        }
    }

    #[test]
    fn nobody_is_raised_before_one_that_matters_more(
        mut wishes in proptest::collection::vec(any_wish(), 2..10), kbps in 0..4_000_u64,
    ) {
        allocate(start(), Some(kbps * 1_000), &mut wishes);
        let rank = |wish: &Wish| (wish.prominent, wish.height);
        let lowest = |wish: &Wish| wish.usable().first().copied();
        let cost = |layer: Option<Layer>| layer.map_or(0, |l| u64::from(l.bits_per_second));
        let spent: u64 = wishes.iter().map(|wish| cost(wish.held.layer)).sum();
        for low in &wishes {
            let next = low.usable().into_iter().find(|l| cost(Some(*l)) > cost(low.held.layer));
            let Some(next) = next.filter(|_| low.held.layer.is_some()) else { continue };
            // What those below have beyond their lowest would not have paid for its next step.
            let below = wishes.iter().filter(|wish| rank(wish) < rank(low));
            let beyond: u64 = below.map(|w| cost(w.held.layer) - cost(lowest(w).filter(|_| w.held.layer.is_some()))).sum();
            let free = kbps * 1_000 - spent + beyond;
            prop_assert!(cost(Some(next)) > cost(low.held.layer) + free);
        }
    }
}
