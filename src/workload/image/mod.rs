//! `image`: a JPEG in; squares of 100, 300 and 800 px out, cover-cropped, JPEG quality 80.
//!
//! The answer's checksum is over the *decoded* pixels of the outputs. Decoding 0.7 megapixels per
//! request only to check them would be a fifth of the smallest request, in the clock. So the
//! sequence is run once when the picture is written, and its checksum is kept next to the picture
//! with a digest of the very bytes it belongs to; a request whose outputs have that digest has
//! that checksum, and any other is decoded for real. Decoders and resizers of other runtimes
//! differ in the last bits: the checksum is the same for all strategies of a runtime, the sizes
//! in all runtimes. How far the pictures may differ is for `tests/it/runtime_images.rs` to say.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Answer, Input, Size, Spec, Workload, fold, fold_bytes};
use crate::sys::clock;
use crate::workload::options::{self, OptionDef, Used, Values};
use check::check_bytes;
use resize::{Decode, Outputs, SIDES};

mod check;
mod noise;
mod picture;
mod resize;
#[cfg(test)]
mod tests;

pub use check::check;
pub use resize::bare_sequence;

pub struct Image;

/// Of the generated pictures, as a camera's own setting.
const PICTURE_QUALITY: u8 = 90;

const OPTIONS: &[OptionDef] = &crate::options! {
    /// decode the picture once per request, or once per size as the notes' loop does
    decode = "once", Values::Word(&["once", "per-size"]);
    /// keep the squares in memory, or write each to a file of its own
    output = "memory", Values::Word(&["memory", "files"]);
    /// folder for output = files; nothing in it is ever removed by the workload
    dir = "", Values::Text, Used::Where("output", "files");
    /// file of the picture; empty: generated in memory (sizes s and m)
    input = "", Values::Text, Used::Where("size", "l");
};

impl Workload for Image {
    fn name(&self) -> &'static str {
        "image"
    }

    fn summary(&self) -> &'static str {
        "resizes a JPEG (1600x1200, 4000x3000 or --image FILE) to squares of 100, 300 and 800 px"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn same_in_every_runtime(&self) -> bool {
        false
    }

    /// For size l, `input` is the user's picture: it is checked and copied, so that a run does
    /// not change when the file does.
    fn materialise(&self, spec: &Spec, dir: &Path) -> Result<Option<PathBuf>, String> {
        if let Some(folder) = folder(spec)? {
            check_output(&folder)?;
        }
        let jpeg = match spec.size {
            Size::L => {
                let path = Path::new(own_picture(spec)?);
                let jpeg = check::read(path)?;
                check_bytes(&jpeg).map_err(|e| format!("the picture {}: {e}", path.display()))?;
                jpeg
            }
            _ => generate(spec)?,
        };
        let known = Known::of(&resize::squares(&jpeg, Decode::Once)?)?;
        let path = dir.join(format!("picture-{}-{}.jpg", spec.size.name(), spec.seed));
        write(&path, &jpeg)?;
        write(&sums_path(&path), known.to_text().as_bytes())?;
        Ok(Some(path))
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let (jpeg, known) = match (options::word(&spec.options, "input")?, spec.size) {
            ("", Size::L) => return Err(own_picture(spec).err().unwrap_or_default()),
            ("", _) => (generate(spec)?, OnceLock::new()),
            (path, _) => load(Path::new(path))?,
        };
        Ok(Arc::new(Picture {
            jpeg,
            decode: match options::word(&spec.options, "decode")? {
                "per-size" => Decode::PerSize,
                _ => Decode::Once,
            },
            folder: folder(spec)?,
            known,
        }))
    }
}

struct Picture {
    jpeg: Vec<u8>,
    decode: Decode,
    /// Where outputs go; nowhere if they stay in memory.
    folder: Option<PathBuf>,
    known: OnceLock<Known>,
}

impl Input for Picture {
    fn run(&self, _: u32, _: Vec<u8>) -> Result<Answer, String> {
        let outputs = resize::squares(&self.jpeg, self.decode)?;
        if let Some(folder) = &self.folder {
            write_outputs(folder, &outputs)?;
        }
        Ok(Answer::of(self.checksum(&outputs)?))
    }
}

impl Picture {
    fn checksum(&self, outputs: &Outputs) -> Result<u64, String> {
        match self.known.get() {
            Some(known) if known.digest == digest(outputs) => Ok(known.checksum),
            _ => {
                let found = Known::of(outputs)?;
                // Kept if it is the first; if another is kept, these outputs are other ones, and
                // the answer must be theirs.
                let _ = self.known.set(found);
                Ok(found.checksum)
            }
        }
    }
}

/// The checksum of one set of outputs, and the digest by which they are known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    digest: u64,
    checksum: u64,
}

impl Known {
    fn of(outputs: &Outputs) -> Result<Known, String> {
        Ok(Known { digest: digest(outputs), checksum: decoded_checksum(outputs)? })
    }

    fn to_text(self) -> String {
        format!("{} {}\n", self.digest, self.checksum)
    }

    fn from_text(text: &str) -> Option<Known> {
        let (digest, checksum) = text.trim_end().split_once(' ')?;
        Some(Known { digest: digest.parse().ok()?, checksum: checksum.parse().ok()? })
    }
}

fn digest(outputs: &Outputs) -> u64 {
    fold(&outputs.each_ref().map(|jpeg| fold_bytes(jpeg)))
}

/// Width, height and a checksum of the decoded pixels (R, G, B, row by row) of each output, in
/// the order of [`SIDES`], folded into one.
fn decoded_checksum(outputs: &Outputs) -> Result<u64, String> {
    let mut numbers = Vec::new();
    for jpeg in outputs {
        let pixels = resize::decode(jpeg)?;
        let size = [u64::from(pixels.width), u64::from(pixels.height)];
        numbers.extend(size);
        numbers.push(fold_bytes(&pixels.rgb));
    }
    Ok(fold(&numbers))
}

fn generate(spec: &Spec) -> Result<Vec<u8>, String> {
    let (width, height) = match spec.size {
        Size::S => (1600, 1200),
        _ => (4000, 3000),
    };
    resize::encode(&picture::generate(width, height, spec.seed), PICTURE_QUALITY)
}

fn own_picture(spec: &Spec) -> Result<&str, String> {
    match options::word(&spec.options, "input")? {
        "" => Err("size l is your own picture: name it with `--image FILE`".to_owned()),
        path => Ok(path),
    }
}

fn load(path: &Path) -> Result<(Vec<u8>, OnceLock<Known>), String> {
    let jpeg = check::read(path)?;
    // No sums are no error: then the first request decodes its outputs.
    let known = match fs::read_to_string(sums_path(path)) {
        Ok(text) => OnceLock::from(
            Known::from_text(&text)
                .ok_or_else(|| format!("the sums {} are damaged", sums_path(path).display()))?,
        ),
        Err(_) => OnceLock::new(),
    };
    Ok((jpeg, known))
}

fn sums_path(picture: &Path) -> PathBuf {
    picture.with_added_extension("sums")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|e| format!("write {}: {e}", path.display()))
}

fn folder(spec: &Spec) -> Result<Option<PathBuf>, String> {
    let dir = options::word(&spec.options, "dir")?;
    match options::word(&spec.options, "output")? {
        "files" if dir.is_empty() => Err("output = files needs a folder: option `dir`".to_owned()),
        "files" => Ok(Some(PathBuf::from(dir))),
        _ => Ok(None),
    }
}

/// Makes the folder if need be and tries to write into it.
fn check_output(folder: &Path) -> Result<(), String> {
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, b""))
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|e| format!("the output folder {} cannot be written: {e}", folder.display()))
}

fn write_outputs(folder: &Path, outputs: &Outputs) -> Result<(), String> {
    // A process number comes round again and threads share one, so neither alone is unique.
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let (pid, ns) = (std::process::id(), clock::now_ns());
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
    for (side, jpeg) in SIDES.iter().zip(outputs) {
        let path = folder.join(format!("{pid}-{ns}-{request}-{side}.jpg"));
        fs::write(&path, jpeg).map_err(|e| {
            let name = path.file_name().unwrap_or_default().display();
            format!("write {name} into the output folder {}: {e}", folder.display())
        })?;
    }
    Ok(())
}
