// From a project's source to a component: a bundle by esbuild, then the engine that package.json names.

import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A world that gives the small engine a log: it has no `console` of its own. */
const WORLD_WITH_LOG = `package coinop:plugin@0.1.0;

world javascript {
    include plugin;
    import wasi:cli/stderr@0.2.12;
}
`;

/** Engines by their words in package.json: the package that brings it, and its part of a build. */
const ENGINES = {
  small: { packageName: 'componentize-qjs', componentize: small },
  fetch: { packageName: '@bytecodealliance/componentize-js', componentize: withFetch },
};

/** Packages of projects: the version that is known to work, and the file that is run or imported. */
const PACKAGES = {
  '@bytecodealliance/componentize-js': { version: '0.23.0', file: 'src/componentize.js' },
  'componentize-qjs': { version: '0.4.3', file: 'index.js' },
  esbuild: { version: '0.28.2', file: 'lib/main.js' },
  typescript: { version: '7.0.2', file: 'bin/tsc' },
};

/** What the author can put right: told without a stack. */
class Mistake extends Error {}

export function build(folder = '.') {
  return told(async () => {
    const project = await read(resolve(folder));
    await typeCheck(project);
    const bundle = join(project.folder, 'build', `${project.name}.js`);
    await bundled(project, [project.entry], {
      outfile: bundle,
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: [`coinop-${project.engine}`],
      external: ['coinop:*', 'wasi:*'],
      target: 'es2023',
    });
    const { packageName, componentize } = ENGINES[project.engine];
    const engine = await load(project, packageName);
    const component = await componentize(engine, project, bundle);
    await writeFile(join(project.folder, 'build', `${project.name}.wasm`), component);
  });
}

export function buildTests(folder = '.') {
  return told(async () => {
    const project = await read(resolve(folder));
    await typeCheck(project);
    const outdir = join(project.folder, 'build', 'test');
    await rm(outdir, { recursive: true, force: true });
    const tests = (await readdir(join(project.folder, 'test'))).filter((file) => /\.test\.[jt]s$/.test(file));
    await bundled(project, tests.map((file) => join('test', file)), {
      outdir,
      platform: 'node',
      target: 'node20',
      outExtension: { '.js': '.mjs' },
    });
  });
}

async function told(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Mistake ? error.message : error);
    process.exit(1);
  }
}

async function read(folder) {
  const { name, coinop = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const { engine = 'small', wit = 'wit', ...unknown } = coinop;
  if (!Object.hasOwn(ENGINES, engine)) throw new Mistake(`package.json: "engine" is none of ${Object.keys(ENGINES).join(', ')}`);
  const other = Object.keys(unknown)[0];
  if (other !== undefined) throw new Mistake(`package.json: "coinop" has no "${other}", only "engine" and "wit"`);
  const entry = ['src/plugin.ts', 'src/plugin.js'].find((file) => existsSync(join(folder, file)));
  if (entry === undefined) throw new Mistake('there is no src/plugin.js or src/plugin.ts');
  return { folder, name, engine, wit: join(folder, wit), entry, require: createRequire(join(folder, 'package.json')) };
}

/** The file in the project's own package that is called so. */
async function located(project, packageName) {
  const { file, version } = PACKAGES[packageName];
  const paths = project.require.resolve.paths(packageName).map((folder) => join(folder, packageName, file));
  const found = paths.find(existsSync);
  if (found !== undefined) return found;
  const { devDependencies = {} } = JSON.parse(await readFile(join(project.folder, 'package.json'), 'utf8'));
  // What package.json names, its lock brings.
  const command = Object.hasOwn(devDependencies, packageName)
    ? 'npm ci --ignore-scripts'
    : `npm install --ignore-scripts --save-dev --save-exact ${packageName}@${version}`;
  throw new Mistake(`${packageName} is not installed: run \`${command}\` in ${project.folder}`);
}

async function load(project, packageName) {
  return import(pathToFileURL(await located(project, packageName)));
}

/** By the compiler itself: bundlers only drop types. */
async function typeCheck(project) {
  if (!project.entry.endsWith('.ts')) return;
  const compiler = await located(project, 'typescript');
  const { status } = spawnSync(process.execPath, [compiler, '--noEmit'], { cwd: project.folder, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

async function bundled(project, entryPoints, options) {
  const { build: bundle } = await load(project, 'esbuild');
  const common = { absWorkingDir: project.folder, bundle: true, format: 'esm', charset: 'utf8', logLevel: 'warning' };
  try {
    await bundle({ ...common, entryPoints, ...options });
  } catch (error) {
    // esbuild has said what is wrong, and where.
    if (error.errors?.length > 0) process.exit(1);
    throw error;
  }
}

async function small({ componentize }, project, bundle) {
  const wit = join(project.folder, 'build', 'wit');
  await rm(wit, { recursive: true, force: true });
  await mkdir(dirname(wit), { recursive: true });
  await cp(project.wit, wit, { recursive: true });
  await writeFile(join(wit, 'javascript.wit'), WORLD_WITH_LOG);
  const jsSource = await readFile(bundle, 'utf8');
  return (await componentize({ witPath: wit, world: 'javascript', jsSource, sync: true })).component;
}

async function withFetch({ componentize }, project, bundle) {
  // `fetch-event` is for components that serve requests.
  const options = { sourcePath: bundle, witPath: project.wit, worldName: 'plugin', disableFeatures: ['fetch-event'] };
  return (await componentize(options)).component;
}
