import t from 'tap';
import type { GatewayOptions } from './server.js';
import { RawClient, request } from './test/raw-client.js';
import { FORM, notification, PASSWORD, startTestGateway, WEBHOOK_PATH } from './test/start.js';

const SIGNED = notification('aa01');
const ALLOWED = '203.0.113.7';

function options(
  more: Partial<GatewayOptions>,
  networks: readonly string[] = ['203.0.113.0/24', '2001:db8::/32'],
) {
  return {
    endpoints: [
      { name: 'emp', provider: 'emp', token: 'dev', secrets: [PASSWORD], actor: 'payment', networks },
    ] as const,
    ...more,
  };
}

/** A PROXY protocol v2 header: TCP over IPv4 or IPv6, from `source`. */
function proxyHeader(source: readonly number[]): Buffer {
  const ipv4 = source.length === 4;
  const addresses = [...source, ...new Array<number>(source.length).fill(1), 0x30, 0x39, 0x1f, 0x90];
  return Buffer.from([
    ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
    ...[0x21, ipv4 ? 0x11 : 0x21, 0, addresses.length],
    ...addresses,
  ]);
}

/** The status of a webhook sent from `localAddress` with these X-Forwarded-For lines. */
async function statusOf(
  port: number,
  forwardedFor: readonly string[],
  localAddress?: string,
  before: Buffer = Buffer.alloc(0),
) {
  const client = await RawClient.open(port, localAddress);
  const headers = [FORM, ...forwardedFor.map((line) => `X-Forwarded-For: ${line}`)];
  client.write(
    Buffer.concat([
      before,
      Buffer.from(request({ method: 'POST', path: WEBHOOK_PATH, headers, body: SIGNED })),
    ]),
  );
  const { status, body } = await client.response();
  client.destroy();
  if (status === 403) t.match(JSON.parse(body), { type: 'urn:tether:problem:network-not-allowed' });
  return status;
}

t.test('the peer of the socket', async (t) => {
  const { gateway, metrics, partition } = await startTestGateway(
    t,
    options({}, ['127.0.0.2/32', '127.0.1.0/24']),
  );
  t.equal(await statusOf(gateway.port, []), 403);
  t.equal(await statusOf(gateway.port, [], '127.0.0.2'), 200);
  t.equal(await statusOf(gateway.port, [], '127.0.1.9'), 200);
  t.equal(await statusOf(gateway.port, ['127.0.0.2']), 403, 'a header changes nothing');
  t.match(metrics.endpoint('emp'), { networkNotAllowed: 2, acknowledged: 2 });
  t.equal(partition.envelopes.length, 2);
});

t.test('a single address, and a list that allows nobody', async (t) => {
  const single = await startTestGateway(t, options({}, ['127.0.0.2']));
  t.equal(await statusOf(single.gateway.port, [], '127.0.0.2'), 200);
  t.equal(await statusOf(single.gateway.port, [], '127.0.0.3'), 403);
  const empty = await startTestGateway(t, options({}, []));
  t.equal(await statusOf(empty.gateway.port, []), 403);
});

t.test('X-Forwarded-For is believed from a trusted proxy only, and only to the right', async (t) => {
  const { gateway } = await startTestGateway(t, options({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] }));
  const { port } = gateway;
  const cases: readonly (readonly [string, readonly string[], number])[] = [
    ['none', [], 403],
    ['the client', [ALLOWED], 200],
    ['the client, then a trusted proxy', [`${ALLOWED}, 10.1.2.3`], 200],
    ['a claim of the client on the left', [`${ALLOWED}, 198.51.100.1`], 403],
    ['a claim in a line of its own', [ALLOWED, '198.51.100.1'], 403],
    ['lines of several proxies', ['198.51.100.1', ALLOWED, '10.0.0.9'], 200],
    ['with a port', [`${ALLOWED}:4711`], 200],
    ['IPv6', ['2001:db8::1'], 200],
    ['IPv6 with a port', ['[2001:db8::1]:4711'], 200],
    ['IPv4 in IPv6', [`::ffff:${ALLOWED}`], 200],
    ['IPv6 of elsewhere', ['2001:db9::1'], 403],
    ['trusted proxies only', ['10.0.0.1, 10.0.0.2'], 403],
    ['no address', ['unknown'], 403],
    ['no address on the right', [`${ALLOWED}, _hidden`], 403],
    ['nothing on the right', [`${ALLOWED},`], 403],
    ['an octal part', ['203.0.0161.7'], 403],
    ['a number', ['3405803783'], 403],
  ];
  for (const [name, lines, status] of cases) t.equal(await statusOf(port, lines), status, name);
  t.equal(await statusOf(port, [ALLOWED], '127.0.0.2'), 403, 'a peer that is no trusted proxy');
});

t.test('the source that a PROXY header names', async (t) => {
  const trusting = await startTestGateway(
    t,
    options({ proxyProtocol: true, trustedProxies: ['10.0.0.0/8'] }),
  );
  const { port } = trusting.gateway;
  const ipv6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  const proxied = (source: readonly number[], lines: readonly string[] = []) =>
    statusOf(port, lines, undefined, proxyHeader(source));
  t.equal(await proxied([203, 0, 113, 7]), 200);
  t.equal(await proxied(ipv6), 200);
  t.equal(await proxied([198, 51, 100, 1]), 403);
  t.equal(await proxied([198, 51, 100, 1], [ALLOWED]), 403, 'a header of the client');
  t.equal(await proxied([10, 0, 0, 1], [ALLOWED]), 200, 'a trusted proxy before the balancer');
  t.equal(await statusOf(port, []), 403, 'no PROXY header: the peer itself');

  const { gateway } = await startTestGateway(t, options({ proxyProtocol: false }));
  t.equal(
    await statusOf(gateway.port, [], undefined, proxyHeader([203, 0, 113, 7])),
    403,
    'not believed when off',
  );
});
