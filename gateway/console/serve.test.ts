import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { request } from 'undici';
import { startTestGateway } from '../test/start.js';
import { ConsoleFiles } from './serve.js';
import { OPERATOR, startConsole } from './test/node.js';

t.test('the page and its files, with their headers', async (t) => {
  const { origin } = await startConsole(t);
  const index = await fetch(`${origin}/console`);
  t.equal(index.status, 200);
  const html = await index.text();
  t.match(
    index.headers.get('content-security-policy'),
    /^default-src 'none'; script-src 'self';.*form-action 'none'$/,
  );
  t.notMatch(index.headers.get('content-security-policy'), /unsafe/);
  t.equal(index.headers.get('cache-control'), 'no-cache');
  t.equal(index.headers.get('x-content-type-options'), 'nosniff');
  t.equal(index.headers.get('referrer-policy'), 'no-referrer');
  t.equal(index.headers.get('cross-origin-opener-policy'), 'same-origin');
  t.equal(index.headers.get('cross-origin-resource-policy'), 'same-origin');
  t.notMatch(html, /<script(?! type="module")|<style|style=/, 'nothing inline');
  t.equal(await (await fetch(`${origin}/console/`)).text(), html);

  const script = /src="(\/console\/[\w.-]+\.js)"/.exec(html)?.[1] ?? '';
  const plain = await fetch(origin + script, { headers: { 'accept-encoding': 'identity' } });
  t.match(plain.headers.get('cache-control'), /immutable/);
  t.match(plain.headers.get('content-type'), /^text\/javascript/);
  const text = await plain.text();
  const { raw } = await compressed(origin + script, 'gzip, deflate, br');
  t.equal(brotliDecompressSync(raw).toString(), text);
  t.equal(gunzipSync((await compressed(origin + script, 'br;q=0, gzip')).raw).toString(), text);

  const styles = await compressed(
    origin + (/href="(\/console\/[\w.-]+\.css)"/.exec(html)?.[1] ?? ''),
    'gzip',
  );
  const gzipped = (await compressed(origin + script, 'gzip')).raw.byteLength + styles.raw.byteLength;
  t.ok(gzipped < 120_000, `${gzipped} bytes of script and style with gzip`);

  const etag = index.headers.get('etag') ?? '';
  const again = await fetch(`${origin}/console`, { headers: { 'if-none-match': etag } });
  t.equal(again.status, 304);
  t.equal(
    (await fetch(`${origin}/console`, { method: 'HEAD' })).headers.get('content-length'),
    String(Buffer.byteLength(html)),
  );
  t.equal((await fetch(`${origin}/console`, { method: 'POST' })).status, 405);
  for (const path of [
    'nothing.js',
    'index.html.br',
    '..%2fserve.js',
    '../serve.js',
    '%2e%2e/serve.js',
    'index.html/x',
  ]) {
    t.equal((await fetch(`${origin}/console/${path}`)).status, 404, path);
  }
});

t.test('a console that is not built says so', async (t) => {
  const answers: string[] = [];
  const res = {
    cork: (work: () => void) => work(),
    writeStatus: (status: string) => answers.push(status),
    writeHeader: () => {},
    end: (body: string) => answers.push(body),
  };
  const req = { getUrl: () => '/console', getHeader: () => '' };
  new ConsoleFiles('/nonexistent').answer(res as never, req as never, {});
  t.equal(answers[0], '503 Service Unavailable');
  t.match(answers[1], /npm run build/);
});

t.test('without an API there is no console', async (t) => {
  const { ask } = await startTestGateway(t);
  t.equal((await ask({ method: 'GET', path: '/console' })).status, 404);
  const { origin } = await startConsole(t);
  const me = await fetch(`${origin}/api/me`, { headers: { authorization: `Bearer ${OPERATOR}` } });
  t.match(await me.json(), { client: 'operator', scopes: ['operate', 'operations', 'read'] });
});

/** As it came over the wire. */
async function compressed(url: string, accepted: string): Promise<{ readonly raw: Buffer }> {
  const { body } = await request(url, { headers: { 'accept-encoding': accepted } });
  return { raw: Buffer.from(await body.arrayBuffer()) };
}
