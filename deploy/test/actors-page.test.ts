/** Holds the tables of `docs/reference/actors.md` to the code: fields, defaults, bounds, events, and the tests that it names. */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { defineActor } from '../../runtime/actor.js';
import { fillLimits } from '../../runtime/limits.js';
import { DEFAULT_RETRY } from '../../runtime/retry.js';
import { fillSupervision } from '../../runtime/supervision.js';
import { fillSystemOptions } from '../../runtime/system-options.js';

const read = (path: string) => readFileSync(path, 'utf8');
const PAGE = read('docs/reference/actors.md');

/** The rows of the tables in a section, by the names in their first column. */
function rowsOf(section: string): ReadonlyMap<string, readonly string[]> {
  const text = PAGE.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const rows = new Map<string, readonly string[]>();
  for (const [line] of text.matchAll(/^\| `.*$/gm)) {
    const [first = '', ...cells] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    for (const [, name = ''] of first.matchAll(/`([\w-]+)`/g)) rows.set(name, cells);
  }
  return rows;
}

const number = (text: string | undefined) => Number((text ?? '').replaceAll(',', '').replace(/ ms$/, ''));

/** A constant of a source, as it is written there. */
function constantOf(path: string, name: string): number {
  const [, value = ''] = new RegExp(`const ${name} = ([\\d_]+);`).exec(read(path)) ?? [];
  return Number(value.replaceAll('_', ''));
}

const fieldsOf = (path: string, type: string) => {
  const [, body = ''] = new RegExp(`interface ${type}\\b[^{]*{\\n([\\s\\S]*?)\\n}`).exec(read(path)) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(<]/gm)].map(([, name = '']) => name);
};

t.test('the definition has these fields, bounds and defaults', async (t) => {
  const rows = rowsOf('Definition');
  t.strictSame([...rows.keys()].sort(), fieldsOf('runtime/actor.ts', 'ActorDefinition').sort());
  const host = 'runtime/kernel/type-host.ts';
  t.equal(number(rows.get('idleMsMax')?.[0]), constantOf(host, 'IDLE_MS_MAX'));
  t.equal(number(rows.get('activationsMax')?.[0]), constantOf(host, 'ACTIVATIONS_MAX'));
  t.equal(number(rows.get('mailboxMax')?.[0]), constantOf(host, 'MAILBOX_MAX'));
  t.match(rows.get('reentrant')?.[2], ` ${constantOf(host, 'CALLS_MAX')} calls`);
  const [, thread, key] = /BATCH_MAX = { thread: (\d+), key: (\d+) }/.exec(read('runtime/batching.ts')) ?? [];
  t.equal(rows.get('batchMax')?.[0], `${key}, \`thread\`: ${thread}, volatile: 1`);
  t.equal(
    rows.get('batchMax')?.[1],
    `1 to ${constantOf('runtime/actor.ts', 'BATCH_MAX_MAX').toLocaleString('en')}`,
  );
  const define = (more: object) => defineActor({ type: 'x', scope: 'key', receive() {}, ...more } as never);
  t.throws(() => define({ batchMax: 100_001 }), TypeError);
  t.throws(() => define({ type: 'x'.repeat(64) }), TypeError);
  t.ok(define({ type: 'x'.repeat(63), batchMax: 100_000 }));
  t.throws(() => define({ idleMs: 1 }), { message: 'actor x: a definition has no field idleMs' });
  t.throws(() => defineActor(undefined as never), TypeError);
});

t.test('the options of a system', async (t) => {
  const rows = rowsOf('System');
  const fields = [
    ...fieldsOf('runtime/system-options.ts', 'ActorSystemOptions').filter((name) => name !== 'clock'),
    ...fieldsOf('runtime/system-options.ts', 'ActorRegistration').filter((name) => name !== 'module'),
  ];
  t.strictSame([...rows.keys()].sort(), fields.sort());
  const filled = fillSystemOptions({
    log: { open() {} },
    deadLetters: { put() {} },
    actors: ['file:///a.js'],
  } as never);
  t.strictSame(filled.actors, [
    {
      module: 'file:///a.js',
      threads: number(rows.get('threads')?.[0]),
      lazy: rows.get('lazy')?.[0] === '`true`',
      youngHeapMib: number(rows.get('youngHeapMib')?.[0]),
      settings: undefined,
    },
  ]);
  t.equal(filled.receiveMsMax, number(rows.get('receiveMsMax')?.[0]));
  t.equal(filled.heapMibMax, number(rows.get('heapMibMax')?.[0]));
  t.equal(filled.retry, DEFAULT_RETRY);
  const { attemptsMax, delayMs, delayMsMax } = DEFAULT_RETRY;
  t.equal(
    rows.get('retry')?.[0],
    `${attemptsMax} attempts, ${delayMs} to ${delayMsMax.toLocaleString('en')} ms`,
  );
});

t.test('supervision and limits', async (t) => {
  const supervision = Object.entries(fillSupervision());
  const rows = rowsOf('Failures');
  for (const [name, value] of supervision) {
    const text = rows.get(name)?.[0];
    t.equal(
      typeof value === 'number' ? number(text) : text,
      typeof value === 'number' ? value : `\`${value}\``,
      name,
    );
  }
  const limits = rowsOf('Limits');
  t.strictSame([...limits.keys()].sort(), fieldsOf('runtime/limits.ts', 'Limits').sort());
  t.equal(fillLimits({ ratePerSecond: 1_000 })?.burst, 100);
  t.equal(fillLimits({ ratePerSecond: 1 })?.burst, 1);
});

t.test('every event, and every field of it', async (t) => {
  const source =
    read('runtime/events.ts').split('export type ActorEvent =')[1]?.split('/** An event of')[0] ?? '';
  const kinds = source.split(/^ {2}\| /m).flatMap((part) => {
    const named = [...(/kind: ([^;}]*)/.exec(part)?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(
      ([, kind = '']) => kind,
    );
    const own = [...part.matchAll(/readonly (\w+):/g)].map(([, name = '']) => name);
    const all = [
      ...own,
      ...(part.includes('& Counted') ? ['count'] : []),
      ...(part.includes('& OfActivation') ? ['key'] : []),
    ];
    return named.map(
      (kind) => [kind, all.filter((name) => name !== 'kind' && name !== 'actor').sort()] as const,
    );
  });
  const rows = [...rowsOf('Events')].map(
    ([kind, [fields = '']]) =>
      [kind, [...fields.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).sort()] as const,
  );
  t.ok(kinds.length > 10);
  t.strictSame(rows.toSorted(), kinds.toSorted());
});

t.test('the tests that the page names are there', async (t) => {
  const named = [...PAGE.matchAll(/`((?:runtime|deploy|storage)\/[\w./-]+\.ts)`/g)].map(
    ([, path = '']) => path,
  );
  t.ok(named.length > 10);
  t.strictSame(
    named.filter((path) => !existsSync(path)),
    [],
  );
});
