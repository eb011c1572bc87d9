// What of an object arrives on the other side: a nested one with numbers, a Date and a Map, sent
// to a child and back again.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { say } from './say.mjs';

const ECHO = new URL('object-transfer/echo.mjs', import.meta.url);

const PLAIN = { task: 'processData', data: [1, 2, 3, 4, 5], nested: { ratio: 0.5, of: [{ id: 7 }] } };
const OBJECT = { ...PLAIN, when: new Date(86_400_000), tags: new Map([['colour', 'red']]) };

{
  // Any program can be at the other end of a stream; this one returns the text as it is.
  const child = spawn('cat');
  const pieces = [];
  child.stdout.on('data', (piece) => pieces.push(piece));
  child.stdin.end(JSON.stringify(OBJECT));
  await once(child, 'close');
  const arrived = Buffer.concat(pieces);
  tell('spawn-stdout', arrived);
  say('spawn-stdout', 'structure_kept_parsed', hasStructure(JSON.parse(arrived)));
}

for (const serialization of ['json', 'advanced']) {
  const child = fork(ECHO, { serialization });
  child.send(OBJECT);
  const [arrived] = await once(child, 'message');
  tell(`fork-${serialization}`, arrived);
  child.kill();
  await once(child, 'exit');
}

{
  const worker = new Worker(ECHO);
  worker.postMessage(OBJECT);
  const [arrived] = await once(worker, 'message');
  tell('worker-thread', arrived);
  await worker.terminate();
}

function tell(of, arrived) {
  const { when, tags } = arrived;
  say(of, 'structure_kept', hasStructure(arrived), { text: arrivedAs(arrived) });
  say(of, 'date_kept', isDeepStrictEqual(when, OBJECT.when), { text: arrivedAs(when) });
  say(of, 'map_kept', isDeepStrictEqual(tags, OBJECT.tags), { text: arrivedAs(tags) });
}

function arrivedAs(value) {
  return value === undefined ? '' : `arrived as ${value.constructor.name}`;
}

function hasStructure({ task, data, nested }) {
  return isDeepStrictEqual({ task, data, nested }, PLAIN);
}
