// Counts when it is told to: in what is shared with others, or in what is its own.

import { parentPort, workerData } from 'node:worker_threads';

const port = parentPort ?? process;
const send = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message));
const counter = workerData?.shared ?? new Int32Array(1);

port.on('message', ({ times, atomic }) => {
  if (atomic) for (let i = 0; i < times; i += 1) Atomics.add(counter, 0, 1);
  else for (let i = 0; i < times; i += 1) counter[0] += 1;
  send({ own: counter[0] });
});

send('here');
