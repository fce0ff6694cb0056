/** `tether tune` against what answers like a node; with a real one: `deploy/test/tune.test.ts`. */
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { HEALTHY, POOL } from '../status/test/observed.js';
import { spawnCli } from '../test/spawn-cli.js';
import { FILE, type MadeUpNode, madeUpNode } from '../tune/test/made-up-node.js';
import { type TuneFlags, type TuneIo, tune } from './tune-run.js';

t.setTimeout(60_000);

const FLAGS: TuneFlags = {
  seconds: 5,
  rateFirst: 20,
  rateMax: 80,
  p99: 2_000,
  connections: 32,
  endpoint: 'emp',
  endpointToken: 'dev',
  password: 'test-api-password-1',
  rounds: 2,
  yes: true,
};
const PACE = { warmSeconds: 0.4, stepSeconds: 0.6, askMs: 40, lookMsMax: 5_000, startMsMax: 20_000 };
interface Expected {
  readonly code: string;
  readonly message: RegExp;
}

async function run(
  node: MadeUpNode,
  flags: Partial<TuneFlags>,
  ask: TuneIo['ask'] = async () => undefined,
  pace = PACE,
) {
  const said: string[] = [];
  let text = '';
  const io: TuneIo = {
    print: (part) => {
      text += part;
    },
    say: (line) => {
      said.push(line);
    },
    ask,
    pace,
  };
  const env = { TETHER_URL: node.url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  const code = await tune({ ...FLAGS, ...flags }, env, io);
  return { code, text, said };
}

/** Until the machine has had time for what sends: otherwise that is the finding, and rightly so. */
async function runInPeace(t: Test) {
  for (let tries = 1; ; tries++) {
    const node = await madeUpNode(t);
    const ran = await run(node, {});
    if (!ran.text.includes('The load itself is the limit') || tries === 4) return { node, ...ran };
    t.comment(ran.text);
  }
}

t.test('the steps, the finding and what is recommended; nothing is changed', async (t) => {
  const { node, code, text, said } = await runInPeace(t);
  t.equal(code, 0);
  t.match(text, /^ASKED +ACKNOWLEDGED .* ENDED\n20\/s .*held\n(40\/s .*held\n)?[48]0\/s .*behind\n\n/);
  t.match(text, /The actor waits for something that is not measured: payment did \d+\/s with 1 thread/);
  t.match(text, /\n {2}payment {2}max 1 -> 2, since a thread waits in its receives/);
  t.match(text, /Nothing was changed\. .*: tether pools set payment --min 2 --max 2\n/);
  t.match(said[0], /sends test payments to 127\.0\.0\.1:\d+ for about 5 s; .* begin with tune-\d{8}-/);
  const [, prefix = 'none'] = /begin with (\S+)$/.exec(said[0] ?? '') ?? [];
  t.ok(node.ids.length > 40, `${node.ids.length} came`);
  t.strictSame(
    node.ids.filter((id) => !id.startsWith(prefix)),
    [],
  );
  t.match(text, `tether events find --dedupe processing:${prefix}`);
  t.strictSame(node.changes, []);
});

t.test(
  'nothing is measured before a thread of the pool is there, and when none comes, that is said',
  async (t) => {
    const node = await madeUpNode(t);
    node.threadMode = 'starting';
    // Longer than a pool is given that has threads and does nothing.
    const pace = { ...PACE, lookMsMax: 200 };
    const running = run(node, { json: true }, undefined, pace);
    const warm = FLAGS.rateFirst * PACE.warmSeconds;
    await until('the warm-up is over', async () => node.ids.length > warm);
    const { asked } = node;
    await until('it has asked on and on', async () => node.asked > asked + 25);
    t.ok(node.ids.length < 2 * warm, `${node.ids.length} came, and no step was begun`);
    node.threadMode = 'ready';
    const { code, text } = await running;
    t.equal(code, 0);
    t.match(JSON.parse(text), { actor: 'payment', evidence: { poolBusy: Number } });

    const never = await madeUpNode(t);
    never.threadMode = 'lost';
    await t.rejects(run(never, {}, undefined, { ...pace, startMsMax: 500 }), {
      code: 'TETHER_TUNE',
      message: /no thread of pool payment has started within 0\.5 s/,
    });
  },
);

t.test('what is tried and better is kept, and what is not is put back; as JSON', async (t) => {
  const node = await madeUpNode(t);
  node.settings = { ...FILE, max: 2 };
  const better = await run(node, { try: true, json: true, rateFirst: 120, rateMax: 120 });
  t.equal(better.code, 0);
  t.match(JSON.parse(better.text), {
    limit: 'actor-waits',
    actor: 'payment',
    applied: { holds: 'new', trial: { better: true } },
    steps: [{ verdict: 'behind' }],
  });
  t.match(node.settings, { min: 1, max: 4 }, 'a pool with a range keeps its minimum');

  const other = await madeUpNode(t);
  other.share = 0;
  const { text } = await run(other, { try: true, rateFirst: 80 });
  t.match(
    text,
    /Tried in turn: .* as it was; .* as recommended\n.*not better by more than the rounds differ/,
  );
  t.strictSame(other.settings, FILE);
  t.equal(other.changes.at(-1), 'DELETE');
});

t.test('to write asks again, and tells what belongs into the configuration', async (t) => {
  const node = await madeUpNode(t);
  const asked: string[] = [];
  const answers =
    (...given: boolean[]) =>
    async (question: string) => {
      asked.push(question);
      return given.shift();
    };
  const { yes: _, ...unsure } = FLAGS;
  const io = { print: () => {}, say: () => {}, pace: PACE };
  const env = { TETHER_URL: node.url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  const flags = { ...unsure, rateFirst: 80, write: true } as const;
  t.equal(await tune(flags, env, { ...io, ask: answers(false) }), 1, 'nothing was sent');
  t.equal(node.ids.length, 0);
  await tune(flags, env, { ...io, ask: answers(true, false) });
  t.strictSame(node.changes, []);
  t.equal(asked.length, 3);
  const { text } = await run(node, { write: true, rateFirst: 80 });
  t.strictSame(node.changes, ['PUT {"min":2,"max":2}']);
  t.match(text, /\n {2}TETHER_THREADS=2 .*every pool but that of uploads\n/);
});

t.test('Ctrl-C while it tries puts the settings back', async (t) => {
  const node = await madeUpNode(t);
  const ended = run(node, { try: true, rateFirst: 80 });
  await until('it tries', () => node.settings.max === 2);
  process.kill(process.pid, 'SIGINT');
  const { code, said } = await ended;
  t.equal(code, 130);
  t.strictSame(node.settings, FILE);
  t.match(said.at(-1), 'the settings are as they were');
});

t.test('Ctrl-C in the ramp tells what was measured, and tries nothing', async (t) => {
  const node = await madeUpNode(t);
  // A machine that stands still for a moment must not end the ramp at its first step.
  node.perSecond = 1_000;
  const ended = run(node, { try: true, rateFirst: 20, p99: 60_000 });
  await until('the second step has begun', () => node.ids.length > 30);
  process.kill(process.pid, 'SIGTERM');
  const { code, text } = await ended;
  t.equal(code, 143);
  t.match(text, /^ASKED.*\n20\/s .*held\n\nStopped: the rest was not measured/);
  t.strictSame(node.changes, []);
});

t.test('what cannot be measured is said before anything is sent', async (t) => {
  const finding = { detail: 'd', advice: 'a' };
  const cases: readonly (readonly [Partial<MadeUpNode>, Partial<TuneFlags>, Expected])[] = [
    [{ scopes: [] }, {}, { code: 'TETHER_NODE_REQUEST', message: /403/ }],
    [{ scopes: ['read'] }, { try: true }, { code: 'TETHER_TUNE', message: /scope operate/ }],
    [{}, { actor: 'paymnet' }, { code: 'TETHER_TUNE', message: /no pool of paymnet .*there is payment/ }],
    [
      { status: { node: { ...HEALTHY.node, mode: 'draining' } } },
      {},
      { code: 'TETHER_TUNE', message: /drains/ },
    ],
    [
      { status: { log: { ...HEALTHY.log, state: 'failed' } } },
      {},
      { code: 'TETHER_TUNE', message: /log of the node is failed/ },
    ],
    [
      {
        status: {
          findings: [
            { severity: 'critical', code: 'dependency-away', title: 'Postgres is away', ...finding },
          ],
        },
      },
      {},
      { code: 'TETHER_TUNE', message: /not well: Postgres is away/ },
    ],
    [
      { status: { findings: [{ severity: 'warning', code: 'pool-behind', title: 'It is', ...finding }] } },
      {},
      { code: 'TETHER_TUNE', message: /It is/ },
    ],
    [
      { status: { pools: [{ ...POOL, mode: 'paused' }] } },
      { actor: 'payment' },
      { code: 'TETHER_TUNE', message: /payment is paused/ },
    ],
    [{}, { remote: 'hooks.example' }, { code: 'TETHER_USAGE', message: /names hooks.example/ }],
    [{}, { password: 'env:NOT_SET' }, { code: 'TETHER_CONFIG_REFUSED', message: /--password/ }],
    [{ webhookStatus: 404 }, {}, { code: 'TETHER_TUNE', message: /404.*--endpoint-token/ }],
    [{ webhookStatus: 401 }, {}, { code: 'TETHER_TUNE', message: /401.*--password/ }],
  ];
  for (const [change, flags, expected] of cases) {
    const node = Object.assign(await madeUpNode(t), change);
    await t.rejects(run(node, flags), expected, JSON.stringify(expected));
    t.equal(node.ids.length, 0);
    t.strictSame(node.changes, []);
  }
});

t.test('wrong usage, and a node that is not there', async (t) => {
  const node = await madeUpNode(t);
  const env = { TETHER_URL: node.url, TETHER_API_TOKEN: 'a-token-of-some-length' };
  t.match(await spawnCli(['tune'], env), { code: 64, stderr: /without a terminal to ask on: give --yes/ });
  t.match(await spawnCli(['tune', '--seconds', '4'], env), { code: 64, stderr: /5 to 600/ });
  t.match(await spawnCli(['tune', '--yes'], { ...env, TETHER_URL: 'http://127.0.0.1:1' }), {
    code: 1,
    stderr: /does not answer/,
  });
  t.equal(node.ids.length, 0);
});
