//! A QR code symbol of error correction level M, up to version 11 (ISO/IEC 18004:2015).
//!
//! `fast_qr` took a fifth of a login: it tries the eight masks on copies of 31 KB, module by module. Here a row is a word of the
//! processor, and what symbols of a version share is drawn once. It is the test's yardstick: both draw alike.

use super::frame::{Frame, MASKS, MOST, Rows, header};
use super::penalty::penalty;

/// Dark and light modules in a square.
#[derive(Debug)]
pub(super) struct Symbol {
    size: usize,
    rows: Rows,
}

impl Symbol {
    /// `text` in the smallest version it fits into, under the mask that reads best; nothing beyond 251 bytes.
    pub(super) fn of(text: &str) -> Option<Self> {
        let frame = Frame::of(text.len())?;
        let data = place(frame, text.as_bytes());
        let masked = (0..MASKS).map(|mask| under(frame, &data, mask));
        let (rows, _) = masked.min_by_key(|(rows, columns)| penalty(rows, columns, frame.size))?;
        Some(Self { size: frame.size, rows })
    }

    /// Modules on a side.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// From above; the lowest bit is the left module, and set where it is dark.
    pub(super) fn rows(&self) -> &[u64] {
        &self.rows[..self.size]
    }
}

/// Rows and columns under a mask.
fn under(frame: &Frame, data: &(Rows, Rows), mask: usize) -> (Rows, Rows) {
    let (mut rows, mut columns) = frame.empty[mask];
    for line in 0..frame.size {
        rows[line] ^= data.0[line];
        columns[line] ^= data.1[line];
    }
    (rows, columns)
}

/// The codewords' bits where they belong, by row and by column.
fn place(frame: &Frame, text: &[u8]) -> (Rows, Rows) {
    let (mut rows, mut columns) = ([0; MOST], [0; MOST]);
    let mut places = frame.places.iter();
    for codeword in codewords(frame, text) {
        for (bit, &(x, y)) in (0..8).rev().zip(&mut places) {
            let dark = u64::from(codeword >> bit & 1);
            rows[usize::from(y)] |= dark << x;
            columns[usize::from(x)] |= dark << y;
        }
    }
    (rows, columns)
}

/// Data and correction, block by block in turns (7.6).
fn codewords(frame: &Frame, text: &[u8]) -> Vec<u8> {
    let data = data(frame, text);
    let (short, longer) = (frame.room / frame.blocks, frame.room % frame.blocks);
    let (short_ones, long_ones) = data.split_at(short * (frame.blocks - longer));
    let blocks: Vec<&[u8]> = short_ones.chunks(short).chain(long_ones.chunks(short + 1)).collect();
    let corrections: Vec<Vec<u8>> = blocks.iter().map(|block| frame.generator.correction(block)).collect();
    let mut codewords = Vec::with_capacity(data.len() + corrections.iter().map(Vec::len).sum::<usize>());
    for place in 0..=short {
        codewords.extend(blocks.iter().filter_map(|block| block.get(place)));
    }
    for place in 0..corrections[0].len() {
        codewords.extend(corrections.iter().map(|correction| correction[place]));
    }
    codewords
}

/// Bytes with mode, length and padding (7.4.5, 7.4.9, 7.4.10).
fn data(frame: &Frame, text: &[u8]) -> Vec<u8> {
    const BYTES: u8 = 0b0100;
    const END: u8 = 0b0000;
    let mut nibbles = Vec::with_capacity(2 * frame.room);
    nibbles.push(BYTES);
    let digits = (header(frame.version) - 4) / 4;
    nibbles.extend((0..digits).rev().map(|digit| (text.len() >> (4 * digit) & 15) as u8));
    nibbles.extend(text.iter().flat_map(|byte| [byte >> 4, byte & 15]));
    // An odd number so far, so there is room.
    nibbles.push(END);
    let mut data: Vec<u8> = nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    data.extend([0xEC, 0x11].into_iter().cycle().take(frame.room - data.len()));
    data
}

#[cfg(test)]
mod tests {
    use fast_qr::{ECL, Mask, Mode, QRBuilder};
    use mashang_login::ambient::{Entropy, SeededEntropy};

    use super::*;

    const MASK: [Mask; MASKS] = [
        Mask::Checkerboard,
        Mask::HorizontalLines,
        Mask::VerticalLines,
        Mask::DiagonalLines,
        Mask::LargeCheckerboard,
        Mask::Fields,
        Mask::Diamonds,
        Mask::Meadow,
    ];

    #[test]
    fn every_length_under_every_mask_is_as_another_library_draws_it() {
        let entropy = SeededEntropy::new(7);
        let mut sizes = Vec::new();
        for length in 1..=251 {
            let mut random = vec![0; length];
            entropy.fill(&mut random);
            let text: String = random.iter().map(|byte| char::from(b' ' + byte % 95)).collect();
            let frame = Frame::of(length).unwrap();
            sizes.push(frame.size);
            let data = place(frame, text.as_bytes());
            for (number, mask) in MASK.into_iter().enumerate() {
                let mut builder = QRBuilder::new(text.as_str());
                let theirs = builder.ecl(ECL::M).mode(Mode::Byte).mask(mask).build().unwrap();
                assert_eq!(frame.size, theirs.size, "{length} bytes");
                let (rows, columns) = under(frame, &data, number);
                for y in 0..frame.size {
                    for x in 0..frame.size {
                        let dark = theirs[y][x].value();
                        let at = format!("{length} bytes, mask {number}, column {x}, row {y}");
                        assert_eq!(rows[y] >> x & 1 == 1, dark, "{at}");
                        assert_eq!(columns[x] >> y & 1 == 1, dark, "{at}");
                    }
                }
            }
        }
        sizes.dedup();
        assert_eq!(sizes, [21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61]);
        assert!(Frame::of(252).is_none());
    }

    #[test]
    fn the_mask_that_reads_best_is_taken() {
        let text = "https://login.example/s/abcdefgh";
        let frame = Frame::of(text.len()).unwrap();
        let data = place(frame, text.as_bytes());
        let penalties: Vec<u32> = (0..MASKS)
            .map(|mask| {
                let (rows, columns) = under(frame, &data, mask);
                penalty(&rows, &columns, frame.size)
            })
            .collect();
        let best = (0..MASKS).min_by_key(|&mask| penalties[mask]).unwrap();
        assert_eq!(Symbol::of(text).unwrap().rows, under(frame, &data, best).0, "{penalties:?}");
    }
}
