// The one frame format between driver and subject: a header of 16 little-endian bytes
// { len: u32, kind: u8, outcome: u8, flags: u16, id: u64 } and a body of `len` bytes.

export const HEADER_BYTES = 16;
export const MAX_BODY_BYTES = 64 << 20;

// Flags of a REPLY: another one for this id follows; a REAPED for this id follows.
export const FLAG_MORE = 1;
export const FLAG_REAPS = 2;

export const Kind = Object.freeze({
  CONFIGURE: 1,
  READY: 2,
  RUN: 3,
  REPLY: 4,
  REAPED: 5,
  LIGHT: 6,
  STOP: 9,
  STATS: 10,
  FAILED: 11,
});

export const OUTCOMES = ['ok', 'app_error', 'crash', 'timeout', 'rejected', 'wrong_answer'];

const NO_BODY = Buffer.alloc(0);

/** Frames out of a stream that arrives in pieces of any length. */
export class FrameReader {
  #pieces = [];
  #have = 0;
  #need = HEADER_BYTES;

  /** Takes a piece and gives the frames that are complete with it. */
  push(piece) {
    this.#pieces.push(piece);
    this.#have += piece.length;
    // Joined only when there is something to read: a body of many pieces is copied once.
    if (this.#have < this.#need) return [];
    let bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#have);
    const frames = [];
    this.#need = HEADER_BYTES;
    while (bytes.length >= HEADER_BYTES) {
      const header = decodeHeader(bytes);
      const end = HEADER_BYTES + header.len;
      if (bytes.length < end) {
        this.#need = end;
        break;
      }
      frames.push({ ...header, body: bytes.subarray(HEADER_BYTES, end) });
      bytes = bytes.subarray(end);
    }
    this.#pieces = bytes.length > 0 ? [bytes] : [];
    this.#have = bytes.length;
    return frames;
  }
}

function decodeHeader(bytes) {
  const len = bytes.readUInt32LE(0);
  const kind = bytes.readUInt8(4);
  const outcome = bytes.readUInt8(5);
  if (kind < Kind.CONFIGURE || kind > Kind.FAILED) throw new Error(`a frame of unknown kind ${kind}`);
  if (outcome >= OUTCOMES.length) throw new Error(`a frame of unknown outcome ${outcome}`);
  if (len > MAX_BODY_BYTES) {
    throw new Error(`a frame announces ${len} bytes, over the limit of ${MAX_BODY_BYTES}`);
  }
  return { len, kind, outcome, flags: bytes.readUInt16LE(6), id: bytes.readBigUInt64LE(8) };
}

export function encodeHeader({ kind, id = 0n, outcome = 'ok', flags = 0 }, len) {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  bytes.writeUInt32LE(len, 0);
  bytes.writeUInt8(kind, 4);
  bytes.writeUInt8(OUTCOMES.indexOf(outcome), 5);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeBigUInt64LE(id, 8);
  return bytes;
}

const REPLY_BYTES = 8 * 7 + 4;

/** The fixed part of a REPLY's body. */
export function encodeReply({ checksum, stamps, childPid }) {
  const bytes = Buffer.allocUnsafe(REPLY_BYTES);
  bytes.writeBigUInt64LE(checksum, 0);
  bytes.writeBigUInt64LE(stamps.accepted, 8);
  bytes.writeBigUInt64LE(stamps.dispatched, 16);
  bytes.writeBigUInt64LE(stamps.childStart, 24);
  bytes.writeBigUInt64LE(stamps.workStart, 32);
  bytes.writeBigUInt64LE(stamps.workEnd, 40);
  bytes.writeBigUInt64LE(stamps.replied, 48);
  bytes.writeUInt32LE(childPid, 56);
  return bytes;
}

/** The body of a LIGHT on its way back: when it was read, and when it is answered. */
export function encodeLight(accepted, replied) {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeBigUInt64LE(accepted, 0);
  bytes.writeBigUInt64LE(replied, 8);
  return bytes;
}

/** Writes a frame; its parts leave in one system call. */
export function writeFrame(socket, header, parts = [NO_BODY]) {
  const len = parts.reduce((sum, part) => sum + part.length, 0);
  socket.cork();
  socket.write(encodeHeader(header, len));
  for (const part of parts) if (part.length > 0) socket.write(part);
  socket.uncork();
}
