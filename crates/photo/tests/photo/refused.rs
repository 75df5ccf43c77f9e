use crate::files::{chunk, jpeg, png_header, sheet, written};
use image::ImageFormat;
use photo::{MAX_DOCUMENT, MAX_FILE, PhotoError, prepare};

fn huge(width: u32, height: u32) -> PhotoError {
    PhotoError::TooManyPixels { width, height }
}

/// A header that claims more than the file holds.
fn jpeg_claiming(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = jpeg(&sheet(16, 16));
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

fn apng() -> Vec<u8> {
    let still = written(&sheet(8, 8), ImageFormat::Png);
    // The animation's header stands between IHDR (8 + 25 bytes) and the pixels.
    [&still[..33], &chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]), &still[33..]].concat()
}

fn moving_webp() -> Vec<u8> {
    let frame = [&[0; 6][..], &[7, 0, 0, 7, 0, 0], &[100, 0, 0], &[0]].concat();
    let still = written(&sheet(8, 8), ImageFormat::WebP);
    let frame = [frame, still[12..].to_vec()].concat();
    let part = |name: &[u8; 4], data: &[u8]| {
        [name.as_slice(), &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat()
    };
    let body = [
        b"WEBP".to_vec(),
        part(b"VP8X", &[0x02, 0, 0, 0, 7, 0, 0, 7, 0, 0]),
        part(b"ANIM", &[0, 0, 0, 0, 0, 0]),
        part(b"ANMF", &frame),
    ]
    .concat();
    part(b"RIFF", &body)
}

#[test]
fn what_cannot_be_kept_says_why() {
    let sound = jpeg(&sheet(200, 200));
    let png = written(&sheet(200, 200), ImageFormat::Png);
    let webp = written(&sheet(200, 200), ImageFormat::WebP);
    let heic = |brand: &[u8; 4]| [&[0, 0, 0, 24][..], b"ftyp", brand, b"\0\0\0\0mif1heic"].concat();
    let cases: Vec<(&str, Vec<u8>, PhotoError)> = vec![
        ("nothing", vec![], PhotoError::Empty),
        ("a phone's picture", heic(b"heic"), PhotoError::Heic),
        ("a phone's burst", heic(b"mif1"), PhotoError::Heic),
        ("a film", heic(b"isom"), PhotoError::Unknown),
        ("a text", "会议记录".as_bytes().to_vec(), PhotoError::Unknown),
        ("a Word file", b"PK\x03\x04word/document.xml".to_vec(), PhotoError::Unknown),
        ("a GIF", b"GIF89a\x01\0\x01\0".to_vec(), PhotoError::Unknown),
        ("a moving PNG", apng(), PhotoError::Moving),
        ("a moving WebP", moving_webp(), PhotoError::Moving),
        ("only the first bytes", sound[..3].to_vec(), PhotoError::Broken),
        ("a JPEG cut in its header", sound[..100].to_vec(), PhotoError::Broken),
        ("a JPEG cut in the picture", sound[..sound.len() - 40].to_vec(), PhotoError::Broken),
        ("a PNG cut in the picture", png[..png.len() / 2].to_vec(), PhotoError::Broken),
        ("a WebP cut in the picture", webp[..webp.len() / 2].to_vec(), PhotoError::Broken),
        ("a scan cut off", b"%PDF-1.4\n1 0 obj".to_vec(), PhotoError::Broken),
        ("no height", jpeg_claiming(16, 0), PhotoError::Broken),
        ("a PNG without width", png_header(0, 10, 8), PhotoError::Broken),
        ("more pixels than are there", png_header(600, 600, 8), PhotoError::Broken),
        ("a wall of a JPEG", jpeg_claiming(10_000, 5_001), huge(10_000, 5_001)),
        ("a wall of a PNG", png_header(60_000, 60_000, 8), huge(60_000, 60_000)),
        ("deep colours that need too much room", png_header(7_000, 7_000, 16), huge(7_000, 7_000)),
    ];
    for (what, file, expected) in cases {
        assert_eq!(prepare(&file), Err(expected), "{what}");
    }
}

#[test]
fn long_files_are_not_looked_at() {
    let long = vec![0xff; MAX_FILE + 1];
    assert_eq!(prepare(&long), Err(PhotoError::TooLong { limit: MAX_FILE }));
    let scan = [b"%PDF-1.4\n".to_vec(), vec![b' '; MAX_DOCUMENT], b"%%EOF".to_vec()].concat();
    assert_eq!(prepare(&scan), Err(PhotoError::TooLong { limit: MAX_DOCUMENT }));
}

#[test]
fn any_single_damaged_byte_is_taken_or_refused_and_never_more() {
    for file in [
        jpeg(&sheet(24, 24)),
        written(&sheet(24, 24), ImageFormat::Png),
        written(&sheet(24, 24), ImageFormat::WebP),
    ] {
        for at in (0..file.len()).step_by(7) {
            let mut damaged = file.clone();
            damaged[at] ^= 0x5a;
            if let Ok(prepared) = prepare(&damaged) {
                assert!(prepared.bytes.starts_with(&[0xff, 0xd8]), "what is taken is a picture");
            }
        }
    }
}
