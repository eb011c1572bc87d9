// Requests under way: joins tasks into requests, keeps deadlines. Pure bookkeeping; what is to be
// sent is handed to `send`.

const NO_STAMPS = Object.freeze({
  accepted: 0n,
  dispatched: 0n,
  childStart: 0n,
  workStart: 0n,
  workEnd: 0n,
  replied: 0n,
});

export class Requests {
  #pending = new Map();
  /** In order of acceptance, and so of deadline, since all requests have the same time. */
  #deadlines = [];
  #deadlineMs;
  #deadlineNs;
  #join;
  #send;

  constructor(deadlineMs, join, send) {
    this.#deadlineMs = deadlineMs;
    this.#deadlineNs = BigInt(deadlineMs) * 1_000_000n;
    this.#join = join;
    this.#send = send;
  }

  /** A request of `tasks` tasks has arrived. */
  accept(id, tasks, accepted) {
    if (this.#pending.has(id)) throw new Error(`request ${id} was sent twice`);
    this.#pending.set(id, {
      accepted,
      checksums: new Array(tasks).fill(0n),
      tasksLeft: tasks,
      reapsLeft: 0,
      reapedAny: false,
      lastReaped: 0n,
      outcome: 'ok',
      bodies: [],
      stamps: NO_STAMPS,
      childPid: 0,
      answered: false,
    });
    this.#deadlines.push([accepted + this.#deadlineNs, id]);
  }

  /** A task is done. */
  done(done, now) {
    const { request, task } = done.id;
    const pending = this.#pending.get(request);
    if (pending === undefined) return;
    if (done.reaps) {
      pending.reapsLeft += 1;
      pending.reapedAny = true;
    }
    if (!pending.answered) {
      take(pending, done, task);
      if (pending.tasksLeft === 0) {
        // A loop that was too busy to notice the deadline notices it here.
        if (now > pending.accepted + this.#deadlineNs) {
          pending.outcome = 'timeout';
          pending.bodies = [Buffer.from('answered after its deadline')];
        }
        this.#answer(request, pending);
      }
    }
    this.#forgetIfOver(request, pending);
  }

  /** A task's child is reaped. */
  reaped(id, at) {
    const pending = this.#pending.get(id.request);
    if (pending === undefined) return;
    pending.reapsLeft -= 1;
    pending.reapedAny = true;
    if (at > pending.lastReaped) pending.lastReaped = at;
    this.#forgetIfOver(id.request, pending);
  }

  /** When to call `expire` next, if at all. */
  nextDeadline() {
    while (this.#deadlines.length > 0) {
      const [at, id] = this.#deadlines[0];
      if (this.#pending.has(id)) return at;
      this.#deadlines.shift();
    }
    return undefined;
  }

  /**
   * The tasks of requests whose time is over, whose children are to be killed. Those not yet
   * answered are answered as `timeout`. `reaps` says whether reapings of killed children follow.
   */
  expire(now, reaps) {
    const expired = [];
    for (let at = this.nextDeadline(); at !== undefined && at <= now; at = this.nextDeadline()) {
      const [, request] = this.#deadlines.shift();
      const pending = this.#pending.get(request);
      pending.checksums.forEach((_, task) => expired.push({ request, task }));
      if (!pending.answered) {
        // Tasks without an answer have a child each whose reaping will be told.
        if (reaps) pending.reapsLeft += pending.tasksLeft;
        pending.reapedAny ||= reaps;
        pending.outcome = 'timeout';
        pending.bodies = [Buffer.from(`no answer within ${this.#deadlineMs} ms`)];
        this.#answer(request, pending);
      }
      this.#forgetIfOver(request, pending);
    }
    return expired;
  }

  #answer(id, pending) {
    pending.answered = true;
    const checksum = pending.outcome === 'ok' ? this.#join(pending.checksums) : 0n;
    const stamps = { ...pending.stamps, accepted: pending.accepted };
    const reaps = pending.reapedAny || pending.reapsLeft > 0;
    const { outcome, childPid, bodies } = pending;
    this.#send.reply({ id, outcome, reaps, reply: { checksum, stamps, childPid }, bodies });
  }

  #forgetIfOver(id, pending) {
    if (!pending.answered || pending.reapsLeft > 0) return;
    if (pending.reapedAny) this.#send.reaped(id, pending.lastReaped);
    this.#pending.delete(id);
  }
}

function take(pending, done, task) {
  pending.tasksLeft -= 1;
  pending.checksums[task] = done.checksum;
  // The caller waits for the task that ends last: its stamps are the request's.
  if (done.stamps.workEnd >= pending.stamps.workEnd) {
    pending.childPid = done.childPid;
    pending.stamps = { ...done.stamps, replied: 0n };
  }
  if (pending.outcome !== 'ok') return;
  if (done.outcome === 'ok') {
    pending.bodies.push(done.body);
  } else {
    // The first failure is the request's; its reason is kept.
    pending.outcome = done.outcome;
    pending.bodies = [done.body];
  }
}
