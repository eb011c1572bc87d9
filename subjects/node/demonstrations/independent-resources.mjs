// Has a child its creator's open files, and what does closing one there do to its creator?

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { say } from './say.mjs';

const OWN = fileURLToPath(import.meta.url);
const CHILD = new URL('independent-resources/child.mjs', import.meta.url);

for (const of of ['fork', 'worker-thread']) {
  const fd = openSync(OWN);
  const { dev, ino } = fstatSync(fd);
  const file = { fd, dev, ino };
  const child = of === 'fork' ? fork(CHILD) : new Worker(CHILD);
  if (of === 'fork') child.send(file);
  else child.postMessage(file);
  const [{ usable }] = await once(child, 'message');
  say(of, 'handle_usable_in_child', usable);
  say(of, 'main_handle_survives', isOpen(fd), {
    text: usable ? 'the child closed it' : 'the child had nothing to close',
  });
  if (isOpen(fd)) closeSync(fd);
  const exited = once(child, 'exit');
  if (of === 'fork') child.kill();
  else child.terminate();
  await exited;
}

function isOpen(fd) {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
