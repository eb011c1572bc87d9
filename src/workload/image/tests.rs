use std::sync::OnceLock;

use super::super::{Size, by_name};
use super::resize::{OUTPUT_QUALITY, Pixels, decode, encode, squares};
use super::*;

/// Of the given colours side by side, each 160 px wide, which is whole blocks of a JPEG.
fn stripes(colours: &[[u8; 3]]) -> Pixels {
    let row: Vec<u8> = colours.iter().flat_map(|c| c.repeat(160)).collect();
    Pixels { width: 160 * colours.len() as u32, height: 160, rgb: row.repeat(160) }
}

fn turned(picture: &Pixels) -> Pixels {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let at = |x: usize, y: usize| &picture.rgb[3 * (y * width + x)..][..3];
    let columns = (0..width).flat_map(|x| (0..height).map(move |y| (x, y)));
    Pixels {
        width: picture.height,
        height: picture.width,
        rgb: columns.flat_map(|(x, y)| at(x, y)).copied().collect(),
    }
}

const THREE: &[[u8; 3]] = &[[200, 30, 30], [30, 200, 30], [30, 30, 200]];

fn small_jpeg() -> Vec<u8> {
    encode(&picture::generate(160, 120, 1), 90).unwrap()
}

fn spec(size: Size, given: &[(&str, &str)]) -> Spec {
    let given = given.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    Spec {
        workload: "image".into(),
        size,
        seed: 1,
        payload_bytes: 0,
        options: options::resolve(OPTIONS, &given, 2).unwrap(),
    }
}

/// Writes the picture and makes it the input of a request of size l.
fn own(dir: &Path, given: &[(&str, &str)]) -> Spec {
    let path = dir.join("mine.jpg");
    fs::write(&path, small_jpeg()).unwrap();
    let given = [given, &[("input", path.to_str().unwrap())]].concat();
    spec(Size::L, &given)
}

fn run(spec: &Spec) -> Result<Answer, String> {
    by_name("image").unwrap().prepare(spec)?.run(0, Vec::new())
}

#[test]
fn squares_show_the_middle_of_the_picture() {
    for picture in [stripes(THREE), turned(&stripes(THREE))] {
        let outputs = squares(&encode(&picture, 95).unwrap(), Decode::Once).unwrap();
        for (jpeg, side) in outputs.iter().zip(SIDES) {
            let square = decode(jpeg).unwrap();
            assert_eq!((square.width, square.height), (side, side));
            let near = |pixel: &[u8]| pixel.iter().zip(THREE[1]).all(|(a, b)| a.abs_diff(b) < 8);
            // Decoders blend colour over a block's edge, so the outermost pixels may differ.
            let inside = square.rgb.chunks(3 * side as usize).flat_map(|row| {
                let edge = row.len() / 3 / 20 * 3;
                row[edge..row.len() - edge].chunks(3)
            });
            let rows = (side as usize) / 20..(side as usize) * 19 / 20;
            let per_row = side as usize - 2 * (side as usize / 20);
            let mut inside = inside.skip(rows.start * per_row).take(rows.len() * per_row);
            assert!(inside.all(near), "{side}");
        }
    }
}

#[test]
fn decoding_once_or_per_size_makes_the_same_files_as_the_bare_sequence() {
    let jpeg = small_jpeg();
    let once = squares(&jpeg, Decode::Once).unwrap();
    assert_eq!(once, squares(&jpeg, Decode::PerSize).unwrap());
    let bytes: usize = once.iter().map(Vec::len).sum();
    assert_eq!(bare_sequence(&jpeg).unwrap(), bytes);
}

#[test]
fn the_checksum_is_of_decoded_pixels_and_outputs_are_known_by_their_bytes() {
    let jpeg = small_jpeg();
    let outputs = squares(&jpeg, Decode::Once).unwrap();
    let truth = Known::of(&outputs).unwrap();
    assert_eq!(Known::from_text(&truth.to_text()), Some(truth));
    let answer = |known: OnceLock<Known>| {
        let picture = Picture { jpeg: jpeg.clone(), decode: Decode::Once, folder: None, known };
        let [first, second] = [0, 1].map(|_| picture.run(0, Vec::new()).unwrap().checksum);
        assert_eq!(first, second);
        first
    };
    assert_eq!(answer(OnceLock::new()), truth.checksum);
    let digest = truth.digest;
    assert_eq!(answer(Known { digest, checksum: 7 }.into()), 7);
    let of_others = Known { digest: digest + 1, checksum: 7 };
    assert_eq!(answer(of_others.into()), truth.checksum);

    let mut other = outputs.clone();
    other[0] = encode(&stripes(&THREE[..1]), OUTPUT_QUALITY).unwrap();
    assert_ne!(Known::of(&other).unwrap(), truth);
}

#[test]
fn the_written_picture_answers_with_its_sums_as_without() {
    let dir = tempfile::tempdir().unwrap();
    let path = Image.materialise(&spec(Size::S, &[]), dir.path());
    let path = path.unwrap().unwrap();
    let written = decode(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((written.width, written.height), (1600, 1200));
    let from_file = spec(Size::S, &[("input", path.to_str().unwrap())]);
    let with_sums = run(&from_file).unwrap();
    fs::write(sums_path(&path), "1 2 3").unwrap();
    assert!(run(&from_file).unwrap_err().contains("damaged"));
    fs::remove_file(sums_path(&path)).unwrap();
    assert_eq!(run(&from_file).unwrap(), with_sums);
}

#[test]
fn an_own_picture_is_copied_and_must_be_named() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let own = own(dir.path(), &[]);
    let path = Image.materialise(&own, scratch.path()).unwrap().unwrap();
    assert!(path.starts_with(scratch.path()));
    let copied = spec(Size::L, &[("input", path.to_str().unwrap())]);
    assert_eq!(run(&copied), run(&own));

    let unnamed = spec(Size::L, &[]);
    assert!(run(&unnamed).unwrap_err().contains("--image FILE"));
    let error = Image.materialise(&unnamed, scratch.path()).unwrap_err();
    assert!(error.contains("--image FILE"));
}

#[test]
fn outputs_go_to_files_of_their_own_in_the_folder_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("new/out");
    let files =
        |folder: &Path| own(dir.path(), &[("output", "files"), ("dir", folder.to_str().unwrap())]);
    let error = run(&files(&folder)).unwrap_err();
    assert!(error.contains("new/out"), "{error}");

    Image.materialise(&files(&folder), dir.path()).unwrap();
    let answers = [0, 1].map(|_| run(&files(&folder)).unwrap());
    assert_eq!(answers[0], run(&own(dir.path(), &[])).unwrap());
    let mut sides: Vec<u32> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| decode(&fs::read(entry.unwrap().path()).unwrap()).unwrap().width)
        .collect();
    sides.sort_unstable();
    assert_eq!(sides, [100, 100, 300, 300, 800, 800]);

    // Not even root can make a folder below a file.
    let below_file = dir.path().join("mine.jpg/out");
    let error = Image.materialise(&files(&below_file), dir.path()).unwrap_err();
    assert!(error.contains("mine.jpg/out"), "{error}");
    let nameless = own(dir.path(), &[("output", "files")]);
    assert!(run(&nameless).unwrap_err().contains("`dir`"));
}

#[test]
fn the_picture_is_the_same_everywhere_and_as_large_as_a_photograph() {
    let pinned = fold_bytes(&picture::generate(64, 48, 1).rgb);
    assert_eq!(pinned, 14_610_569_405_060_600_406);
    assert_ne!(picture::generate(64, 48, 1), picture::generate(64, 48, 2));
    for seed in [1, 2] {
        let jpeg = encode(&picture::generate(1000, 750, seed), PICTURE_QUALITY).unwrap();
        // 2 to 5 MB at 4000 x 3000, in bytes per pixel.
        let per_pixel = jpeg.len() as f64 / 750_000.0;
        assert!((2.0 / 12.0..5.0 / 12.0).contains(&per_pixel), "{per_pixel}");
    }
}
