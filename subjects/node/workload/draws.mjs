// xoshiro128++ seeded through SplitMix64: the generator that every runtime can reproduce.

const MASK64 = (1n << 64n) - 1n;

/** The four 32-bit words of the state that belongs to a 64-bit seed. */
function seeded(seed) {
  const words = new Int32Array(4);
  let state = BigInt(seed);
  for (let i = 0; i < 2; i += 1) {
    state = (state + 0x9e3779b97f4a7c15n) & MASK64;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
    z ^= z >> 31n;
    words[2 * i] = Number(BigInt.asIntN(32, z));
    words[2 * i + 1] = Number(BigInt.asIntN(32, z >> 32n));
  }
  return words;
}

/** A function that gives the next draw, from 0 to 2^32 - 1. */
export function draws(seed) {
  let [s0, s1, s2, s3] = seeded(seed);
  return () => {
    const total = (s0 + s3) | 0;
    const result = (((total << 7) | (total >>> 25)) + s0) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  };
}
