//! Small files made for the tests.

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

/// Four fields of different colours on a sheet that is not square: no turn and no mirror looks like another.
pub fn sheet(width: u32, height: u32) -> DynamicImage {
    let colour = |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([220, 40, 40]),
        (false, true) => Rgb([40, 180, 60]),
        (true, false) => Rgb([40, 60, 200]),
        (false, false) => Rgb([240, 240, 240]),
    };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, colour))
}

pub fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn jpeg(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 95)).unwrap();
    bytes
}

/// The sheet as a camera held in that position stores it, with its notes: upright when they are obeyed.
pub fn from_camera(upright: &DynamicImage, code: u8) -> Vec<u8> {
    let mut stored = upright.clone();
    let undo = match Orientation::from_exif(code).unwrap() {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        itself => itself,
    };
    stored.apply_orientation(undo);
    with_notes(&jpeg(&stored), &notes(code, b"2026:10:13 14:05:59\0"))
}

/// A JPEG with the notes in front.
pub fn with_notes(jpeg: &[u8], notes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(notes.len() + 8).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", notes, &jpeg[2..]].concat()
}

/// A camera's notes: how it was held, its maker, when, and where (GPS).
pub fn notes(orientation: u8, taken: &[u8; 20]) -> Vec<u8> {
    const ASCII: u16 = 2;
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const RATIONAL: u16 = 5;
    let (main, exif, gps): (u32, u32, u32) = (8, 8 + 2 + 4 * 12 + 4, 8 + 2 + 4 * 12 + 4 + 2 + 12 + 4);
    let data = gps + 2 + 2 * 12 + 4;
    let mut out = b"MM\0\x2a".to_vec();
    out.extend(main.to_be_bytes());
    directory(
        &mut out,
        &[
            entry(0x010f, ASCII, 4, *b"Xi!\0"),
            entry(0x0112, SHORT, 1, [0, orientation, 0, 0]),
            entry(0x8769, LONG, 1, exif.to_be_bytes()),
            entry(0x8825, LONG, 1, gps.to_be_bytes()),
        ],
    );
    directory(&mut out, &[entry(0x9003, ASCII, 20, data.to_be_bytes())]);
    directory(
        &mut out,
        &[entry(0x0001, ASCII, 2, *b"N\0\0\0"), entry(0x0002, RATIONAL, 3, (data + 20).to_be_bytes())],
    );
    out.extend(taken);
    for (number, of) in [(36u32, 1u32), (11, 1), (PLACE, 100)] {
        out.extend(number.to_be_bytes());
        out.extend(of.to_be_bytes());
    }
    out
}

/// The seconds of the place, as a number that does not occur by chance.
pub const PLACE: u32 = 0x5a17_c0de;

fn entry(tag: u16, kind: u16, count: u32, value: [u8; 4]) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..2].copy_from_slice(&tag.to_be_bytes());
    bytes[2..4].copy_from_slice(&kind.to_be_bytes());
    bytes[4..8].copy_from_slice(&count.to_be_bytes());
    bytes[8..].copy_from_slice(&value);
    bytes
}

fn directory(out: &mut Vec<u8>, entries: &[[u8; 12]]) {
    out.extend(u16::try_from(entries.len()).unwrap().to_be_bytes());
    entries.iter().for_each(|entry| out.extend(entry));
    out.extend(0u32.to_be_bytes());
}

/// A chunk of a PNG.
pub fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [name.as_slice(), data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], &body, &crc(&body).to_be_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// A PNG of which only the header says anything: eight bytes that claim to be a wall.
pub fn png_header(width: u32, height: u32, depth: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", b"\x78\x9c"), chunk(b"IEND", b"")]
        .concat()
}

/// A JPEG of four inks, eight pixels square, one grey.
pub fn cmyk_jpeg() -> Vec<u8> {
    let component = |id: u8| [id, 0x11, 0];
    let quantities = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    let frame = [&[0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4][..], &[1, 2, 3, 4].map(component).concat()].concat();
    // One code each, a single bit: no difference; end of block.
    let code = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1][..], &[0; 15], &[0]].concat();
    let scan = [&[0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0][..], &[0x00]].concat();
    let adobe = [&[0xff, 0xee, 0, 14][..], b"Adobe\0\x64\0\0\0\0\x00"].concat();
    [vec![0xff, 0xd8], adobe, quantities, frame, code(0x00), code(0x10), scan, vec![0xff, 0xd9]].concat()
}

/// The sheet with 16 bits a colour and half transparent on the right.
pub fn deep_png() -> Vec<u8> {
    let mut pixels = Vec::new();
    for at in 0..16u16 {
        let alpha: u16 = if at % 4 < 2 { u16::MAX } else { 0 };
        [40 * 257, 60 * 257, 200 * 257, alpha]
            .into_iter()
            .for_each(|part: u16| pixels.extend(part.to_ne_bytes()));
    }
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::write_image(encoder, &pixels, 4, 4, ExtendedColorType::Rgba16).unwrap();
    bytes
}
