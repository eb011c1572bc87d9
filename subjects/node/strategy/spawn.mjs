// `spawn`: `child_process.spawn`, a new program per task, arguments in, the answer read as a text
// stream as it comes.

import { spawn } from 'node:child_process';
import { nowNs } from '../clock.mjs';
import { LastWords } from '../process.mjs';
import { Programs, taskCommand } from './program.mjs';

export const reaps = true;

export function start(setup) {
  const programs = new Programs(setup);
  return {
    census: programs.census,
    begin({ id, payload }) {
      const [program, args] = taskCommand(setup, id);
      const job = { id, program, dispatched: nowNs(), lastWords: new LastWords() };
      const stdin = payload.length > 0 ? 'pipe' : 'ignore';
      const child = spawn(program, args, { stdio: [stdin, 'pipe', 'pipe'] });
      programs.started(job, child);
      child.on('error', (error) => programs.refused(job, error));
      if (child.pid === undefined) return;
      const pieces = [];
      child.stdout.on('data', (piece) => {
        pieces.push(piece);
        if (!job.answered) programs.answerIfComplete(job, Buffer.concat(pieces));
      });
      child.stderr.on('data', (piece) => job.lastWords.hear(piece));
      // A program that does not read its input may still answer.
      child.stdin?.on('error', () => {}).end(payload);
      child.on('exit', () => programs.reaped(job, nowNs()));
      child.on('close', (code, signal) => {
        programs.conclude(job, Buffer.concat(pieces), code, signal);
      });
    },
    expire: (id) => programs.expire(id),
    close: () => programs.close(),
  };
}
