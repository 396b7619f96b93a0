//! The test picture: a plain ground in the site's own colour, the site's
//! number large in the middle, and a clock hand and a bar that move.
//!
//! A test that sees only pixels tells the site by the ground: [`colour_of`]
//! maps an index to a colour and [`index_of`] a colour back to the nearest
//! index. The index is the line of the site in the county's list of sites,
//! from 0 (the county itself). The left tenth of the picture is always ground,
//! but for the bar at the bottom.

use super::codec::I420;

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

/// The ground of a decoded test picture, as R, G, B: the mean of its left edge.
/// `None` of a picture that is too small to be one.
#[must_use]
pub fn ground_of(picture: &I420) -> Option<[u8; 3]> {
    let (width, height) = (picture.width, picture.height);
    if width < 40 || height < 20 {
        return None;
    }
    let luma_plane = picture.bytes.get(..width * height)?;
    let chroma = width.div_ceil(2) * height.div_ceil(2);
    let u_plane = picture.bytes.get(width * height..width * height + chroma)?;
    let v_plane = picture.bytes.get(width * height + chroma..)?;
    let mean = |plane: &[u8], stride: usize, rows: usize| {
        let columns = stride / 40..stride / 12;
        let mut sum = 0_u64;
        let mut count = 0_u64;
        for y in rows / 5..rows * 4 / 5 {
            for x in columns.clone() {
                sum += u64::from(plane.get(y * stride + x).copied().unwrap_or(0));
                count += 1;
            }
        }
        sum as f64 / count.max(1) as f64
    };
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    Some(rgb_of([
        mean(luma_plane, width, height),
        mean(u_plane, half_width, half_height),
        mean(v_plane, half_width, half_height),
    ]))
}

/// Y, U, V of limited range (BT.601), as cameras and browsers use it for small pictures.
fn yuv_of([r, g, b]: [u8; 3]) -> [u8; 3] {
    let (r, g, b) = (f64::from(r), f64::from(g), f64::from(b));
    let y = 16.0 + (65.481 * r + 128.553 * g + 24.966 * b) / 255.0;
    let u = 128.0 + (-37.797 * r - 74.203 * g + 112.0 * b) / 255.0;
    let v = 128.0 + (112.0 * r - 93.786 * g - 18.214 * b) / 255.0;
    [y, u, v].map(|c| c.round() as u8)
}

fn rgb_of([y, u, v]: [f64; 3]) -> [u8; 3] {
    let (y, u, v) = ((y - 16.0) * 1.164_383, u - 128.0, v - 128.0);
    [
        y + 1.596_027 * v,
        y - 0.391_762 * u - 0.812_968 * v,
        y + 2.017_232 * u,
    ]
    .map(|c| c.round().clamp(0.0, 255.0) as u8)
}

/// Digits, five by seven, a row per byte, the highest of five bits to the left.
const DIGITS: [[u8; 7]; 10] = [
    [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
    [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
    [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
    [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
    [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
    [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
    [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
    [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
    [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
    [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
];

/// Pixels per dot of a digit, at most.
const DOT: usize = 12;
/// The clock, in pixels.
const CLOCK: (usize, usize, usize) = (282, 38, 26);
/// The moving bar at the bottom, in pixels.
const BAR: (usize, usize) = (44, 10);

/// The test picture of one site, drawn again and again.
#[derive(Clone, Debug)]
pub struct Still {
    /// Ground and number.
    blank: I420,
    picture: I420,
}

impl Still {
    #[must_use]
    pub fn new(index: u16) -> Self {
        let mut blank = I420::new(WIDTH, HEIGHT);
        rectangle(
            &mut blank,
            (0, 0),
            (WIDTH, HEIGHT),
            yuv_of(colour_of(index)),
        );
        number(&mut blank, index);
        Self {
            picture: blank.clone(),
            blank,
        }
    }

    /// The same, each pixel drawn `factor` times in both directions.
    pub fn enlarged_at(&mut self, turn: f64, factor: usize) -> I420 {
        let small = self.at(turn);
        let mut large = I420::new(WIDTH * factor, HEIGHT * factor);
        let luma = WIDTH * HEIGHT;
        let (half_width, half_luma) = (WIDTH / 2, luma / 4);
        let planes = [
            (0..luma, WIDTH),
            (luma..luma + half_luma, half_width),
            (luma + half_luma..luma + 2 * half_luma, half_width),
        ];
        let mut out = large.bytes.as_mut_slice();
        for (plane, width) in planes {
            for row in small.bytes[plane].chunks(width) {
                for _ in 0..factor {
                    let (line, rest) = out.split_at_mut(width * factor);
                    for (pixels, value) in line.chunks_mut(factor).zip(row) {
                        pixels.fill(*value);
                    }
                    out = rest;
                }
            }
        }
        large
    }

    /// The picture with hand and bar at a part of their way, 0 to 1.
    pub fn at(&mut self, turn: f64) -> &mut I420 {
        self.picture.bytes.copy_from_slice(&self.blank.bytes);
        let (x, y, radius) = CLOCK;
        disc(&mut self.picture, (x, y), radius, BLACK);
        let angle = turn * std::f64::consts::TAU;
        for step in 0..radius - 4 {
            let along = |centre: usize, part: f64| (centre as f64 + part * step as f64) as usize;
            let tip = (along(x, angle.sin()), along(y, -angle.cos()));
            rectangle(&mut self.picture, (tip.0 - 1, tip.1 - 1), (4, 4), WHITE);
        }
        let left = (turn * (WIDTH - BAR.0) as f64) as usize & !1;
        rectangle(
            &mut self.picture,
            (0, HEIGHT - BAR.1),
            (WIDTH, BAR.1),
            BLACK,
        );
        rectangle(&mut self.picture, (left, HEIGHT - BAR.1), BAR, WHITE);
        &mut self.picture
    }
}

const WHITE: [u8; 3] = [235, 128, 128];
const BLACK: [u8; 3] = [16, 128, 128];

/// Fills a rectangle, cut off at the edges.
fn rectangle(
    picture: &mut I420,
    (left, top): (usize, usize),
    (width, height): (usize, usize),
    [y, u, v]: [u8; 3],
) {
    let (columns, rows) = (picture.width, picture.height);
    let right = (left + width).min(columns);
    let bottom = (top + height).min(rows);
    let (u_at, half) = (columns * rows, columns / 2);
    let v_at = u_at + half * (rows / 2);
    for row in top..bottom {
        picture.bytes[row * columns + left..row * columns + right].fill(y);
        if row % 2 == 0 {
            let chroma = row / 2 * half + left / 2..row / 2 * half + right.div_ceil(2);
            picture.bytes[u_at..v_at][chroma.clone()].fill(u);
            picture.bytes[v_at..][chroma].fill(v);
        }
    }
}

fn disc(picture: &mut I420, (x, y): (usize, usize), radius: usize, colour: [u8; 3]) {
    for row in 0..radius {
        let half = ((radius * radius - row * row) as f64).sqrt() as usize;
        let line = (half * 2, 1);
        rectangle(picture, (x - half, y - row), line, colour);
        rectangle(picture, (x - half, y + row), line, colour);
    }
}

/// The number in the middle: white on a black shadow, readable on every ground.
fn number(picture: &mut I420, number: u16) {
    let text = number.to_string();
    // Numbers of many digits are drawn smaller, so that the edges stay free.
    let dot = DOT.min(WIDTH * 4 / 5 / 6 / text.len());
    let advance = 6 * dot;
    let left = (WIDTH - text.len() * advance + dot) / 2;
    let top = (HEIGHT - 7 * dot) / 2;
    for (shift, colour) in [(4, BLACK), (0, WHITE)] {
        for (place, digit) in text.bytes().enumerate() {
            let rows = DIGITS[usize::from(digit - b'0')];
            for (row, bits) in rows.into_iter().enumerate() {
                for column in (0..5).filter(|c| bits & (0x10 >> c) != 0) {
                    let at = (
                        left + place * advance + column * dot + shift,
                        top + row * dot + shift,
                    );
                    rectangle(picture, at, (dot, dot), colour);
                }
            }
        }
    }
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

    #[test]
    fn ground_survives_drawing() {
        for index in 0..COLOURS {
            let mut still = Still::new(index);
            for turn in [0.0, 0.3, 0.99] {
                let ground = ground_of(still.at(turn)).unwrap();
                let (found, distance) = index_of(ground);
                assert_eq!(found, index);
                assert!(distance < 6.0, "{index} is off by {distance}");
            }
        }
    }

    #[test]
    fn an_enlarged_picture_is_the_same_picture() {
        let mut still = Still::new(9);
        let small = still.at(0.4).clone();
        assert_eq!(still.enlarged_at(0.4, 1), small);
        let large = still.enlarged_at(0.4, 4);
        assert_eq!((large.width, large.height), (1280, 720));
        assert_eq!(ground_of(&large), ground_of(&small));
        assert_eq!(large.bytes.last(), small.bytes.last());
    }

    #[test]
    fn numbers_differ_and_large_ones_fit() {
        let still = |index| Still::new(index).blank;
        assert_ne!(still(0), still(COLOURS), "same ground, another number");
        let _ = still(u16::MAX);
        assert_eq!(ground_of(&I420::new(16, 16)), None);
    }
}
