/** The file for nginx in a real one, in front of real gateways. */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { FORM, notification, PASSWORD, startTestGateway, WEBHOOK_PATH } from '../../gateway/test/start.js';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { freePort } from '../../storage/test-free-port.js';
import { machineFile } from './machine-files.js';
import { askTls, makeCertificate } from './tls.js';

t.setTimeout(60_000);

async function startNginx(
  t: Test,
  ports: readonly [number, number],
): Promise<{ readonly port: number; readonly plain: number; log(): Promise<string> }> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-nginx-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const [port, plain] = [await freePort(), await freePort()];
  const { certificate, key } = await makeCertificate(directory);
  const log = join(directory, 'tether.log');
  const server = await machineFile('nginx/tether.conf', {
    'gateway-1.internal:8080': `127.0.0.1:${ports[0]}`,
    'gateway-2.internal:8080': `127.0.0.1:${ports[1]}`,
    'listen 80;': `listen 127.0.0.1:${plain};`,
    'listen [::]:80;': '',
    'listen 443 ssl http2;': `listen 127.0.0.1:${port} ssl http2;`,
    'listen [::]:443 ssl http2;': '',
    '/etc/nginx/tether.pem': certificate,
    '/etc/nginx/tether.key': key,
    '/var/log/nginx/tether.log tether buffer=64k flush=1s': `${log} tether`,
    '127.0.0.0/8 1;': '127.0.0.1/32 1;',
  });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  const file = join(directory, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; master_process off; pid ${join(directory, 'pid')}; error_log stderr warn;
events {} http { ${paths.join(' ')}
${server} }`,
  );
  const program = findProgram('nginx') ?? 'nginx';
  await promisify(execFile)(program, ['-t', '-q', '-p', directory, '-c', file]);
  const child = spawn(program, ['-p', directory, '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });
  await until('nginx serves', () =>
    askTls({ port, path: '/health' }).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  return { port, plain, log: () => readFile(log, 'utf8') };
}

const webhook = () => {
  const body = notification(randomUUID().replaceAll('-', ''));
  return { method: 'POST', path: WEBHOOK_PATH, headers: [FORM], body };
};

t.test(
  'webhooks come through, with the address of who sends, and cost no error when a node drains',
  async (t) => {
    const endpoint = { name: 'emp', provider: 'emp', token: 'dev', secrets: [PASSWORD], actor: 'payment' };
    const options = { trustedProxies: ['127.0.0.1'], endpoints: [{ ...endpoint, networks: ['127.0.0.2'] }] };
    const [one, two] = await Promise.all([startTestGateway(t, options), startTestGateway(t, options)]);
    const { port, plain, log } = await startNginx(t, [one.gateway.port, two.gateway.port]);
    const from = (localAddress: string) => ({ port, localAddress, ...webhook() });
    t.equal((await askTls(from('127.0.0.2'))).status, 200);
    t.equal((await askTls(from('127.0.0.3'))).status, 403);
    const forged = from('127.0.0.3');
    t.equal(
      (await askTls({ ...forged, headers: [...forged.headers, 'X-Forwarded-For: 127.0.0.2'] })).status,
      403,
    );
    for (let n = 0; n < 20; n++) await askTls(from('127.0.0.2'));
    t.ok(one.partition.envelopes.length > 0 && two.partition.envelopes.length > 0, 'both get some');

    await one.gateway.drain(1_000);
    for (let n = 0; n < 20; n++) t.equal((await askTls(from('127.0.0.2'))).status, 200);
    one.gateway.close();
    for (let n = 0; n < 20; n++) t.equal((await askTls(from('127.0.0.2'))).status, 200);

    t.equal((await askTls({ port, path: '/metrics' })).status, 200);
    t.equal((await askTls({ port, path: '/metrics', localAddress: '127.0.0.2' })).status, 403);
    t.equal((await askTls({ port, path: '/console', localAddress: '127.0.0.2' })).status, 403);
    t.not((await askTls({ port, path: '/uploads', localAddress: '127.0.0.2' })).status, 403);
    const large = { ...from('127.0.0.2'), body: 'x'.repeat(1_048_577) };
    t.equal((await askTls(large)).status, 413);
    const redirect = await fetch(`http://127.0.0.1:${plain}/x`, { redirect: 'manual' });
    t.equal(redirect.status, 308);
    await until('the log is written', async () => (await log()).includes('/webhooks/emp/-'));
    t.notMatch(await log(), /webhooks\/emp\/dev/, 'the token is a secret');
  },
);
