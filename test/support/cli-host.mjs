// A process of its own that carries out one command after the other, each as if it had been started for it: the program is loaded once, and begins anew with
// each command's arguments and environment. A command that would keep its process alive is told as "does not end".
import { pathToFileURL } from 'node:url';

const ENDS_WITHIN_MS = 20_000;
const program = process.argv[2];
const ownEnv = { ...process.env };
let commands = 0;
let output = '';
let own = [];

for (const stream of [process.stdout, process.stderr]) {
  stream.setMaxListeners(0); // each command listens for a reader that goes away
  stream.write = (chunk, ...more) => {
    output += chunk;
    more.find((one) => typeof one === 'function')?.();
    return true;
  };
}

/** What keeps this process alive now, beside its channel. */
const keeping = () => process.getActiveResourcesInfo().filter((what) => !own.includes(what));

async function atRest() {
  for (const deadlineMs = performance.now() + ENDS_WITHIN_MS; performance.now() < deadlineMs; ) {
    if (keeping().length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return false;
}

process.on('message', async ({ args, env }) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, ownEnv, env);
  process.argv.splice(1, Number.POSITIVE_INFINITY, program, ...args);
  process.exitCode = undefined;
  output = '';
  let failed;
  try {
    await import(`${pathToFileURL(program).href}?command=${++commands}`);
  } catch (error) {
    failed = 1;
    output += error.stack;
  }
  const code = failed ?? process.exitCode ?? 0;
  process.exitCode = undefined;
  process.send(
    (await atRest())
      ? { code, output }
      : { code: 'does not end', output: `${output}\nkept alive by ${keeping()}` },
  );
});
own = keeping();
process.send('ready');
