// `fork-ipc`: `child_process.fork` per task, as the study notes write it: fork, send, wait for the
// message, kill.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nowNs } from '../clock.mjs';
import { describeExit, killTree } from '../process.mjs';
import { toArgs } from '../spec.mjs';
import { Census, Jobs } from './census.mjs';
import { packPayload, unpack } from './message.mjs';

export const reaps = true;

const FILE = fileURLToPath(new URL('../children/fork-ipc.mjs', import.meta.url));

export function start(setup) {
  const { serialization = 'json' } = setup.options;
  const args = [serialization, ...toArgs(setup.spec)];
  const options = {
    serialization,
    // Not this process's own options: a debugger's port, say, cannot be opened twice.
    execArgv: [],
    // Standard input is the driver's socket, which is not the child's.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(setup.childProgram === null ? {} : { execPath: setup.childProgram }),
  };
  const census = new Census();
  const jobs = new Jobs();

  function begin({ id, payload }) {
    const dispatched = nowNs();
    const child = fork(FILE, args, options);
    let answered = false;
    const done = (done) => {
      if (!answered) setup.done({ id, childPid: child.pid, reaps: true, ...done });
      answered = true;
    };
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      const body = Buffer.from(`start \`${child.spawnfile}\`: ${error.message}`);
      done({ outcome: 'rejected', checksum: 0n, body, childPid: 0, reaps: false });
    });
    if (child.pid === undefined) return;
    census.born();
    const abandon = () => {
      answered = true;
      killTree(child.pid);
    };
    jobs.set(id, { abandon });
    child.once('message', (message) => {
      done(readMessage(message, dispatched, serialization));
      child.kill();
    });
    // Whether the message left does not matter: a child that is gone shows in how it ended.
    child.send({ task: id.task, payload: packPayload(payload, serialization) }, () => {});
    child.once('exit', (code, signal) => {
      const stamps = { dispatched, childStart: 0n, workStart: 0n, workEnd: 0n };
      const body = Buffer.from(`the child ${describeExit(code, signal)} before it had answered`);
      done({ outcome: 'crash', checksum: 0n, body, stamps });
      census.gone();
      setup.reaped(id, nowNs());
      jobs.delete(id);
    });
  }

  return {
    census,
    begin,
    expire: (id) => jobs.get(id)?.abandon(),
    close() {
      for (const job of jobs.values()) job.abandon();
      return jobs.empty();
    },
  };
}

/** A message that is no answer is the child's failure, not the server's. */
function readMessage(message, dispatched, serialization) {
  try {
    return unpack(message, dispatched, serialization);
  } catch (error) {
    const stamps = { dispatched, childStart: 0n, workStart: 0n, workEnd: 0n };
    const body = Buffer.from(`the child's message is no answer: ${error.message}`);
    return { outcome: 'app_error', checksum: 0n, body, stamps };
  }
}
