// Running one task in this thread, for every child that has the input loaded.

import { nowNs } from './clock.mjs';

/** A failure that the workload foresees: the outcome is `app_error`, not `crash`. */
export class TaskError extends Error {}

const NOTHING = Buffer.alloc(0);

/**
 * Runs one task to its end; an exception is a crash, as it is for a child of its own. Gives what
 * became of it, or a promise of that where the workload itself works asynchronously.
 */
export function run(input, task, payload) {
  const workStart = nowNs();
  const end = (answer) => {
    const workEnd = nowNs();
    const body = answer.payload ?? NOTHING;
    return { outcome: 'ok', checksum: answer.checksum, body, workStart, workEnd };
  };
  const fail = (error) => {
    const workEnd = nowNs();
    const outcome = error instanceof TaskError ? 'app_error' : 'crash';
    const body = Buffer.from(String(error?.message ?? error));
    return { outcome, checksum: 0n, body, workStart, workEnd };
  };
  try {
    const answer = input.run(task, payload);
    return answer instanceof Promise ? answer.then(end, fail) : end(answer);
  } catch (error) {
    return fail(error);
  }
}
