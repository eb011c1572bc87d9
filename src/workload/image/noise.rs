//! Value noise in octaves, a row at a time.
//!
//! Only additions and multiplications: no `sin`, no `exp`, whose last bits differ from library to
//! library. The same seed gives the same picture on every machine.

/// Noise in `[-1, 1]` summed over octaves of ever smaller cells.
pub struct Octaves {
    seed: u32,
    layers: Vec<Layer>,
}

struct Layer {
    /// Side of a cell, in pixels.
    cell: usize,
    amplitude: f32,
    /// How far a pixel of a cell has come from its left (top) corner to the next, smoothly.
    ease: Vec<f32>,
}

impl Octaves {
    /// Cells from `largest` down to `smallest` pixels, halving; each octave has `persistence`
    /// times the amplitude of the one before, and all amplitudes together are 1.
    ///
    /// Photographs have a spectrum of about 1/f, which in two dimensions is the same energy in
    /// every octave: a persistence near 1. Clouds and haze are softer: 0.5.
    pub fn new(seed: u32, largest: usize, smallest: usize, persistence: f32) -> Octaves {
        let mut layers = Vec::new();
        let (mut cell, mut amplitude, mut total) = (largest, 1.0, 0.0);
        while cell >= smallest {
            let ease = (0..cell).map(|i| smooth(i as f32 / cell as f32)).collect();
            layers.push(Layer { cell, amplitude, ease });
            total += amplitude;
            amplitude *= persistence;
            cell /= 2;
        }
        for layer in &mut layers {
            layer.amplitude /= total;
        }
        Octaves { seed, layers }
    }

    /// The noise along row `y`, which replaces the contents of `row`.
    pub fn fill(&self, y: usize, row: &mut [f32]) {
        row.fill(0.0);
        for (layer, salt) in self.layers.iter().zip(0_u32..) {
            let cell_y = (y / layer.cell) as u32;
            let down = layer.ease[y % layer.cell];
            let seed = hash(self.seed, salt, 0);
            let corner = |x: u32| {
                let [above, below] = [cell_y, cell_y + 1].map(|y| signed(hash(seed, x, y)));
                (above + (below - above) * down) * layer.amplitude
            };
            let mut left = corner(0);
            for (pixels, x) in row.chunks_mut(layer.cell).zip(1..) {
                let right = corner(x);
                for (pixel, ease) in pixels.iter_mut().zip(&layer.ease) {
                    *pixel += left + (right - left) * ease;
                }
                left = right;
            }
        }
    }
}

/// Three numbers into one that looks unrelated to them.
pub fn hash(a: u32, b: u32, c: u32) -> u32 {
    let mut h = a
        ^ b.wrapping_mul(0x9e37_79b1).rotate_left(13)
        ^ c.wrapping_mul(0x85eb_ca77).rotate_left(7);
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^ (h >> 16)
}

/// Evenly over `[0, 1)`.
pub fn unit(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

fn signed(bits: u32) -> f32 {
    unit(bits) * 2.0 - 1.0
}

/// From 0 to 1 with level ends.
pub fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_bounded_smooth_and_new_in_every_row() {
        let noise = Octaves::new(5, 64, 8, 0.7);
        let (mut row, mut next) = (vec![0.0; 500], vec![0.0; 500]);
        noise.fill(70, &mut row);
        noise.fill(71, &mut next);
        assert!(row.iter().all(|n| n.abs() <= 1.0));
        // A cell of 8 px rises by 2 at most, and at most half as fast again in its middle.
        let steps = row.windows(2).map(|w| (w[1] - w[0]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.375);
        assert_ne!(row, next);
        assert!(row.iter().any(|&n| n > 0.2) && row.iter().any(|&n| n < -0.2));
    }
}
