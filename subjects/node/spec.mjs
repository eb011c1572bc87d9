// All that decides what a request does, and its form as arguments of a program.

export function toArgs(spec) {
  const options = Object.entries(spec.options).map(([name, value]) => `${name}=${value}`);
  return [spec.workload, spec.size, String(spec.seed), String(spec.payload_bytes), ...options];
}

export function fromArgs(args) {
  const [workload, size, seed, payloadBytes, ...options] = args;
  if (payloadBytes === undefined) {
    throw new Error(`expected WORKLOAD SIZE SEED PAYLOAD_BYTES, got ${args.join(' ')}`);
  }
  return {
    workload,
    size,
    seed: BigInt(seed),
    payload_bytes: Number(payloadBytes),
    options: Object.fromEntries(
      options.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
  };
}

/** The one of three values that belongs to the size. */
export function pick(size, values) {
  return values['sml'.indexOf(size)];
}

/** A whole number out of the options. */
export function count(options, name) {
  const value = Number(options[name]);
  if (!Number.isSafeInteger(value)) {
    throw new Error(`option \`${name}\` is \`${options[name]}\`; expected a whole number`);
  }
  return value;
}

/**
 * CONFIGURE's JSON. A seed may need all 64 bits, of which `JSON.parse` would keep 53: its digits
 * are quoted first.
 */
export function parseConfigure(text) {
  const configure = JSON.parse(text.replace(/"seed":\s*(\d+)/, '"seed":"$1"'));
  configure.spec.seed = BigInt(configure.spec.seed);
  return configure;
}
