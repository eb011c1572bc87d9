// Which of the functions can run a system's program, and which a script of Node.js?

import { exec, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { say } from './say.mjs';

const NODE = process.execPath;
const SCRIPT = fileURLToPath(new URL('run-command/script.mjs', import.meta.url));
// A program that says its argument, as the script does without one.
const ECHO = ['/bin/echo', '/usr/bin/echo'].find((path) => existsSync(path));

const ways = {
  spawn: [() => spawn(ECHO, ['ran']), () => spawn(NODE, [SCRIPT])],
  exec: [() => exec(`"${ECHO}" ran`), () => exec(`"${NODE}" "${SCRIPT}"`)],
  'exec-file': [() => execFile(ECHO, ['ran']), () => execFile(NODE, [SCRIPT])],
  fork: [() => fork(ECHO, ['ran'], { silent: true }), () => fork(SCRIPT, { silent: true })],
  // The program that `fork` starts need not be Node.js.
  'fork-exec-path': [() => fork('ran', { execPath: ECHO, silent: true }), null],
};

for (const [of, [command, script]] of Object.entries(ways)) {
  await tell(of, 'ran_command', command());
  if (script !== null) await tell(of, 'ran_script', script());
}

async function tell(of, fact, child) {
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  // Nobody reads what `fork` says of a program that is no script; unread it would stop the child.
  child.stderr.resume();
  const [code] = await once(child, 'close');
  say(of, fact, code === 0 && text.trim() === 'ran', { text: `exited with ${code}` });
}
