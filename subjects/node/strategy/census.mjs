/** A count of children, kept by whoever creates and reaps them. */
export class Census {
  started = 0;
  alive = 0;
  peak = 0;

  born() {
    this.started += 1;
    this.alive += 1;
    this.peak = Math.max(this.peak, this.alive);
  }

  gone() {
    this.alive -= 1;
  }
}

/** Tasks under way, by id, and a way to wait until there are none. */
export class Jobs {
  #jobs = new Map();
  #whenEmpty;

  set({ request, task }, job) {
    this.#jobs.set(`${request}/${task}`, job);
  }

  get({ request, task }) {
    return this.#jobs.get(`${request}/${task}`);
  }

  delete({ request, task }) {
    this.#jobs.delete(`${request}/${task}`);
    if (this.#jobs.size === 0) this.#whenEmpty?.();
  }

  values() {
    return this.#jobs.values();
  }

  empty() {
    if (this.#jobs.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }
}
