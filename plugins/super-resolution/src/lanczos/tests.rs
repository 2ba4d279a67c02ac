//! What must hold of every enlarged picture.

use super::*;
use crate::light::Curve;
use crate::picture::Colour;

const SCALES: [Scale; 2] = [Scale::Two, Scale::Four];

fn grey(width: usize, height: usize, samples: Vec<u8>) -> Picture {
    Picture::new(width, height, Colour::Grey, Depth::Eight, samples)
}

/// The same numbers for the same seed.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn weights_are_the_filters_and_make_one() {
    for scale in SCALES {
        let phases = scale.phases();
        for (phase, mirrored) in phases.iter().zip(phases.iter().rev()) {
            assert!((phase.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            for (left, right) in phase.weights.iter().zip(mirrored.weights.iter().rev()) {
                assert!((left - right).abs() < 1e-6, "{phase:?} {mirrored:?}");
            }
        }
    }
    // sinc(1/4) * sinc(1/12), the value of the continuous filter a quarter of a sample from the middle.
    assert!((lanczos(0.25) - 0.890_07).abs() < 1e-4, "{}", lanczos(0.25));
    assert!(lanczos(1.0).abs() < 1e-6 && lanczos(1.5) < 0.0 && lanczos(3.0) == 0.0);
}

#[test]
fn a_constant_stays_constant() {
    for colour in [
        Colour::Grey,
        Colour::GreyAlpha,
        Colour::Rgb,
        Colour::RgbAlpha,
    ] {
        for depth in [Depth::Eight, Depth::Sixteen] {
            for seed in 1..40 {
                let mut pixel = noise(seed, colour.channels() * depth.bytes());
                if colour.has_alpha() {
                    // Colours of what is hardly seen are rounded by their opacity; here it is all seen.
                    let alpha = pixel.len() - depth.bytes();
                    pixel[alpha..].fill(255);
                }
                let picture = Picture::new(3, 2, colour, depth, pixel.repeat(6));
                for scale in SCALES {
                    let large = enlarge(&picture, scale);
                    assert_eq!(
                        (large.width, large.height),
                        (3 * scale.times(), 2 * scale.times())
                    );
                    assert!(
                        large
                            .samples
                            .chunks_exact(pixel.len())
                            .all(|found| found == pixel)
                    );
                }
            }
        }
    }
}

#[test]
fn a_gradient_stays_monotone_in_both_directions() {
    for depth in [Depth::Eight, Depth::Sixteen] {
        let row: Vec<u8> = match depth {
            Depth::Eight => (0..64).map(|n| n * 4).collect(),
            Depth::Sixteen => (0..64_u16).flat_map(|n| (n * 1000).to_be_bytes()).collect(),
        };
        let across = Picture::new(64, 3, Colour::Grey, depth, row.repeat(3));
        let down = Picture::new(1, 64, Colour::Grey, depth, row);
        for scale in SCALES {
            let large = enlarge(&across, scale);
            let found: Vec<u16> = (0..large.width).map(|x| large.pixel(x, 5)[0]).collect();
            assert!(found.is_sorted(), "{found:?}");
            assert_eq!(found.first().copied(), Some(0));
            let large = enlarge(&down, scale);
            let found: Vec<u16> = (0..large.height).map(|y| large.pixel(0, y)[0]).collect();
            assert!(found.is_sorted(), "{found:?}");
        }
    }
}

#[test]
fn no_sample_leaves_the_range_of_its_neighbours() {
    for seed in 1..20 {
        let picture = grey(9, 8, noise(seed, 72));
        for scale in SCALES {
            let large = enlarge(&picture, scale);
            for y in 0..large.height {
                for x in 0..large.width {
                    let around = |at: usize, count: usize| {
                        let place = (at as f32 + 0.5) / scale.times() as f32 - 0.5;
                        let base = place.floor() as isize;
                        [base, base + 1].map(|at| at.clamp(0, count as isize - 1) as usize)
                    };
                    let old = around(y, 8)
                        .into_iter()
                        .flat_map(|y| around(x, 9).map(|x| picture.pixel(x, y)[0]));
                    let (least, most) = old.fold((u16::MAX, 0), |(least, most), old| {
                        (least.min(old), most.max(old))
                    });
                    let new = large.pixel(x, y)[0];
                    assert!(
                        (least..=most).contains(&new),
                        "{new} is not in {least}..={most}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_edge_has_no_halo_and_is_sharper_than_a_straight_line_between() {
    let picture = grey(8, 1, vec![40, 40, 40, 40, 200, 200, 200, 200]);
    let large = enlarge(&picture, Scale::Four);
    let row: Vec<u16> = (0..32).map(|x| large.pixel(x, 0)[0]).collect();
    assert!(row[..14].iter().all(|sample| *sample == 40), "{row:?}");
    assert!(row[18..].iter().all(|sample| *sample == 200), "{row:?}");
    // In light, an eighth of the way between the two by a straight line.
    let light = ToLight::new(Curve::Srgb, Depth::Eight);
    let straight = light.of(40) + (light.of(200) - light.of(40)) / 8.0;
    assert!(light.of(row[14]) < straight, "{row:?}");
}

#[test]
fn the_middle_between_black_and_white_is_half_the_light() {
    // The mean of light is 188; the mean of numbers would be 128.
    let checks = (0..16 * 16)
        .map(|n| if (n / 16 + n) % 2 == 0 { 0 } else { 255 })
        .collect();
    let large = enlarge(&grey(16, 16, checks), Scale::Two);
    let light = ToLight::new(Curve::Srgb, Depth::Eight);
    let sum: f32 = large
        .samples
        .iter()
        .map(|sample| light.of(u16::from(*sample)))
        .sum();
    let mean = sum / large.samples.len() as f32;
    assert!((mean - 0.5).abs() < 0.01, "{mean}");
}

#[test]
fn edges_of_opacity_show_no_fringe() {
    // A red disc on nothing, where nothing has the colour black, as most programs write it.
    let inside = |n: usize| (n % 16).abs_diff(8).pow(2) + (n / 16).abs_diff(8).pow(2) < 36;
    let samples = (0..256)
        .flat_map(|n| {
            if inside(n) {
                [220, 30, 30, 255]
            } else {
                [0, 0, 0, 0]
            }
        })
        .collect();
    let disc = Picture::new(16, 16, Colour::RgbAlpha, Depth::Eight, samples);
    for scale in SCALES {
        let large = enlarge(&disc, scale);
        let mut between = 0;
        for pixel in large.samples.chunks_exact(4) {
            if pixel[3] > 0 {
                assert_eq!(pixel[..3], [220, 30, 30], "opacity {}", pixel[3]);
            }
            between += u32::from((1..255).contains(&pixel[3]));
        }
        assert!(between > 20, "the edge is soft");
    }
}

#[test]
fn samples_are_rounded_and_not_shifted() {
    // A picture and its mirror image give mirror images.
    let (width, height) = (7, 5);
    let samples = noise(3, width * height);
    let mirrored = samples
        .chunks(width)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    for scale in SCALES {
        let large = enlarge(&grey(width, height, samples.clone()), scale);
        let other = enlarge(&grey(width, height, Vec::clone(&mirrored)), scale);
        for y in 0..large.height {
            for x in 0..large.width {
                let (one, two) = (large.pixel(x, y)[0], other.pixel(large.width - 1 - x, y)[0]);
                assert!(one.abs_diff(two) <= 1, "{one} {two}");
            }
        }
    }
}
