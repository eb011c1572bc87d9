// The Node.js subject: the server that a trial measures. It is started by forkbench, not by hand:
// without arguments it serves the socket that is its standard input, `task` and `answer` run one
// task or request, `calibrate` measures a workload's unit, `versions` says what it is.

const started = process.hrtime.bigint();

// Whatever was not foreseen is said in the last line, where the driver looks for it.
process.on('uncaughtException', (error) => {
  console.error(error?.stack ?? error);
  console.error(`subject.mjs: ${error?.message ?? error}`);
  process.exit(1);
});

const [mode, ...args] = process.argv.slice(2);
switch (mode) {
  case undefined: {
    const [{ Socket }, { Host }] = await Promise.all([import('node:net'), import('./host.mjs')]);
    const socket = new Socket({ fd: 0, readable: true, writable: true, allowHalfOpen: true });
    new Host(socket).run();
    break;
  }
  case 'task': {
    const { runTask } = await import('./task.mjs');
    await runTask(args, started);
    break;
  }
  case 'answer': {
    const { answer } = await import('./task.mjs');
    console.log(String(await answer(args)));
    break;
  }
  case 'calibrate': {
    const { calibrate } = await import('./task.mjs');
    console.log(String(await calibrate(args)));
    break;
  }
  case 'versions': {
    const { versions, packageVersion, libvipsVersion } = await import('./versions.mjs');
    const packages = ['piscina', 'workerpool', 'sharp'].map((name) => [name, packageVersion(name)]);
    const libvips = await libvipsVersion();
    console.log(JSON.stringify({ ...versions(), ...Object.fromEntries(packages), libvips }));
    break;
  }
  default:
    throw new Error(`unknown mode \`${mode}\`; this is started by forkbench, not by hand`);
}
