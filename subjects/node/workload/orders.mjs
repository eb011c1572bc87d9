// `orders`: one order fans out to e-mail, inventory and payment, and is answered twice. Each task
// is a fixed count of steps of an integer loop: work, not time.

import { TaskError } from '../run.mjs';
import { pick } from '../spec.mjs';
import { mix } from './mix.mjs';

/** E-mail, inventory, payment. */
const TASKS = 3;

export const acceptsEarly = true;
export const tasks = () => TASKS;

export function prepare(spec) {
  const steps = pick(spec.size, [625_000, 3_125_000, 12_500_000]);
  const seed = Number(BigInt.asIntN(32, spec.seed ^ (spec.seed >> 32n)));
  return {
    run(task) {
      if (task >= TASKS) {
        throw new TaskError(`an order has ${TASKS} tasks, not one numbered ${task}`);
      }
      const start = seed ^ Math.imul(task + 1, 0x9e3779b9);
      return { checksum: BigInt(mix(start, steps)) };
    },
  };
}
