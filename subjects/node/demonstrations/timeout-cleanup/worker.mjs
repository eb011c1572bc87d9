// A worker that never answers, for the reason that it is told. It says on standard output that it
// is there, since a message would be an answer.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';

const [reason] = process.argv.slice(2);

process.on('message', () => {
  // Waits for what never comes, or does not even do that.
  if (reason === 'busy') for (;;);
});

if (reason === 'ignores-sigterm') process.on('SIGTERM', () => writeSync(1, 'no\n'));
if (reason === 'has-a-child') {
  // As one that converts a film would be: a program that the worker has started.
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
}
writeSync(1, 'here\n');
