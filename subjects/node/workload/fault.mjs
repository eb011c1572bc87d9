// `fault`: misbehaves on purpose, so that every way a child can fail has a test.

import { TaskError } from '../run.mjs';

const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

export function prepare(spec) {
  return { run: () => fail(spec.options.kind) };
}

function fail(kind) {
  switch (kind) {
    case 'panic':
      throw new Error('the task panicked');
    case 'exit':
      return process.exit(3);
    // Not `process.abort`, which a worker thread does not have; the end is the same.
    case 'abort':
      return endBy('SIGABRT');
    case 'segfault':
      return endBy('SIGSEGV');
    case 'hang':
      return Atomics.wait(NEVER_WOKEN, 0, 0);
    default:
      throw new TaskError('the fault workload fails as asked');
  }
}

function endBy(signal) {
  process.kill(process.pid, signal);
  Atomics.wait(NEVER_WOKEN, 0, 0);
}
