// What this runtime is, and what it has used so far.

import { readFileSync } from 'node:fs';

/** Versions and settings by name, as text. */
export function versions() {
  const { node, v8, uv } = process.versions;
  return {
    node,
    v8,
    libuv: uv,
    exec_argv: process.execArgv.join(' '),
    node_env: process.env.NODE_ENV ?? '',
  };
}

/** The version of an installed package; empty if it is not installed. */
export function packageVersion(name) {
  try {
    const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return JSON.parse(readFileSync(file, 'utf8')).version;
  } catch {
    return '';
  }
}

/** The version of the library that does sharp's work; empty if sharp cannot be loaded. */
export async function libvipsVersion() {
  try {
    const { default: sharp } = await import('sharp');
    return sharp.versions.vips;
  } catch {
    return '';
  }
}

/** Resources used so far by this process. */
export function usage() {
  const used = process.resourceUsage();
  return {
    cpu_user_ns: used.userCPUTime * 1_000,
    cpu_system_ns: used.systemCPUTime * 1_000,
    faults_minor: used.minorPageFault,
    faults_major: used.majorPageFault,
    ctx_voluntary: used.voluntaryContextSwitches,
    ctx_involuntary: used.involuntaryContextSwitches,
  };
}
