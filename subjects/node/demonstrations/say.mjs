// A fact is a line of JSON on standard output. It is written at once, so that what has been said
// stays said, however the program ends.

import { writeSync } from 'node:fs';

/** `value` is a number, or whether something is so. */
export function say(of, fact, value, { unit = '', text = '' } = {}) {
  // Behind nine digits there is nothing but the length of the line.
  const number = Number.isInteger(value) ? value : Number(Number(value).toPrecision(9));
  const line = { case: of, fact, value: number, unit, text };
  writeSync(1, `${JSON.stringify(line)}\n`);
}
