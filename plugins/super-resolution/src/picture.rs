//! A picture as samples: how many, of what, and what its numbers mean.

use std::borrow::Cow;

use crate::light::Curve;

/// What one pixel has, in the order of a PNG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Grey.
    Grey,
    /// Grey and opacity.
    GreyAlpha,
    /// Red, green and blue.
    Rgb,
    /// Red, green, blue and opacity.
    RgbAlpha,
}

/// Bytes of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One, 0 to 255.
    Eight,
    /// Two, the high one first, 0 to 65,535.
    Sixteen,
}

/// What a file says of its colours. It is kept as it came, and only the curve is understood.
#[derive(Clone, Debug, Default)]
pub struct ColourSpace {
    /// From samples to light.
    pub curve: Curve,
    /// It says that it is sRGB, and for what intent.
    pub srgb: Option<png::SrgbRenderingIntent>,
    /// Its exponent.
    pub gamma: Option<png::ScaledFloat>,
    /// What its red, green, blue and white are.
    pub chromaticities: Option<png::SourceChromaticities>,
    /// A whole profile.
    pub icc: Option<Cow<'static, [u8]>>,
}

/// A picture, row by row from the top, without padding.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// What a pixel has.
    pub colour: Colour,
    /// How much of it.
    pub depth: Depth,
    /// `width * height` pixels.
    pub samples: Vec<u8>,
    /// What the samples mean.
    pub space: ColourSpace,
}

impl Colour {
    /// Samples a pixel.
    pub fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::RgbAlpha => 4,
        }
    }

    /// Whether a pixel's last sample is its opacity.
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::RgbAlpha)
    }
}

impl Depth {
    /// Bytes a sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::Eight => 1,
            Self::Sixteen => 2,
        }
    }
}

#[cfg(test)]
impl Picture {
    /// One in plain sRGB.
    pub fn new(
        width: usize,
        height: usize,
        colour: Colour,
        depth: Depth,
        samples: Vec<u8>,
    ) -> Self {
        assert_eq!(
            samples.len(),
            width * height * colour.channels() * depth.bytes()
        );
        Self {
            width,
            height,
            colour,
            depth,
            samples,
            space: ColourSpace::default(),
        }
    }

    /// The samples of one pixel, as numbers.
    pub fn pixel(&self, x: usize, y: usize) -> Vec<u16> {
        let bytes = self.depth.bytes();
        let pixel = bytes * self.colour.channels();
        let at = (y * self.width + x) * pixel;
        let samples = self.samples[at..at + pixel].chunks_exact(bytes);
        samples
            .map(|sample| {
                sample
                    .iter()
                    .fold(0, |high, low| high << 8 | u16::from(*low))
            })
            .collect()
    }
}
