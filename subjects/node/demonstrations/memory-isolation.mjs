// The study notes' memory isolation example: main sets its count to 100, the child sets the count
// that it was given to 999. As a process, as a thread, and as a thread that was given shared memory.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { say } from './say.mjs';

const CHILD = new URL('memory-isolation/child.mjs', import.meta.url);
const SHARED = new URL('memory-isolation/shared.mjs', import.meta.url);

{
  const mainData = { count: 0 };
  const child = fork(CHILD);
  child.send({ data: mainData });
  mainData.count = 100;
  const [{ childData }] = await once(child, 'message');
  tell('process', mainData.count, childData.count);
  child.kill();
  await once(child, 'exit');
}

{
  const mainData = { count: 0 };
  const worker = new Worker(CHILD);
  worker.postMessage({ data: mainData });
  mainData.count = 100;
  const [{ childData }] = await once(worker, 'message');
  tell('thread', mainData.count, childData.count);
  await worker.terminate();
}

{
  const count = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(SHARED, { workerData: { count } });
  count[0] = 100;
  // Only now may the thread write: without saying so, who writes last would be chance.
  worker.postMessage('write');
  const [{ childCount }] = await once(worker, 'message');
  tell('thread-shared', count[0], childCount);
  await worker.terminate();
}

function tell(of, main, child) {
  say(of, 'main_count', main);
  say(of, 'child_count', child);
}
