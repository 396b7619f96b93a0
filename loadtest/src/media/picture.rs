//! The test picture: a plain ground in the site's own colour, the site's
//! number large in the middle, and a clock hand and a bar that move.
//!
//! A test that sees only pixels tells the site by the ground: [`colour_of`]
//! maps an index to a colour and [`index_of`] a colour back to the nearest
//! index. The index is the line of the site in the county's list of sites,
//! from 0 (the county itself).

/// Pixels; 16:9, and small enough that fifty of them are decoded on one core.
pub const WIDTH: usize = 320;
/// Pixels.
pub const HEIGHT: usize = 180;
/// Frames per second.
pub const FRAMES_PER_SECOND: u32 = 10;

/// How many indices have a colour of their own; larger ones begin again.
pub const COLOURS: u16 = (HUES * LEVELS.len()) as u16;

const HUES: usize = 17;
/// Saturation and value (HSV), 0 to 1, of the three rounds through the hues.
const LEVELS: [(f64, f64); 3] = [(1.0, 0.95), (1.0, 0.7), (0.55, 1.0)];
/// Neighbouring indices stand far apart on the hue circle; coprime to [`HUES`].
const HUE_STRIDE: usize = 7;

/// The ground colour of a site, as R, G, B.
///
/// Index i has hue `(7 i mod 17) / 17 · 360°`; its saturation and value (HSV)
/// are 1 and 0.95, 1 and 0.7, 0.55 and 1 for `i / 17` = 0, 1, 2. From 51 on the
/// colours begin again.
#[must_use]
pub fn colour_of(index: u16) -> [u8; 3] {
    let index = usize::from(index % COLOURS);
    let hue = ((index * HUE_STRIDE) % HUES) as f64 / HUES as f64 * 6.0;
    let (saturation, value) = LEVELS[index / HUES];
    // HSV to RGB: each channel falls off with its distance on the hue circle.
    let channel = |offset: f64| {
        let k = (offset + hue) % 6.0;
        let fall = k.min(4.0 - k).clamp(0.0, 1.0);
        (255.0 * (value - value * saturation * fall)).round() as u8
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// The index whose colour is nearest to what was seen, and how far off that
/// is (Euclidean, in steps of 0 to 255). Two colours stand at least 35 apart:
/// below 17 the answer is certain.
#[must_use]
pub fn index_of(seen: [u8; 3]) -> (u16, f64) {
    let distance = |index: u16| {
        let colour = colour_of(index);
        (0..3)
            .map(|c| (f64::from(colour[c]) - f64::from(seen[c])).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    (0..COLOURS)
        .map(|index| (index, distance(index)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((0, f64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stand_well_apart() {
        for a in 0..COLOURS {
            for b in 0..a {
                let distance = (0..3)
                    .map(|c| (f64::from(colour_of(a)[c]) - f64::from(colour_of(b)[c])).powi(2))
                    .sum::<f64>()
                    .sqrt();
                assert!(distance >= 35.0, "{a} and {b} are {distance} apart");
            }
            assert_eq!(index_of(colour_of(a)), (a, 0.0));
        }
    }

    #[test]
    fn colours_begin_again() {
        assert_eq!(colour_of(0), [242, 0, 0]);
        assert_eq!(colour_of(COLOURS + 3), colour_of(3));
    }
}
