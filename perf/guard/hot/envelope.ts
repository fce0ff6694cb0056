/** What makes a message of a body and a body of a message: its id, its partition, its envelope. */
import { load } from '../side.js';
import { expectEqual, type HotFunction } from './hot-function.js';

const KEYS = 64;
const PARTITIONS = 64;
const PAYLOAD_BYTES = 400;
const RECEIVED_AT = 1_795_651_200_000;
/** As at full load. */
const IDS_PER_MS = 100;

/** Flat strings: what is put together of others is slower until a collection, which comes when it comes. */
const keys = Array.from({ length: KEYS }, (_, at) =>
  Buffer.from(`emp:${at.toString(16).padStart(32, '0')}`).toString('latin1'),
);
const newEnvelope = {
  id: '019a0000-0000-7000-8000-000000000001',
  actor: 'payment',
  receivedAt: RECEIVED_AT,
  traceparent: '',
  payload: Buffer.alloc(PAYLOAD_BYTES, 'a=b&'),
};

const encode: HotFunction = {
  name: 'envelope: encode',
  calls: 5_000,
  async prepare(side) {
    const { encodeEnvelope } = (await load(
      side,
      'runtime/envelope.js',
    )) as typeof import('../../../runtime/envelope.js');
    const { AsciiText } = (await load(
      side,
      'runtime/ascii-text.js',
    )) as typeof import('../../../runtime/ascii-text.js');
    // As the edge has them.
    const all = keys.map((key) => {
      const text = new AsciiText(key.length);
      text.append(Buffer.from(key), 0, key.length);
      return { ...newEnvelope, key: text, dedupe: text };
    });
    return {
      run(calls) {
        let bytes = 0;
        for (let at = 0; at < calls; at++) {
          bytes += encodeEnvelope(all[at % KEYS] as (typeof all)[number]).length;
        }
        if (bytes < calls * PAYLOAD_BYTES) throw new Error(`${calls} envelopes have ${bytes} bytes`);
      },
    };
  },
};

const decode: HotFunction = {
  name: 'envelope: decode',
  calls: 5_000,
  async prepare(side) {
    const { decodeEnvelope, encodeEnvelope } = (await load(
      side,
      'runtime/envelope.js',
    )) as typeof import('../../../runtime/envelope.js');
    const all = keys.map((key) => encodeEnvelope({ ...newEnvelope, key, dedupe: key }));
    return {
      run(calls) {
        let bytes = 0;
        for (let at = 0; at < calls; at++) {
          bytes += decodeEnvelope(all[at % KEYS] as Uint8Array).payload.length;
        }
        expectEqual('the bytes of all payloads', bytes, calls * PAYLOAD_BYTES);
      },
    };
  },
};

const partition: HotFunction = {
  name: 'partition of a key',
  calls: 20_000,
  async prepare(side) {
    const { partitionOf } = (await load(
      side,
      'runtime/partition.js',
    )) as typeof import('../../../runtime/partition.js');
    const sum = keys.reduce((total, key) => total + partitionOf(key, PARTITIONS), 0);
    return {
      run(calls) {
        let total = 0;
        const rounds = Math.ceil(calls / KEYS);
        for (let round = 0; round < rounds; round++) {
          for (let at = 0; at < KEYS; at++) total += partitionOf(keys[at] as string, PARTITIONS);
        }
        expectEqual('the sum of all partitions', total, rounds * sum);
      },
    };
  },
};

const id: HotFunction = {
  name: 'id of a message',
  calls: 20_000,
  async prepare(side) {
    const { MessageIdSource } = (await load(
      side,
      'runtime/message-id.js',
    )) as typeof import('../../../runtime/message-id.js');
    const ids = new MessageIdSource((bytes) => bytes.fill(0x5a));
    let ms = RECEIVED_AT;
    return {
      run(calls) {
        let characters = 0;
        for (let at = 0; at < calls; at++) {
          if (at % IDS_PER_MS === 0) ms++;
          characters += ids.next(ms).length;
        }
        expectEqual('the characters of all ids', characters, calls * newEnvelope.id.length);
      },
    };
  },
};

export const ENVELOPE_FUNCTIONS: readonly HotFunction[] = [encode, decode, partition, id];
