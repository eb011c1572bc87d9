// What a task came to, as a message between threads or processes. Numbers of 64 bits travel as
// text and payloads as base64 where the channel is JSON, which has neither; structured clone
// takes both as they are.

export function pack(ran, childStart, pid, serialization = 'advanced') {
  const { outcome, checksum, body, workStart, workEnd } = ran;
  if (serialization === 'advanced') {
    return { outcome, checksum, body, childStart, workStart, workEnd, pid };
  }
  return {
    outcome,
    checksum: String(checksum),
    body: packPayload(body, serialization),
    childStart: String(childStart),
    workStart: String(workStart),
    workEnd: String(workEnd),
    pid,
  };
}

/** The message as the strategy hands it to the host. */
export function unpack(message, dispatched, serialization = 'advanced') {
  const stamps = {
    dispatched,
    childStart: BigInt(message.childStart),
    workStart: BigInt(message.workStart),
    workEnd: BigInt(message.workEnd),
  };
  return {
    outcome: message.outcome,
    checksum: BigInt(message.checksum),
    body: unpackPayload(message.body, serialization),
    stamps,
    childPid: message.pid,
  };
}

export function packPayload(payload, serialization) {
  return serialization === 'json' ? payload.toString('base64') : payload;
}

export function unpackPayload(payload, serialization) {
  if (serialization === 'json') return Buffer.from(payload, 'base64');
  // Structured clone gives a plain Uint8Array where a Buffer went in.
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
