// Memory that this process carries around, touched page by page.

const PAGE_BYTES = 4096;

let carried = Buffer.alloc(0);

/** Carries this much from now on. */
export function carry(bytes) {
  carried = touched(bytes);
}

/** Fresh memory, each page of it written to. */
export function touched(bytes) {
  return writePages(Buffer.allocUnsafeSlow(bytes));
}

/** Writes to each page of the first `bytes` of what is carried, or of all of it if that is less. */
export function writeToCarried(bytes) {
  writePages(carried.subarray(0, bytes));
}

function writePages(memory) {
  for (let at = 0; at < memory.length; at += PAGE_BYTES) memory[at] += 1;
  return memory;
}
