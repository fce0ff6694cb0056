import t from 'tap';
import { OutageError, TetherError } from '../../runtime/errors.js';
import { toPostgresError } from './errors.js';

const server = (code: string, message = 'said the server', more: object = {}) =>
  Object.assign(new Error(message), { code, severity: 'ERROR', detail: 'Key (iban)=(DE00) exists', ...more });
const system = (code: string) => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

t.test('outages', async (t) => {
  for (const code of [
    '57P01',
    '57P02',
    '57P03',
    '08006',
    '08P01',
    '53300',
    '53100',
    '25006',
    '58030',
    '28P01',
  ]) {
    t.match(toPostgresError(server(code)), { code: 'TETHER_POSTGRES_UNAVAILABLE', reason: code }, code);
    t.ok(toPostgresError(server(code)) instanceof OutageError);
  }
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']) {
    t.match(toPostgresError(system(code)), { code: 'TETHER_POSTGRES_UNAVAILABLE', reason: code }, code);
  }
  for (const message of [
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
  ]) {
    t.match(toPostgresError(new Error(message)), { code: 'TETHER_POSTGRES_UNAVAILABLE' }, message);
  }
  const everyAddress = new AggregateError([system('ECONNREFUSED'), system('ENETUNREACH')]);
  t.match(toPostgresError(everyAddress), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
});

t.test('conflicts are to be tried again', async (t) => {
  for (const sqlstate of ['40001', '40P01', '55P03']) {
    const error = toPostgresError(server(sqlstate));
    t.match(error, { code: 'TETHER_POSTGRES_CONFLICT', retryable: true, sqlstate });
    t.notOk(error instanceof OutageError, 'and are no outage');
  }
});

t.test('a statement that fails for good and one that may pass', async (t) => {
  for (const [sqlstate, retryable] of [
    ['23505', false],
    ['22P02', false],
    ['42P01', true],
    ['57014', true],
  ] as const) {
    t.match(
      toPostgresError(server(sqlstate)),
      { code: 'TETHER_POSTGRES_QUERY', sqlstate, retryable },
      sqlstate,
    );
  }
  t.match(toPostgresError(server('23505', 'duplicate key', { constraint: 'events_pkey' })), {
    constraint: 'events_pkey',
  });
});

t.test('data does not leak', async (t) => {
  for (const error of [
    server('22P02', 'invalid input syntax for type integer: "DE89370400440532013000"'),
    server('22P02', 'invalid input value for enum state: "DE89370400440532013000"'),
    server('22007', 'invalid "DE89370400440532013000" here'),
    server('23505', 'duplicate key value violates unique constraint "events_pkey"'),
  ]) {
    const classified = toPostgresError(error);
    t.ok(classified instanceof TetherError);
    const all = `${classified.message} ${classified.stack} ${JSON.stringify(classified)} ${String(classified.cause)}`;
    t.notMatch(all, /DE89370400440532013000|iban/);
  }
});

t.test('what is no error of Postgres stays what it is', async (t) => {
  const programmers = new TypeError('x is not a function');
  t.equal(toPostgresError(programmers), programmers);
  const classified = toPostgresError(system('ECONNREFUSED'));
  t.equal(toPostgresError(classified), classified);
  t.ok(toPostgresError('a string') instanceof Error);
});
