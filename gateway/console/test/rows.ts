/** Dead letters, events, uploads, pools and changes of a made-up node, in memory, behind the real routes of the API. */
import type { PaymentEvent } from '../../../actors/payment/events.js';
import type { Upload, UploadState } from '../../../actors/upload/model.js';
import type {
  DeadLetterSelection,
  DeadLetterState,
  StoredDeadLetter,
} from '../../../runtime/stores/dead-letter.js';
import type { DeadLetterBulkParts } from '../../api/dead-letters-bulk.js';
import type { EventParts } from '../../api/events.js';

const MINUTE_MS = 60_000;
const START = Date.now() - 120 * MINUTE_MS;

/** UUIDs of version 7 in form. */
export function idOf(n: number): string {
  return `0193a0c0-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

export function bodyOf(id: string): Buffer {
  return Buffer.from(
    `transaction_type=sdd_sale&unique_id=${id}&status=approved&amount=4999&currency=EUR&bank_account=DE-made-up&customer_email=someone%40example.org`,
  );
}

/** What a test looks at afterwards: in which state each is. */
export class Letters {
  readonly all: StoredDeadLetter[] = Array.from({ length: 7 }, (_, n) => letter(n));

  get deadLetters(): DeadLetterBulkParts['deadLetters'] & EventParts['deadLetters'] & Reads {
    return {
      list: async (filter) =>
        this.#of(filter)
          .filter(({ deadAt }) => filter.after === undefined || deadAt > filter.after.deadAt)
          .slice(0, filter.limit),
      get: async (id) => this.all.find(({ envelope }) => envelope.id === id),
      count: async () => this.#of({ state: 'waiting' }).length,
      summary: async (selection) => {
        const found = this.#of(selection);
        return {
          total: found.length,
          keys: new Set(found.map(({ envelope }) => envelope.key)).size,
          oldest: found[0]?.deadAt,
          latest: found.at(-1)?.deadAt,
          codes: found.length === 0 ? [] : [{ code: 'TETHER_EMP_MALFORMED', count: found.length, atOnce: 1 }],
          actors: found.length === 0 ? [] : [{ actor: 'payment', count: found.length }],
        };
      },
      choose: async (selection) =>
        this.#of(selection).map(({ envelope, deadAt }) => ({ id: envelope.id, deadAt })),
      settle: async (marks, end) => this.end(new Set(marks.map(({ id }) => id)), end.state),
    };
  }

  async replayMany(selection: DeadLetterSelection) {
    const ids = new Set(this.#of(selection).map(({ envelope }) => envelope.id));
    return { replayed: this.end(ids, 'replayed'), failed: 0, failures: [], left: 0, stopped: undefined };
  }

  end(ids: ReadonlySet<string>, state: DeadLetterState): number {
    let changed = 0;
    for (const [at, each] of this.all.entries()) {
      if (!ids.has(each.envelope.id)) continue;
      this.all[at] = { ...each, state };
      changed++;
    }
    return changed;
  }

  #of({ ids, key, code, state, deadBefore }: DeadLetterSelection): readonly StoredDeadLetter[] {
    return this.all.filter(
      (each) =>
        (ids === undefined || ids.includes(each.envelope.id)) &&
        (key === undefined || each.envelope.key === key) &&
        (code === undefined || each.cause.code === code) &&
        (state === undefined || each.state === state) &&
        (deadBefore === undefined || each.deadAt < deadBefore),
    );
  }
}

interface Reads {
  get(id: string): Promise<StoredDeadLetter | undefined>;
  count(): Promise<number>;
}

function letter(n: number): StoredDeadLetter {
  const id = `9f1c${n}`;
  return {
    envelope: {
      id: idOf(n),
      actor: 'payment',
      key: `emp:${id}`,
      dedupe: `processing:${id}::approved`,
      receivedAt: START + n * MINUTE_MS,
      traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
      payload: bodyOf(id),
    },
    cause: {
      code: n === 6 ? 'TETHER_TIMEOUT' : 'TETHER_EMP_MALFORMED',
      message: 'the amount is no number',
      stack: 'NotificationError: the amount is no number\n    at read (notification.js:12:3)',
    },
    attempts: n + 1,
    deadAt: START + n * MINUTE_MS + 4_000,
    state: n === 5 ? 'replayed' : 'waiting',
    replayedAt: n === 5 ? START + 60 * MINUTE_MS : undefined,
    droppedAt: undefined,
    droppedBy: undefined,
  };
}

export function events(): readonly PaymentEvent[] {
  return ['77aa', '77aa', '0d2e', '<img src=x onerror=alert(1)>'].map((key, n) => ({
    seq: n,
    id: idOf(100 + n),
    endpoint: 'emp',
    kind: 'processing',
    key,
    dedupe: `processing:${key}::${n}`,
    status: n === 1 ? 'stale' : 'applied',
    reportedStatus: 'approved',
    traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
    receivedAt: START + n * MINUTE_MS,
    processedAt: START + n * MINUTE_MS + 140,
    bytes: bodyOf(key).length,
    payload: bodyOf(key),
    place: undefined,
  }));
}

export function uploads(): readonly Upload[] {
  const states: readonly UploadState[] = ['receiving', 'processing', 'completed', 'failed'];
  return states.map((state, n) => ({
    id: idOf(200 + n),
    owner: 'collections-team',
    state,
    via: 'form',
    filename: `debtors-2026-11-${20 + n}.csv`,
    mediaType: 'text/csv',
    objectKey: `uploads/${n}`,
    multipart: undefined,
    bytes: state === 'receiving' ? 24_000_000 : 64_000_000,
    bytesExpected: 64_000_000,
    sha256: undefined,
    process: true,
    failure: state === 'failed' ? { code: 'not-a-table', detail: 'the file has no header' } : undefined,
    counts: { total: 412_000, accepted: 410_988, invalid: 1_000, skipped: 12 },
    processedBytes: state === 'completed' ? 64_000_000 : 41_000_000,
    version: 4,
    createdAt: new Date(START),
    storedAt: state === 'receiving' ? undefined : new Date(START + MINUTE_MS),
    startedAt: state === 'receiving' ? undefined : new Date(START + MINUTE_MS),
    finishedAt: undefined,
    updatedAt: new Date(START),
  }));
}
