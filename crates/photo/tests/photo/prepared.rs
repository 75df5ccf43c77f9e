use crate::files::{PLACE, cmyk_jpeg, deep_png, from_camera, jpeg, notes, sheet, with_notes, written};
use image::{DynamicImage, ImageFormat, Rgb};
use photo::{LONG_EDGE, Media, Prepared, THUMB_EDGE, prepare};

fn seen(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory_with_format(bytes, ImageFormat::Jpeg).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|at| at == part)
}

/// JPEG is not exact: a colour is the same when nobody could tell.
fn close(found: Rgb<u8>, expected: [u8; 3]) -> bool {
    found.0.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) < 12)
}

#[track_caller]
fn assert_upright(what: &str, bytes: &[u8], size: (u32, u32)) {
    let picture = seen(bytes).into_rgb8();
    assert_eq!(picture.dimensions(), size, "{what}");
    let (width, height) = size;
    let corners = [
        ((width / 8, height / 8), [220, 40, 40]),
        ((width * 7 / 8, height / 8), [40, 180, 60]),
        ((width / 8, height * 7 / 8), [40, 60, 200]),
        ((width * 7 / 8, height * 7 / 8), [240, 240, 240]),
    ];
    for ((x, y), colour) in corners {
        assert!(close(*picture.get_pixel(x, y), colour), "{what} at {x},{y}: {:?}", picture.get_pixel(x, y));
    }
}

#[test]
fn however_the_camera_was_held_the_picture_stands_upright() {
    for code in 1..=8 {
        let file = from_camera(&sheet(96, 64), code);
        let prepared = prepare(&file).unwrap();
        assert_upright(&format!("orientation {code}"), &prepared.bytes, (96, 64));
        assert_upright(&format!("thumbnail {code}"), &prepared.thumb.unwrap(), (96, 64));
    }
}

#[test]
fn nothing_of_the_notes_stays_in_the_picture() {
    let file = from_camera(&sheet(96, 64), 6);
    assert!(contains(&file, &PLACE.to_be_bytes()), "the file itself names the place");
    let Prepared { bytes, thumb, taken_at, .. } = prepare(&file).unwrap();
    for kept in [bytes, thumb.unwrap()] {
        for trace in [&PLACE.to_be_bytes()[..], b"Exif", b"2026", b"Xi!", b"GPS", b"ICC"] {
            assert!(!contains(&kept, trace), "{trace:?} must not be kept");
        }
    }
    assert_eq!(taken_at.as_deref(), Some("2026-10-13T14:05"), "the time is kept beside the picture");
}

#[test]
fn the_time_is_the_cameras_or_none() {
    let cases: [(&[u8; 20], Option<&str>); 5] = [
        (b"2026:02:28 23:59:00\0", Some("2026-02-28T23:59")),
        (b"0000:00:00 00:00:00\0", None),
        (b"    :  :     :  :  \0", None),
        (b"2026:02:30 10:00:00\0", None),
        (b"garbage garbage gar\0", None),
    ];
    for (written, expected) in cases {
        let file = with_notes(&jpeg(&sheet(16, 16)), &notes(1, written));
        assert_eq!(prepare(&file).unwrap().taken_at.as_deref(), expected, "{written:?}");
    }
    assert_eq!(prepare(&jpeg(&sheet(16, 16))).unwrap().taken_at, None, "a picture from a chat has no notes");
    let broken = with_notes(&jpeg(&sheet(16, 16)), b"MM\0\x2a\xff\xff\xff\xff");
    assert_upright("notes that cannot be read", &prepare(&broken).unwrap().bytes, (16, 16));
}

#[test]
fn large_pictures_become_as_long_as_a_screen_and_small_ones_stay() {
    let cases = [
        ((2800, 2100), (LONG_EDGE, 1920), (THUMB_EDGE, 240)),
        ((900, 2700), (853, LONG_EDGE), (107, THUMB_EDGE)),
        ((6000, 2), (LONG_EDGE, 1), (THUMB_EDGE, 1)),
        ((200, 100), (200, 100), (200, 100)),
        ((1, 1), (1, 1), (1, 1)),
    ];
    for ((width, height), kept, thumb) in cases {
        let prepared = prepare(&jpeg(&sheet(width, height))).unwrap();
        let size = |bytes: &[u8]| (seen(bytes).width(), seen(bytes).height());
        assert_eq!(size(&prepared.bytes), kept, "{width} × {height}");
        assert_eq!(size(&prepared.thumb.unwrap()), thumb, "{width} × {height}");
    }
}

#[test]
fn every_format_becomes_the_same_picture() {
    let sheet = sheet(64, 48);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let prepared = prepare(&written(&sheet, format)).unwrap();
        assert_eq!(prepared.media, Media::Jpeg);
        assert_upright(&format!("{format:?}"), &prepared.bytes, (64, 48));
    }
    let grey = prepare(&written(&DynamicImage::ImageLuma8(sheet.to_luma8()), ImageFormat::Png)).unwrap();
    assert_eq!(seen(&grey.bytes).width(), 64);
}

#[test]
fn inks_and_deep_colours_are_read() {
    let inks = prepare(&cmyk_jpeg()).unwrap();
    assert_eq!((seen(&inks.bytes).width(), seen(&inks.bytes).height()), (8, 8));
    let deep = seen(&prepare(&deep_png()).unwrap().bytes).into_rgb8();
    assert!(close(*deep.get_pixel(0, 0), [40, 60, 200]) || deep.get_pixel(0, 0).0[2] > 150);
    assert!(deep.get_pixel(3, 3).0.iter().all(|part| *part > 200), "what was transparent is white");
}

#[test]
fn a_scan_is_kept_byte_for_byte() {
    let scan = b"%PDF-1.4\n1 0 obj\nendobj\ntrailer\n%%EOF\n".to_vec();
    let prepared = prepare(&scan).unwrap();
    assert_eq!((prepared.media, prepared.thumb, &prepared.bytes), (Media::Pdf, None, &scan));
    assert_eq!(prepared.original, blake3::hash(&scan).to_hex().to_string());
}

#[test]
fn the_same_file_gives_the_same_bytes_and_the_original_is_known_by_its_hash() {
    let file = from_camera(&sheet(96, 64), 3);
    assert_eq!(prepare(&file), prepare(&file), "the kept bytes are named by their hash too");
    assert_eq!(prepare(&file).unwrap().original, blake3::hash(&file).to_hex().to_string());
}

#[test]
fn what_is_served_is_known_by_how_it_begins() {
    let cases: [(&[u8], Option<Media>); 5] = [
        (&jpeg(&sheet(8, 8)), Some(Media::Jpeg)),
        (b"%PDF-1.7", Some(Media::Pdf)),
        (b"<html><script>", None),
        (b"<svg xmlns=", None),
        (b"", None),
    ];
    for (bytes, media) in cases {
        assert_eq!(Media::of(bytes), media);
    }
}
