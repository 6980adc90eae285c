//! Error correction: Reed–Solomon codes over GF(2⁸) (ISO/IEC 18004:2015, 7.5).

/// α⁰, α¹, … for α = 2, modulo x⁸ + x⁴ + x³ + x² + 1; twice, so that a sum of two logarithms needs no modulo.
const POWER: [u8; 510] = {
    let mut power = [0; 510];
    let (mut value, mut exponent) = (1u16, 0);
    while exponent < 255 {
        power[exponent] = value as u8;
        power[exponent + 255] = value as u8;
        value <<= 1;
        if value & 0x100 != 0 {
            value ^= 0x11D;
        }
        exponent += 1;
    }
    power
};

/// The inverse of [`POWER`]; zero has none.
const LOGARITHM: [u8; 256] = {
    let mut logarithm = [0; 256];
    let mut exponent = 0;
    while exponent < 255 {
        logarithm[POWER[exponent] as usize] = exponent as u8;
        exponent += 1;
    }
    logarithm
};

/// A generator polynomial, by which data is divided.
#[derive(Debug)]
pub(super) struct Generator {
    /// Logarithms of its coefficients but the highest, which is one; none of them is zero (7.5, annex A).
    logarithms: Vec<u8>,
}

impl Generator {
    /// (x − α⁰)(x − α¹)… with so many factors.
    pub(super) fn new(factors: usize) -> Self {
        let mut coefficients = vec![0; factors];
        if let Some(last) = coefficients.last_mut() {
            *last = 1;
        }
        for &root in POWER.iter().take(factors) {
            for place in 0..factors {
                let times = product(coefficients[place], root);
                coefficients[place] = times ^ coefficients.get(place + 1).copied().unwrap_or(0);
            }
        }
        Self { logarithms: coefficients.iter().map(|&one| LOGARITHM[usize::from(one)]).collect() }
    }

    /// The codewords that follow a block of data: what is left of dividing it.
    pub(super) fn correction(&self, data: &[u8]) -> Vec<u8> {
        let mut left = vec![0; self.logarithms.len()];
        for &codeword in data {
            let lead = codeword ^ left[0];
            left.rotate_left(1);
            if let Some(last) = left.last_mut() {
                *last = 0;
            }
            if lead != 0 {
                let lead = usize::from(LOGARITHM[usize::from(lead)]);
                for (rest, &logarithm) in left.iter_mut().zip(&self.logarithms) {
                    *rest ^= POWER[lead + usize::from(logarithm)];
                }
            }
        }
        left
    }
}

fn product(one: u8, other: u8) -> u8 {
    if one == 0 || other == 0 {
        return 0;
    }
    POWER[usize::from(LOGARITHM[usize::from(one)]) + usize::from(LOGARITHM[usize::from(other)])]
}
