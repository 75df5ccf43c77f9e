//! What a file is, by how it begins. Its name says nothing that could be relied on.

/// How far into a document its mark may stand, and how near the end its last word.
const PDF_SLACK: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Heic,
    Pdf,
}

pub fn sniff(file: &[u8]) -> Option<Format> {
    if file.starts_with(&[0xff, 0xd8, 0xff]) {
        Some(Format::Jpeg)
    } else if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Format::Png)
    } else if file.starts_with(b"RIFF") && file.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else if is_heic(file) {
        Some(Format::Heic)
    } else if file.starts_with(b"%PDF-") {
        Some(Format::Pdf)
    } else {
        None
    }
}

/// The picture containers of phones: `ftyp` with one of the picture brands.
fn is_heic(file: &[u8]) -> bool {
    const BRANDS: [&[u8; 4]; 12] = [
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"avif",
        b"avis",
    ];
    file.get(4..8) == Some(b"ftyp")
        && file.get(8..12).is_some_and(|brand| BRANDS.iter().any(|known| brand == known.as_slice()))
}

/// Whether a document was received to its end.
pub fn ends_as_pdf(file: &[u8]) -> bool {
    let tail = &file[file.len().saturating_sub(PDF_SLACK)..];
    tail.windows(5).any(|at| at == b"%%EOF")
}

/// Whether a JPEG was cut off: the decoder would fill the rest with grey, and nobody would notice.
pub fn is_cut_jpeg(file: &[u8]) -> bool {
    let ends = |scan: &[u8]| scan.windows(2).any(|pair| pair == [0xff, 0xd9]);
    !first_scan(file).is_some_and(ends)
}

/// What follows the header of the first scan. The end mark of a thumbnail inside the header does not count.
fn first_scan(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(2..)?;
    loop {
        match *rest {
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, 0xda, ..] => return Some(&rest[2..]),
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(2 + length..)?;
            }
            _ => return None,
        }
    }
}
