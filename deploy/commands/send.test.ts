import { PassThrough } from 'node:stream';
import t from 'tap';
import { serve } from '../test/serve.js';
import { spawnCli } from '../test/spawn-cli.js';
import { failedText, leftText, startSendBar } from './send-bar.js';

// Each case is a process of its own, which takes a while on a busy machine.
t.setTimeout(180_000);

t.test('a summary, JSON for machines, and 1 when something was not acknowledged', async (t) => {
  let status = 200;
  const paths = new Set<string | undefined>();
  const ids = new Set<string | undefined>();
  const { url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const id = new URLSearchParams(Buffer.concat(chunks).toString()).get('unique_id');
    paths.add(request.url);
    ids.add(id?.slice(0, 4));
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
  const good = await spawnCli(
    [...args, '--endpoint', 'shop', '--token', 'env:T', '--prefix', 'try-', '--json'],
    {
      TETHER_URL: url,
      T: 'path',
    },
  );
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
  t.strictSame([...ids], ['try-']);

  status = 401;
  const bad = await spawnCli([...args, '--url', url], { TETHER_URL: 'http://127.0.0.1:1' });
  t.match(bad, { code: 1, stdout: /not acknowledged {2}20 x 401\n[\s\S]*seed +7\n/ });
});

t.test('a node that is not there is told of while it lasts, and ends the command', async (t) => {
  const args = ['send', 'emp', '--count', '1000', '--url', 'http://127.0.0.1:1', '--deadline', '4'];
  const result = await spawnCli(args);
  t.equal(result.code, 1);
  t.strictSame(result.stderr.trimEnd().split('\n'), [
    'tether: 127.0.0.1:1 refuses connections, trying again',
    'tether: nothing was acknowledged for 4 s, given up: 127.0.0.1:1 refuses connections',
  ]);
  t.match(result.stdout, /not acknowledged {2}\d+ x ECONNREFUSED\n[\s\S]*latency +-\n/);
});

t.test('on a terminal: the line of trouble stays, and a bar that was stopped guesses nothing', async (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true });
  const bar = startSendBar(100, stream);
  bar.update({ done: 0, failures: 3 });
  bar.say('node:1 refuses connections');
  bar.update({ done: 17, failures: 3 });
  bar.stop();
  const text = String(stream.read());
  t.match(text, /node:1 refuses connections\n/);
  t.match(text, /0% \| 0\/100 \| 3 failed attempts \| 0s/);
  t.match(text, /17% \| 17\/100 \| 3 failed attempts \| 0s \| stopped/);
  t.notMatch(text, 'ETA 0s');
});

t.test('the bar says what failed, and guesses the rest only from what was done', async (t) => {
  t.equal(failedText(0), '');
  t.equal(failedText(1), ' | 1 failed attempt');
  t.equal(leftText(0, 100, 60_000), '');
  t.equal(leftText(50, 100, 10_000), ' | ETA 10s');
  t.equal(leftText(1, 101, 1000), ' | ETA 1m40s');
  t.equal(leftText(100, 100, 1000), '');
});
