//! A client's colour on our pages, and what must hold of it: whatever colour it is, text on it and beside it can be read
//! (WCAG 2.2, 1.4.3: a contrast of at least 4.5).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A colour as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BrandColor {
    red: u8,
    green: u8,
    blue: u8,
}

/// A text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour such as #1677ff")]
pub struct InvalidColor;

/// The least contrast of text against its ground.
const READABLE: f64 = 4.5;

impl BrandColor {
    /// `#000000`.
    pub const BLACK: Self = Self { red: 0, green: 0, blue: 0 };
    /// `#ffffff`.
    pub const WHITE: Self = Self { red: 255, green: 255, blue: 255 };

    /// The relative luminance (WCAG 2.2), from 0 for black to 1 for white.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// The contrast ratio with another colour (WCAG 2.2), from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Black or white, whichever is read more easily on this colour. The better of the two always has a contrast of at
    /// least 4.58.
    #[must_use]
    pub fn text_on_it(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The nearest shade of this colour that can be read as text on `ground`: darker on a light ground, lighter on a dark
    /// one.
    #[must_use]
    pub fn readable_on(self, ground: Self) -> Self {
        let towards = ground.text_on_it();
        let steps = (0..=32_u16).map(|step| self.mixed(towards, step));
        steps.into_iter().find(|shade| shade.contrast(ground) >= READABLE).unwrap_or(towards)
    }

    /// `step` thirty-seconds of the way to another colour.
    fn mixed(self, other: Self, step: u16) -> Self {
        let mix = |from: u8, to: u8| {
            let sum = u16::from(from) * (32 - step) + u16::from(to) * step;
            u8::try_from(sum / 32).unwrap_or(u8::MAX)
        };
        Self {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
        }
    }
}

impl fmt::Display for BrandColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl FromStr for BrandColor {
    type Err = InvalidColor;

    fn from_str(text: &str) -> Result<Self, InvalidColor> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(InvalidColor)?;
        // `from_str_radix` would take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidColor);
        }
        let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| InvalidColor);
        Ok(Self { red: channel(0)?, green: channel(2)?, blue: channel(4)? })
    }
}

impl TryFrom<String> for BrandColor {
    type Error = InvalidColor;

    fn try_from(text: String) -> Result<Self, InvalidColor> {
        text.parse()
    }
}

impl From<BrandColor> for String {
    fn from(color: BrandColor) -> Self {
        color.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn color(text: &str) -> BrandColor {
        text.parse().unwrap()
    }

    #[test]
    fn contrasts_are_those_of_wcag() {
        assert!((BrandColor::BLACK.contrast(BrandColor::WHITE) - 21.0).abs() < 1e-9);
        // #767676 is the lightest grey that may be text on white; #777777 is not.
        assert!(color("#767676").contrast(BrandColor::WHITE) >= READABLE);
        assert!(color("#777777").contrast(BrandColor::WHITE) < READABLE);
        assert_eq!(color("#1677ff").readable_on(BrandColor::BLACK), color("#1677ff"), "readable already");
        assert_eq!(color("#07c160").text_on_it(), BrandColor::BLACK, "white on WeChat's green is 2.4");
        assert_eq!(color("#0b57d0").text_on_it(), BrandColor::WHITE);
    }

    #[test]
    fn only_six_hexadecimal_digits_are_a_colour() {
        assert_eq!(color("#1677FF").to_string(), "#1677ff");
        for text in ["", "#fff", "1677ff", "#1677fg", "#+677ff", "red", "#1677ff;}", "#码ff0"] {
            assert_eq!(text.parse::<BrandColor>(), Err(InvalidColor), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_colour_its_text_can_be_read(red: u8, green: u8, blue: u8, ground: (u8, u8, u8)) {
            let brand = BrandColor { red, green, blue };
            prop_assert!(brand.contrast(brand.text_on_it()) >= READABLE);
            let ground = BrandColor { red: ground.0, green: ground.1, blue: ground.2 };
            prop_assert!(brand.readable_on(ground).contrast(ground) >= READABLE);
        }
    }
}
