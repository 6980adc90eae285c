//! Our own QR, drawn as SVG in the page itself: no image request, no third party (SEC-19).

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use fast_qr::qr::QRBuilder;

/// `text` as an SVG element. Level M: a screen is clean, and fewer modules scan faster.
///
/// # Panics
/// Never for our own addresses, which are far below the 2,331 bytes that fit.
#[must_use]
pub fn svg(text: &str) -> String {
    let code = QRBuilder::new(text).ecl(fast_qr::ECL::M).build().expect("an address fits into a QR code");
    let drawn = SvgBuilder::default().shape(Shape::Square).margin(2).to_str(&code);
    // Only one accessible name, given by the page around it.
    drawn.replacen("<svg ", "<svg aria-hidden=\"true\" focusable=\"false\" ", 1)
}

/// `text` as lines of half blocks for a terminal, dark modules on light ground.
///
/// # Panics
/// As [`svg`].
#[must_use]
pub fn terminal(text: &str) -> String {
    QRBuilder::new(text).ecl(fast_qr::ECL::L).build().expect("an address fits into a QR code").to_str()
}
