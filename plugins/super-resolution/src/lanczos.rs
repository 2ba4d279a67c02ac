//! Making a picture larger: Lanczos-3 along rows, then along columns, in linear light, colours weighted by their
//! opacity.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::light::{ToLight, ToNumber, most};
use crate::picture::{Depth, Picture};

/// Lobes of the filter on each side.
const LOBES: i32 = 3;
/// Samples that a new one is made of.
const TAPS: usize = 2 * LOBES as usize;

/// How many times wider and higher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(transform = as_numbers)]
pub enum Scale {
    /// Twice.
    #[default]
    Two,
    /// Four times.
    Four,
}

/// Where a new sample lies between old ones, and what it takes of each.
#[derive(Clone, Copy, Debug)]
struct Phase {
    /// The last old sample at or before it, counted from the one it is a part of: -1 or 0.
    base: isize,
    /// Of the samples from `base - 2` to `base + 3`. Their sum is 1.
    weights: [f32; TAPS],
}

/// Light, row by row; colours are weighted by opacity.
struct Sheet {
    width: usize,
    height: usize,
    channels: usize,
    light: Vec<f32>,
}

impl Scale {
    /// As a number.
    pub fn times(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    fn phases(self) -> Vec<Phase> {
        let times = self.times() as f32;
        let place = |part: usize| (part as f32 + 0.5) / times - 0.5;
        (0..self.times())
            .map(|part| Phase::at(place(part)))
            .collect()
    }
}

impl<'de> Deserialize<'de> for Scale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            other => Err(de::Error::custom(format!(
                "scale is {other}, and must be 2 or 4"
            ))),
        }
    }
}

impl Phase {
    /// For a new sample at `place`, -0.5 to 0.5, of an old one.
    fn at(place: f32) -> Self {
        let base = place.floor();
        let mut weights: [f32; TAPS] =
            std::array::from_fn(|tap| lanczos(place - (base + tap as f32 - (LOBES - 1) as f32)));
        let sum: f32 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Self {
            base: base as isize,
            weights,
        }
    }

    /// Which of `count` old samples are taken for a new one in number `at`: beyond an edge, the one at the edge.
    fn taken(&self, at: usize, count: usize) -> [usize; TAPS] {
        let first = at as isize + self.base - (LOBES as isize - 1);
        std::array::from_fn(|tap| (first + tap as isize).clamp(0, count as isize - 1) as usize)
    }

    /// The new sample, kept between its two neighbours: without that, edges in linear light have halos.
    fn mixed(&self, old: [f32; TAPS]) -> f32 {
        let sum: f32 = old
            .iter()
            .zip(self.weights)
            .map(|(old, weight)| old * weight)
            .sum();
        let (before, after) = (old[TAPS / 2 - 1], old[TAPS / 2]);
        sum.clamp(before.min(after), before.max(after))
    }
}

/// The filter at a distance, samples.
fn lanczos(distance: f32) -> f32 {
    let lobes = LOBES as f32;
    if distance == 0.0 {
        return 1.0;
    }
    if distance.abs() >= lobes {
        return 0.0;
    }
    let turn = std::f32::consts::PI * distance;
    lobes * turn.sin() * (turn / lobes).sin() / (turn * turn)
}

/// `picture`, larger.
pub fn enlarge(picture: &Picture, scale: Scale) -> Picture {
    let wide = stretched_across(&lit(picture), scale);
    let phases = scale.phases();
    let row = wide.width * wide.channels;
    let mut new = vec![0.0; row];
    let height = picture.height * scale.times();
    let mut samples = Vec::with_capacity(row * height * picture.depth.bytes());
    let to_number = ToNumber::new(picture.space.curve, picture.depth);
    for y in 0..picture.height {
        for phase in &phases {
            let rows = phase
                .taken(y, wide.height)
                .map(|y| &wide.light[y * row..(y + 1) * row]);
            for (at, new) in new.iter_mut().enumerate() {
                *new = phase.mixed(rows.map(|row| row[at]));
            }
            darkened(&new, picture, &to_number, &mut samples);
        }
    }
    Picture {
        width: wide.width,
        height,
        samples,
        ..picture_without_samples(picture)
    }
}

fn picture_without_samples(picture: &Picture) -> Picture {
    Picture {
        samples: Vec::new(),
        space: picture.space.clone(),
        ..*picture
    }
}

/// The light of a picture.
fn lit(picture: &Picture) -> Sheet {
    let channels = picture.colour.channels();
    let to_light = ToLight::new(picture.space.curve, picture.depth);
    let most = most(picture.depth);
    let bytes = picture.depth.bytes();
    let mut light = Vec::with_capacity(picture.samples.len() / bytes);
    for pixel in picture.samples.chunks_exact(channels * bytes) {
        let samples = pixel
            .chunks_exact(bytes)
            .map(|sample| number(sample, picture.depth));
        if picture.colour.has_alpha() {
            let alpha = f32::from(number(&pixel[(channels - 1) * bytes..], picture.depth)) / most;
            light.extend(
                samples
                    .take(channels - 1)
                    .map(|sample| to_light.of(sample) * alpha),
            );
            light.push(alpha);
        } else {
            light.extend(samples.map(|sample| to_light.of(sample)));
        }
    }
    Sheet {
        width: picture.width,
        height: picture.height,
        channels,
        light,
    }
}

fn number(sample: &[u8], depth: Depth) -> u16 {
    match (depth, sample) {
        (Depth::Sixteen, [high, low, ..]) => u16::from_be_bytes([*high, *low]),
        (_, [sample, ..]) => u16::from(*sample),
        (_, []) => 0,
    }
}

fn stretched_across(sheet: &Sheet, scale: Scale) -> Sheet {
    let phases = scale.phases();
    let channels = sheet.channels;
    let mut light = Vec::with_capacity(sheet.light.len() * scale.times());
    for row in sheet.light.chunks_exact(sheet.width * channels) {
        for x in 0..sheet.width {
            for phase in &phases {
                let taken = phase.taken(x, sheet.width).map(|x| x * channels);
                light.extend(
                    (0..channels).map(|channel| phase.mixed(taken.map(|at| row[at + channel]))),
                );
            }
        }
    }
    Sheet {
        width: sheet.width * scale.times(),
        light,
        ..*sheet
    }
}

/// Adds a row of light to `samples` as the numbers of a file.
fn darkened(light: &[f32], picture: &Picture, to_number: &ToNumber, samples: &mut Vec<u8>) {
    if !picture.colour.has_alpha() {
        light
            .iter()
            .for_each(|light| to_number.write(*light, samples));
        return;
    }
    for pixel in light.chunks_exact(picture.colour.channels()) {
        let Some((alpha, colours)) = pixel.split_last() else {
            continue;
        };
        // Where nothing is seen there is no colour.
        let share = if *alpha > 0.0 { 1.0 / alpha } else { 0.0 };
        colours
            .iter()
            .for_each(|light| to_number.write(light * share, samples));
        opacity(*alpha, picture.depth, samples);
    }
}

/// Opacity is a share, not a light: it has no curve.
fn opacity(alpha: f32, depth: Depth, samples: &mut Vec<u8>) {
    let number = (alpha.clamp(0.0, 1.0) * most(depth)).round();
    match depth {
        Depth::Eight => samples.push(number as u8),
        Depth::Sixteen => samples.extend_from_slice(&(number as u16).to_be_bytes()),
    }
}

/// JSON Schema of the two numbers.
fn as_numbers(schema: &mut schemars::Schema) {
    *schema = schemars::json_schema!({ "type": "integer", "enum": [2, 4], "default": 2 });
}

#[cfg(test)]
mod tests;
