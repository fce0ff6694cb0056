import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';

// Each case is a process of its own, which takes a while on a busy machine.
t.setTimeout(180_000);

t.test('a summary, JSON for machines, and 1 when something was not acknowledged', async (t) => {
  let status = 200;
  const paths = new Set<string | undefined>();
  const { url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const id = new URLSearchParams(Buffer.concat(chunks).toString()).get('unique_id');
    paths.add(request.url);
    response.writeHead(status).end(`<notification_echo><unique_id>${id}</unique_id></notification_echo>`);
  });
  const args = [
    'send',
    'emp',
    '--count',
    '20',
    '--duplicates',
    '10%',
    '--rate',
    'max',
    '--kinds',
    'processing',
    '--seed',
    '7',
  ];
  const good = await spawnCli([...args, '--endpoint', 'shop', '--token', 'env:T', '--json'], {
    TETHER_URL: url,
    T: 'path',
  });
  t.match(good, { code: 0, stderr: '' });
  t.match(JSON.parse(good.stdout), {
    sent: 20,
    distinct: 18,
    duplicates: 2,
    acknowledged: 20,
    rejected: {},
    seed: 7,
  });
  t.strictSame([...paths], ['/webhooks/shop/path']);

  status = 401;
  const bad = await spawnCli([...args, '--url', url], { TETHER_URL: 'http://127.0.0.1:1' });
  t.match(bad, { code: 1, stdout: /not acknowledged {2}20 x 401\n[\s\S]*seed +7\n/ });
});
