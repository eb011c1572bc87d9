// FNV-1a, 64 bits, over numbers as little-endian 64-bit words.
//
// The state is two 32-bit halves: multiplying BigInts would cost more than the reports themselves.
// The prime is 2^40 + 0x1b3.

/** Of BigInts, order mattering; one number alone stays itself. */
export function fold(numbers) {
  if (numbers.length === 1) return numbers[0];
  const words = new Uint32Array(new BigUint64Array(numbers).buffer);
  return fnv(words);
}

/** Of whole numbers below 2^53; one number alone stays itself. */
export function foldNumbers(numbers) {
  if (numbers.length === 1) return BigInt(numbers[0]);
  const words = new Uint32Array(numbers.length * 2);
  numbers.forEach((n, i) => {
    words[2 * i] = n; // Stores are modulo 2^32.
    words[2 * i + 1] = Math.floor(n / 0x1_0000_0000);
  });
  return fnv(words);
}

function fnv(words) {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const word of words) {
    for (let shift = 0; shift < 32; shift += 8) {
      low = (low ^ ((word >>> shift) & 0xff)) >>> 0;
      const product = low * 0x1b3;
      const carry = Math.floor(product / 0x1_0000_0000);
      // Below 2^53: high * 0x1b3 < 2^41, the shifted low half is cut to 32 bits.
      high = (high * 0x1b3 + carry + ((low << 8) >>> 0)) % 0x1_0000_0000;
      low = product >>> 0;
    }
  }
  return (BigInt(high) << 32n) | BigInt(low);
}
