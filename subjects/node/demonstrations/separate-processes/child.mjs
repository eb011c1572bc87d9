// The study notes' child: says who it is. Told to work, it is busy for a while.

import { parentPort } from 'node:worker_threads';

const BUSY_MS = 100;

const port = parentPort ?? process;
const send = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message));

port.on('message', () => {
  const before = process.cpuUsage();
  const end = performance.now() + BUSY_MS;
  while (performance.now() < end);
  send({ cpu: process.cpuUsage(before) });
});

send({
  childPID: process.pid,
  parentPID: process.ppid,
  memory: process.memoryUsage().rss,
});
