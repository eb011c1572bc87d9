// What one request does. Each workload is one file and one line here.
//
// A workload has `prepare(spec, shared)` giving `{ run(task, payload) }`, and where the default
// does not fit: `tasks(spec)`, `join(checksums)`, `acceptsEarly`, and `load(spec)`: what
// `prepare` would read or compute, in memory that threads can share; `packages` that it needs;
// `calibrate()` of one whose work is counted in a unit that is measured.
// An input may have `examine()`, which proves in other ways than by a checksum that its answer is
// right.

import { fold } from './fold.mjs';

const NAMES = [
  'noop',
  'random-sum',
  'random-sum-native',
  'primes',
  'image',
  'analytics',
  'orders',
  'spin',
  'sleep',
  'hold',
  'fault',
];

const DEFAULTS = {
  acceptsEarly: false,
  tasks: () => 1,
  join: fold,
  load: () => undefined,
  packages: [],
};

/** The workload of this name; only its own file is loaded. */
export async function byName(name) {
  if (!NAMES.includes(name)) throw new Error(`unknown workload \`${name}\``);
  const module = await import(`./${name}.mjs`);
  return { ...DEFAULTS, ...module };
}
