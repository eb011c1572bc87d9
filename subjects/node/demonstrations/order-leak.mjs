// The study notes' order: three workers are forked for each, told what to do, and never spoken of
// again. What is left of them when all have done it, and what is left where each is ended.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { memory, startedSince } from './processes.mjs';
import { say } from './say.mjs';

const ORDERS = 10;

// Standard output is this program's, so the workers' words go to the null device.
const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
const worker = (name) =>
  fork(new URL(`order-leak/${name}-worker.mjs`, import.meta.url), { stdio });

/** The study notes' handler of `POST /place-order`, which gives its workers to whoever looks on. */
function placeOrder(order, respond) {
  // Spawn separate processes for different tasks
  const emailWorker = worker('email');
  const inventoryWorker = worker('inventory');
  const paymentWorker = worker('payment');

  // Send tasks to workers
  emailWorker.send({ task: 'send-confirmation', order });
  inventoryWorker.send({ task: 'update-stock', order });
  paymentWorker.send({ task: 'process-payment', order });

  // Respond immediately
  respond({ message: 'Order received', orderId: order.id, status: 'processing' });
  return [emailWorker, inventoryWorker, paymentWorker];
}

/** The same, and each worker is ended once it has said that it is done. */
function placeOrderAndCleanUp(order, respond) {
  const workers = placeOrder(order, respond);
  for (const worker of workers) worker.once('message', () => worker.kill());
  return workers;
}

await show('as-in-the-notes', placeOrder, 'message');
await show('corrected', placeOrderAndCleanUp, 'exit');

async function show(of, place, over) {
  const workers = [];
  for (let id = 1; id <= ORDERS; id += 1) workers.push(...place({ id }, () => {}));
  const exited = workers.map((worker) => once(worker, 'exit'));
  await Promise.all(workers.map((worker) => once(worker, over)));
  const left = startedSince();
  const pssBytes = left.reduce((sum, pid) => sum + memory(pid).pss, 0);
  say(of, 'orders', ORDERS);
  say(of, 'children_left', left.length);
  say(of, 'left_pss_bytes', pssBytes, { unit: 'bytes' });
  say(of, 'children_left_per_100_orders', (left.length / ORDERS) * 100);
  say(of, 'left_mb_per_100_orders', (pssBytes / 1e6 / ORDERS) * 100, { unit: 'MB' });
  for (const worker of workers) worker.kill();
  await Promise.all(exited);
}
