// A worker crashes. Does the server survive, what becomes of the requests that others are working
// on, and how long does it take until a new worker gives a right answer? The server is a child of
// this program, because some of what happens to a worker happens to it as well. Where the server is
// gone, starting another is part of the time to recover.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { say } from './say.mjs';

const SERVER = new URL('crash/server.mjs', import.meta.url);

/** How many numbers below 1000 are primes: what a worker is asked, and what is right. */
const RIGHT = 168;

const HOW = ['abort', 'segfault', 'panic', 'exit', 'out-of-memory'];

/** What a thread ends by that its server hears of, if it listens. */
const HEARD = ['panic', 'exit', 'out-of-memory'];

for (const [where, ways] of [['process', HOW], ['thread', HOW], ['thread-no-listener', HEARD]]) {
  let server = start(where);
  for (const how of ways) server = await show(where, how, server);
  await server.end();
}
await tellRefusal('thread/abort');

/** Shows it on a server, and gives the one that is there afterwards. */
async function show(where, how, server) {
  const of = `${where}/${how}`;
  const { inFlight } = await server.told('inFlight', { do: 'begin' });
  const recovered = await server.told('recovered', { do: 'crash', how });
  const survives = recovered !== null;
  const next = survives ? server : start(where);
  const recoveredAt = right(recovered ?? (await next.told('recovered', { do: 'answer' })));
  const { answered } = survives
    ? await server.told('answered', { do: 'finish' })
    : { answered: 0 };
  say(of, 'main_survives', survives);
  // A signal leaves none.
  const code = survives ? null : await server.exitCode();
  if (code !== null) say(of, 'main_exit_code', code);
  say(of, 'others_in_flight', inFlight);
  say(of, 'others_lost', inFlight - answered);
  say(of, 'recovery_ms', Number(recoveredAt - server.lastSign()) / 1e6, { unit: 'ms' });
  return next;
}

/** The time at which a right answer was here. */
function right({ answer }) {
  const now = process.hrtime.bigint();
  if (answer !== RIGHT) throw new Error(`a new worker answered ${answer} instead of ${RIGHT}`);
  return now;
}

/** A server, what it says, and the last sign of life of the worker that is to crash. */
function start(where) {
  // The workers write their signs of life to descriptor 4, since a message may be lost in a crash.
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'];
  const server = fork(SERVER, [where], { stdio });
  const closed = once(server, 'close');
  let signs = '';
  server.stdio[4].on('data', (piece) => {
    signs += piece;
  });
  return {
    /** Sends an order; what comes back, or `null` if the server is gone instead. */
    async told(what, order) {
      const said = once(server, 'message').then(([message]) => message);
      server.send(order);
      const message = await Promise.race([said, closed.then(() => null)]);
      if (message !== null && !(what in message)) {
        throw new Error(`the server said ${JSON.stringify(message)} where \`${what}\` was due`);
      }
      return message;
    },
    async end() {
      server.send({ do: 'end' });
      await closed;
    },
    exitCode: async () => (await closed)[0],
    lastSign: () => BigInt(signs.trimEnd().split('\n').at(-1)),
  };
}

/** `process.abort()` itself a thread may not call; what aborts there is native code. */
async function tellRefusal(of) {
  const [error] = await once(new Worker('process.abort()', { eval: true }), 'error');
  say(of, 'abort_refused', true, { text: error.code });
}
