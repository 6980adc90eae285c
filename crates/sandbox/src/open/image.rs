//! `/connect/qrcode/{uuid}`: the QR code as a JPEG, as the real one (WeChat fact sheet §1.3).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use fast_qr::{ECL, QRBuilder};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use jpeg_encoder::{ColorType, Encoder};

use super::confirm_url;
use crate::state::Sandbox;

/// Pixels per module: about 400 pixels a side for the links we have.
const MODULE_PX: usize = 10;
/// The standard's quiet zone, in modules.
const QUIET: usize = 4;

/// 404 for a uuid that is not known.
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    if sandbox.world().qr_logins.get(&uuid).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match draw(&confirm_url(sandbox.options(), &uuid)) {
        Some(jpeg) => ([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")], jpeg).into_response(),
        // Only a public_url of some thousand characters does not fit a QR code.
        None => (StatusCode::NOT_FOUND, "public_url is too long for a QR code\n").into_response(),
    }
}

/// A text as the JPEG of a QR code; nothing when it is too long for one.
pub(crate) fn draw(text: &str) -> Option<Vec<u8>> {
    let qr = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let side = (qr.size + 2 * QUIET) * MODULE_PX;
    let mut pixels = vec![255u8; side * side];
    for y in 0..qr.size * MODULE_PX {
        for x in 0..qr.size * MODULE_PX {
            if qr[y / MODULE_PX][x / MODULE_PX].value() {
                pixels[(y + QUIET * MODULE_PX) * side + x + QUIET * MODULE_PX] = 0;
            }
        }
    }
    let side = u16::try_from(side).ok()?;
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 90).encode(&pixels, side, side, ColorType::Luma).ok()?;
    Some(jpeg)
}
