//! The picture of a mini code. The real round code's format is not public, so a QR stands in a ring of rays: any scanner
//! reads it, and it looks like what it is (mini-program fact sheet §13).

use fast_qr::{ECL, QRBuilder};
use jpeg_encoder::{ColorType, Encoder};

use super::png;
use crate::cgi::Reply;

/// What is drawn around the QR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// 小程序码
    Ring,
    /// The square QR of interface C.
    Plain,
}

/// How a caller wants it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) side: u16,
    pub(super) colour: [u8; 3],
    pub(super) transparent: bool,
    pub(super) frame: Frame,
}

/// JPEG, or PNG when transparent; nothing when the text is too long for a QR of this size.
pub(super) fn draw(text: &str, look: Look) -> Option<Reply> {
    let ink = ink(text, look)?;
    if look.transparent {
        return Some(Reply::Picture {
            media_type: "image/png",
            bytes: png::encode(&ink, look.side, look.colour),
        });
    }
    let pixels: Vec<u8> = ink.iter().flat_map(|lit| if *lit { look.colour } else { [0xff; 3] }).collect();
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 90).encode(&pixels, look.side, look.side, ColorType::Rgb).ok()?;
    Some(Reply::Picture { media_type: "image/jpeg", bytes })
}

/// Which pixels have the colour.
fn ink(text: &str, look: Look) -> Option<Vec<bool>> {
    let qr = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let side = usize::from(look.side);
    let room = if look.frame == Frame::Ring { side * 3 / 5 } else { side * 9 / 10 };
    let module = room / (qr.size + 2);
    if module < 2 {
        return None;
    }
    let start = (side - qr.size * module) / 2;
    let inside = start..start + qr.size * module;
    let mut ink = Vec::with_capacity(side * side);
    for y in 0..side {
        for x in 0..side {
            let in_qr = inside.contains(&x) && inside.contains(&y);
            let lit = in_qr && qr[(y - start) / module][(x - start) / module].value();
            ink.push(lit || (look.frame == Frame::Ring && on_ray(x, y, side)));
        }
    }
    Some(ink)
}

/// Whether a pixel lies on one of the 48 rays near the rim.
fn on_ray(x: usize, y: usize, side: usize) -> bool {
    let half = side as f32 / 2.0;
    let (dx, dy) = (x as f32 - half, y as f32 - half);
    let radius = dx.hypot(dy) / half;
    let turn = (dy.atan2(dx) / std::f32::consts::TAU + 1.0) * 48.0;
    (0.91..0.985).contains(&radius) && turn.fract() < 0.45
}
