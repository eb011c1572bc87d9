// The clock of all processes of this machine: CLOCK_MONOTONIC, in nanoseconds, as a BigInt.

export const nowNs = process.hrtime.bigint;
