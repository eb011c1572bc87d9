// The shop's log as columns: typed arrays over the bytes of the file that the driver writes. The
// file is a header of 32 bytes (magic, rows, users, seed), then the columns, the wide ones first.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { pick } from '../spec.mjs';
import { draws } from './draws.mjs';

export const DAYS = 90;
export const PRODUCTS = 512;
export const ENDPOINTS = 12;

const MAGIC = 'fbshop01';
const HEADER_BYTES = 32;
const ROW_BYTES = 4 + 4 + 4 + 2 + 2 + 1 + 1;

/** The file's bytes, checked, in memory that threads can share. */
export function load(spec) {
  const rows = pick(spec.size, [10_000, 100_000, 1_000_000]);
  const path = spec.options.input;
  if (path === '') return generate(rows, spec.seed);
  const shared = readFile(path);
  check(shared, rows, spec.seed, path);
  return shared;
}

/** Views of the columns; nothing is copied. */
export function columns(shared) {
  const header = new DataView(shared);
  const rows = header.getUint32(8, true);
  let at = HEADER_BYTES;
  const next = (Type) => {
    const column = new Type(shared, at, rows);
    at += column.byteLength;
    return column;
  };
  return {
    users: header.getUint32(12, true),
    user: next(Uint32Array),
    amountCents: next(Uint32Array),
    latencyUs: next(Uint32Array),
    day: next(Uint16Array),
    product: next(Uint16Array),
    endpoint: next(Uint8Array),
    error: next(Uint8Array),
  };
}

/** The rows of these days: from `start` up to but without `end`. */
export function rowsOfDays(data, first, end) {
  return { start: rowsBefore(data.day, first), end: rowsBefore(data.day, end) };
}

/** How many rows come before the day: the column ascends. */
function rowsBefore(column, day) {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

function readFile(path) {
  const file = openSync(path);
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(fstatSync(file).size));
    for (let have = 0; have < bytes.length; ) {
      const n = readSync(file, bytes, have, bytes.length - have);
      if (n === 0) throw new Error(`the dataset ${path} was cut while it was read`);
      have += n;
    }
    return bytes.buffer;
  } finally {
    closeSync(file);
  }
}

function check(shared, rows, seed, path) {
  const expected = HEADER_BYTES + rows * ROW_BYTES;
  const header = shared.byteLength >= HEADER_BYTES ? new DataView(shared) : undefined;
  const magic = header && Buffer.from(shared, 0, 8).toString('latin1');
  const right =
    magic === MAGIC &&
    shared.byteLength === expected &&
    header.getUint32(8, true) === rows &&
    header.getBigUint64(16, true) === seed;
  if (!right) {
    throw new Error(`the dataset ${path} is not the one of ${rows} rows and seed ${seed}`);
  }
}

function generate(rows, seed) {
  const shared = new SharedArrayBuffer(HEADER_BYTES + rows * ROW_BYTES);
  const users = Math.max(1, Math.floor(rows / 10));
  Buffer.from(shared).write(MAGIC, 'latin1');
  const header = new DataView(shared);
  header.setUint32(8, rows, true);
  header.setUint32(12, users, true);
  header.setBigUint64(16, seed, true);
  const data = columns(shared);
  const draw = draws(seed);
  for (let row = 0; row < rows; row += 1) {
    const userReach = 1 + (draw() % users);
    data.user[row] = draw() % userReach;
    const productReach = 1 + (draw() % PRODUCTS);
    const product = draw() % productReach;
    data.product[row] = product;
    data.amountCents[row] = (1 + (draw() % 4)) * (199 + ((product * 7919) % 49_801));
    const endpoint = draw() % ENDPOINTS;
    data.endpoint[row] = endpoint;
    const tail = draw();
    const last = draw();
    data.latencyUs[row] = 150 * (1 + endpoint) + (tail >>> (12 + (last % 16)));
    data.error[row] = (last >>> 8) % 100 < 1 + (endpoint % 3) ? 1 : 0;
    data.day[row] = Math.floor((row * DAYS) / rows);
  }
  return shared;
}
