/** A file that is written, replaced, linked and broken while it is watched. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GatewayOptionError } from '../../gateway/index.js';
import { ManualClock } from '../../runtime/clock.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { EndpointReader } from './reader.js';
import { WatchedFile } from './watched-file.js';

const entry = (name: string, secret = 's') =>
  `  - { name: ${name}, provider: emp, token: t, secrets: ["${secret}"] }\n`;
const yaml = (...names: string[]) =>
  `endpoints:${names.length === 0 ? ' []' : ''}\n${names.map((name) => entry(name)).join('')}`;

function start(t: Test, content: string) {
  const directory = t.testdir({ 'endpoints.yaml': content });
  const file = join(directory, 'endpoints.yaml');
  const clock = new ManualClock(1_000_000);
  /** Looks that were set, each when the one before was over; and those that were waited for. */
  let set = 0;
  let due = 0;
  const read: string[] = [];
  const lines: object[] = [];
  const secrets: string[] = [];
  let refuse: Error | undefined;
  let reads = 0;
  const reader = new EndpointReader({}, undefined);
  const watched = new WatchedFile({
    file,
    reader: {
      readFile(path) {
        reads++;
        return reader.readFile(path);
      },
    },
    clock: {
      now: () => clock.now(),
      after(ms, action) {
        set++;
        return clock.after(ms, action);
      },
    },
    logger: { ...silentLogger, error: (fields) => void lines.push(fields) },
    async onRead({ endpoints }) {
      if (refuse !== undefined) throw refuse;
      read.push(endpoints.map(({ name }) => name).join());
      secrets.push(endpoints.flatMap((one) => one.secrets).join());
    },
  });
  t.teardown(() => watched.stop());
  watched.start();
  /** So many looks, one after the other. */
  const look = async (times = 1) => {
    for (let n = 0; n <= times; n++) {
      await until('the look before is over', () => set > due);
      if (n === times) return;
      due = set;
      clock.advance(1_000);
    }
  };
  return {
    directory,
    file,
    clock,
    watched,
    read,
    secrets,
    lines,
    look,
    reads: () => reads,
    refuse: (error: Error | undefined) => {
      refuse = error;
    },
    write: (content: string) => writeFileSync(file, content),
    is: (...names: string[]) => until(`it is ${names}`, () => read.at(-1) === names.join()),
  };
}

t.test('what it holds is read at the start, and when it has changed; else it is not read', async (t) => {
  const { watched, write, look, is, reads, read } = start(t, yaml('a'));
  await is('a');
  t.equal(watched.taken, 0, 'the start is no reload');
  await look(3);
  t.equal(reads(), 1);
  write(yaml('a', 'b'));
  await look(2);
  await is('a', 'b');
  t.strictSame(read, ['a', 'a,b']);
  t.equal(watched.taken, 1);
  t.equal(watched.readAt % 1_000, 0);
  t.ok(watched.readAt > 1_000_000);
});

t.test('a file that was just written is not believed before it is the same again', async (t) => {
  const { write, look, is, read } = start(t, yaml('a', 'b', 'c'));
  await is('a', 'b', 'c');
  write(yaml('a'));
  await look();
  write(yaml('a', 'b'));
  await look();
  write(yaml('a', 'b', 'c', 'd'));
  await look(2);
  await is('a', 'b', 'c', 'd');
  t.strictSame(read, ['a,b,c', 'a,b,c,d'], 'none that was half written');
});

t.test('replaced by a rename, and by a link as Kubernetes does it', async (t) => {
  const { directory, file, look, is } = start(t, yaml('a'));
  await is('a');
  writeFileSync(join(directory, 'new'), yaml('b'));
  renameSync(join(directory, 'new'), file);
  await look(2);
  await is('b');

  for (const name of ['one', 'two']) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'endpoints.yaml'), yaml(name));
  }
  const data = join(directory, '..data');
  symlinkSync('one', data);
  rmSync(file);
  symlinkSync('..data/endpoints.yaml', file);
  await look(2);
  await is('one');
  symlinkSync('two', join(directory, '..next'));
  renameSync(join(directory, '..next'), data);
  await look(2);
  await is('two');
});

t.test('with a problem in it nothing changes, and that is told once', async (t) => {
  const { watched, write, look, is, lines, read, refuse, file } = start(t, yaml('a'));
  await is('a');
  write(`${yaml('b')}${entry('c').replace('emp', 'nobody')}`);
  await look(4);
  t.match(watched.problems, [/endpoint c: provider: is one of emp/]);
  t.match(lines, [{ file, problems: [/endpoint c/] }]);
  t.equal(lines.length, 1);
  rmSync(file);
  await look(2);
  t.match(watched.problems, [/cannot be read: there is no such file/]);
  write(yaml('b', 'c'));
  await look(2);
  await is('b', 'c');
  t.strictSame(watched.problems, []);
  refuse(new GatewayOptionError('no'));
  write(yaml('d'));
  await look(2);
  t.strictSame(watched.problems, [`${file}: no`]);
  refuse(undefined);
  t.strictSame(read, ['a', 'b,c']);
  t.match(watched, { taken: 1, refused: 3 });
});

t.test('files that it refers to are looked at as well, one that is missing too', async (t) => {
  const { directory, write, look, is, secrets, watched } = start(t, yaml('a'));
  await is('a');
  const password = join(directory, 'password');
  write(`endpoints:\n${entry('b', `file:${password}`)}`);
  await look(2);
  t.match(watched.problems, [/there is no such file/]);
  writeFileSync(password, 'first\n');
  await look(2);
  await is('b');
  writeFileSync(password, 'second\n');
  await look(2);
  await until('the second is there', () => secrets.at(-1) === 'second');
  t.strictSame(secrets, ['s', 'first', 'second']);
});

t.test('reload reads it at once', async (t) => {
  const { write, is, watched, reads } = start(t, yaml('a'));
  await is('a');
  write(yaml('b'));
  await watched.reload();
  await is('b');
  const before = reads();
  await watched.reload();
  t.equal(reads(), before + 1, 'changed or not');
  await watched.stop();
  write(yaml('c'));
  await watched.reload();
  t.equal(reads(), before + 1);
});
