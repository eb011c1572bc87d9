// `analytics`: three reports over a date range of a shop's log, one task each: sales, users,
// performance. Whole numbers throughout, so that the checksums are the same in every runtime.

import { TaskError } from '../run.mjs';
import * as dataset from './dataset.mjs';
import { foldNumbers } from './fold.mjs';
import { performance, sales, users } from './reports.mjs';

const REPORTS = [sales, users, performance];
const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2026, 0, 1);

export const tasks = () => REPORTS.length;

/** The dataset's bytes in shared memory. */
export const load = (spec) => dataset.load(spec);

export function prepare(spec, shared = load(spec)) {
  const data = dataset.columns(shared);
  const days = dayRange(spec);
  return {
    run(task) {
      const report = REPORTS[task];
      if (report === undefined) {
        throw new TaskError(`analytics has ${REPORTS.length} tasks, not one numbered ${task}`);
      }
      return { checksum: foldNumbers(report(data, days)) };
    },
  };
}

/** The days of the data that the options ask for, `first` up to but without `end`. */
function dayRange(spec) {
  const within = (day) => Math.min(Math.max(day, 0), dataset.DAYS);
  return { first: within(day(spec, 'from')), end: within(day(spec, 'to') + 1) };
}

function day(spec, name) {
  const text = spec.options[name];
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  if (Number.isNaN(ms)) {
    throw new Error(`option \`${name}\` is \`${text}\`; expected a date such as 2026-01-31`);
  }
  return Math.round((ms - FIRST_DAY_MS) / DAY_MS);
}
