// The study notes' child.js, as a process or as a thread.

import { parentPort } from 'node:worker_threads';

const port = parentPort ?? process;
const send = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message));

port.on('message', (msg) => {
  const childData = msg.data;
  childData.count = 999;
  send({ childData });
});
