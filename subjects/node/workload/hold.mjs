// `hold`: says that it is there, and stays until the driver lets it go, so that the memory of its
// child can be read. Two named pipes in the folder that is the input are the barrier.
//
// The thread itself waits, in every runtime: libuv's pool has four threads for a whole process, and
// a fifth reader in it would not even begin to wait.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { touched, writeToCarried } from '../ballast.mjs';
import { TaskError } from '../run.mjs';
import { count } from '../spec.mjs';

const MIB = 1_048_576;

export function prepare(spec) {
  const dir = spec.options.input;
  const touchMib = count(spec.options, 'touch_mib');
  const writeMib = count(spec.options, 'write_mib');
  return {
    run() {
      const kept = touched(touchMib * MIB);
      writeToCarried(writeMib * MIB);
      wait(dir);
      return { checksum: BigInt(kept.length / MIB) };
    },
  };
}

function wait(dir) {
  const release = openSync(joinPath(dir, 'release'), 'r');
  try {
    say(joinPath(dir, 'arrived'), `${process.pid}\n`);
    if (readSync(release, Buffer.allocUnsafe(1)) === 0) {
      throw new TaskError('the driver that held this task is gone');
    }
  } finally {
    closeSync(release);
  }
}

/** In one write, so that lines of many tasks do not mix. */
function say(pipe, line) {
  const arrived = openSync(pipe, 'w');
  try {
    writeSync(arrived, line);
  } finally {
    closeSync(arrived);
  }
}
