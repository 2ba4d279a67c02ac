//! PNG pictures two or four times as large, as a coinop plugin: the tool `super_resolution`.
//!
//! This file owns what callers send and get, and the bounds of both. Nothing is drawn that is not in the picture: it is
//! resampling of high quality, and no model that makes up detail.

mod file;
mod lanczos;
mod light;
mod picture;

use coinop_plugin::{Failure, Json, Output, Tool, progress};
use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lanczos::Scale;

coinop_plugin::export!(tools);

/// The longest `image`: two million bytes of PNG in base64, with some room for line ends. A host takes requests of 4 MiB.
const IMAGE_CHARS_MAX: u32 = 2_800_000;
/// The largest answer, bytes of PNG: in base64 it fits into the 4 MiB that a host lets an answer have.
const ANSWER_BYTES_MAX: usize = 3_000_000;

const DESCRIPTION: &str = "Enlarges a PNG picture 2 or 4 times in each direction and returns it as a PNG. A \
    Lanczos-3 filter in linear light with protection against halos: smooth gradients, clean edges, right colours and \
    transparency; grey, palette, 8 and 16 bits and interlaced files are taken. It adds no detail that is not there (no \
    generative model). The result may have at most 4,194,304 pixels, so 1024 x 1024 can become twice, 512 x 512 four \
    times as large. A picture that cannot be read or would become too large costs nothing.";

fn tools() -> Vec<Tool> {
    vec![
        Tool::new("super_resolution", super_resolution)
            .title("Enlarge a picture")
            .description(DESCRIPTION)
            .price("0.49", "USD")
            .pure(),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The PNG file in base64, with or without `data:image/png;base64,` in front.
    #[schemars(length(min = 1, max = IMAGE_CHARS_MAX))]
    image: String,
    /// How many times wider and higher the result is.
    #[serde(default)]
    scale: Scale,
}

/// What was made, beside the picture itself.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Enlarged {
    /// Pixels across.
    width: u32,
    /// Pixels down.
    height: u32,
    /// How many times wider and higher than what came.
    scale: u32,
    /// The size of the PNG file.
    bytes: usize,
}

fn super_resolution(arguments: Arguments) -> Result<(Output, Json<Enlarged>), Failure> {
    let bytes = decoded(&arguments.image)?;
    progress(0.0, 4.0, "reading the picture");
    let picture = file::read(&bytes, arguments.scale)?;
    progress(1.0, 4.0, "enlarging");
    let large = lanczos::enlarge(&picture, arguments.scale);
    progress(2.0, 4.0, "writing the picture");
    let png = file::write(&large)?;
    if png.len() > ANSWER_BYTES_MAX {
        return Err(Failure::invalid(too_large(png.len(), arguments.scale)));
    }
    let scale = arguments.scale.times() as u32;
    let (width, height) = (large.width as u32, large.height as u32);
    let words = format!(
        "Enlarged {scale} times: {} x {} became {width} x {height} pixels.",
        picture.width, picture.height
    );
    let enlarged = Enlarged {
        width,
        height,
        scale,
        bytes: png.len(),
    };
    let output = Output::new().text(words).image(png, "image/png");
    Ok((output, Json(enlarged)))
}

/// The bytes of the base64 text, whatever white space it is broken by.
fn decoded(image: &str) -> Result<Vec<u8>, Failure> {
    let text = image.trim();
    let text = match text.split_once(',') {
        Some(("data:image/png;base64", rest)) => rest,
        Some(_) => {
            return Err(Failure::invalid(
                "image: a data URL begins with data:image/png;base64,",
            ));
        }
        None => text,
    };
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    BASE64
        .decode(&text)
        .map_err(|error| Failure::invalid(format!("image: this is no base64: {error}")))
}

fn too_large(bytes: usize, scale: Scale) -> String {
    let advice = match scale {
        Scale::Two => "Send a part of it.",
        Scale::Four => "Send a part of it, or take scale 2.",
    };
    format!(
        "the result would be a file of {bytes} bytes, and {ANSWER_BYTES_MAX} are the most that is sent back. {advice}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Colour, Depth, Picture};

    fn asked(image: &str, scale: Scale) -> Result<(Output, Json<Enlarged>), Failure> {
        super_resolution(Arguments {
            image: image.to_owned(),
            scale,
        })
    }

    /// A file that a caller might send.
    fn small() -> String {
        let picture = Picture::new(3, 2, Colour::Rgb, Depth::Eight, (0..18).collect());
        BASE64.encode(&file::write(&picture).unwrap())
    }

    #[test]
    fn base64_is_taken_as_it_comes() {
        let plain = small();
        let mut broken = plain.clone();
        broken.insert_str(20, "\r\n");
        for image in [
            plain.clone(),
            format!("data:image/png;base64,{plain}"),
            format!(" {broken}\n"),
        ] {
            let (_, Json(enlarged)) = asked(&image, Scale::Two).unwrap();
            assert_eq!((enlarged.width, enlarged.height), (6, 4));
        }
    }

    #[test]
    fn what_is_no_picture_is_told() {
        for (image, word) in [
            ("####", "base64"),
            ("data:image/jpeg;base64,AAAA", "data:image/png"),
            ("AAAA", "PNG"),
        ] {
            match asked(image, Scale::Two) {
                Err(Failure::InvalidArguments(why)) => assert!(why.contains(word), "{why}"),
                other => panic!("{image}: {:?}", other.map(|(_, json)| json)),
            }
        }
    }

    #[test]
    fn a_file_that_is_too_large_to_send_is_refused() {
        // Noise, which no compression makes small: 600 x 600 x 4 x 2 bytes, four times that when enlarged.
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        let samples = noise.take(400 * 400 * 6).collect();
        let picture = Picture::new(400, 400, Colour::Rgb, Depth::Sixteen, samples);
        let image = BASE64.encode(&file::write(&picture).unwrap());
        match asked(&image, Scale::Two).map(|(_, json)| json) {
            Err(Failure::InvalidArguments(why)) => {
                assert!(why.contains("most that is sent"), "{why}")
            }
            other => panic!("{other:?}"),
        }
    }
}
