// The server: some workers with requests in flight, and one more that is told to crash.

import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';

const FILE = new URL('worker.mjs', import.meta.url);
const OTHERS = 3;
const HEAP_MB = 64;

const [where] = process.argv.slice(2);
const isProcess = where === 'process';
const listens = where !== 'thread-no-listener';

const workers = [];

process.on('message', async (order) => {
  switch (order.do) {
    case 'begin':
      while (workers.length < OTHERS + 1) start();
      await Promise.all(workers.map((worker) => ask(worker, { do: 'begin' })));
      process.send({ inFlight: OTHERS });
      break;
    case 'crash': {
      const [victim] = workers;
      const ended = next(victim, 'exit');
      tell(victim, order);
      await ended;
      process.send({ recovered: true, answer: await answerOfANewOne() });
      break;
    }
    case 'answer':
      process.send({ recovered: true, answer: await answerOfANewOne() });
      break;
    case 'finish': {
      // The last one is the new one, and has answered.
      const others = workers.slice(0, OTHERS);
      const finished = await Promise.all(others.map((worker) => ask(worker, { do: 'answer' })));
      process.send({ answered: finished.filter((answer) => answer !== null).length });
      break;
    }
    case 'end':
      await Promise.all(workers.map(end));
      process.disconnect();
      break;
    default:
  }
});

function start() {
  const worker = isProcess
    ? fork(FILE, {
        execArgv: [`--max-old-space-size=${HEAP_MB}`],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc', 4],
      })
    : new Worker(FILE, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
  // A server that does not listen to a thread's errors dies of them: that is shown as well.
  if (listens) worker.on('error', (error) => console.error(`a worker ended: ${error.message}`));
  worker.on('exit', () => workers.splice(workers.indexOf(worker), 1));
  workers.push(worker);
  return worker;
}

async function answerOfANewOne() {
  const { answer } = await ask(start(), { do: 'answer' });
  return answer;
}

const tell = (worker, message) => (isProcess ? worker.send(message) : worker.postMessage(message));

/** The next event of a worker, whatever else happens to it. */
const next = (worker, event) => new Promise((resolve) => { worker.once(event, resolve); });

/** What a worker says to an order; `null` if it ends instead. */
function ask(worker, order) {
  const said = next(worker, 'message');
  const ended = next(worker, 'exit').then(() => null);
  tell(worker, order);
  return Promise.race([said, ended]);
}

async function end(worker) {
  const ended = next(worker, 'exit');
  if (isProcess) worker.kill();
  else worker.terminate();
  await ended;
}
