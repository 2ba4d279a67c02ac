//! PNG files: what is taken, within which bounds, and how results are written.

use std::io::Cursor;

use coinop_plugin::Failure;
use png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, Info, Limits, Transformations};

use crate::lanczos::Scale;
use crate::light::Curve;
use crate::picture::{Colour, ColourSpace, Depth, Picture};

/// The most pixels a result has: 2048 x 2048.
const PIXELS_MAX: u128 = 1 << 22;
/// What the decoder may allocate beside the picture, bytes: profiles are compressed, and may be bombs.
const DECODER_BYTES_MAX: usize = 16 << 20;

/// Reads a PNG that is to become `scale` times as large. Palettes become colours, bits become bytes.
///
/// # Errors
/// It is none, it is damaged or animated, or the result would be too large.
pub fn read(bytes: &[u8], scale: Scale) -> Result<Picture, Failure> {
    let limits = Limits {
        bytes: DECODER_BYTES_MAX,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let header = decoder.read_header_info().map_err(unreadable)?;
    bounded(header.width, header.height, scale)?;
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let animation = reader.info().animation_control;
    if animation.is_some_and(|animation| animation.num_frames > 1) {
        return Err(Failure::invalid("image: animated pictures are not taken"));
    }
    let space = space(reader.info());
    let size = reader.output_buffer_size().unwrap_or(usize::MAX);
    // The header is bounded, so this is at most 8 bytes a pixel.
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(unreadable)?;
    samples.truncate(frame.buffer_size());
    Ok(Picture {
        width: frame.width as usize,
        height: frame.height as usize,
        colour: colour(frame.color_type)?,
        depth: depth(frame.bit_depth)?,
        samples,
        space,
    })
}

/// Writes a picture as a PNG, with what is known of its colours.
///
/// # Errors
/// Never for a picture that was read or enlarged.
pub fn write(picture: &Picture) -> Result<Vec<u8>, Failure> {
    let mut info = Info::with_size(picture.width as u32, picture.height as u32);
    let space = &picture.space;
    info.srgb = space.srgb;
    info.source_gamma = space.gamma;
    info.source_chromaticities = space.chromaticities;
    info.icc_profile = space.icc.clone();
    let mut png = Vec::new();
    let mut encoder = Encoder::with_info(&mut png, info)?;
    encoder.set_color(match picture.colour {
        Colour::Grey => ColorType::Grayscale,
        Colour::GreyAlpha => ColorType::GrayscaleAlpha,
        Colour::Rgb => ColorType::Rgb,
        Colour::RgbAlpha => ColorType::Rgba,
    });
    encoder.set_depth(match picture.depth {
        Depth::Eight => BitDepth::Eight,
        Depth::Sixteen => BitDepth::Sixteen,
    });
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.samples)?;
    writer.finish()?;
    Ok(png)
}

fn bounded(width: u32, height: u32, scale: Scale) -> Result<(), Failure> {
    let times = scale.times() as u128;
    let pixels = u128::from(width) * u128::from(height) * times * times;
    if pixels <= PIXELS_MAX {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "image: {width} x {height} pixels, {times} times as wide and high, are {pixels}, and {PIXELS_MAX} are the most. \
         Send a smaller picture or a part of it."
    )))
}

/// What the file says of its colours. A profile is passed on and not read: nearly all of them have sRGB's curve or one
/// close to it.
fn space(info: &Info<'_>) -> ColourSpace {
    let gamma = info
        .gama_chunk
        .filter(|_| info.icc_profile.is_none() && info.srgb.is_none());
    ColourSpace {
        curve: gamma.map_or(Curve::Srgb, |gamma| Curve::of_gamma(gamma.into_value())),
        srgb: info.srgb,
        gamma: info.gama_chunk,
        chromaticities: info.chrm_chunk,
        icc: info.icc_profile.as_ref().map(|icc| icc.to_vec().into()),
    }
}

fn colour(colour: ColorType) -> Result<Colour, Failure> {
    match colour {
        ColorType::Grayscale => Ok(Colour::Grey),
        ColorType::GrayscaleAlpha => Ok(Colour::GreyAlpha),
        ColorType::Rgb => Ok(Colour::Rgb),
        ColorType::Rgba => Ok(Colour::RgbAlpha),
        ColorType::Indexed => Err(Failure::failed("the palette was not expanded")),
    }
}

fn depth(depth: BitDepth) -> Result<Depth, Failure> {
    match depth {
        BitDepth::Eight => Ok(Depth::Eight),
        BitDepth::Sixteen => Ok(Depth::Sixteen),
        other => Err(Failure::failed(format!(
            "samples were not expanded: {other:?}"
        ))),
    }
}

fn unreadable(error: DecodingError) -> Failure {
    match error {
        DecodingError::LimitsExceeded => {
            Failure::invalid("image: the PNG needs more memory than is given to it")
        }
        error => Failure::invalid(format!("image: this is no PNG that can be read: {error}")),
    }
}

#[cfg(test)]
mod tests;
