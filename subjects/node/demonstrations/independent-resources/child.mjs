// Says whether the descriptor it is told is the file it is told, and if so closes it.

import { closeSync, fstatSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const port = parentPort ?? process;
const send = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message));

port.on('message', ({ fd, dev, ino }) => {
  const usable = isFile(fd, dev, ino);
  if (usable) closeSync(fd);
  send({ usable });
});

/** The number alone says nothing: a child may have something else of its own under it. */
function isFile(fd, dev, ino) {
  try {
    const found = fstatSync(fd);
    return found.dev === dev && found.ino === ino;
  } catch {
    return false;
  }
}
