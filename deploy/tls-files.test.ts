/** A node that ends TLS itself: wrong files are told before it listens, and webhooks, the API and the console come over it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import t from 'tap';
import { z } from 'zod';
import { apiRoute } from '../gateway/api/route.js';
import { nodeView } from '../gateway/console/test/figures.js';
import { FORM, notification, startTestGateway, WEBHOOK_PATH } from '../gateway/test/start.js';
import { find } from './doctor/test/find.js';
import { certificate as certificateCheck } from './doctor/tls.js';
import { ConfigError } from './errors.js';
import { parseSettings } from './settings.js';
import { spawnCli } from './test/spawn-cli.js';
import { askTls, makeCertificate } from './test/tls.js';
import { lookAtTls } from './tls-files.js';

const DAY_MS = 86_400_000;
const TOKEN = 'a-token-of-some-length';
const directory = t.testdir();
const { certificate: certFile, key: keyFile, both } = await makeCertificate(directory);
const other = join(directory, 'other');
mkdirSync(other);
const { key: otherKey } = await makeCertificate(other);

t.test('wrong files are told, each by what is wrong with it', async (t) => {
  t.match(await lookAtTls({ certFile, keyFile }, Date.now()), {
    problems: [],
    days: 1,
    names: /DNS:localhost/,
    warnings: [/tls\.pem expires in 1 days: renew it/],
  });
  const encrypted = join(directory, 'encrypted.key');
  execFileSync('openssl', ['pkey', '-in', keyFile, '-aes256', '-passout', 'pass:x', '-out', encrypted]);
  const open = join(directory, 'open.key');
  copyFileSync(keyFile, open);
  chmodSync(open, 0o644);
  const junk = join(directory, 'junk');
  writeFileSync(junk, '-----BEGIN SECRET STUFF-----\n', { mode: 0o600 });
  const cases: readonly (readonly [string, string, number, RegExp])[] = [
    [certFile, otherKey, 0, /^TETHER_TLS_KEY_FILE: .* is not the key of .*tls\.pem$/],
    [certFile, open, 0, /^TETHER_TLS_KEY_FILE: .*open\.key is for others to read: chmod 600/],
    [certFile, encrypted, 0, /^TETHER_TLS_KEY_FILE: .* is encrypted/],
    [certFile, junk, 0, /^TETHER_TLS_KEY_FILE: .*junk is no PEM of what is expected there$/],
    [junk, keyFile, 0, /^TETHER_TLS_CERT_FILE: .*junk is no PEM/],
    [keyFile, keyFile, 0, /^TETHER_TLS_CERT_FILE: .*tls\.key is no PEM/],
    [join(directory, 'none'), keyFile, 0, /none cannot be read: there is no such file$/],
    [certFile, join(directory, 'none'), 0, /none cannot be read: there is no such file$/],
    [certFile, keyFile, 3 * DAY_MS, /^TETHER_TLS_CERT_FILE: .* is expired since /],
    [certFile, keyFile, -DAY_MS, /^TETHER_TLS_CERT_FILE: .* is valid from .* on$/],
  ];
  for (const [cert, key, later, message] of cases) {
    const { problems } = await lookAtTls({ certFile: cert, keyFile: key }, Date.now() + later);
    t.equal(problems.length, 1, String(message));
    t.match(problems[0], message);
  }
  t.strictSame(
    (await lookAtTls({ certFile: both, keyFile: both }, Date.now())).problems,
    [],
    'both in one file',
  );
});

t.test('what belongs together is asked for together', async (t) => {
  const refused = (env: Record<string, string>) => {
    try {
      return parseSettings(env).url;
    } catch (error) {
      return error instanceof ConfigError ? error.message : error;
    }
  };
  t.match(refused({ TETHER_TLS_CERT_FILE: certFile }), /^TETHER_TLS_KEY_FILE is not set/);
  t.match(refused({ TETHER_TLS_KEY_FILE: keyFile }), /^TETHER_TLS_CERT_FILE is not set/);
  const env = { TETHER_TLS_CERT_FILE: certFile, TETHER_TLS_KEY_FILE: keyFile };
  t.match(refused({ ...env, TETHER_PROXY_PROTOCOL: 'on' }), /before TLS begins/);
  t.equal(refused(env), 'https://127.0.0.1:8080');
  t.match(await find(certificateCheck, env), { outcome: 'warning', found: /for 1 days more/ });
  t.match(await find(certificateCheck, { ...env, TETHER_TLS_KEY_FILE: otherKey }), { outcome: 'failed' });
  t.match(await find(certificateCheck, {}), { outcome: 'skipped' });
});

t.test('webhooks, the API and the console come over it, by HTTP/1.1 and TLS 1.2 or 1.3 alone', async (t) => {
  const hello = apiRoute({
    ...{ method: 'get', path: '/api/audit', id: 'x', tag: 'x', summary: 'x', scope: 'read' },
    query: z.strictObject({ limit: z.string() }),
    answer: z.object({ entries: z.array(z.string()) }),
    work: () => ({ entries: [] }),
  });
  const { gateway, partition } = await startTestGateway(t, {
    tls: { certFile, keyFile },
    operations: { token: TOKEN, version: '1.0.0', view: nodeView(), routes: [hello] },
  });
  const { port } = gateway;
  const id = 'a'.repeat(32);
  const sent = { port, method: 'POST', path: WEBHOOK_PATH, headers: [FORM], body: notification(id) };
  t.match(await askTls(sent), { status: 200, body: new RegExp(id) });
  t.equal(partition.envelopes.length, 1);
  const headers = [`Authorization: Bearer ${TOKEN}`];
  t.match(await askTls({ port, path: '/api/status', headers }), { status: 200 });
  t.match(await askTls({ port, path: '/api/status' }), { status: 401 });
  t.match(await askTls({ port, path: '/console' }), { status: 200, body: /<html/ });

  const shake = (options: ConnectionOptions) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
        resolve(`${socket.getProtocol()} ${socket.alpnProtocol || 'http/1.1'}`);
        socket.destroy();
      });
      socket.once('error', (error) => resolve(`refused ${Reflect.get(error, 'code')}`));
    });
  t.match(await shake({ ALPNProtocols: ['h2', 'http/1.1'] }), /^TLSv1\.3 http\/1\.1$/);
  t.match(await shake({ maxVersion: 'TLSv1.2' }), /^TLSv1\.2 /);
  t.match(
    await shake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    /^refused/,
  );
  t.match(await shake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }), /^refused/, 'no CBC');
  await t.rejects(fetch(`http://127.0.0.1:${port}/livez`), 'plain HTTP has no answer');

  const env = { TETHER_URL: `https://localhost:${port}`, TETHER_API_TOKEN: TOKEN };
  const [believing, careful] = await Promise.all([
    spawnCli(['audit'], { ...env, NODE_EXTRA_CA_CERTS: certFile }),
    spawnCli(['audit'], env),
  ]);
  t.match(believing, { code: 0, stdout: 'no changes\n', stderr: '' });
  t.match(careful, { code: 1, stderr: /does not answer: self-signed certificate/ });
});
