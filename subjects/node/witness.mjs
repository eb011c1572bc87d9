// Node's own view of its event loop, which shares nothing with the driver's probes.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const INTERVAL_MS = 10;

/** Watches from its making until it is asked. */
export class Witness {
  #delay = monitorEventLoopDelay({ resolution: INTERVAL_MS });
  #start = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  report() {
    this.#delay.disable();
    const { active, idle } = performance.eventLoopUtilization(this.#start);
    return {
      delay_p50_ns: late(this.#delay.percentile(50)),
      delay_p99_ns: late(this.#delay.percentile(99)),
      delay_max_ns: late(this.#delay.max),
      active_ns: Math.round(active * 1e6),
      idle_ns: Math.round(idle * 1e6),
    };
  }
}

/** What is recorded is from tick to tick, of which one interval is as it should be. */
function late(ns) {
  return Math.max(0, Math.round(ns) - INTERVAL_MS * 1_000_000);
}
