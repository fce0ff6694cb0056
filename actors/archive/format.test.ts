import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { PART_BYTES } from '../../storage/objects/object-store.js';
import { openBlock, payloadIn } from './format.js';
import { PAYLOAD_BYTES_MAX, type Segment, SegmentBuilder } from './segment-builder.js';
import { empBody, jsonBody } from './test/bench.js';

const LIMITS = { eventsMax: 1_000, payloadBytesMax: 32 * 1024 * 1024, blockBytes: 4_096 };
const DAMAGED = { code: 'TETHER_ARCHIVE_DAMAGED', retryable: false };
const seed = testSeed(t);

interface Made {
  readonly id: string;
  readonly payload: Buffer;
}

function build(all: readonly Made[], limits = LIMITS): Segment {
  const builder = new SegmentBuilder(limits);
  for (const { id, payload } of all) if (!builder.add(id, payload)) throw new Error('it does not fit');
  const segment = builder.finish();
  if (segment === undefined) throw new Error('it is empty');
  return segment;
}

const made = (payloads: readonly Buffer[]): Made[] =>
  payloads.map((payload) => ({ id: randomUUID(), payload }));

function fetched({ bytes, places }: Segment, at: number, id: string): Buffer {
  const place = places[at];
  if (place === undefined) throw new Error(`there is no place ${at}`);
  const block = openBlock(bytes.subarray(place.blockAt, place.blockAt + place.blockLength));
  return payloadIn(block, id, place.payloadAt, place.payloadLength);
}

t.test('whatever bytes go in come out, each from its own block', (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 9_000, size: 'max' }),
    fc.nat(3_000).map((length) => new Uint8Array(length).fill(length)),
    fc.nat(500).map(empBody),
    fc.nat(500).map(jsonBody),
  );
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 60 }), (payloads) => {
      const all = made(payloads.map((payload) => Buffer.from(payload)));
      const segment = build(all);
      const { bytes: object, sha256, places } = segment;
      t.ok(sha256.equals(object.subarray(-32)));
      t.ok(sha256.equals(createHash('sha256').update(object.subarray(0, -32)).digest()));
      return (
        places.length === all.length &&
        segment.payloadBytes === all.reduce((sum, { payload }) => sum + payload.length, 0) &&
        all.every(({ id, payload }, at) => fetched(segment, at, id).equals(payload))
      );
    }),
    { numRuns: 60, seed },
  );
  t.end();
});

t.test('no byte of a block can change unseen', (t) => {
  const all = made([empBody(1), empBody(2), Buffer.alloc(0), randomBytes(600)]);
  const segment = build(all);
  const { blockAt = 0, blockLength = 0 } = segment.places[0] ?? {};
  const block = segment.bytes.subarray(blockAt, blockAt + blockLength);
  for (let at = 0; at < block.length; at++) {
    const changed = Buffer.from(block);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    t.throws(() => openBlock(changed), DAMAGED, `byte ${at}`);
  }
  t.throws(() => openBlock(block.subarray(0, -1)), DAMAGED);
  t.throws(() => openBlock(Buffer.alloc(0)), DAMAGED);
  const raw = openBlock(block);
  const { payloadAt = 0, payloadLength = 0 } = segment.places[1] ?? {};
  const id = all[1]?.id ?? '';
  t.ok(payloadIn(raw, id, payloadAt, payloadLength).equals(empBody(2)));
  t.throws(() => payloadIn(raw, all[0]?.id ?? '', payloadAt, payloadLength), DAMAGED, "another event's");
  t.throws(() => payloadIn(raw, id, payloadAt, payloadLength - 1), DAMAGED);
  t.throws(() => payloadIn(raw, id, payloadAt + 1, payloadLength), DAMAGED);
  t.throws(() => payloadIn(raw, id, raw.length, payloadLength), DAMAGED);
  t.throws(() => payloadIn(raw, id, 0, 0), DAMAGED);
  t.end();
});

t.test('a segment is full', (t) => {
  const addedTo = (limits: typeof LIMITS, payload: () => Buffer) => {
    const builder = new SegmentBuilder(limits);
    let added = 0;
    while (builder.add(randomUUID(), payload())) added++;
    const segment = builder.finish();
    t.ok((segment?.bytes.length ?? 0) <= PART_BYTES, `${segment?.bytes.length} bytes are one PUT`);
    t.equal(segment?.places.length, added);
    return added;
  };
  t.equal(
    addedTo({ ...LIMITS, eventsMax: 7 }, () => empBody(1)),
    7,
  );
  t.equal(
    addedTo({ ...LIMITS, payloadBytesMax: 10_500 }, () => Buffer.alloc(1_000)),
    10,
  );
  const random = randomBytes(PAYLOAD_BYTES_MAX);
  t.equal(
    addedTo({ ...LIMITS, blockBytes: 65_536 }, () => random),
    7,
    'what cannot be compressed',
  );
  t.equal(new SegmentBuilder(LIMITS).finish(), undefined);
  t.throws(
    () => new SegmentBuilder(LIMITS).add(randomUUID(), Buffer.alloc(PAYLOAD_BYTES_MAX + 1)),
    RangeError,
  );
  const one = new SegmentBuilder({ ...LIMITS, payloadBytesMax: 1 });
  t.ok(one.add(randomUUID(), Buffer.alloc(2)), 'one always fits');
  one.finish();
  t.throws(() => one.add(randomUUID(), Buffer.alloc(1)), /finished/);
  t.throws(() => one.finish(), /once/);
  t.end();
});

t.test('the script of the documentation reads a segment without Tether', async (t) => {
  const page = readFileSync('docs/reference/archive.md', 'utf8');
  const script = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const lines = script.split('\n').length;
  t.ok(lines > 5 && lines <= 35, `${lines} lines`);
  const directory = t.testdir({ 'read-segment.mjs': script });
  const all = made([empBody(1), Buffer.alloc(0), randomBytes(5_000), jsonBody(3), Buffer.from('ü')]);
  const { bytes } = build(all);
  const file = join(directory, 'segment');
  writeFileSync(file, bytes);
  const run = (args: string[]) =>
    promisify(execFile)(process.execPath, [join(directory, 'read-segment.mjs'), ...args], {
      encoding: 'buffer',
      env: { PATH: process.env.PATH },
    });
  const list = String((await run([file])).stdout)
    .trim()
    .split('\n');
  t.strictSame(
    list,
    all.map(({ id, payload }) => `${id} ${payload.length}`),
  );
  for (const { id, payload } of all) t.ok((await run([file, id])).stdout.equals(payload), id);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await t.rejects(run([file]), { message: /SHA-256/ });
});
