//! Our own QR, drawn as SVG in the page itself: no image request, no third party (SEC-19).

use fast_qr::QRCode;
use fast_qr::qr::QRBuilder;

/// Light modules around the code, on each side. ISO/IEC 18004 asks for four; the card around ours is light as well.
const MARGIN: usize = 2;

/// `text` as an SVG element. Level M: a screen is clean, and fewer modules scan faster.
///
/// # Panics
/// Never for our own addresses, which are far below the 2,331 bytes that fit.
#[must_use]
pub fn svg(text: &str) -> String {
    let code = QRBuilder::new(text).ecl(fast_qr::ECL::M).build().expect("an address fits into a QR code");
    let size = code.size + 2 * MARGIN;
    let path = path(&code);
    // Hidden: the only accessible name is given by the page around it.
    format!(
        "<svg aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 {size} {size}\" \
         xmlns=\"http://www.w3.org/2000/svg\" shape-rendering=\"crispEdges\">\
         <rect width=\"{size}\" height=\"{size}\" fill=\"#ffffff\"/>\
         <path d=\"{path}\" fill=\"#000000\"/></svg>"
    )
}

/// The dark modules, neighbours of a row in one rectangle: half as long as one square each, and nothing shines through
/// between them when a browser scales it.
fn path(code: &QRCode) -> String {
    let mut path = String::with_capacity(4 * code.size * code.size);
    for y in 0..code.size {
        let mut x = 0;
        for run in code[y].chunk_by(|left, right| left.value() == right.value()) {
            let length = run.len();
            if run[0].value() {
                path.push('M');
                push(&mut path, x + MARGIN);
                path.push(',');
                push(&mut path, y + MARGIN);
                path.push('h');
                push(&mut path, length);
                path.push_str("v1h-");
                push(&mut path, length);
                path.push('z');
            }
            x += length;
        }
    }
    path
}

/// A number of at most three digits, without the formatter: it wrote two thousand of them in a picture, which took a
/// seventh of a new ticket's time.
fn push(path: &mut String, number: usize) {
    let digit = |value: usize| char::from(b'0' + (value % 10) as u8);
    if number >= 100 {
        path.push(digit(number / 100));
    }
    if number >= 10 {
        path.push(digit(number / 10));
    }
    path.push(digit(number));
}

/// `text` as lines of half blocks for a terminal, dark modules on light ground.
///
/// # Panics
/// As [`svg`].
#[must_use]
pub fn terminal(text: &str) -> String {
    QRBuilder::new(text).ecl(fast_qr::ECL::L).build().expect("an address fits into a QR code").to_str()
}

#[cfg(test)]
mod tests {
    use mashang_login::ambient::SeededEntropy;
    use mashang_login::ids::ScanCode;

    use super::*;

    /// Reads our SVG as a camera would: fills the rectangles of its path, eight pixels to a module.
    fn read(svg: &str) -> String {
        const SCALE: usize = 8;
        let attribute = |name: &str| svg.split_once(name).unwrap().1.split('"').next().unwrap();
        let size: usize = attribute("viewBox=\"0 0 ").split(' ').next().unwrap().parse().unwrap();
        let mut dark = vec![vec![false; size]; size];
        for run in attribute(" d=\"M").split('M') {
            let numbers = run.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty());
            let numbers: Vec<usize> = numbers.map(|text| text.parse().unwrap()).collect();
            let [x, y, length, 1, back] = numbers[..] else { panic!("{run} is not a run of modules") };
            assert_eq!(run, format!("{x},{y}h{length}v1h-{back}z"));
            assert_eq!(length, back, "the rectangle closes");
            dark[y][x..x + length].fill(true);
        }
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(size * SCALE, size * SCALE, |x, y| {
            if dark[y / SCALE][x / SCALE] { 0 } else { 255 }
        });
        image.detect_grids().first().expect("a QR is found").decode().unwrap().1
    }

    #[test]
    fn every_scan_address_is_read_back() {
        let entropy = SeededEntropy::new(20);
        for host in
            ["http://127.0.0.1:8080", "https://login.example", "https://sso.a-long-name.example.com.cn:8443"]
        {
            for _ in 0..16 {
                let address = format!("{host}/s/{}", ScanCode::random(&entropy));
                assert_eq!(read(&svg(&address)), address);
            }
        }
    }

    #[test]
    fn neighbours_share_a_rectangle_and_the_margin_stays_light() {
        let drawn = svg("https://login.example/s/abcdefgh");
        // The upper edge of a finder pattern: seven dark modules, then a light one.
        assert!(drawn.contains(" d=\"M2,2h7v1h-7z"), "{drawn}");
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"), "{drawn}");
    }
}
