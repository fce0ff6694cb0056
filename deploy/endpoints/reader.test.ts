import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { PROVIDERS } from '../../gateway/providers/index.js';
import { EndpointReader } from './reader.js';

function write(t: Test, yaml: string): string {
  return `${t.testdir({ 'endpoints.yaml': yaml, password: 'from-a-file\n', empty: '\n' })}/endpoints.yaml`;
}

async function problemsOf(file: string, env = {}): Promise<readonly string[]> {
  const { problems } = await new EndpointReader(env, undefined).readFile(file);
  return problems.map((problem) => problem.replace(file, 'FILE'));
}

t.test('entries, with secrets given plainly, by environment and by file', async (t) => {
  const file = write(
    t,
    `
endpoints:
  - name: emp
    provider: emp
    token: env:PATH_TOKEN
    secrets: [plain-secret, "env:EMP", "file:${t.testdirName}/password"]
    networks: [192.0.2.0/24, 198.51.100.7]
    options: {}
  - { name: pay, provider: stripe, token: t3, secrets: [whsec_x], options: { toleranceSeconds: 60 } }
  - { name: open, provider: none, token: t4, options: { unsigned: true }, actor: watch }
  - { name: emp-2, provider: emp, token: t2, secrets: [x], actor: payment }
`,
  );
  const env = { EMP: 'from-the-environment', PATH_TOKEN: 'tok' };
  const { endpoints, problems, files } = await new EndpointReader(env, undefined).readFile(file);
  t.strictSame(problems, []);
  t.strictSame(files, [`${t.testdirName}/password`]);
  t.strictSame(endpoints, [
    {
      name: 'emp',
      provider: 'emp',
      token: 'tok',
      secrets: ['plain-secret', 'from-the-environment', 'from-a-file'],
      actor: 'payment',
      options: {},
      networks: ['192.0.2.0/24', '198.51.100.7/32'],
    },
    {
      name: 'pay',
      provider: 'stripe',
      token: 't3',
      secrets: ['whsec_x'],
      options: { toleranceSeconds: 60 },
    },
    { name: 'open', provider: 'none', token: 't4', secrets: [], actor: 'watch', options: { unsigned: true } },
    { name: 'emp-2', provider: 'emp', token: 't2', secrets: ['x'], actor: 'payment' },
  ]);
});

t.test('an error names file, entry and field, and no secret', async (t) => {
  const entry = (fields: string) =>
    `endpoints: [{ name: emp, provider: emp, token: tt, secrets: [s], ${fields} }]`;
  const cases: [string, readonly string[]][] = [
    ['', ['FILE: is a mapping with the keys endpoints and targets']],
    ['endpoints: []', []],
    ['endpoints: 7', ['FILE: endpoints: is a list of entries']],
    ['other: []', ['FILE: endpoints: is missing', 'FILE: other is not a field']],
    [entry('secret: [hunter2]'), ['FILE: endpoint emp: secret is not a field (did you mean secrets?)']],
    ['endpoints: [{ provider: emp, token: t, secrets: [s] }]', ['FILE: endpoint 1: name: is missing']],
    [
      'endpoints: [{ name: Emp, provider: emp, token: t, secrets: [s] }]',
      ['FILE: endpoint Emp: name: is 1 to 63 of a-z, 0-9 and -, not first or last a -'],
    ],
    [
      'endpoints: [{ name: emp, provider: strip, token: t, secrets: [s] }]',
      [
        'FILE: endpoint emp: provider: is one of emp, standard-webhooks, stripe, github, shopify, slack, adyen, gocardless, hmac, basic, api-key, none',
      ],
    ],
    [
      'endpoints: [{ name: emp, provider: emp, token: t, secrets: [] }]',
      ['FILE: endpoint emp: secrets: needs at least one secret: an API password'],
    ],
    [
      'endpoints: [{ name: emp, provider: emp, token: t }]',
      ['FILE: endpoint emp: secrets: needs at least one secret: an API password'],
    ],
    [
      'endpoints: [{ name: pay, provider: stripe, token: t, secrets: [whsec_s], options: { toleranceSecond: 5 } }]',
      ['FILE: endpoint pay: options: toleranceSecond is not a field (did you mean toleranceSeconds?)'],
    ],
    [
      'endpoints: [{ name: pay, provider: stripe, token: t, secrets: [whsec_s, sk_hunter2] }]',
      ['FILE: endpoint pay: secrets[1]: begins with whsec_'],
    ],
    [
      'endpoints: [{ name: own, provider: hmac, token: t, secrets: [hunter2], options: { secretEncoding: hex } }]',
      ['FILE: endpoint own: options.signature: is missing'],
    ],
    [
      'endpoints: [{ name: own, provider: hmac, token: t, secrets: [hunter2], options: { signature: "header:x-s", secretEncoding: hex } }]',
      ['FILE: endpoint own: secrets[0]: is hex digits, two for each byte'],
    ],
    [
      'endpoints: [{ name: own, provider: hmac, token: t, secrets: [hunter2], options: { signature: "header:x-s", signed: "{timestamp}" } }]',
      [
        'FILE: endpoint own: options.signed: holds {body} once',
        'FILE: endpoint own: options.timestamp: is missing: signed holds {timestamp}',
      ],
    ],
    [
      'endpoints: [{ name: open, provider: none, token: t, secrets: [hunter2], options: [] }]',
      ['FILE: endpoint open: options: is a mapping'],
    ],
    [
      'endpoints: [{ name: open, provider: none, token: t, secrets: [hunter2], options: { unsigned: false } }]',
      [
        'FILE: endpoint open: options.unsigned: is true: with the provider none, whoever knows the path may send',
        'FILE: endpoint open: secrets: the provider takes no secrets',
      ],
    ],
    [
      'endpoints: [{ name: emp, provider: emp, token: t, secrets: [s], order: none, routes: [{ to: own }] }]',
      [
        'FILE: endpoint emp: routes: is not for emp: its messages go to its actor',
        'FILE: endpoint emp: order: is not for emp: its messages go to its actor',
      ],
    ],
    [
      'endpoints: [{ name: pay, provider: stripe, token: t, secrets: [whsec_s], routes: [{ to: [payment] }] }]',
      ['FILE: endpoint pay: routes[0].to[0]: is an actor that takes no deliveries'],
    ],
    [
      'endpoints: [{ name: emp, provider: emp, token: t, secrets: [12345] }]',
      ['FILE: endpoint emp: secrets[0]: is a text (put it in quotes)'],
    ],
    [
      'endpoints: [{ name: emp, provider: emp, token: "a/hunter2", secrets: [s] }]',
      ['FILE: endpoint emp: token: is 1 to 128 letters, digits, _ and -'],
    ],
    [
      'endpoints: [{ name: emp, provider: emp, token: t, secrets: ["env:NOPE"] }]',
      ['FILE: endpoint emp: secrets[0]: the environment variable NOPE is not set'],
    ],
    [
      entry('networks: [10.0.0.0/99]'),
      ['FILE: endpoint emp: networks[0]: is an address or network such as 192.0.2.0/24'],
    ],
    [
      entry('networks: []'),
      ['FILE: endpoint emp: networks: lists at least one network; leave it out to allow every address'],
    ],
    [entry('options: { a: 1 }'), ['FILE: endpoint emp: options: a is not a field']],
    ['endpoints:\n  - name: emp\n    secrets: [hunter2\n', ['FILE: line 4, column 1: not yaml (BAD_INDENT)']],
  ];
  for (const [yaml, expected] of cases) {
    const problems = await problemsOf(write(t, yaml));
    t.same([...problems].sort(), [...expected].sort(), yaml);
    t.notMatch(problems.join(), /hunter2/);
  }
});

t.test('names are unique; every problem of the secrets is told', async (t) => {
  const dir = t.testdirName;
  const one = `{ name: emp, provider: emp, token: t, secrets: ["file:${dir}/none", "file:${dir}/empty", "file:${dir}", "env:TETHER_X"] }`;
  const problems = await problemsOf(
    write(
      t,
      `endpoints: [${one}, { name: odd, provider: emp, token: t, secrets: [s], networks: [x] }, { name: emp, provider: emp, token: t, secrets: [s] }]`,
    ),
  );
  t.match(problems, [
    /endpoint odd: networks\[0\]: /,
    /secrets\[0\]: .* there is no such file/,
    /secrets\[1\]: .* is empty/,
    /secrets\[2\]: .* it is a directory/,
    /secrets\[3\]: TETHER_X cannot be referred to/,
    /name: is there twice/,
  ]);
});

t.test('a file that is missing, huge, or built to blow up', async (t) => {
  t.match(await problemsOf(`${t.testdir()}/none.yaml`), [
    /^TETHER_ENDPOINTS: FILE cannot be read: there is no such file/,
  ]);
  t.match(await problemsOf(write(t, `# ${'x'.repeat(1024 * 1024)}`)), [/it is larger than/]);
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const name of 'bcdefgh') {
    const before = String.fromCharCode(name.charCodeAt(0) - 1);
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join()}]`);
  }
  t.match(await problemsOf(write(t, bomb.join('\n'))), [/aliases/]);
});

t.test('where messages go; the actors that are named are there', async (t) => {
  const file = write(
    t,
    `
endpoints:
  - name: pay
    provider: stripe
    token: a-token-of-16-ch
    secrets: [whsec_x]
    routes: [{ when: 'type == "invoice.paid"', to: ledger }, { to: [mail, ledger], continue: true }]
    order: none
    delaySeconds: 5
`,
  );
  const read = (actors: readonly string[]) =>
    new EndpointReader({}, { mode: 'start', actors: ['payment', ...actors], bodyBytesMax: 100_000 }).readFile(
      file,
    );
  const { endpoints, problems } = await read(['ledger', 'mail']);
  t.strictSame(problems, []);
  t.match(endpoints, [
    {
      routes: [
        { when: 'type == "invoice.paid"', to: ['ledger'], continue: false },
        { to: ['mail', 'ledger'], continue: true },
      ],
      order: 'none',
      delaySeconds: 5,
    },
  ]);
  t.match((await read(['ledger'])).problems, [
    /endpoint pay: routes\[1\]\.to: mail is not there; known: payment, ledger$/,
  ]);
});

t.test('targets, with what they refer to, and routes to those that are there', async (t) => {
  const key = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
  const pay = '{ name: pay, provider: stripe, token: a-token-of-16-ch, secrets: [whsec_x], routes: ROUTES }';
  const read = (targets: string, routes = '[]', env = {}) =>
    new EndpointReader(env, { mode: 'start', actors: ['payment'], bodyBytesMax: 65_536 }).readFile(
      write(t, `endpoints: [${pay.replace('ROUTES', routes)}]\ntargets: ${targets}\n`),
    );
  const right = await read(
    `
  - name: shop
    url: https://shop.example/in
    secrets: [env:KEY, ${key}]
    headers: { authorization: 'file:${t.testdirName}/password', x-plain: yes-it-is }
    ca: ['file:${t.testdirName}/password']
    ratePerSecond: 5
    retry: { totalSeconds: 60 }
  - { name: other, url: 'http://10.1.2.3:8080/', secrets: [${key}], allowPrivate: [10.1.0.0/16] }`,
    `[{ to: 'forward:shop' }, { to: ['forward:other'] }]`,
    { KEY: key },
  );
  t.strictSame(right.problems, []);
  t.strictSame(right.files, [`${t.testdirName}/password`]);
  t.match(right.targets, [
    {
      name: 'shop',
      secrets: [key],
      headers: { authorization: 'from-a-file', 'x-plain': 'yes-it-is' },
      ca: ['from-a-file'],
      retry: { totalSeconds: 60, delaySeconds: 5 },
    },
    { name: 'other', allowPrivate: ['10.1.0.0/16'] },
  ]);
  const shop = (fields: string, secrets = key) =>
    `[{ name: shop, url: 'https://x/', secrets: [${secrets}], ${fields} }]`;
  const cases: [string, string, readonly RegExp[]][] = [
    [
      shop(''),
      `[{ to: 'forward:shp' }]`,
      [/endpoint pay: routes\[0\]\.to: target shp is not there; known: shop$/],
    ],
    ['[]', `[{ to: 'forward:shop' }]`, [/target shop is not there; known: none$/]],
    ['7', '[]', [/: targets: is a list of entries$/]],
    [shop('', 'hunter2-hunter2'), '[]', [/target shop: secrets\[0\]: is whsec_ and the base64/]],
    [
      shop('', 'env:NO_KEY'),
      '[]',
      [/target shop: secrets\[0\]: the environment variable NO_KEY is not set$/],
    ],
    [shop('secret: x'), '[]', [/target shop: secret is not a field \(did you mean secrets\?\)$/]],
    [
      shop('retry: { delaySecond: 5 }'),
      '[]',
      [/target shop: retry: delaySecond is not a field \(did you mean delaySeconds\?\)$/],
    ],
    [shop('headers: { Host: x }'), '[]', [/target shop: headers\.Host: is a header of Tether$/]],
    [
      shop('headers: { authorization: env:NO_KEY }'),
      '[]',
      [/target shop: headers\.authorization: the environment variable NO_KEY/],
    ],
    [
      shop('').replace('https://x/', 'ftp://hunter2/'),
      '[]',
      [/target shop: url: is a URL of http or https$/],
    ],
    [`[{ url: 'https://x/', secrets: [${key}] }]`, '[]', [/target 1: name: is missing$/]],
    [`${shop('').slice(0, -1)}, ${shop('').slice(1)}`, '[]', [/target shop: name: is there twice$/]],
  ];
  for (const [targets, routes, expected] of cases) {
    const { problems } = await read(targets, routes);
    t.match(problems, expected, String(expected));
    t.equal(problems.length, expected.length);
    t.notMatch(problems.join(), /hunter2/);
  }
});

t.test('a body may be as long as the log takes', async (t) => {
  const read = (bytes: number) =>
    new EndpointReader({}, { mode: 'start', actors: ['payment'], bodyBytesMax: 500_000 }).readFile(
      write(
        t,
        `endpoints: [{ name: hub, provider: github, token: a-token-of-16-ch, secrets: [x], bodyBytesMax: ${bytes} }]`,
      ),
    );
  t.match(await read(500_000), { problems: [], endpoints: [{ bodyBytesMax: 500_000 }] });
  t.match((await read(500_001)).problems, [
    /bodyBytesMax: the log takes 500000: make TETHER_JOURNAL_SEGMENT/,
  ]);
  t.match((await read(1_048_577)).problems, [/bodyBytesMax: is at most 1048576$/]);
  t.match((await read(1)).problems, [/bodyBytesMax: is at least 1024$/]);
});

t.test('the entries of the documentation are taken as they are', async (t) => {
  const secrets: Readonly<Record<string, string>> = {
    PARTNER_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    STRIPE_WEBHOOK_SECRET: 'whsec_x',
    ADYEN_HMAC_KEY: '0'.repeat(64),
    ADYEN_PLATFORM_HMAC_KEY: '00ff',
    BANK_USER_AND_PASSWORD: 'user:password',
  };
  const env = new Proxy(secrets, { get: (_, name) => secrets[String(name)] ?? 'x' });
  const publicKey = `whpk_${Buffer.alloc(32, 1).toString('base64')}`;
  const seen = new Set(['emp']);
  for (const page of ['reference/providers.md', 'how-to/add-a-provider.md']) {
    const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
    for (const [, yaml = ''] of text.matchAll(/```yaml\n(endpoints:[\s\S]*?)```/g)) {
      const file = write(t, yaml.replace(/file:[^\]]+/, publicKey));
      const { endpoints, problems } = await new EndpointReader(env, undefined).readFile(file);
      t.strictSame(problems, [], page);
      for (const { name, provider, secrets, options = {} } of endpoints) {
        seen.add(provider);
        const made = PROVIDERS.get(provider)?.create({ endpoint: name, secrets, options, order: 'key' });
        t.ok(made, `${page}: ${name}`);
      }
    }
  }
  t.same([...seen].sort(), [...PROVIDERS.keys()].sort(), 'there is one of each provider');
});
