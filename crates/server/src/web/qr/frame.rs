//! What all symbols of one version have in common (ISO/IEC 18004:2015, 6.3, 7.7 to 7.10): made once, when the first is drawn.

use std::sync::OnceLock;

use super::correction::Generator;

/// A square of modules: a bit of each row for each column, or the other way round.
pub(super) type Rows = [u64; MOST];

/// Modules on a side of the largest version here: as many as bits in a row have room for.
pub(super) const MOST: usize = 61;
/// That version.
const VERSIONS: usize = 11;
/// Ways to mask the data.
pub(super) const MASKS: usize = 8;

/// Of each version at error correction level M: codewords in all, those for correction in a block, blocks (table 9).
const CAPACITY: [(usize, usize, usize); VERSIONS] = [
    (26, 10, 1),
    (44, 16, 1),
    (70, 26, 1),
    (100, 18, 2),
    (134, 24, 2),
    (172, 16, 4),
    (196, 18, 4),
    (242, 22, 4),
    (292, 22, 5),
    (346, 26, 5),
    (404, 30, 5),
];

/// A version at level M, ready for data.
#[derive(Debug)]
pub(super) struct Frame {
    /// 1 to 11.
    pub(super) version: usize,
    /// Modules on a side.
    pub(super) size: usize,
    /// Codewords of data.
    pub(super) room: usize,
    /// Blocks that data is cut into; the first ones may be a codeword shorter.
    pub(super) blocks: usize,
    pub(super) generator: Generator,
    /// Column and row of each bit, in the order in which data fills the symbol.
    pub(super) places: Vec<(u8, u8)>,
    /// For each mask, rows and columns of a symbol whose data is all zero.
    pub(super) empty: Box<[(Rows, Rows); MASKS]>,
}

impl Frame {
    /// The smallest version that so many bytes fit into; none beyond 251 bytes.
    pub(super) fn of(bytes: usize) -> Option<&'static Self> {
        static FRAMES: [OnceLock<Frame>; VERSIONS] = [const { OnceLock::new() }; VERSIONS];
        let version = (1..=VERSIONS).find(|&version| header(version) + 8 * bytes <= 8 * room(version))?;
        Some(FRAMES[version - 1].get_or_init(|| Self::new(version)))
    }

    fn new(version: usize) -> Self {
        let (_, correction, blocks) = CAPACITY[version - 1];
        let mut drawing = Drawing::new(version);
        drawing.function_patterns();
        let places = drawing.places();
        let masked = |mask: usize| {
            let mut masked = drawing.clone();
            masked.format(mask);
            for &(x, y) in &places {
                let (x, y) = (usize::from(x), usize::from(y));
                masked.set(x, y, inverts(mask, x, y));
            }
            (masked.rows, masked.columns)
        };
        let empty = Box::new(std::array::from_fn(masked));
        let (size, room) = (drawing.size, room(version));
        Self { version, size, room, blocks, generator: Generator::new(correction), places, empty }
    }
}

/// Bits before the data: its mode and its length (7.4.1, table 3).
pub(super) const fn header(version: usize) -> usize {
    if version < 10 { 4 + 8 } else { 4 + 16 }
}

const fn room(version: usize) -> usize {
    let (all, correction, blocks) = CAPACITY[version - 1];
    all - correction * blocks
}

/// Whether a mask inverts the data there (table 10).
fn inverts(mask: usize, x: usize, y: usize) -> bool {
    match mask {
        0 => (x + y).is_multiple_of(2),
        1 => y.is_multiple_of(2),
        2 => x.is_multiple_of(3),
        3 => (x + y).is_multiple_of(3),
        4 => (x / 3 + y / 2).is_multiple_of(2),
        5 => x * y % 2 + x * y % 3 == 0,
        6 => (x * y % 2 + x * y % 3).is_multiple_of(2),
        _ => ((x + y) % 2 + x * y % 3).is_multiple_of(2),
    }
}

/// A symbol while its frame is drawn.
#[derive(Clone)]
struct Drawing {
    version: usize,
    size: usize,
    rows: Rows,
    columns: Rows,
    /// Modules that no data goes to, by row.
    taken: Rows,
}

impl Drawing {
    fn new(version: usize) -> Self {
        let size = 17 + 4 * version;
        Self { version, size, rows: [0; MOST], columns: [0; MOST], taken: [0; MOST] }
    }

    fn set(&mut self, x: usize, y: usize, dark: bool) {
        let put = |line: &mut u64, at: usize| *line = *line & !(1 << at) | u64::from(dark) << at;
        put(&mut self.rows[y], x);
        put(&mut self.columns[x], y);
        self.taken[y] |= 1 << x;
    }

    fn is_free(&self, x: usize, y: usize) -> bool {
        self.taken[y] >> x & 1 == 0
    }

    fn function_patterns(&mut self) {
        let last = self.size - 1;
        for at in 0..self.size {
            self.set(at, 6, at % 2 == 0);
            self.set(6, at, at % 2 == 0);
        }
        for (x, y) in [(3, 3), (last - 3, 3), (3, last - 3)] {
            self.finder_pattern(x, y);
        }
        let with_finder_patterns = [(6, 6), (6, last - 6), (last - 6, 6)];
        for &x in self.alignment_patterns() {
            for &y in self.alignment_patterns() {
                if !with_finder_patterns.contains(&(x, y)) {
                    self.rings(x, y, 2, |ring| ring != 1);
                }
            }
        }
        // Reserves their place; each mask has its own.
        self.format(0);
        if self.version >= 7 {
            self.version_information();
        }
    }

    /// With its separator, as far as it lies inside.
    fn finder_pattern(&mut self, x: usize, y: usize) {
        self.rings(x, y, 4, |ring| ring != 2 && ring != 4);
    }

    /// Squares around a centre, those inside the symbol.
    fn rings(&mut self, x: usize, y: usize, rings: usize, is_dark: impl Fn(usize) -> bool) {
        for row in y.saturating_sub(rings)..=(y + rings).min(self.size - 1) {
            for column in x.saturating_sub(rings)..=(x + rings).min(self.size - 1) {
                self.set(column, row, is_dark(column.abs_diff(x).max(row.abs_diff(y))));
            }
        }
    }

    /// Their centres, in both directions (annex E).
    fn alignment_patterns(&self) -> &'static [usize] {
        match self.version {
            1 => &[],
            2 => &[6, 18],
            3 => &[6, 22],
            4 => &[6, 26],
            5 => &[6, 30],
            6 => &[6, 34],
            7 => &[6, 22, 38],
            8 => &[6, 24, 42],
            9 => &[6, 26, 46],
            10 => &[6, 28, 50],
            _ => &[6, 30, 54],
        }
    }

    /// Level M and the mask, with ten bits of a BCH code, twice (7.9).
    fn format(&mut self, mask: usize) {
        let bits = (mask << 10 | remainder(mask << 10, 0b101_0011_0111)) ^ 0b101_0100_0001_0010;
        let is_set = |bit: usize| bits >> bit & 1 == 1;
        let size = self.size;
        for bit in 0..15 {
            let beside = match bit {
                0..=5 => (8, bit),
                6 | 7 => (8, bit + 1),
                8 => (7, 8),
                _ => (14 - bit, 8),
            };
            let away = if bit < 8 { (size - 1 - bit, 8) } else { (8, size - 15 + bit) };
            for (x, y) in [beside, away] {
                self.set(x, y, is_set(bit));
            }
        }
        // Always dark.
        self.set(8, size - 8, true);
    }

    /// With twelve bits of a BCH code, twice (7.10).
    fn version_information(&mut self) {
        let bits = self.version << 12 | remainder(self.version << 12, 0b1_1111_0010_0101);
        for bit in 0..18 {
            let (near, far) = (bit / 3, self.size - 11 + bit % 3);
            let is_set = bits >> bit & 1 == 1;
            self.set(near, far, is_set);
            self.set(far, near, is_set);
        }
    }

    /// Two columns at a time from the right, upwards, then downwards; around the timing pattern (7.7.3).
    fn places(&self) -> Vec<(u8, u8)> {
        let mut places = Vec::with_capacity(self.size * self.size);
        let pairs = (8..self.size).rev().step_by(2).chain([5, 3, 1]);
        for (pair, right) in pairs.enumerate() {
            for step in 0..self.size {
                let y = if pair % 2 == 0 { self.size - 1 - step } else { step };
                for x in [right, right - 1] {
                    if self.is_free(x, y) {
                        places.push((x as u8, y as u8));
                    }
                }
            }
        }
        places
    }
}

/// Of dividing polynomials over GF(2).
fn remainder(mut bits: usize, by: usize) -> usize {
    while bits != 0 && bits.ilog2() >= by.ilog2() {
        bits ^= by << (bits.ilog2() - by.ilog2());
    }
    bits
}
