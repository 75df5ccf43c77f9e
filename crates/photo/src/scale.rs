//! Smaller, and as a JPEG.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};

use crate::PhotoError;

const QUALITY: u8 = 85;

/// The picture with its longer edge at most `edge`; a small one stays as it is.
pub fn fit(image: DynamicImage, edge: u32) -> Result<DynamicImage, PhotoError> {
    let (width, height) = (image.width(), image.height());
    if width.max(height) <= edge {
        return Ok(image);
    }
    let (to_width, to_height) = fitted(width, height, edge);
    let pixels = image.into_rgb8().into_raw();
    let from = ImageRef::new(width, height, &pixels, PixelType::U8x3).map_err(|_| PhotoError::Broken)?;
    let mut to = Image::new(to_width, to_height, PixelType::U8x3);
    Resizer::new().resize(&from, &mut to, None).map_err(|_| PhotoError::Broken)?;
    let scaled = RgbImage::from_raw(to_width, to_height, to.into_vec()).ok_or(PhotoError::Broken)?;
    Ok(DynamicImage::ImageRgb8(scaled))
}

/// A picture of 60000 × 1 keeps a height.
fn fitted(width: u32, height: u32, edge: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height));
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(edge) + longer / 2) / longer;
        u32::try_from(rounded).unwrap_or(edge).max(1)
    };
    (scaled(width), scaled(height))
}

/// The bytes of a picture, without a word about where it comes from.
pub fn jpeg(image: &DynamicImage) -> Result<Vec<u8>, PhotoError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    image.write_with_encoder(encoder).map_err(|_| PhotoError::Broken)?;
    Ok(bytes)
}
