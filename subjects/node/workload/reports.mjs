// The three reports, each as the list of its numbers: rows in the range first, lists in ascending
// order of their key, zeros included, except the top products, which lead by what they sold.

import { ENDPOINTS, PRODUCTS, rowsOfDays } from './dataset.mjs';

/** Product p is in category `p % CATEGORIES`. */
const CATEGORIES = 8;
const TOP_PRODUCTS = 10;

/** Orders, cents; per day, per category: orders, cents; per top product: number, orders, cents. */
export function sales(data, days) {
  const { start, end } = rowsOfDays(data, days.first, days.end);
  let cents = 0;
  const cells = new Float64Array((days.end - days.first) * CATEGORIES * 2);
  const productOrders = new Uint32Array(PRODUCTS);
  const productCents = new Float64Array(PRODUCTS);
  for (let row = start; row < end; row += 1) {
    const amount = data.amountCents[row];
    const product = data.product[row];
    const cell = 2 * ((data.day[row] - days.first) * CATEGORIES + (product % CATEGORIES));
    cents += amount;
    cells[cell] += 1;
    cells[cell + 1] += amount;
    productOrders[product] += 1;
    productCents[product] += amount;
  }
  const sold = Array.from(productOrders.keys()).filter((p) => productOrders[p] > 0);
  sold.sort((a, b) => productCents[b] - productCents[a] || a - b);
  const top = sold.slice(0, TOP_PRODUCTS);
  return [
    end - start,
    cents,
    ...cells,
    ...top.flatMap((p) => [p, productOrders[p], productCents[p]]),
  ];
}

/** Rows, distinct, new, returning, repeating; per day of first order: users, orders. */
export function users(data, days) {
  const { start, end } = rowsOfDays(data, days.first, days.end);
  const NEVER = 0xffff;
  const firstDay = new Uint16Array(data.users).fill(NEVER);
  const orders = new Uint32Array(data.users);
  for (let row = 0; row < end; row += 1) {
    const user = data.user[row];
    // Rows are in the order of time, so the first day seen is the first day.
    if (firstDay[user] === NEVER) firstDay[user] = data.day[row];
    if (row >= start) orders[user] += 1;
  }
  let distinct = 0;
  let fresh = 0;
  let repeating = 0;
  const cohorts = new Array(days.end * 2).fill(0);
  for (let user = 0; user < data.users; user += 1) {
    const n = orders[user];
    if (n === 0) continue;
    const day = firstDay[user];
    distinct += 1;
    if (day >= days.first) fresh += 1;
    if (n > 1) repeating += 1;
    cohorts[2 * day] += 1;
    cohorts[2 * day + 1] += n;
  }
  return [end - start, distinct, fresh, distinct - fresh, repeating, ...cohorts];
}

/**
 * Rows; per endpoint: requests, errors, errors per million requests rounded down, and the
 * latencies p50, p90, p99, max by nearest rank.
 */
export function performance(data, days) {
  const { start, end } = rowsOfDays(data, days.first, days.end);
  const latencies = Array.from({ length: ENDPOINTS }, () => []);
  const errors = new Array(ENDPOINTS).fill(0);
  for (let row = start; row < end; row += 1) {
    const endpoint = data.endpoint[row];
    latencies[endpoint].push(data.latencyUs[row]);
    errors[endpoint] += data.error[row];
  }
  return [end - start, ...latencies.flatMap((list, i) => endpoint(list, errors[i]))];
}

function endpoint(list, errors) {
  const n = list.length;
  if (n === 0) return [0, 0, 0, 0, 0, 0, 0];
  const sorted = Uint32Array.from(list).sort();
  const at = (percent) => sorted[Math.ceil((n * percent) / 100) - 1];
  return [n, errors, Math.floor((errors * 1_000_000) / n), at(50), at(90), at(99), at(100)];
}
