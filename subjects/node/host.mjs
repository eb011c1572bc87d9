// The subject's event loop: frames in, tasks to the strategy, replies out.

import { carry } from './ballast.mjs';
import { nowNs } from './clock.mjs';
import {
  FLAG_MORE,
  FLAG_REAPS,
  FrameReader,
  Kind,
  encodeLight,
  encodeReply,
  writeFrame,
} from './protocol.mjs';
import { Requests } from './requests.mjs';
import { parseConfigure } from './spec.mjs';
import * as strategies from './strategy/index.mjs';
import { packageVersion, usage, versions } from './versions.mjs';
import { Witness } from './witness.mjs';
import * as workloads from './workload/index.mjs';

/** How long children may take to leave once they are told. */
const CLOSING_MS = 2_000;
/** A reason is for people to read. */
const MAX_REASON_BYTES = 2_000;

const NO_STAMPS = { dispatched: 0n, childStart: 0n, workStart: 0n, workEnd: 0n };

export class Host {
  #socket;
  #reader = new FrameReader();
  /** Frames that came before the strategy was ready. */
  #early = [];
  #configure;
  #workload;
  #kind;
  #strategy;
  #tasks = 0;
  #requests;
  #timer;
  #witness;
  #eventLoop = null;
  #closing = false;

  constructor(socket) {
    this.#socket = socket;
  }

  /** Serves until the driver says STOP or hangs up, and every child has left. */
  run() {
    this.#socket.on('data', (piece) => this.#readDriver(piece));
    this.#socket.on('end', () => this.#close(false));
    // The driver is gone: so is whoever would read an error.
    this.#socket.on('error', () => this.#close(false));
  }

  #readDriver(piece) {
    let frames;
    try {
      frames = this.#reader.push(piece);
    } catch (error) {
      return this.fail(error);
    }
    if (this.#configure === undefined && frames.length > 0) {
      const first = frames.shift();
      if (first.kind !== Kind.CONFIGURE) {
        return this.fail(new Error(`the first frame is of kind ${first.kind}`));
      }
      this.#start(first.body).catch((error) => this.fail(error));
    }
    if (this.#strategy === undefined) this.#early.push(...frames);
    else this.#obeyAll(frames);
  }

  async #start(body) {
    const configure = parseConfigure(body.toString());
    this.#configure = configure;
    this.#kind = await strategies.byName(configure.strategy);
    this.#workload = await workloads.byName(configure.spec.workload);
    this.#tasks = this.#workload.tasks(configure.spec);
    this.#requests = new Requests(configure.deadline_ms, this.#workload.join, {
      reply: (message) => this.#reply(message),
      reaped: (id, at) => this.#reaped(id, at),
    });
    carry(configure.ballast_bytes);
    const strategy = await this.#kind.start({
      spec: configure.spec,
      workload: this.#workload,
      options: configure.strategy_options,
      childProgram: configure.child_program,
      done: (done) => this.#requests.done({ stamps: NO_STAMPS, ...done }, nowNs()),
      reaped: (id, at) => this.#requests.reaped(id, at),
      broken: (error) => this.fail(error),
    });
    this.#sayReady(strategy);
    this.#strategy = strategy;
    this.#obeyAll(this.#early.splice(0));
  }

  /** Obeys every frame that has arrived. */
  #obeyAll(frames) {
    // All frames of one read were there at the same time, whatever is done between them.
    const arrived = nowNs();
    // Accept all before any is begun: under `blocking` the second waits in the queue while the
    // first runs, and that wait must show as such.
    for (const { kind, id } of frames) {
      if (kind !== Kind.RUN) continue;
      try {
        this.#requests.accept(id, this.#tasks, arrived);
      } catch (error) {
        return this.fail(error);
      }
      if (this.#workload.acceptsEarly) this.#announce(id, arrived);
    }
    this.#arm();
    for (const frame of frames) this.#obey(frame, arrived);
  }

  /** Says that a request was accepted; the answer follows when its last task is done. */
  #announce(id, accepted) {
    const stamps = { ...NO_STAMPS, accepted, replied: nowNs() };
    const reply = encodeReply({ checksum: 0n, stamps, childPid: 0 });
    writeFrame(this.#socket, { kind: Kind.REPLY, id, flags: FLAG_MORE }, [reply]);
  }

  #obey({ kind, id, body }, arrived) {
    switch (kind) {
      case Kind.RUN:
        return this.#begin(id, body);
      case Kind.LIGHT:
        return writeFrame(this.#socket, { kind: Kind.LIGHT, id }, [encodeLight(arrived, nowNs())]);
      case Kind.STOP:
        return this.#close(true);
      default:
        return this.fail(new Error(`the driver sent a frame of kind ${kind}`));
    }
  }

  #begin(request, payload) {
    for (let task = 0; task < this.#tasks; task += 1) {
      this.#strategy.begin({ id: { request, task }, payload });
    }
  }

  #expire() {
    const expired = this.#requests.expire(nowNs(), this.#kind.reaps);
    for (const id of expired) this.#strategy.expire(id);
    this.#arm();
  }

  /** Has `expire` called at the next deadline. */
  #arm() {
    if (this.#timer !== undefined) return;
    const at = this.#requests.nextDeadline();
    if (at === undefined) return;
    const waitMs = Math.max(1, Math.ceil(Number(at - nowNs()) / 1e6));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#expire();
    }, waitMs);
  }

  #reply({ id, outcome, reaps, reply, bodies }) {
    reply.stamps.replied = nowNs();
    const flags = reaps ? FLAG_REAPS : 0;
    const parts = outcome === 'ok' ? bodies : bodies.map((b) => b.subarray(0, MAX_REASON_BYTES));
    writeFrame(this.#socket, { kind: Kind.REPLY, id, outcome, flags }, [
      encodeReply(reply),
      ...parts,
    ]);
  }

  #reaped(id, at) {
    const body = Buffer.allocUnsafe(8);
    body.writeBigUInt64LE(at);
    writeFrame(this.#socket, { kind: Kind.REAPED, id }, [body]);
  }

  #sayReady(strategy) {
    const packages = [...(this.#kind.packages ?? []), ...this.#workload.packages];
    const ready = {
      runtime: 'node',
      versions: {
        ...versions(),
        ...Object.fromEntries(packages.map((name) => [name, packageVersion(name)])),
      },
      pid: process.pid,
      now_ns: 0,
      tasks: this.#tasks,
      strategy_options: { ...this.#configure.strategy_options, ...strategy.effectiveOptions },
      reaps: this.#kind.reaps,
      usage: strategy.usageAtReady ? add(usage(), strategy.usageAtReady) : usage(),
    };
    // The stamp has more digits than a JavaScript number keeps after 104 days of uptime.
    const text = JSON.stringify(ready).replace('"now_ns":0', `"now_ns":${nowNs()}`);
    writeFrame(this.#socket, { kind: Kind.READY }, [Buffer.from(text)]);
    this.#witness = new Witness();
  }

  #close(farewell) {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#timer);
    if (farewell) this.#eventLoop = this.#witness.report();
    const late = new Promise((resolve) => {
      setTimeout(resolve, CLOSING_MS);
    });
    Promise.race([Promise.resolve(this.#strategy?.close?.()), late])
      .catch((error) => console.error(`subject.mjs: close: ${error.message}`))
      .finally(() => this.#sayFarewell(farewell));
  }

  /** Exiting ends whatever thread did not leave in time. */
  #sayFarewell(farewell) {
    if (!farewell) process.exit(0);
    const { started, peak } = this.#strategy.census;
    const stats = {
      children_started: started,
      children_peak: peak,
      event_loop: this.#eventLoop,
    };
    writeFrame(this.#socket, { kind: Kind.STATS }, [Buffer.from(JSON.stringify(stats))]);
    this.#socket.end(() => process.exit(0));
  }

  /** Tells the driver why this cannot go on, and ends. */
  fail(error) {
    console.error(`subject.mjs: ${error.message}`);
    writeFrame(this.#socket, { kind: Kind.FAILED }, [Buffer.from(error.message)]);
    this.#socket.end(() => process.exit(1));
  }
}

function add(one, other) {
  return Object.fromEntries(Object.entries(one).map(([name, n]) => [name, n + other[name]]));
}
