//! How hard a symbol is to read: the four penalties by which the data mask is chosen (ISO/IEC 18004:2015, 7.8.3), of whole
//! rows at a time.

use super::frame::Rows;

/// N₁ is 3 for the fifth module in a line of one colour, and one more for each further module.
const N1: u32 = 3;
const N2: u32 = 3;
const N3: u32 = 40;
const N4: u32 = 10;

/// Of a square of `size` modules, by its rows and by its columns.
pub(super) fn penalty(rows: &Rows, columns: &Rows, size: usize) -> u32 {
    let (rows, columns) = (&rows[..size], &columns[..size]);
    let lines = rows.iter().chain(columns);
    let lines: u32 = lines.map(|&line| runs(line, size) + finder_likes(line, size)).sum();
    lines + blocks(rows) + imbalance(rows)
}

/// Where a module and the next one of the line are alike.
fn alike(line: u64, size: usize) -> u64 {
    !(line ^ line >> 1) & mask(size - 1)
}

fn mask(modules: usize) -> u64 {
    (1 << modules) - 1
}

/// Five and more neighbours of one colour.
fn runs(line: u64, size: usize) -> u32 {
    let alike = alike(line, size);
    // Four likenesses in a row are five modules; each module beyond is one place more.
    let five = alike & alike >> 1 & alike >> 2 & alike >> 3;
    let begun = five & !(five << 1);
    five.count_ones() + (N1 - 1) * begun.count_ones()
}

/// What looks like the middle of a finder pattern (1:1:3:1:1) with four light modules before or behind it. Around the symbol
/// all is light.
fn finder_likes(line: u64, size: usize) -> u32 {
    let dark = |place: u32| line >> place;
    let light = |place: u32| !(line >> place);
    let like = dark(0) & light(1) & dark(2) & dark(3) & dark(4) & light(5) & dark(6) & mask(size - 6);
    // Mostly none: what follows is half of the work.
    if like == 0 {
        return 0;
    }
    let before = !(line << 1 | line << 2 | line << 3 | line << 4);
    let behind = light(7) & light(8) & light(9) & light(10);
    N3 * ((like & before).count_ones() + (like & behind).count_ones())
}

/// Squares of two by two modules of one colour.
fn blocks(rows: &[u64]) -> u32 {
    let size = rows.len();
    let pairs = rows.windows(2);
    let alike = |pair: &[u64]| alike(pair[0], size) & alike(pair[1], size) & !(pair[0] ^ pair[1]);
    N2 * pairs.map(|pair| alike(pair).count_ones()).sum::<u32>()
}

/// Each full 5 % that the dark modules are more or fewer than half.
fn imbalance(rows: &[u64]) -> u32 {
    let all = (rows.len() * rows.len()) as u32;
    let dark: u32 = rows.iter().map(|row| row.count_ones()).sum();
    N4 * ((dark * 20).abs_diff(all * 10) / all)
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::{Entropy, SeededEntropy};

    use super::*;

    /// The penalties as the standard says them, module by module.
    fn by_the_letter(dark: &[Vec<bool>]) -> u32 {
        let size = dark.len();
        let column = |x: usize| dark.iter().map(|row| row[x]).collect::<Vec<_>>();
        let mut sum = 0;
        for line in dark.iter().cloned().chain((0..size).map(column)) {
            for run in line.chunk_by(|one, next| one == next) {
                sum += if run.len() >= 5 { 3 + (run.len() - 5) } else { 0 };
            }
            let wide: Vec<bool> = [vec![false; 4], line, vec![false; 4]].concat();
            let is =
                |window: &[bool], text: &str| window.iter().zip(text.chars()).all(|(&a, b)| a == (b == '1'));
            for window in wide.windows(11) {
                sum += 40 * usize::from(is(window, "00001011101"));
                sum += 40 * usize::from(is(window, "10111010000"));
            }
        }
        for y in 1..size {
            for x in 1..size {
                let of = dark[y][x];
                sum +=
                    3 * usize::from(dark[y - 1][x] == of && dark[y][x - 1] == of && dark[y - 1][x - 1] == of);
            }
        }
        let count = dark.iter().flatten().filter(|dark| **dark).count();
        let percent = count as f64 * 100.0 / (size * size) as f64;
        sum += 10 * ((percent - 50.0).abs() / 5.0) as usize;
        u32::try_from(sum).unwrap()
    }

    #[test]
    fn whole_rows_cost_what_the_standard_says_of_their_modules() {
        let entropy = SeededEntropy::new(18_004);
        for round in 0..400 {
            let size = 21 + 4 * (round % 11);
            let mut dark = vec![vec![false; size]; size];
            for row in &mut dark {
                let mut random = vec![0; size];
                entropy.fill(&mut random);
                // Long runs of one colour among short ones, and squares that are mostly dark or mostly light.
                let limit = [128, 30, 220][round % 3];
                for x in 0..size {
                    row[x] = if x > 0 && random[x] % 5 < 2 { row[x - 1] } else { random[x] < limit };
                }
            }
            let bits = |of: &dyn Fn(usize, usize) -> bool, line: usize| {
                (0..size).map(|at| u64::from(of(line, at)) << at).sum::<u64>()
            };
            let (mut rows, mut columns) = ([0; super::super::frame::MOST], [0; super::super::frame::MOST]);
            for line in 0..size {
                rows[line] = bits(&|y, x| dark[y][x], line);
                columns[line] = bits(&|x, y| dark[y][x], line);
            }
            assert_eq!(penalty(&rows, &columns, size), by_the_letter(&dark), "round {round}");
        }
    }
}
