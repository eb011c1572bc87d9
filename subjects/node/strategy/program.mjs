// What `spawn`, `exec-file` and `exec` have in common: the program of a task, and what its end
// means.

import { fileURLToPath } from 'node:url';
import { describeExit, killTree } from '../process.mjs';
import { toArgs } from '../spec.mjs';
import { readAnswer } from '../text.mjs';
import { Census, Jobs } from './census.mjs';

const SUBJECT = fileURLToPath(new URL('../subject.mjs', import.meta.url));

/** Program and arguments for one task. */
export function taskCommand(setup, id) {
  const program = setup.childProgram ?? process.execPath;
  const script = setup.childProgram === null ? [SUBJECT] : [];
  return [program, [...script, 'task', String(id.request), String(id.task), ...toArgs(setup.spec)]];
}

/** The books of a strategy that starts a program per task. */
export class Programs {
  census = new Census();
  #setup;
  #jobs = new Jobs();

  constructor(setup) {
    this.#setup = setup;
  }

  /** A program was started, or was not: then `error` follows and nothing else. */
  started(job, child) {
    job.child = child;
    if (child.pid === undefined) return;
    this.census.born();
    this.#jobs.set(job.id, job);
  }

  refused(job, error) {
    const body = Buffer.from(`start \`${job.program}\`: ${error.message}`);
    this.#setup.done({ id: job.id, outcome: 'rejected', checksum: 0n, body, childPid: 0 });
    job.answered = true;
  }

  /** Its end has been waited for. */
  reaped(job, at) {
    this.census.gone();
    this.#setup.reaped(job.id, at);
    this.#jobs.delete(job.id);
  }

  /** Answers with what is a whole answer; `false` while it may still become one. */
  answerIfComplete(job, output) {
    if (job.answered) return true;
    let answer;
    try {
      answer = readAnswer(output);
      if (answer === undefined) return false;
      if (answer.id !== job.id.request) {
        throw new Error(`answered request ${answer.id} when asked ${job.id.request}`);
      }
    } catch (error) {
      this.fail(job, 'app_error', error.message);
      killTree(job.child.pid);
      return true;
    }
    const { childStart, workStart, workEnd } = answer;
    const stamps = { dispatched: job.dispatched, childStart, workStart, workEnd };
    this.#done(job, { ...answer, stamps });
    return true;
  }

  /** The program has ended and closed its streams. */
  conclude(job, output, code, signal) {
    if (job.answered) return;
    const how = describeExit(code, signal);
    if (code !== 0 && isAnswer(output)) {
      this.fail(job, 'app_error', `answered and then ${how}`);
    } else if (!this.answerIfComplete(job, output)) {
      this.fail(job, 'crash', `${how} before it had answered`);
    }
  }

  fail(job, outcome, reason) {
    const stamps = { dispatched: job.dispatched, childStart: 0n, workStart: 0n, workEnd: 0n };
    const body = Buffer.from(`${reason}${job.lastWords ?? ''}`);
    this.#done(job, { outcome, checksum: 0n, body, stamps });
  }

  #done(job, done) {
    if (job.answered) return;
    job.answered = true;
    this.#setup.done({ ...done, id: job.id, childPid: job.child.pid, reaps: true });
  }

  expire(id) {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    job.answered = true;
    killTree(job.child.pid);
  }

  close() {
    for (const job of this.#jobs.values()) {
      job.answered = true;
      killTree(job.child.pid);
    }
    return this.#jobs.empty();
  }
}

function isAnswer(output) {
  try {
    return readAnswer(output) !== undefined;
  } catch {
    return false;
  }
}
