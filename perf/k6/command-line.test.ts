import t from 'tap';
import { parseCommandLine } from './command-line.js';

t.test('what it knows itself', async (t) => {
  const args = ['spike', '-e', 'RATE=9', '--env=A=b=c', '--duration', '20s', '-q'];
  const line = parseCommandLine(args, false);
  t.strictSame(line.env, { RATE: '9', A: 'b=c', DURATION: '20s' });
  t.strictSame([line.script, line.isQuiet], ['spike', true]);
  t.strictSame(parseCommandLine(['--help'], false).isHelp, true);
  t.equal(parseCommandLine([], false).script, undefined);
});

t.test('the rest is for k6, or an error', async (t) => {
  const args = ['soak', '--out', 'json=x.json', '-d', '1m'];
  const { env, rest } = parseCommandLine(args, true);
  t.strictSame([env, rest], [{ DURATION: '1m' }, ['--out', 'json=x.json']]);
  t.throws(() => parseCommandLine(args, false), /--out is not known under Node/);
  t.throws(() => parseCommandLine(['--out', 'x', 'soak'], true), /stand behind the script/);
  t.throws(() => parseCommandLine(['soak', '--vus', '3'], true), /-e RATE=200/);
  t.throws(() => parseCommandLine(['soak', '-e', 'RATE'], true), /NAME=VALUE/);
  t.throws(() => parseCommandLine(['soak', '-d'], true), /-d needs a value/);
});
