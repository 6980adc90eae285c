//! `thirdwx.qlogo.cn/mmopen/vi_32/{key}/{size}`: a picture drawn from its key, a JPEG as the real ones.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use jpeg_encoder::{ColorType, Encoder};

/// The palette of the style sheet, by a person's colour.
const PALETTE: [[u8; 3]; 8] = [
    [0xfa, 0x9d, 0x3b],
    [0xf2, 0x6b, 0x8a],
    [0x57, 0x6b, 0x95],
    [0x07, 0xc1, 0x60],
    [0x10, 0xae, 0xff],
    [0x8b, 0x6f, 0xd6],
    [0xe0, 0x5a, 0x47],
    [0x88, 0x92, 0x9c],
];
/// Cells a side of the pattern; mirrored, so that it looks like a face or a leaf.
const CELLS: usize = 5;

/// 404 for a key or a size that was never handed out (sizes: 0, 46, 64, 96, 132; §2.5).
pub(super) async fn show(Path((key, size)): Path<(String, String)>) -> Response {
    let side = match size.as_str() {
        "0" => 640,
        "46" => 46,
        "64" => 64,
        "96" => 96,
        "132" => 132,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match draw(&key, side) {
        Some(jpeg) => {
            ([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "max-age=2592000")], jpeg).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn draw(key: &str, side: u16) -> Option<Vec<u8>> {
    if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let colour = PALETTE[usize::from(u8::from_str_radix(&key[..2], 16).ok()?) % PALETTE.len()];
    let pattern = u64::from_str_radix(&key[2..18], 16).ok()?;
    let px = usize::from(side);
    let mut pixels = Vec::with_capacity(px * px * 3);
    for y in 0..px {
        for x in 0..px {
            // One cell of margin around the pattern.
            let (column, row) = (x * (CELLS + 2) / px, y * (CELLS + 2) / px);
            let inside = (1..=CELLS).contains(&column) && (1..=CELLS).contains(&row);
            let mirrored = column.min(CELLS + 1 - column);
            let lit = inside && pattern >> (row * 3 + mirrored) & 1 == 1;
            pixels.extend_from_slice(if lit { &[0xff, 0xff, 0xff] } else { &colour });
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 88).encode(&pixels, side, side, ColorType::Rgb).ok()?;
    Some(jpeg)
}
