// `blocking`: the task runs in the event loop, and nothing else does meanwhile. The study notes'
// bad example, and the reference of every comparison.

import { run } from '../run.mjs';
import { Census } from './census.mjs';

export const reaps = false;

export function start(setup) {
  const input = setup.workload.prepare(setup.spec);
  const end = (id, ran) => {
    const { workStart, workEnd } = ran;
    // Nothing lies between deciding to run and running: one stamp serves for three.
    const stamps = { dispatched: workStart, childStart: workStart, workStart, workEnd };
    setup.done({ ...ran, id, stamps, childPid: process.pid });
  };
  return {
    census: new Census(),
    begin({ id, payload }) {
      const ran = run(input, id.task, payload);
      if (ran instanceof Promise) ran.then((ran) => end(id, ran));
      else end(id, ran);
    },
    /** Never in time: the loop that would notice the deadline is the one that is busy. */
    expire() {},
  };
}
