// `exec-file`: `child_process.execFile`, a new program per task without a shell, its whole output
// buffered.

import { execFile } from 'node:child_process';
import { begin } from './exec.mjs';
import { Programs, taskCommand } from './program.mjs';

export const reaps = true;

export function start(setup) {
  const programs = new Programs(setup);
  return {
    census: programs.census,
    begin(task) {
      const [program, args] = taskCommand(setup, task.id);
      begin(programs, task, program, (options, end) => execFile(program, args, options, end));
    },
    expire: (id) => programs.expire(id),
    close: () => programs.close(),
  };
}
