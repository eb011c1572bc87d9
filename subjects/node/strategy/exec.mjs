// `exec`: `child_process.exec`, a new program per task through `sh -c`, its whole output buffered.

import { exec } from 'node:child_process';
import { nowNs } from '../clock.mjs';
import { LastWords } from '../process.mjs';
import { MAX_BODY_BYTES } from '../protocol.mjs';
import { Programs, taskCommand } from './program.mjs';

export const reaps = true;

/** The default of 1 MiB is less than an answer may be. */
const OPTIONS = { encoding: 'buffer', maxBuffer: MAX_BODY_BYTES + 65_536 };

export function start(setup) {
  const programs = new Programs(setup);
  return {
    census: programs.census,
    begin(task) {
      const [program, args] = taskCommand(setup, task.id);
      const line = [program, ...args].map(quote).join(' ');
      begin(programs, task, program, (options, end) => exec(line, options, end));
    },
    expire: (id) => programs.expire(id),
    close: () => programs.close(),
  };
}

/** What `exec` and `execFile` share: one callback with the whole output. */
export function begin(programs, { id, payload }, program, execute) {
  const job = { id, program, dispatched: nowNs() };
  const child = execute(OPTIONS, (error, stdout, stderr) => {
    if (child.pid === undefined) return programs.refused(job, error);
    job.lastWords = new LastWords();
    job.lastWords.hear(stderr.subarray(-4096));
    if (error?.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
      // Whatever it is, it is longer than any answer.
      if (!programs.answerIfComplete(job, stdout)) programs.fail(job, 'app_error', error.message);
      return;
    }
    programs.conclude(job, stdout, error === null ? 0 : error.code, error?.signal ?? null);
  });
  programs.started(job, child);
  // A program that does not read its input may still answer.
  child.stdin?.on('error', () => {}).end(payload);
  if (child.pid !== undefined) child.on('exit', () => programs.reaped(job, nowNs()));
}

/** As exactly one word of a POSIX shell. */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
