//! From a file's numbers to light and back. Averages of pixels are averages of light: computed on the numbers
//! themselves, edges between bright and dark come out too dark.

use crate::picture::Depth;

/// How numbers and light belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Curve {
    /// IEC 61966-2-1, and what is meant where a file says nothing.
    #[default]
    Srgb,
    /// Light is the number to the power of this.
    Power(f32),
}

impl Curve {
    /// What a file's `gAMA` chunk means: the exponent from light to numbers.
    ///
    /// 0.45455 is written by everybody who means sRGB. What is out of all proportion is not believed.
    pub fn of_gamma(gamma: f32) -> Self {
        match gamma {
            0.45..=0.46 => Self::Srgb,
            0.1..=10.0 => Self::Power(1.0 / gamma),
            _ => Self::Srgb,
        }
    }

    /// The light of a number, both 0 to 1.
    fn light(self, number: f32) -> f32 {
        match self {
            Self::Srgb if number <= 0.04045 => number / 12.92,
            Self::Srgb => ((number + 0.055) / 1.055).powf(2.4),
            Self::Power(power) => number.powf(power),
        }
    }

    /// The number of a light, both 0 to 1.
    fn number(self, light: f32) -> f32 {
        match self {
            Self::Srgb if light <= 0.003_130_8 => light * 12.92,
            Self::Srgb => 1.055 * light.powf(1.0 / 2.4) - 0.055,
            Self::Power(power) => light.powf(1.0 / power),
        }
    }
}

/// Every number's light.
pub struct ToLight(Vec<f32>);

impl ToLight {
    /// For samples of `depth`.
    pub fn new(curve: Curve, depth: Depth) -> Self {
        let most = most(depth);
        let numbers = 0..=most as u32;
        Self(
            numbers
                .map(|number| curve.light(number as f32 / most))
                .collect(),
        )
    }

    /// The light of a sample.
    pub fn of(&self, sample: u16) -> f32 {
        self.0.get(usize::from(sample)).copied().unwrap_or(1.0)
    }
}

/// The number nearest to a light.
pub enum ToNumber {
    /// Looked up: the light above which each number is nearer than the one before, from the second number on.
    Eight(Vec<f32>),
    /// Computed.
    Sixteen(Curve),
}

impl ToNumber {
    /// For samples of `depth`.
    pub fn new(curve: Curve, depth: Depth) -> Self {
        match depth {
            Depth::Eight => {
                let middle = |number: u8| (f32::from(number) + 0.5) / most(depth);
                Self::Eight(
                    (0..u8::MAX)
                        .map(|number| curve.light(middle(number)))
                        .collect(),
                )
            }
            Depth::Sixteen => Self::Sixteen(curve),
        }
    }

    /// Adds the sample of `light` to `samples`.
    pub fn write(&self, light: f32, samples: &mut Vec<u8>) {
        let light = light.clamp(0.0, 1.0);
        match self {
            Self::Eight(middles) => {
                samples.push(middles.partition_point(|middle| *middle <= light) as u8);
            }
            Self::Sixteen(curve) => {
                let number = (curve.number(light) * most(Depth::Sixteen)).round() as u16;
                samples.extend_from_slice(&number.to_be_bytes());
            }
        }
    }
}

/// The largest sample.
pub fn most(depth: Depth) -> f32 {
    match depth {
        Depth::Eight => f32::from(u8::MAX),
        Depth::Sixteen => f32::from(u16::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back_as_itself() {
        for curve in [
            Curve::Srgb,
            Curve::Power(2.2),
            Curve::Power(1.0),
            Curve::Power(1.8),
        ] {
            for (depth, numbers) in [(Depth::Eight, 255), (Depth::Sixteen, 65_535)] {
                let (to_light, to_number) =
                    (ToLight::new(curve, depth), ToNumber::new(curve, depth));
                for number in 0..=numbers {
                    let mut back = Vec::new();
                    to_number.write(to_light.of(number), &mut back);
                    let wanted = match depth {
                        Depth::Eight => vec![number as u8],
                        Depth::Sixteen => number.to_be_bytes().to_vec(),
                    };
                    assert_eq!(back, wanted, "{curve:?} {depth:?} {number}");
                }
            }
        }
    }

    #[test]
    fn the_curve_is_the_standards() {
        // IEC 61966-2-1: half of the light is 188 of 255.
        let mut half = Vec::new();
        ToNumber::new(Curve::Srgb, Depth::Eight).write(0.5, &mut half);
        assert_eq!(half, [188]);
        assert_eq!(Curve::of_gamma(0.45455), Curve::Srgb);
        assert_eq!(Curve::of_gamma(1.0), Curve::Power(1.0));
        assert_eq!(Curve::of_gamma(0.0), Curve::Srgb);
    }
}
