/** The load tests as they are run: against a gateway and a journal, under Node, and with what stands on the PATH as k6. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { readIban } from '../../actors/upload/debtor/iban.js';
import type { Gateway } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import { openJournal } from '../../storage/journal/index.js';
import { startGatewayOf } from '../subjects/gateway.js';
import type { SummaryData } from './engine/summary.js';

const RUN = fileURLToPath(new URL('./run.js', import.meta.url));
const LIB = fileURLToPath(new URL('../../../perf/k6/lib/', import.meta.url));
/** Of a run: far beyond what it takes. */
const RUN_MS_MAX = 50_000;

async function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [RUN, ...args], {
    env: { PATH: '', TETHER_API_TOKEN: 'no-uploads-are-made', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
  });
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  return { code, out, errors };
}

interface Served {
  readonly gateway: Gateway;
  /** Messages on the journal. */
  count(): number;
}

async function serve(t: Test): Promise<Served> {
  const journal = await openJournal({ directory: t.testdir(), logger: silentLogger });
  const partitions = journal.open('payment');
  for (const partition of partitions) partition.onAppended = () => partition.commit(partition.end);
  const gateway = await startGatewayOf(journal);
  t.teardown(async () => {
    gateway.close();
    await journal.close();
  });
  return { gateway, count: () => partitions.reduce((sum, { end }) => sum + Number(end), 0) };
}

t.test('the acceptance load test, in short', async (t) => {
  const { gateway, count } = await serve(t);
  const file = join(t.testdir(), 'summary.json');
  const { out, errors } = await run(['webhook-load-test', '-d', '1s', '-e', 'RATE=40', '-e', 'VUS=2'], {
    TETHER_URL: `http://127.0.0.1:${gateway.port}`,
    SUMMARY_FILE: file,
  });
  t.match(out, /^Node v20\.\d+\.\d+: no k6 on the PATH; the subset of its API\n/);
  const { metrics, root_group } = JSON.parse(readFileSync(file, 'utf8')) as SummaryData;
  const values = (name: string) => metrics[name]?.values ?? {};
  const acknowledged = values('iterations').count ?? 0;
  t.ok(acknowledged > 10, errors);
  // How fast it was is not asked here: the machine may be busy.
  t.strictSame(
    root_group.checks.map(({ name, passes, fails }) => [name, passes, fails]),
    [
      ['status is 200', acknowledged, 0],
      ['the id is echoed', acknowledged, 0],
    ],
  );
  t.equal(count(), acknowledged, 'what was echoed is on the journal');
  t.equal(values('webhook_chargeback').count, Math.floor(acknowledged / 5), '20 % are chargebacks');
  t.equal(metrics.webhook_acknowledged?.thresholds?.['rate>0.99']?.ok, true);
  t.equal(values('http_req_duration').count, acknowledged + 1, 'and the one of setup');
  t.match(out, /webhook_acknowledged +rate>0\.99 +holds/);
});

t.test('a wrong password crosses thresholds', async (t) => {
  const { gateway, count } = await serve(t);
  const args = ['webhook-load-test', '-d', '1s', '-e', 'RATE=20', '-e', 'VUS=1'];
  const { code, out, errors } = await run([...args, '-e', 'WEBHOOK_PASSWORD=wrong'], {
    TETHER_URL: `http://127.0.0.1:${gateway.port}`,
  });
  t.equal(code, 99, errors);
  t.match(out, /webhook-load-test: FAILED/);
  t.match(errors, /threshold crossed: http_req_failed rate<0\.01/);
  t.equal(count(), 0);
});

t.test('k6 itself is run where there is one', async (t) => {
  // It stands for the program that is there or not: what counts is what it is told, and what becomes of its exit code.
  const folder = t.testdir();
  const k6 = join(folder, 'k6');
  writeFileSync(
    k6,
    '#!/bin/sh\nif [ "$1" = version ]; then echo "k6 v9.9.9"; else echo "$* | $TETHER_URL $K6_NEW_MACHINE_READABLE_SUMMARY"; exit 98; fi\n',
  );
  chmodSync(k6, 0o755);
  const env = { PATH: `${folder}:/bin:/usr/bin`, TETHER_URL: 'http://127.0.0.1:1' };
  const { code, out } = await run(['spike', '-e', 'RATE=3', '-d', '5s', '--out', 'json=x'], env);
  t.equal(code, 98);
  const [first = '', second = ''] = out.split('\n');
  t.equal(first, 'k6 v9.9.9');
  t.match(
    second,
    /^run -e RATE=3 -e DURATION=5s --out json=x \/.*\/perf\/k6\/spike\.js \| http:\/\/127\.0\.0\.1:1 false$/,
  );
});

t.test('the accounts of a file have right check digits', async (t) => {
  const { debtorCsv } = (await import(pathToFileURL(join(LIB, 'debtor-file.js')).href)) as {
    debtorCsv: (file: number, rows: number) => string;
  };
  const [head, ...rows] = debtorCsv(3, 200).trimEnd().split('\n');
  const ibans = rows.map((row) => row.split(',')[0] ?? '');
  t.equal(head?.split(',')[0], 'iban');
  t.strictSame(
    ibans.filter((iban) => readIban(iban) !== iban),
    [],
  );
  t.equal(new Set(ibans).size, 200);
});
