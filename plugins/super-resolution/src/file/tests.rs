//! Every kind of PNG, written here by the codec and read back; and what is refused.

use std::borrow::Cow;

use png::ScaledFloat;

use super::*;

/// A file of `data` as it is packed, with whatever `set` says.
fn file(
    width: u32,
    height: u32,
    colour: ColorType,
    depth: BitDepth,
    data: &[u8],
    set: impl FnOnce(&mut Info<'_>),
) -> Vec<u8> {
    let mut info = Info::with_size(width, height);
    set(&mut info);
    let mut png = Vec::new();
    let mut encoder = Encoder::with_info(&mut png, info).unwrap();
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(data)
        .unwrap();
    png
}

fn whole(png: &[u8]) -> Picture {
    read(png, Scale::Two).unwrap()
}

fn refusal(png: &[u8], scale: Scale) -> String {
    match read(png, scale) {
        Err(Failure::InvalidArguments(why)) => why,
        other => panic!("{:?}", other.map(|picture| picture.samples.len())),
    }
}

#[test]
fn palettes_and_bits_become_colours_and_bytes() {
    let palette = |info: &mut Info<'_>| info.palette = Some(Cow::Borrowed(&[1, 2, 3, 4, 5, 6]));
    let picture = whole(&file(
        2,
        1,
        ColorType::Indexed,
        BitDepth::One,
        &[0b0100_0000],
        palette,
    ));
    assert_eq!(
        (picture.colour, picture.samples),
        (Colour::Rgb, vec![1, 2, 3, 4, 5, 6])
    );

    let seen_through = |info: &mut Info<'_>| {
        palette(info);
        info.trns = Some(Cow::Borrowed(&[9]));
    };
    let picture = whole(&file(
        2,
        1,
        ColorType::Indexed,
        BitDepth::One,
        &[0b0100_0000],
        seen_through,
    ));
    assert_eq!(picture.colour, Colour::RgbAlpha);
    assert_eq!(
        (picture.pixel(0, 0), picture.pixel(1, 0)),
        (vec![1, 2, 3, 9], vec![4, 5, 6, 255])
    );

    let picture = whole(&file(
        2,
        1,
        ColorType::Grayscale,
        BitDepth::Four,
        &[0x0f],
        |_| (),
    ));
    assert_eq!(
        (picture.colour, picture.samples),
        (Colour::Grey, vec![0, 255])
    );
}

#[test]
fn a_colour_that_means_transparent_becomes_opacity() {
    let key = |info: &mut Info<'_>| info.trns = Some(Cow::Borrowed(&[0, 7]));
    let picture = whole(&file(
        2,
        1,
        ColorType::Grayscale,
        BitDepth::Eight,
        &[7, 8],
        key,
    ));
    assert_eq!(picture.colour, Colour::GreyAlpha);
    assert_eq!(
        (picture.pixel(0, 0), picture.pixel(1, 0)),
        (vec![7, 0], vec![8, 255])
    );
}

#[test]
fn what_is_written_is_read_back() {
    for colour in [
        Colour::Grey,
        Colour::GreyAlpha,
        Colour::Rgb,
        Colour::RgbAlpha,
    ] {
        for depth in [Depth::Eight, Depth::Sixteen] {
            let samples = (0..30 * colour.channels() * depth.bytes())
                .map(|n| n as u8)
                .collect();
            let picture = Picture::new(5, 6, colour, depth, samples);
            let back = whole(&write(&picture).unwrap());
            assert_eq!((back.width, back.height), (5, 6));
            assert_eq!(
                (back.colour, back.depth, back.samples),
                (colour, depth, picture.samples)
            );
        }
    }
}

/// The codec writes no interlaced files, so the passes are laid out here; each is small enough for one stored block.
#[test]
fn interlaced_files_are_read() {
    let (width, height) = (5_u32, 7_u32);
    let pixels: Vec<u8> = (0..width * height).map(|n| n as u8 * 7).collect();
    let mut passes = Vec::new();
    for pass in 1..=7 {
        let (x0, y0, dx, dy) = [
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ][pass - 1];
        for y in (y0..height).step_by(dy) {
            let row: Vec<u8> = (x0..width)
                .step_by(dx)
                .map(|x| pixels[(y * width + x) as usize])
                .collect();
            if !row.is_empty() {
                passes.push(0);
                passes.extend(row);
            }
        }
    }
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes()[..],
        &[8, 0, 0, 0, 1],
    ]
    .concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [
        (b"IHDR", header),
        (b"IDAT", stored(&passes)),
        (b"IEND", Vec::new()),
    ] {
        chunk(kind, &body, &mut png);
    }
    let picture = whole(&png);
    assert_eq!(picture.samples, pixels);
}

/// A zlib stream of one stored block.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut stream = vec![0x78, 0x01, 1];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

fn chunk(kind: &[u8; 4], body: &[u8], png: &mut Vec<u8>) {
    png.extend((body.len() as u32).to_be_bytes());
    let begin = png.len();
    png.extend(kind);
    png.extend(body);
    let mut sum = u32::MAX;
    for byte in &png[begin..] {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    png.extend((!sum).to_be_bytes());
}

#[test]
fn what_a_file_says_of_its_colours_stays() {
    let gamma = ScaledFloat::from_scaled(100_000);
    let linear = file(1, 1, ColorType::Grayscale, BitDepth::Eight, &[5], |info| {
        info.source_gamma = Some(gamma)
    });
    let picture = whole(&linear);
    assert_eq!(picture.space.curve, Curve::Power(1.0));
    assert_eq!(whole(&write(&picture).unwrap()).space.gamma, Some(gamma));

    let profile = file(1, 1, ColorType::Grayscale, BitDepth::Eight, &[5], |info| {
        info.icc_profile = Some(Cow::Borrowed(b"a profile"));
    });
    let picture = whole(&write(&whole(&profile)).unwrap());
    assert_eq!(picture.space.icc.as_deref(), Some(&b"a profile"[..]));
    assert_eq!(picture.space.curve, Curve::Srgb);
}

#[test]
fn sizes_are_bounded_before_anything_is_decoded() {
    let header = |width: u32, height: u32| {
        let body = [
            &width.to_be_bytes()[..],
            &height.to_be_bytes()[..],
            &[8, 6, 0, 0, 0],
        ]
        .concat();
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        chunk(b"IHDR", &body, &mut png);
        png
    };
    for (width, height, scale) in [
        (1025, 1024, Scale::Two),
        (512, 513, Scale::Four),
        (0x7fff_ffff, 0x7fff_ffff, Scale::Four),
    ] {
        let why = refusal(&header(width, height), scale);
        assert!(why.contains("4194304 are the most"), "{why}");
    }
    // Within the bounds it is the missing rest that is wrong.
    assert!(refusal(&header(1024, 1024), Scale::Two).contains("no PNG that can be read"));
}

#[test]
fn damaged_and_animated_files_are_refused() {
    let samples = (0..=255).collect();
    let good = write(&Picture::new(16, 16, Colour::Grey, Depth::Eight, samples)).unwrap();
    let mut wrong = good.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 0xff;
    for bytes in [&good[..good.len() / 2], &wrong, b"GIF89a", b""] {
        assert!(refusal(bytes, Scale::Two).contains("no PNG that can be read"));
    }
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, 1, 1);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[1]).unwrap();
    writer.write_image_data(&[2]).unwrap();
    writer.finish().unwrap();
    assert!(refusal(&png, Scale::Two).contains("animated"));
}
