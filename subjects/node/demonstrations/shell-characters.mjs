// What becomes of an argument that a shell would run, by each of the ways to start a child.

import { exec, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { say } from './say.mjs';

const ECHO = fileURLToPath(new URL('shell-characters/echo.mjs', import.meta.url));
const NODE = process.execPath;
const ARGUMENT = '$(echo injected); echo injected #';
/** As the shell's manual says: within single quotes nothing is special but the quote itself. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const command = (argument) => `"${NODE}" "${ECHO}" ${argument}`;
tell('exec', (await promisify(exec)(command(ARGUMENT))).stdout);
tell('exec-quoted', (await promisify(exec)(command(quoted(ARGUMENT)))).stdout);
tell('exec-file', (await promisify(execFile)(NODE, [ECHO, ARGUMENT])).stdout);
tell('spawn', await output(spawn(NODE, [ECHO, ARGUMENT])));
tell('spawn-shell', await output(spawn(NODE, [ECHO, ARGUMENT], { shell: true })));
tell('fork', await output(fork(ECHO, [ARGUMENT], { silent: true })));

async function output(child) {
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  await once(child, 'close');
  return text;
}

/** The child's first line is its arguments; whatever comes behind it somebody else has written. */
function tell(of, stdout) {
  const [first, ...others] = stdout.trimEnd().split('\n');
  const [argument, ...more] = JSON.parse(first);
  const intact = argument === ARGUMENT && more.length === 0;
  say(of, 'argument_intact', intact, { text: `arrived as ${first}` });
  say(of, 'injected', argument === 'injected' || others.includes('injected'));
}
