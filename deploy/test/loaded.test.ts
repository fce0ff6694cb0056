/**
 * What is loaded where it is not needed costs each start: a command that asks a node took more than twice its time while it loaded all of a node, and
 * each thread of an actor a client of Redis.
 */
import { execFileSync } from 'node:child_process';
import t from 'tap';

/** Packages of CommonJS, which is what takes long, that are there after a module of this project was imported in a process of its own. */
function loadedBy(module: string): ReadonlySet<string> {
  const url = new URL(`../../${module}`, import.meta.url).href;
  const program = `
    import { createRequire } from 'node:module';
    await import(${JSON.stringify(url)});
    const paths = Object.keys(createRequire(import.meta.url).cache);
    process.stdout.write(paths.map((path) => /.*node_modules\\/(@[^/]+\\/[^/]+|[^/]+)/.exec(path)?.[1]).join(' '));
    process.exit(0);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: {},
    encoding: 'utf8',
  });
  return new Set(output.split(' '));
}

const OF_A_NODE = ['ioredis', 'pg', 'piscina', 'prom-client', 'uWebSockets.js', 'yaml'];

t.test('what a node is made of is found when it is loaded', async (t) => {
  const loaded = loadedBy('deploy/node.js');
  t.strictSame(
    OF_A_NODE.filter((name) => !loaded.has(name)),
    [],
  );
});

for (const command of [
  'audit-run',
  'dead-run',
  'events-run',
  'pools-run',
  'send-run',
  'smoke-run',
  'tune-run',
]) {
  t.test(`${command} asks a node and loads nothing of one`, async (t) => {
    const loaded = loadedBy(`deploy/commands/${command}.js`);
    t.ok(loaded.has('undici'), [...loaded].join(' '));
    t.strictSame(
      OF_A_NODE.filter((name) => loaded.has(name)),
      [],
    );
  });
}

for (const actor of ['payment', 'upload', 'webhook', 'forward', 'archive', 'replay']) {
  t.test(`a thread of ${actor} loads no client of Redis before it is told of one`, async (t) => {
    const loaded = loadedBy(`actors/${actor}/actor.js`);
    t.ok(loaded.has('pg-pool'), [...loaded].join(' '));
    t.notOk(loaded.has('ioredis'));
  });
}
