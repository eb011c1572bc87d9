//! The kernel: decode, resize, encode, on the calling thread.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeOptions, Resizer};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Sides of the squares, in pixels, in the order in which they are made.
pub const SIDES: [u32; 3] = [100, 300, 800];
pub const OUTPUT_QUALITY: u8 = 80;

/// The largest picture: 300 MB of pixels.
const PIXELS_MAX: u64 = 100_000_000;
/// JPEG itself ends at 65 535.
const SIDE_MAX: u32 = 65_000;

/// One JPEG per entry of [`SIDES`].
pub type Outputs = [Vec<u8>; SIDES.len()];

/// How often a request decodes its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decode {
    Once,
    PerSize,
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    pub width: u32,
    pub height: u32,
    /// R, G, B, row by row from the top.
    pub rgb: Vec<u8>,
}

/// What a request does.
pub fn squares(jpeg: &[u8], how: Decode) -> Result<Outputs, String> {
    let mut resizer = Resizer::new();
    let mut outputs = Outputs::default();
    let mut decoded = None;
    for (output, side) in outputs.iter_mut().zip(SIDES) {
        let picture = match (how, decoded.take()) {
            (Decode::Once, Some(picture)) => picture,
            _ => decode(jpeg)?,
        };
        *output = encode(&square(&mut resizer, &picture, side)?, OUTPUT_QUALITY)?;
        decoded = Some(picture);
    }
    Ok(outputs)
}

/// Decode, three resizes and three encodes with nothing around them: what `image` is compared
/// with. Returns the bytes of the three outputs together.
///
/// # Errors
/// The picture cannot be decoded.
pub fn bare_sequence(jpeg: &[u8]) -> Result<usize, Box<dyn std::error::Error>> {
    let options = DecoderOptions::new_fast()
        .set_max_width(1 << 16)
        .set_max_height(1 << 16)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let rgb = decoder.decode().map_err(|e| e.to_string())?;
    let info = decoder.info().ok_or("no header")?;
    let source = TypedImageRef::<U8x3>::from_buffer(info.width.into(), info.height.into(), &rgb)?;
    let mut resizer = Resizer::new();
    let mut bytes = 0;
    for side in [100, 300, 800_u16] {
        let mut square = vec![0; 3 * usize::from(side) * usize::from(side)];
        let mut view = TypedImage::<U8x3>::from_buffer(side.into(), side.into(), &mut square)?;
        let cover = ResizeOptions::new().fit_into_destination(None);
        resizer.resize_typed(&source, &mut view, &cover)?;
        let mut output = Vec::new();
        let mut encoder = Encoder::new(&mut output, 80);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode(&square, side, side, ColorType::Rgb)?;
        bytes += output.len();
    }
    Ok(bytes)
}

/// # Errors
/// No JPEG that can be decoded, or one beyond the limits; said of the picture, without its name.
pub fn decode(jpeg: &[u8]) -> Result<Pixels, String> {
    decode_with(jpeg, DecoderOptions::new_fast())
}

/// As [`decode`], but what the decoder would else cover up in grey is an error.
pub fn decode_strictly(jpeg: &[u8]) -> Result<Pixels, String> {
    decode_with(jpeg, DecoderOptions::new_fast().set_strict_mode(true))
}

fn decode_with(jpeg: &[u8], options: DecoderOptions) -> Result<Pixels, String> {
    // Beyond what a JPEG can be: the limits here are ours, with our words.
    let options = options
        .set_max_width(1 << 16)
        .set_max_height(1 << 16)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let undecodable = |e: &dyn std::fmt::Display| format!("cannot be decoded: {e}");
    decoder.decode_headers().map_err(|e| undecodable(&e))?;
    let info = decoder.info().ok_or_else(|| undecodable(&"no header"))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    check_size(width, height)?;
    let rgb = decoder.decode().map_err(|e| undecodable(&e))?;
    Ok(Pixels { width, height, rgb })
}

fn check_size(width: u32, height: u32) -> Result<(), String> {
    if width.max(height) > SIDE_MAX {
        return Err(format!("is {width} x {height}; no side may exceed {SIDE_MAX} px"));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX {
        return Err(format!(
            "is {width} x {height}, {} megapixels; at most {} are taken",
            pixels.div_ceil(1_000_000),
            PIXELS_MAX / 1_000_000
        ));
    }
    Ok(())
}

/// The middle of the picture, as much as fits a square, at this side.
fn square(resizer: &mut Resizer, picture: &Pixels, side: u32) -> Result<Pixels, String> {
    let failed = |e: &dyn std::fmt::Display| format!("resize to {side} px: {e}");
    let source = TypedImageRef::<U8x3>::from_buffer(picture.width, picture.height, &picture.rgb)
        .map_err(|e| failed(&e))?;
    let mut rgb = vec![0; 3 * (side * side) as usize];
    let mut view = TypedImage::<U8x3>::from_buffer(side, side, &mut rgb).map_err(|e| failed(&e))?;
    let cover = ResizeOptions::new().fit_into_destination(None);
    // The typed call: the dynamic one compiles every pixel type there is.
    resizer.resize_typed(&source, &mut view, &cover).map_err(|e| failed(&e))?;
    Ok(Pixels { width: side, height: side, rgb })
}

/// With colour at half the resolution, as cameras and the other runtimes' libraries do.
pub fn encode(picture: &Pixels, quality: u8) -> Result<Vec<u8>, String> {
    let side = |n: u32| u16::try_from(n).map_err(|_| format!("{n} px are too many for a JPEG"));
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&picture.rgb, width, height, ColorType::Rgb)
        .map_err(|e| format!("encode {width} x {height}: {e}"))?;
    Ok(jpeg)
}
