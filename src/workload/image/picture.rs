//! The built-in picture: hills under clouds, a town with windows, stones, and a sensor's noise.
//!
//! A gradient would compress to nothing, white noise to nothing less than itself; both decode at
//! speeds that no photograph has. What a decoder's time depends on is detail of about 1/f, sharp
//! edges and noise, so the picture has all three: at 4000 x 3000 and quality 90 it is as large as
//! a camera's, 2 to 5 MB (a test asserts it at a smaller scale).

use super::noise::{Octaves, hash, smooth, unit};
use super::resize::Pixels;

type Rgb = [f32; 3];

/// Draws the picture that belongs to the seed; equal on every machine.
pub fn generate(width: u32, height: u32, seed: u64) -> Pixels {
    let scene = Scene::new(width as usize, height as usize, (seed ^ (seed >> 32)) as u32);
    let mut rgb = Vec::with_capacity(3 * scene.width * scene.height);
    let mut rows = Rows::new(scene.width);
    for y in 0..scene.height {
        rows.fill(&scene, y);
        for x in 0..scene.width {
            let colour = scene.sensor(x, y, scene.colour(x, y, &rows));
            rgb.extend(colour.map(|channel| channel.clamp(0.0, 255.0) as u8));
        }
    }
    Pixels { width, height, rgb }
}

const HILLS: usize = 4;
/// Far to near: the height of the ridge as a share of the picture's, how much it varies, the
/// colour, and the contrast of its texture.
const RIDGES: [(f32, f32, Rgb, f32); HILLS] = [
    (0.42, 0.20, [137.0, 152.0, 172.0], 0.3),
    (0.52, 0.16, [98.0, 121.0, 118.0], 0.7),
    (0.64, 0.10, [84.0, 104.0, 62.0], 1.3),
    (0.80, 0.08, [92.0, 84.0, 52.0], 1.8),
];
/// Houses stand on this ridge.
const TOWN: usize = 2;

struct Scene {
    width: usize,
    height: usize,
    seed: u32,
    clouds: Octaves,
    texture: Octaves,
    tint: Octaves,
    /// Per hill, per column: the row at which the hill begins.
    ridges: Vec<Vec<f32>>,
    houses: Vec<House>,
    stones: Vec<Stone>,
}

/// In pixels.
struct House {
    left: f32,
    right: f32,
    top: f32,
    window: f32,
    colour: Rgb,
}

/// In pixels.
struct Stone {
    x: f32,
    y: f32,
    radius: f32,
    shade: f32,
}

/// Noise along the current row, and the stones that it cuts.
struct Rows {
    clouds: Vec<f32>,
    texture: Vec<f32>,
    tint: Vec<f32>,
    stones: Vec<usize>,
}

impl Rows {
    fn new(width: usize) -> Rows {
        Rows {
            clouds: vec![0.0; width],
            texture: vec![0.0; width],
            tint: vec![0.0; width],
            stones: Vec::new(),
        }
    }

    fn fill(&mut self, scene: &Scene, y: usize) {
        scene.clouds.fill(y, &mut self.clouds);
        scene.texture.fill(y, &mut self.texture);
        scene.tint.fill(y, &mut self.tint);
        self.stones.clear();
        let cut = |stone: &Stone| (stone.y - y as f32).abs() <= stone.radius;
        let indices = (0..scene.stones.len()).filter(|&i| cut(&scene.stones[i]));
        self.stones.extend(indices);
    }
}

impl Scene {
    fn new(width: usize, height: usize, seed: u32) -> Scene {
        let cell = (width / 4).next_power_of_two();
        let ridges = (0..HILLS as u32).map(|hill| {
            let (base, range, ..) = RIDGES[hill as usize];
            let mut line = vec![0.0; width];
            Octaves::new(hash(seed, 10, hill), cell, 2, 0.5).fill(0, &mut line);
            let row = |noise: f32| (base - range * noise) * height as f32;
            line.into_iter().map(row).collect()
        });
        let ridges: Vec<Vec<f32>> = ridges.collect();
        Scene {
            clouds: Octaves::new(hash(seed, 1, 0), cell, 4, 0.6),
            texture: Octaves::new(hash(seed, 2, 0), cell / 4, 2, 1.0),
            tint: Octaves::new(hash(seed, 3, 0), cell / 2, 8, 0.7),
            houses: houses(width as f32, seed, &ridges[TOWN]),
            stones: stones(width as f32, height as f32, seed),
            ridges,
            width,
            height,
            seed,
        }
    }

    /// The colour of a pixel, front to back.
    fn colour(&self, x: usize, y: usize, rows: &Rows) -> Rgb {
        let (at_x, at_y) = (x as f32 + 0.5, y as f32 + 0.5);
        let texture = rows.texture[x];
        for &stone in &rows.stones {
            if let Some(shade) = self.stones[stone].shade_at(at_x, at_y) {
                return [96.0, 92.0, 88.0].map(|c| c * shade * (1.0 + 0.5 * texture));
            }
        }
        for hill in (0..HILLS).rev() {
            if at_y >= self.ridges[hill][x] {
                let (.., colour, contrast) = RIDGES[hill];
                let light = 1.0 + contrast * texture;
                let [r, g, b] = colour.map(|c| c * light);
                let warm = 26.0 * rows.tint[x];
                return [r + warm, g + 0.3 * warm, b - warm];
            }
            if hill == TOWN
                && let Some(house) = self.houses.iter().find(|h| h.covers(at_x, at_y))
            {
                return house.colour_at(at_x, at_y, texture);
            }
        }
        self.sky(at_x, at_y, rows.clouds[x])
    }

    fn sky(&self, x: f32, y: f32, cloud: f32) -> Rgb {
        let (width, height) = (self.width as f32, self.height as f32);
        let down = (y / (0.5 * height)).min(1.0);
        let blue = mix([68.0, 108.0, 172.0], [206.0, 208.0, 204.0], down);
        let sky = mix(blue, [240.0, 238.0, 235.0], smooth((0.35 + 2.2 * cloud).clamp(0.0, 1.0)));
        let (dx, dy) = ((x - 0.72 * width) / width, (y - 0.16 * height) / width);
        let from_sun = (dx * dx + dy * dy) / (0.035 * 0.035);
        let glow = (1.0 / (1.0 + from_sun)).min(0.9);
        let disc = if from_sun < 1.0 { 1.0 } else { glow };
        mix(sky, [255.0, 247.0, 224.0], disc)
    }

    /// What a sensor behind a lens makes of it: darker corners, and noise that shows most in the
    /// shadows, where little light is stretched far.
    fn sensor(&self, x: usize, y: usize, colour: Rgb) -> Rgb {
        let across = x as f32 / self.width as f32 - 0.5;
        let down = y as f32 / self.height as f32 - 0.5;
        let lens = 1.0 - 0.5 * (across * across + down * down);
        let bits = hash(self.seed, x as u32, y as u32);
        // Two bytes make a triangular distribution over [-1, 1]; the channels share one of them.
        let byte = |at: u32| ((bits >> at) & 0xff) as f32;
        let noise = [0, 8, 16].map(|at| (byte(at) + byte(24)) / 255.0 - 1.0);
        let brightness = (colour[0] + colour[1] + colour[2]) / 765.0;
        let strength = 6.0 + 5.0 * (1.0 - brightness);
        [0, 1, 2].map(|c| colour[c] * lens + strength * noise[c])
    }
}

impl House {
    fn covers(&self, x: f32, y: f32) -> bool {
        (self.left..self.right).contains(&x) && y >= self.top
    }

    fn colour_at(&self, x: f32, y: f32, texture: f32) -> Rgb {
        let (across, down) = ((x - self.left) / self.window, (y - self.top) / self.window);
        let in_window = |t: f32| (0.3..0.75).contains(&(t - t.floor()));
        if down < 0.5 {
            return [112.0, 58.0, 46.0].map(|c| c * (1.0 + 0.4 * texture));
        }
        if in_window(across) && in_window(down) {
            // One pane in four is lit.
            let lit = hash(across as u32, down as u32, self.left as u32).is_multiple_of(4);
            return if lit { [248.0, 214.0, 130.0] } else { [38.0, 46.0, 60.0] };
        }
        self.colour.map(|c| c * (1.0 + 0.25 * texture))
    }
}

impl Stone {
    /// Lit from the upper right; none outside.
    fn shade_at(&self, x: f32, y: f32) -> Option<f32> {
        let (dx, dy) = ((x - self.x) / self.radius, (y - self.y) / (0.7 * self.radius));
        let light = 1.0 + 0.45 * dx - 0.55 * dy;
        (dx * dx + dy * dy < 1.0).then_some(light * self.shade)
    }
}

fn houses(width: f32, seed: u32, ridge: &[f32]) -> Vec<House> {
    let house = |number: u32| {
        let draw = |what: u32| unit(hash(hash(seed, 20, number), what, 0));
        let left = width * (0.08 + 0.045 * number as f32 + 0.02 * draw(0));
        let right = left + width * (0.018 + 0.02 * draw(1));
        let foot = ridge[(left as usize).min(ridge.len() - 1)];
        let wall = 150.0 + 70.0 * draw(2);
        House {
            left,
            right,
            top: foot - width * (0.02 + 0.05 * draw(3)),
            window: width * 0.006,
            colour: [wall, wall * (0.88 + 0.1 * draw(4)), wall * 0.8],
        }
    };
    (0..14).map(house).collect()
}

fn stones(width: f32, height: f32, seed: u32) -> Vec<Stone> {
    let stone = |number: u32| {
        let draw = |what: u32| unit(hash(hash(seed, 30, number), what, 0));
        let near = draw(0);
        Stone {
            x: width * draw(1),
            y: height * (0.86 + 0.14 * near),
            radius: width * (0.004 + 0.02 * near * draw(2)),
            shade: 0.7 + 0.6 * draw(3),
        }
    };
    let mut stones: Vec<Stone> = (0..40).map(stone).collect();
    // The nearest first: it hides the others.
    stones.sort_by(|a, b| b.y.total_cmp(&a.y));
    stones
}

fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    [0, 1, 2].map(|c| from[c] + (to[c] - from[c]) * share)
}
