//! A two-colour PNG, one of them transparent: all that a transparent mini code needs, so no image library.

/// `ink` tells for each pixel, row by row, whether it has the colour.
pub(super) fn encode(ink: &[bool], side: u16, colour: [u8; 3]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend_from_slice(&u32::from(side).to_be_bytes());
    header.extend_from_slice(&u32::from(side).to_be_bytes());
    // One bit a pixel, indexed colour, the one compression, the one filter, not interlaced.
    header.extend_from_slice(&[1, 3, 0, 0, 0]);
    chunk(&mut png, b"IHDR", &header);
    let [r, g, b] = colour;
    chunk(&mut png, b"PLTE", &[0xff, 0xff, 0xff, r, g, b]);
    // The first colour is transparent.
    chunk(&mut png, b"tRNS", &[0]);
    chunk(&mut png, b"IDAT", &stored(&rows(ink, usize::from(side))));
    chunk(&mut png, b"IEND", &[]);
    png
}

/// Each row: filter type none, then eight pixels a byte.
fn rows(ink: &[bool], side: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in ink.chunks_exact(side) {
        bytes.push(0);
        bytes.extend(row.chunks(8).map(|eight| {
            eight.iter().enumerate().fold(0u8, |byte, (at, lit)| byte | (u8::from(*lit) << (7 - at)))
        }));
    }
    bytes
}

/// A zlib stream of stored blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("blocks are cut to fit");
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    stream.extend_from_slice(&(b << 16 | a).to_be_bytes());
    stream
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("pictures are far below 4 GiB");
    png.extend_from_slice(&length.to_be_bytes());
    png.extend_from_slice(kind);
    png.extend_from_slice(bytes);
    let checked = kind.iter().chain(bytes);
    let crc = checked.fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    png.extend_from_slice(&(!crc).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_carry_the_known_checksums() {
        let mut png = Vec::new();
        chunk(&mut png, b"IEND", &[]);
        assert_eq!(png, b"\x00\x00\x00\x00IEND\xae\x42\x60\x82");
        // Adler-32 of "Wikipedia", a published value.
        assert_eq!(stored(b"Wikipedia")[16..], 0x11e6_0398u32.to_be_bytes());
    }

    #[test]
    fn eight_pixels_share_a_byte() {
        let ink = [true, false, false, false, false, false, false, true, true, false, false, false];
        assert_eq!(rows(&ink[..9], 9), [0, 0b1000_0001, 0b1000_0000]);
        let png = encode(&[true; 4], 2, [0, 0, 0]);
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    }
}
