// The answer of a program that is started per task: one line on standard output,
// `fb1 <id> <outcome> <checksum> <child_start> <work_start> <work_end> <bytes>`, then that many
// bytes.

import { MAX_BODY_BYTES, OUTCOMES } from './protocol.mjs';

const MAX_LINE_BYTES = 192;
const LINE = /^fb1 (\d+) ([a-z_]+) (\d+) (\d+) (\d+) (\d+) (\d+)$/;

export function renderLine(id, ran, childStart) {
  const { outcome, checksum, workStart, workEnd, body } = ran;
  return `fb1 ${id} ${outcome} ${checksum} ${childStart} ${workStart} ${workEnd} ${body.length}\n`;
}

/**
 * Looks for an answer at the start of `output`: `undefined` while it is incomplete.
 *
 * Throws when what is there cannot become an answer, whatever follows.
 */
export function readAnswer(output) {
  const end = output.subarray(0, MAX_LINE_BYTES).indexOf(0x0a);
  if (end < 0) {
    if (output.length < MAX_LINE_BYTES) return undefined;
    throw noAnswer('no answer line within the first bytes', output);
  }
  const match = LINE.exec(output.toString('latin1', 0, end));
  if (match === null || !OUTCOMES.includes(match[2])) {
    throw noAnswer('the first line is no answer', output);
  }
  const bytes = Number(match[7]);
  if (bytes > MAX_BODY_BYTES) {
    throw noAnswer('the answer announces more bytes than are allowed', output);
  }
  const body = output.subarray(end + 1);
  if (body.length < bytes) return undefined;
  if (body.length > bytes) throw noAnswer('more follows than the answer announces', output);
  return {
    id: BigInt(match[1]),
    outcome: match[2],
    checksum: BigInt(match[3]),
    childStart: BigInt(match[4]),
    workStart: BigInt(match[5]),
    workEnd: BigInt(match[6]),
    body,
  };
}

function noAnswer(what, output) {
  const start = JSON.stringify(output.toString('utf8', 0, 60)).slice(1, -1);
  return new Error(`${what}; the output begins \`${start}\``);
}
