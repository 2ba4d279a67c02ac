//! PNG files for a caller to send: written here, without compression.

/// A picture of three bytes a pixel, row by row.
pub(crate) fn written(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let row = width as usize * 3;
    assert_eq!(pixels.len(), row * height as usize);
    let rows = pixels.chunks_exact(row);
    let filtered: Vec<u8> = rows.flat_map(|row| [&[0], row].concat()).collect();
    let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(b"IHDR", &[&sizes[..], &[8, 2, 0, 0, 0]].concat(), &mut png);
    chunk(b"IDAT", &stored(&filtered), &mut png);
    chunk(b"IEND", &[], &mut png);
    png
}

/// Width and height of a PNG.
pub(crate) fn size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// A zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks = data.chunks(usize::from(u16::MAX));
    let last = blocks.len() - 1;
    for (number, block) in blocks.enumerate() {
        let length = block.len() as u16;
        stream.push(u8::from(number == last));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let sums = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    stream.extend((sums.1 << 16 | sums.0).to_be_bytes());
    stream
}

fn chunk(kind: &[u8; 4], body: &[u8], png: &mut Vec<u8>) {
    png.extend((body.len() as u32).to_be_bytes());
    let begin = png.len();
    png.extend(kind);
    png.extend(body);
    let sum = png[begin..].iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    });
    png.extend((!sum).to_be_bytes());
}
