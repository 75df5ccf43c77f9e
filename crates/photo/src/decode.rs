//! From a file to pixels: the header first, and the pixels only when there is room for them.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageError, Limits, Rgb, RgbImage};

use crate::sniff::{Format, is_cut_jpeg};
use crate::{MAX_PIXELS, PhotoError};

/// What the pixels may take in memory: [`MAX_PIXELS`] in three colours of a byte, with some room.
const MAX_DECODED: u64 = 200 * 1024 * 1024;
/// What a decoder may take beside the pixels.
const MAX_WORK: u64 = 512 * 1024 * 1024;

/// The pixels as they lie in the file, without transparency, and the camera's notes.
pub fn decode(file: &[u8], format: Format) -> Result<(DynamicImage, Option<Vec<u8>>), PhotoError> {
    let bytes = Cursor::new(file);
    match format {
        Format::Jpeg => {
            let decoder = JpegDecoder::new(bytes).map_err(broken)?;
            if is_cut_jpeg(file) {
                return Err(PhotoError::Broken);
            }
            read(decoder)
        }
        Format::Png => {
            let decoder = PngDecoder::with_limits(bytes, limits()).map_err(broken)?;
            if decoder.is_apng().map_err(broken)? {
                return Err(PhotoError::Moving);
            }
            read(decoder)
        }
        Format::WebP => {
            let decoder = WebPDecoder::new(bytes).map_err(broken)?;
            if decoder.has_animation() {
                return Err(PhotoError::Moving);
            }
            read(decoder)
        }
        Format::Heic | Format::Pdf => Err(PhotoError::Unknown),
    }
}

fn read(mut decoder: impl ImageDecoder) -> Result<(DynamicImage, Option<Vec<u8>>), PhotoError> {
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PhotoError::Broken);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED {
        return Err(PhotoError::TooManyPixels { width, height });
    }
    decoder.set_limits(limits()).map_err(broken)?;
    let exif = decoder.exif_metadata().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    Ok((opaque(image), exif))
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_WORK);
    limits
}

/// In three colours of a byte; what was transparent is white, as on paper.
fn opaque(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return DynamicImage::ImageRgb8(image.into_rgb8());
    }
    let image = image.into_rgba8();
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u16::from);
        let over = |colour: u16| ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        *to = Rgb([over(red), over(green), over(blue)]);
    }
    DynamicImage::ImageRgb8(flat)
}

fn broken(_: ImageError) -> PhotoError {
    PhotoError::Broken
}
