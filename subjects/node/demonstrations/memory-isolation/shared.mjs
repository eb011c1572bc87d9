// The same where the count lies in memory that both threads have.

import { parentPort, workerData } from 'node:worker_threads';

const { count } = workerData;

parentPort.on('message', () => {
  count[0] = 999;
  parentPort.postMessage({ childCount: count[0] });
});
