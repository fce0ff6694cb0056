/**
 * Every configuration key, declared once: its default, unit, meaning, and what is allowed.
 *
 * `settings.ts` parses by this table; `.env.example` and the table of `docs/reference/configuration.md` are written from
 * it and a test holds them to it. A value comes in as text; `schema` makes it what the program uses, and its only
 * verdict is yes or no: the message is made of `allowed`, so that a secret can never stand in it.
 */
import { z } from 'zod';
import { IbanKeys } from '../actors/ibans/keys.js';
import { isHashedToken } from '../gateway/auth/token.js';
import type { PoolSize } from '../runtime/pool/pool-size.js';
import { isS3Encryption } from '../storage/objects/s3/encryption.js';
import { parseS3Url } from '../storage/objects/s3/url.js';
import { parseRedisUrl } from '../storage/redis/url.js';
import { parseNetwork } from './networks.js';
import { formatBytes, parseBytes } from './quantities.js';

interface KeyDeclaration<Value = unknown> {
  readonly schema: z.ZodType<Value, string>;
  /** The text that stands for the default; undefined when the key has none. */
  readonly default: string | undefined;
  readonly unit: string;
  readonly meaning: string;
  /** Completes the sentence "allowed is ...". */
  readonly allowed: string;
  /** Its value is never shown. */
  readonly secret: boolean;
  /** The empty text is a value of its own (an empty list); elsewhere it means that the key is not set. */
  readonly list: boolean;
}

type Text = { readonly unit?: string; readonly meaning: string; readonly default?: string };

const declare = <Value>(
  schema: z.ZodType<Value, string>,
  allowed: string,
  text: Text & { readonly secret?: boolean; readonly list?: boolean },
): KeyDeclaration<Value> => ({
  schema,
  allowed,
  default: text.default,
  unit: text.unit ?? '',
  meaning: text.meaning,
  secret: text.secret ?? false,
  list: text.list ?? false,
});

/** A schema of what `read` makes of a text; undefined is a refusal. */
const read = <Value>(parse: (text: string) => Value | undefined): z.ZodType<Value, string> =>
  z.string().transform((text, context): Value => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', input: '', message: 'refused' });
    return z.NEVER;
  });

const whole = (min: number, max: number, text: Text) =>
  declare(
    read((given) => {
      const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    }),
    `a whole number from ${min} to ${max}`,
    text,
  );

/** `4`, or `1-4`: as many as it needs between the two. */
const threads = (max: number, text: Text) =>
  declare<PoolSize>(
    read((given) => {
      const [, least = '', most = least] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(given) ?? [];
      const limits = { min: Number(least), max: Number(most) };
      if (least === '' || limits.min < 1 || limits.max < limits.min || limits.max > max) return undefined;
      return given.includes('-') ? Object.freeze(limits) : limits.min;
    }),
    `a whole number from 1 to ${max}, or two of them, the least and the most, such as 1-4`,
    { unit: 'threads', ...text },
  );

const bytes = (min: number, max: number, text: Text) =>
  declare(
    read((given) => {
      const value = parseBytes(given);
      return value !== undefined && value >= min && value <= max ? value : undefined;
    }),
    `a size from ${formatBytes(min)} to ${formatBytes(max)}, as bytes or with KiB, MiB or GiB`,
    { unit: 'bytes', ...text },
  );

const oneOf = <const Value extends string>(values: readonly [Value, ...Value[]], text: Text) =>
  declare<Value>(
    read((given) => values.find((value) => value === given)),
    values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`,
    text,
  );

const list = (parse: (item: string) => string | undefined, allowed: string, text: Text) =>
  declare<readonly string[]>(
    read((given) => {
      if (given.trim() === '') return [];
      const items = given.split(',').map((item) => parse(item.trim()));
      return items.every((item) => item !== undefined) ? Object.freeze([...new Set(items)]) : undefined;
    }),
    allowed,
    { list: true, ...text },
  );

const path = (text: Text) =>
  declare(
    read((given) => (given.includes('\0') || given.trim() === '' ? undefined : given)),
    'a path',
    text,
  );

const url = (fits: (given: URL) => boolean, allowed: string, text: Text & { readonly secret?: boolean }) =>
  declare(
    read((given) => {
      const parsed = URL.canParse(given) ? new URL(given) : undefined;
      return parsed !== undefined && parsed.hostname !== '' && fits(parsed) ? given : undefined;
    }),
    allowed,
    text,
  );

/** Requests are made of it and a path of their own: a path, a query or a user in it would be lost. */
const isHttpOrigin = ({ protocol, pathname, search, hash, username, password }: URL): boolean =>
  /^https?:$/.test(protocol) && pathname === '/' && search + hash + username + password === '';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const CONFIG_KEYS = Object.freeze({
  TETHER_PORT: whole(0, 65_535, {
    default: '8080',
    unit: 'port',
    meaning: 'TCP port of the gateway; 0 lets the system choose one',
  }),
  TETHER_HOST: declare(
    read((given) => (/^[A-Za-z0-9._:-]{1,253}$/.test(given) ? given : undefined)),
    'an address or host name, without port',
    {
      default: '127.0.0.1',
      meaning: 'address that the gateway listens on; 0.0.0.0 is every IPv4 address of the machine',
    },
  ),
  TETHER_DATA_DIR: path({
    default: '.tether',
    meaning:
      'directory of the journal, of the generated API token, and of the embedded Postgres and the files where these have no URL',
  }),
  TETHER_DATABASE_URL: url(
    ({ protocol }) => /^postgres(?:ql)?:$/.test(protocol),
    'a URL of the form postgres://user:password@host:port/database',
    { meaning: 'Postgres; not set: `tether up` runs its own under the data directory', secret: true },
  ),
  TETHER_API_TOKEN: declare(
    read((given) => (/^[A-Za-z0-9._~+/=-]{16,256}$/.test(given) || isHashedToken(given) ? given : undefined)),
    '16 to 256 letters, digits and ._~+/=-, or sha256: and the 64 lower-case hex digits of its hash',
    {
      meaning:
        'bearer token of the operations API, or its hash, as `tether tokens generate` prints both; not set: `tether up` generates one and keeps it in the data directory',
      secret: true,
    },
  ),
  TETHER_ENDPOINTS: path({
    meaning: 'endpoints file (yaml); not set: `tether up` serves the endpoint `emp` for trying out',
  }),
  TETHER_ACTORS: list(
    (item) => (item.includes('\0') || item === '' ? undefined : item),
    'paths, separated by commas; * in the last part stands for any characters',
    {
      default: '',
      meaning:
        'modules of your own actors, beside payment; an endpoint names the actor that handles its messages',
    },
  ),
  TETHER_URL: url(isHttpOrigin, 'a URL of the form http://host:port or https://host:port, without a path', {
    meaning:
      'where `tether send` and `tether dead` find the node; not set: made of TETHER_HOST and TETHER_PORT',
  }),
  TETHER_REDIS_URL: declare(
    read((given) => (parseRedisUrl(given) === undefined ? undefined : given)),
    'a URL of the form redis://user:password@host:port/db, redis+sentinel://host:port,.../name or redis+cluster://host:port,..., with rediss for TLS',
    {
      meaning:
        'Redis, which makes all nodes with the same TETHER_REDIS_URL, TETHER_DATABASE_URL and TETHER_S3_URL one system; not set: this node is alone',
      secret: true,
    },
  ),
  TETHER_LOG_DRIVER: oneOf(['journal', 'redis'], {
    meaning:
      'where accepted messages are kept: journal = on the disk of this node, redis = in the Redis of TETHER_REDIS_URL; not set: redis when that is set, else journal',
  }),
  TETHER_ROLE: oneOf(['all', 'gateway', 'worker'], {
    default: 'all',
    meaning:
      'what this node does: gateway = takes webhooks and uploads, worker = runs actors, all = both; parts need TETHER_REDIS_URL',
  }),
  TETHER_DURABILITY: oneOf(['commit', 'memory', 'replicated'], {
    default: 'commit',
    meaning:
      'what an acknowledgement promises. Journal: commit = synced to the disk, memory = in the memory of this machine (a power cut loses it). Redis: commit = in Redis, with an append-only file, memory = in Redis, as it is, replicated = a replica has it as well (not in a Redis Cluster)',
  }),
  TETHER_PARTITIONS: whole(1, 1024, {
    default: '64',
    unit: 'partitions',
    meaning:
      'partitions of each actor type; another number is refused while the journal holds messages, and by a log in Redis that was made with another',
  }),
  TETHER_JOURNAL_BYTES_MAX: bytes(2 * MIB, 1024 * GIB, {
    default: '4GiB',
    meaning:
      'disk space of the journal that senders may fill; when it is used up the gateway answers 503. Actors that pass messages on have up to four times as much',
  }),
  TETHER_JOURNAL_SEGMENT_BYTES: bytes(MIB, GIB, {
    default: '64MiB',
    meaning: 'size of a journal file; at most half of TETHER_JOURNAL_BYTES_MAX',
  }),
  TETHER_THREADS: threads(64, {
    default: '2',
    meaning:
      'worker threads of the payment pool, or the least and the most; each holds one database connection',
  }),
  TETHER_ANSWERS_FIRST_MS: whole(0, 10_000, {
    default: '1500',
    unit: 'ms',
    meaning:
      'longest time that new work is kept from actors while webhooks come faster than the gateway gets a CPU core to answer them; 0 = never',
  }),
  TETHER_RETRY_ATTEMPTS_MAX: whole(1, 100, {
    default: '5',
    unit: 'deliveries',
    meaning: 'deliveries of a failing message before it becomes a dead letter',
  }),
  TETHER_RETRY_DELAY_MS: whole(1, 3_600_000, {
    default: '200',
    unit: 'ms',
    meaning: 'wait before the second delivery; doubles with each further one',
  }),
  TETHER_RETRY_DELAY_MS_MAX: whole(1, 3_600_000, {
    default: '10000',
    unit: 'ms',
    meaning: 'longest wait between two deliveries',
  }),
  TETHER_DRAIN_NOTICE_MS: whole(0, 600_000, {
    default: '0',
    unit: 'ms',
    meaning:
      'how long a node that is told to stop says so at `/health` and serves on, before it drains: longer than its balancer takes to notice; a worker does not wait',
  }),
  TETHER_DRAIN_MS_MAX: whole(0, 3_600_000, {
    default: '30000',
    unit: 'ms',
    meaning: 'longest time that a stop waits for work under way; the rest waits in the journal',
  }),
  TETHER_CHARGEBACK_BLACKLIST_CODES: list(
    (item) => (/^[A-Z0-9]{2,10}$/.test(item) ? item : undefined),
    'reason codes of 2 to 10 capital letters and digits, separated by commas',
    {
      default: 'AC01,AC04,AC06,AG01,MD01',
      meaning: "reason codes of a chargeback that put the debtor's IBAN on the blacklist; empty: none",
    },
  ),
  TETHER_IBAN_KEYS: declare(
    read((given) => (IbanKeys.parse(given) === undefined ? undefined : given)),
    'up to 8 keys of the form id:base64 of 32 bytes, separated by commas, no id and no key twice',
    {
      meaning:
        'keys that IBANs in Postgres are encrypted with: the first encrypts, each decrypts; the same on all nodes. Not set: IBANs stand in plain text',
      secret: true,
    },
  ),
  TETHER_IDEMPOTENCY_ENTRIES_MAX: whole(1, 10_000_000, {
    default: '50000',
    unit: 'entries',
    meaning: 'recent deduplication keys that each worker thread remembers, to spare the database duplicates',
  }),
  TETHER_TRUSTED_PROXIES: list(parseNetwork, 'networks such as 10.0.0.0/8, separated by commas', {
    default: '',
    meaning: 'networks whose X-Forwarded-For or PROXY header is believed; empty: none',
  }),
  TETHER_CONNECTIONS_MAX: whole(1, 1_000_000, {
    default: '16384',
    unit: 'connections',
    meaning:
      'open at once; one more is closed before anything of it is read. Each needs a file handle (LimitNOFILE), and a balancer wants a lower limit of its own',
  }),
  TETHER_PROXY_PROTOCOL: oneOf(['off', 'on'], {
    default: 'off',
    meaning: 'take the client address from PROXY protocol version 2',
  }),
  TETHER_TLS_CERT_FILE: path({
    meaning:
      'certificate of the gateway, PEM, with the chain behind it: the port speaks HTTPS and nothing else; not set: plain HTTP, for a balancer that ends TLS',
  }),
  TETHER_TLS_KEY_FILE: path({
    meaning:
      'private key of TETHER_TLS_CERT_FILE, PEM, not encrypted, and readable by the user of the node alone',
  }),
  TETHER_S3_URL: declare(
    read((given) => (parseS3Url(given).location === undefined ? undefined : given)),
    'a URL of the form https://access-key:secret-key@host:port/bucket, with what is special in a key percent-encoded',
    {
      meaning:
        'object store for uploaded files, MinIO or any S3; a path behind the bucket is put before every key, `?region=` names the region; not set: the directory `objects` of the data directory',
      secret: true,
    },
  ),
  TETHER_S3_SSE: declare(
    read((given) => (given === 'none' || isS3Encryption(given) ? given : undefined)),
    'none, AES256, aws:kms, or aws:kms:<key id>',
    {
      default: 'none',
      meaning:
        'encryption at rest that the object store is asked for with each object, uploads and archive; none: as its bucket is set up',
    },
  ),
  TETHER_ARCHIVE_AFTER_MS: whole(60_000, 31_536_000_000, {
    unit: 'ms',
    meaning:
      'after which bodies of webhooks that took effect move from Postgres into the object store, many in one object; not set: they stay in Postgres',
  }),
  TETHER_ARCHIVE_KEEP_DAYS: whole(0, 36_500, {
    default: '0',
    unit: 'days',
    meaning:
      'after which archived bodies are removed, counted from the effect of the latest in their object; their events stay; 0: never',
  }),
  TETHER_AUDIT_KEEP_DAYS: whole(0, 36_500, {
    default: '0',
    unit: 'days',
    meaning: 'after which entries of the audit log are removed, looked at hourly; 0: never',
  }),
  TETHER_UPLOAD_BYTES_MAX: bytes(MIB, 1024 * GIB, {
    default: '512MiB',
    meaning: 'largest text file (csv, txt) that is taken',
  }),
  TETHER_UPLOAD_XLSX_BYTES_MAX: bytes(MIB, GIB, {
    default: '50MiB',
    meaning: 'largest xlsx file that is taken',
  }),
  TETHER_UPLOAD_ACTIVE_MAX: whole(1, 1000, {
    default: '32',
    unit: 'uploads',
    meaning: 'uploads that come in at one time; beyond that senders get 503',
  }),
  TETHER_UPLOAD_EXPIRY_MS: whole(60_000, 2_592_000_000, {
    default: '86400000',
    unit: 'ms',
    meaning: 'after which a resumable or direct upload that is not complete is given up',
  }),
  TETHER_UPLOAD_THREADS: threads(64, {
    default: '1',
    meaning:
      'worker threads of the upload pool, or the least and the most; it reads files and writes their rows',
  }),
  TETHER_LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    meaning: 'lowest level of the log on stderr; debug also shows the stacks of errors that are expected',
  }),
});

type ConfigKey = keyof typeof CONFIG_KEYS;

/** What each key holds once it is parsed; undefined where it has no default and is not set. */
type ConfigValues = {
  readonly [Key in ConfigKey]: (typeof CONFIG_KEYS)[Key] extends KeyDeclaration<infer Value>
    ? Value | undefined
    : never;
};

const CONFIG_KEY_NAMES = Object.freeze(Object.keys(CONFIG_KEYS) as ConfigKey[]);

export { CONFIG_KEY_NAMES, CONFIG_KEYS, type ConfigKey, type ConfigValues, type KeyDeclaration };
