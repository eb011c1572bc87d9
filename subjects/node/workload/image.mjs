// `image`: a JPEG in; squares of 100, 300 and 800 px out, cover-cropped, JPEG quality 80, by sharp.
//
// sharp works on a thread of libuv's pool, never on the one that asks: under `blocking` the event
// loop stays free, and up to four requests (the pool's size) are worked on at once. A worker
// thread waits for the same pool, which all threads of a process share; a process of its own has a
// pool of its own. One picture is one task: its squares are made one after the other, each on one
// thread.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import sharp from 'sharp';
import { nowNs } from '../clock.mjs';
import { TaskError } from '../run.mjs';

export const packages = ['sharp'];

const SIDES = [100, 300, 800];

/** The coding tables of the standard, as in the other runtimes, instead of a pass that finds better. */
const OUTPUT = { quality: 80, chromaSubsampling: '4:2:0', optimiseCoding: false };

// A server is sent another picture each time: what is remembered of the last is of no use to it.
sharp.cache(false);
sharp.concurrency(1);

/** The picture's bytes in shared memory. */
export function load(spec) {
  if (spec.options.input === '') throw new Error('image needs a picture: option `input`');
  const jpeg = readFileSync(spec.options.input);
  const shared = new SharedArrayBuffer(jpeg.length);
  jpeg.copy(new Uint8Array(shared));
  return shared;
}

export function prepare(spec, shared = load(spec)) {
  const jpeg = Buffer.from(shared);
  const { decode } = spec.options;
  const folder = outputFolder(spec);
  return {
    async run() {
      const outputs = await squares(jpeg, decode);
      if (folder !== undefined) await writeOutputs(folder, outputs);
      return { checksum: checksum(outputs) };
    },
    /** Whether what `run` makes is what it is to make; for the right answer, outside any clock. */
    async examine() {
      const outputs = await squares(jpeg, decode);
      for (const [index, side] of SIDES.entries()) {
        const { format, width, height } = await sharp(outputs[index]).metadata();
        if (format !== 'jpeg' || width !== side || height !== side) {
          throw new Error(`the square of ${side} px is ${format} of ${width} x ${height}`);
        }
      }
    },
  };
}

/**
 * What a request does. `once`: the whole picture is decoded, as in Rust. `per-size`: as the notes'
 * loop does, and then sharp decodes no finer than each size needs. It crops what it has resized, to
 * the nearest pixel: at 800 px up to a third of a pixel beside the middle.
 */
async function squares(jpeg, decode) {
  try {
    const source = decode === 'once' ? await middle(jpeg) : () => sharp(jpeg);
    const outputs = [];
    for (const side of SIDES) {
      outputs.push(await source().resize(side, side, { fit: 'cover' }).jpeg(OUTPUT).toBuffer());
    }
    return outputs;
  } catch (error) {
    throw new TaskError(`the picture: ${error.message}`);
  }
}

/** The decoded picture's middle, as much as is square. */
async function middle(jpeg) {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const side = Math.min(width, height);
  const [left, top] = [width, height].map((length) => Math.floor((length - side) / 2));
  const crop = { left, top, width: side, height: side };
  return () => sharp(data, { raw: { width, height, channels } }).extract(crop);
}

/** Of the files' bytes: the same encoder makes the same ones under every strategy. */
function checksum(outputs) {
  const hash = createHash('sha256');
  for (const jpeg of outputs) hash.update(jpeg);
  return hash.digest().readBigUInt64LE();
}

function outputFolder(spec) {
  const { output, dir } = spec.options;
  if (output === 'memory') return undefined;
  if (dir === '') throw new Error('output = files needs a folder: option `dir`');
  return dir;
}

let requests = 0;

async function writeOutputs(folder, outputs) {
  // A process number comes round again and threads share one, so neither alone is unique.
  const request = `${process.pid}-${nowNs()}-${requests}`;
  requests += 1;
  for (const [index, side] of SIDES.entries()) {
    const path = joinPath(folder, `${request}-${side}.jpg`);
    try {
      await writeFile(path, outputs[index]);
    } catch (error) {
      throw new TaskError(`write into the output folder ${folder}: ${error.message}`);
    }
  }
}
