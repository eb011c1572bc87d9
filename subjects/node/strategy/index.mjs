// How a request is executed. Each strategy is one file and one line here.
//
// A strategy has `reaps` (whether processes are created per task, so that a REAPED follows an
// answer), `packages` that it needs, and `start(setup)`, which gives, once it can take tasks,
// `{ begin(task), expire(id), close(), census }`. Whatever becomes of a task is told through
// `setup.done` and `setup.reaped`. `fork` and `prefork-pool` are not among them: V8 runs threads
// of its own, which a forked copy would not have.

const FILES = {
  blocking: './blocking.mjs',
  thread: './thread.mjs',
  'thread-pool': './thread-pool.mjs',
  spawn: './spawn.mjs',
  exec: './exec.mjs',
  'exec-file': './exec-file.mjs',
  'fork-ipc': './fork-ipc.mjs',
  pool: './pool.mjs',
};

/** The strategy of this name; only its own file, with the packages it needs, is loaded. */
export async function byName(name) {
  const file = FILES[name];
  if (file === undefined) throw new Error(`Node.js has no strategy \`${name}\``);
  try {
    return await import(file);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`${error.message.split('\n')[0]}; run scripts/setup-runtimes`);
  }
}
