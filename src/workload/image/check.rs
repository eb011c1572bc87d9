//! Whether a user's picture can be used, found out before any trial.

use std::path::Path;

use super::resize;
use crate::sys::files::read_named;

/// Far above any JPEG of 100 megapixels; keeps a mistaken file name from filling the memory.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Decodes the picture once, strictly.
///
/// # Errors
/// The file cannot be read, is no JPEG, is cut off, is damaged in a way that the decoder notices,
/// has more than 100 megapixels or a side over 65 000 px; the text names the file.
pub fn check(path: &Path) -> Result<(), String> {
    check_bytes(&read(path)?).map_err(|e| format!("the picture {}: {e}", path.display()))
}

/// The file's bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: &dyn std::fmt::Display| format!("read the picture {}: {e}", path.display());
    read_named(path, FILE_BYTES_MAX).map_err(|e| failed(&e))
}

/// Of a picture's bytes.
pub fn check_bytes(jpeg: &[u8]) -> Result<(), String> {
    if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err("is no JPEG: it does not begin with FF D8 FF".to_owned());
    }
    if !has_end(jpeg).unwrap_or(false) {
        return Err("is cut off: the mark of a JPEG's end is missing".to_owned());
    }
    resize::decode_strictly(jpeg).map(drop)
}

/// Whether an end mark follows the first scan; none if the file ends in its headers. Headers are
/// skipped by their lengths, because a preview inside of them has an end mark of its own.
fn has_end(jpeg: &[u8]) -> Option<bool> {
    let mut rest = jpeg.get(2..)?;
    loop {
        let marker = *rest.get(1)?;
        if marker == 0xff {
            // A fill byte before a marker.
            rest = &rest[1..];
            continue;
        }
        let length = u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]);
        rest = rest.get(2 + usize::from(length)..)?;
        if marker == 0xda {
            return Some(rest.windows(2).any(|pair| pair == [0xff, 0xd9]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::picture;
    use super::*;

    fn jpeg() -> Vec<u8> {
        resize::encode(&picture::generate(160, 120, 1), 90).unwrap()
    }

    /// The same bytes with another size in the frame header.
    fn claiming(width: u16, height: u16) -> Vec<u8> {
        let mut jpeg = jpeg();
        let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        jpeg
    }

    #[test]
    fn whole_pictures_pass() {
        assert_eq!(check_bytes(&jpeg()), Ok(()));
        let with_more_behind = [jpeg(), b"a maker's notes".to_vec()].concat();
        assert_eq!(check_bytes(&with_more_behind), Ok(()));
        let mut progressive = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 90);
        encoder.set_progressive(true);
        let picture = picture::generate(160, 120, 1);
        let colour = jpeg_encoder::ColorType::Rgb;
        encoder.encode(&picture.rgb, 160, 120, colour).unwrap();
        assert_eq!(check_bytes(&progressive), Ok(()));
    }

    #[test]
    fn every_cut_is_found() {
        let jpeg = jpeg();
        for length in (3..700).chain((700..jpeg.len()).step_by(97)) {
            let error = check_bytes(&jpeg[..length]).unwrap_err();
            assert!(error.contains("cut off"), "{length}: {error}");
        }
        // A preview inside a header ends properly; the picture around it does not.
        let preview = [&[0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9], &jpeg[2..]].concat();
        let with_preview = [&jpeg[..2], &preview].concat();
        assert_eq!(check_bytes(&with_preview), Ok(()));
        let cut = &with_preview[..with_preview.len() / 2];
        assert!(check_bytes(cut).unwrap_err().contains("cut off"));
    }

    #[test]
    fn what_is_no_picture_or_too_large_says_so() {
        for (bytes, expected) in [
            (b"\x89PNG\r\n\x1a\n".to_vec(), "no JPEG"),
            (Vec::new(), "no JPEG"),
            (claiming(65_001, 8), "65000 px"),
            (claiming(8, 65_001), "65000 px"),
            (claiming(10_001, 10_000), "megapixels"),
        ] {
            let error = check_bytes(&bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        // Whole by its marks, without a table that the scan needs.
        let mut jpeg = jpeg();
        let table = jpeg.windows(2).position(|w| w == [0xff, 0xc4]).unwrap();
        jpeg[table + 1] = 0xfe;
        let error = check_bytes(&jpeg).unwrap_err();
        assert!(error.contains("cannot be decoded"), "{error}");
    }

    #[test]
    fn errors_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.jpg");
        std::fs::write(&path, b"text").unwrap();
        for path in [path.as_path(), &dir.path().join("missing.jpg"), dir.path()] {
            let error = check(path).unwrap_err();
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
        std::fs::write(&path, jpeg()).unwrap();
        assert_eq!(check(&path), Ok(()));
    }
}
