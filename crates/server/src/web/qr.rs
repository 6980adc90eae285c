//! Our own QR, drawn as SVG in the page itself: no image request, no third party (SEC-19).

mod correction;
mod frame;
mod penalty;
mod symbol;

use std::sync::LazyLock;

use fast_qr::qr::QRBuilder;

use self::symbol::Symbol;

/// Light modules around the code, on each side. ISO/IEC 18004 asks for four; the card around ours is light as well.
const MARGIN: usize = 2;
/// Modules on a side of the largest symbol there is, version 40.
const LARGEST: usize = 177;

/// `text` as an SVG element. Level M: a screen is clean, and fewer modules scan faster.
///
/// # Panics
/// Beyond the 2,331 bytes that fit, which no address of ours has, and no platform's that we take.
#[must_use]
pub fn svg(text: &str) -> String {
    match Symbol::of(text) {
        Some(symbol) => element(symbol.size(), &path(&symbol)),
        None => long(text),
    }
}

/// More than a sane address has: no camera likes it, but it is drawn.
fn long(text: &str) -> String {
    let code = QRBuilder::new(text).ecl(fast_qr::ECL::M).build().expect("an address fits into a QR code");
    let mut path = String::new();
    for y in 0..code.size {
        let mut x = 0;
        for run in code[y].chunk_by(|left, right| left.value() == right.value()) {
            if run[0].value() {
                push_run(&mut path, x, y, run.len());
            }
            x += run.len();
        }
    }
    element(code.size, &path)
}

fn element(size: usize, path: &str) -> String {
    let size = size + 2 * MARGIN;
    // Hidden: the only accessible name is given by the page around it.
    format!(
        "<svg aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 {size} {size}\" \
         xmlns=\"http://www.w3.org/2000/svg\" shape-rendering=\"crispEdges\">\
         <rect width=\"{size}\" height=\"{size}\" fill=\"#ffffff\"/>\
         <path d=\"{path}\" fill=\"#000000\"/></svg>"
    )
}

/// The dark modules.
fn path(symbol: &Symbol) -> String {
    let mut path = String::with_capacity(4 * symbol.size() * symbol.size());
    for (y, &row) in symbol.rows().iter().enumerate() {
        let (mut row, mut x) = (row, 0);
        while row != 0 {
            let light = row.trailing_zeros();
            row >>= light;
            x += light as usize;
            let dark = row.trailing_ones();
            row >>= dark;
            push_run(&mut path, x, y, dark as usize);
            x += dark as usize;
        }
    }
    path
}

/// Dark neighbours of a row in one rectangle: half as long as one square each, and nothing shines through between them when a
/// browser scales it.
///
/// A picture has four hundred of them. Their pieces are written once, as the formatter took a seventh of a new ticket's time.
fn push_run(path: &mut String, x: usize, y: usize, length: usize) {
    static PIECES: LazyLock<Pieces> = LazyLock::new(Pieces::new);
    path.push_str(&PIECES.column[x]);
    path.push_str(&PIECES.row[y]);
    path.push_str(&PIECES.run[length]);
}

/// What a path is put together from, by number of modules.
struct Pieces {
    column: Vec<String>,
    row: Vec<String>,
    run: Vec<String>,
}

impl Pieces {
    fn new() -> Self {
        let each = |piece: &dyn Fn(usize) -> String| (0..=LARGEST).map(piece).collect();
        Self {
            column: each(&|x| format!("M{},", x + MARGIN)),
            row: each(&|y| (y + MARGIN).to_string()),
            run: each(&|length| format!("h{length}v1h-{length}z")),
        }
    }
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
    fn an_address_of_any_length_is_read_back() {
        for length in [12, 62, 63, 150, 251, 252, 900] {
            let address = format!("https://{}", "long-".repeat(length).split_at(length - 8).0);
            assert_eq!(address.len(), length);
            assert_eq!(read(&svg(&address)), address);
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
