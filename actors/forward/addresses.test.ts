/** What a webhook may be sent to: the table of addresses. Forms of hosts are those that a URL takes. */
import t from 'tap';
import { isAllowed, type Network, parseNetwork } from './addresses.js';

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'this host': ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  'link-local, with the metadata of clouds': [
    '169.254.0.1',
    '169.254.169.254',
    '169.254.170.2',
    'fe80::1',
    'fe80::a9fe:a9fe',
  ],
  'metadata elsewhere': ['168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'],
  'shared of carriers': ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  'broadcast and reserved': ['255.255.255.255', '240.0.0.1', '250.1.2.3'],
  'documentation and measurement': [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '198.19.255.255',
    '2001:db8::1',
    '3fff::1',
    '2001:2::1',
  ],
  'relays of protocols': ['192.0.0.1', '192.88.99.1'],
  'IPv4-mapped': [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:169.254.169.254',
    '0:0:0:0:0:ffff:a00:1',
  ],
  'IPv4-compatible, and translated': ['::127.0.0.1', '::7f00:1', '::a9fe:a9fe', '::ffff:0:127.0.0.1'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '64:ff9b:1::808:808'],
  '6to4 and Teredo': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1', '2001:0:808:808::1'],
  'IPv6 that nobody is given': [
    'fec0::1',
    '100::1',
    '5f00::1',
    '4000::1',
    '8000::1',
    '2001:10::1',
    '2001:20::1',
  ],
  'a zone': ['fe80::1%eth0', '2606:4700::1%eth0'],
  'no address in full': [
    '',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '[::1]',
    '8.8.8.8.',
    '8.8.8.8/32',
  ],
};
const ALLOWED = [
  '8.8.8.8',
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '192.0.1.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450::1',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
];

/** Hosts as somebody writes them, and what a URL makes of them. */
const WRITTEN = [
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '017700000001',
  '127.1',
  '127.0.1',
  '0',
  '①②⑦.0.0.1',
  '127.0.0.1.',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:0:0:1]',
  '%31%32%37.0.0.1',
  '0xa9fea9fe',
];

t.test('what is not public is refused', async (t) => {
  for (const [kind, addresses] of Object.entries(REFUSED)) {
    t.strictSame(
      addresses.filter((address) => isAllowed(address, [])),
      [],
      kind,
    );
  }
  t.strictSame(
    ALLOWED.filter((address) => !isAllowed(address, [])),
    [],
    'what is public is not',
  );
});

t.test('however a host is written, the URL has its address', async (t) => {
  const hosts = WRITTEN.map((host) => new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, ''));
  t.strictSame(
    hosts.filter((host) => isAllowed(host, [])),
    [],
  );
  const all = networks('0.0.0.0/0', '::/0');
  t.strictSame(
    hosts.filter((host) => !isAllowed(host, all)),
    [],
    'each is an address',
  );
});

t.test('networks that are named are allowed, and no more', async (t) => {
  const named = networks('10.1.0.0/16', '127.0.0.1/32', 'fd12::/16', '2002::/16');
  const allowed = [
    '10.1.2.3',
    '127.0.0.1',
    '::ffff:10.1.2.3',
    '64:ff9b::10.1.2.3',
    'fd12::1',
    '2002:7f00:1::',
    '8.8.8.8',
  ];
  t.strictSame(
    allowed.filter((address) => !isAllowed(address, named)),
    [],
  );
  t.strictSame(
    ['10.2.0.1', '127.0.0.2', 'fd13::1', '::1', 'fd12::1%eth0', '::10.1.2.3'].filter((address) =>
      isAllowed(address, named),
    ),
    [],
  );
  t.equal(isAllowed('10.0.0.1', networks('::/0')), false, 'of one kind is nothing of the other');
  t.equal(isAllowed('::ffff:10.0.0.1', networks('::/0')), false);
});

t.test('a network is written in full', async (t) => {
  for (const text of [
    '10.1/16',
    '10.0.0.0',
    '10.0.0.0/33',
    '::/129',
    '010.0.0.0/8',
    'fe80::%eth0/64',
    '',
    'a/8',
  ]) {
    t.equal(parseNetwork(text), undefined, text);
  }
  t.ok(parseNetwork('10.0.0.0/8'));
});

function networks(...texts: readonly string[]): Network[] {
  return texts.map((text) => parseNetwork(text)).filter((each): each is Network => each !== undefined);
}
