/** The real routes of the API over a made-up node in memory: what is changed over them shows in its status and its audit log. */
import { type AuditLog, auditRoutes } from '../../api/audit.js';
import { deadLetterRoutes } from '../../api/dead-letters.js';
import { deadLetterBulkRoutes } from '../../api/dead-letters-bulk.js';
import { endpointRoutes } from '../../api/endpoints.js';
import { eventRoutes } from '../../api/events.js';
import { type LogLevelState, logLevelRoutes } from '../../api/log-level.js';
import { type PoolControl, type PoolState, poolRoutes } from '../../api/pools.js';
import { replayRoutes } from '../../api/replays.js';
import type { ApiRoute, AuditEntry } from '../../api/route.js';
import type { PoolStatus } from '../../api/status-schema.js';
import { targetRoutes } from '../../api/targets.js';
import { uploadListRoutes } from '../../api/uploads.js';
import { endpointList, targetList } from './endpoints.js';
import { pools as startPools } from './figures.js';
import { MadeUpReplays } from './replays.js';
import { events, Letters, uploads } from './rows.js';

const RANGE = { min: 1, max: 1_000 };
const ALLOWED = {
  min: RANGE,
  max: { min: 1, max: 64 },
  batchMax: RANGE,
  lingerMs: { min: 0, max: 1_000 },
  inFlightMax: { min: 1, max: 100_000 },
};

export class MadeUpNode implements PoolControl {
  readonly letters = new Letters();
  readonly replays = new MadeUpReplays();
  readonly changes: (AuditEntry & { readonly id: number })[] = [];
  pools: PoolStatus[] = startPools();
  level: LogLevelState['level'] = 'info';

  readonly audit: AuditLog = {
    record: async (entry) => {
      this.changes.unshift({ ...entry, id: this.changes.length + 1 });
    },
    list: async ({ action }) => this.changes.filter((each) => action === undefined || each.action === action),
  };

  readonly routes: readonly ApiRoute[] = [
    ...deadLetterRoutes({ deadLetters: this.letters.deadLetters, replay: async () => true }),
    ...deadLetterBulkRoutes({
      deadLetters: this.letters.deadLetters,
      replayMany: (selection) => this.letters.replayMany(selection),
      poolMode: (actor) => this.pools.find((pool) => pool.actor === actor)?.mode,
      now: Date.now,
    }),
    ...eventRoutes({
      deadLetters: this.letters.deadLetters,
      events: {
        find: async ({ id, key, status }) => ({
          events: events().filter(
            (event) =>
              (id === undefined || event.id === id) &&
              (key === undefined || event.key === key) &&
              (status === undefined || event.status === status),
          ),
          next: undefined,
        }),
        get: async (id) => events().find((event) => event.id === id),
        payment: async (endpoint, id) => ({
          endpoint,
          id,
          status: 'approved',
          amount: 4_999,
          currency: 'EUR',
          transactionId: undefined,
          transactionType: 'sdd_sale',
          history: [
            { status: 'pending', at: Date.now() - 9_000_000, event: 'processing', message: '1' },
            { status: 'approved', at: Date.now() - 7_200_000, event: 'processing', message: '2' },
          ],
          createdAt: Date.now() - 9_000_000,
          updatedAt: Date.now() - 7_200_000,
        }),
      },
      payloads: { payloadOf: async ({ payload = Buffer.alloc(0) }) => payload },
    }),
    ...replayRoutes({ replays: this.replays, poolMode: () => 'running' }),
    ...uploadListRoutes({
      now: Date.now,
      uploads: {
        list: async ({ states }) => uploads().filter(({ state }) => states?.includes(state) ?? true),
      },
    }),
    ...endpointRoutes({
      list: () => endpointList().endpoints,
      file: () => endpointList().file,
      put: () => Promise.reject(new Error('nobody changes one here')),
      remove: async () => undefined,
    }),
    ...targetRoutes({ list: async () => targetList() }),
    ...poolRoutes(this),
    ...auditRoutes(this.audit),
    ...logLevelRoutes({
      state: () => ({
        level: this.level,
        configured: 'info',
        until: this.level === 'info' ? null : Date.now() + 3_600_000,
      }),
      set: (level) => {
        this.level = level;
      },
    }),
  ];

  list(): readonly PoolState[] {
    return this.pools.map(stateOf);
  }

  async change(actor: string, change: Readonly<Record<string, number | undefined>>): Promise<PoolState> {
    return this.#set(actor, (pool) => {
      const current = { ...pool.settings.current, ...change };
      return { settings: { ...pool.settings, current, differs: true } };
    });
  }

  async reset(actor: string): Promise<PoolState> {
    return this.#set(actor, ({ settings: { file } }) => ({
      settings: { file, current: file, differs: false },
    }));
  }

  async pause(actor: string): Promise<PoolState> {
    return this.#set(actor, () => ({ mode: 'paused' }));
  }

  async resume(actor: string): Promise<PoolState> {
    return this.#set(actor, () => ({ mode: 'running' }));
  }

  drain(actor: string): PoolState {
    return this.#set(actor, () => ({ mode: 'draining' }));
  }

  #set(actor: string, change: (pool: PoolStatus) => Partial<PoolStatus>): PoolState {
    const at = this.pools.findIndex((pool) => pool.actor === actor);
    const pool = this.pools[at];
    if (pool === undefined) throw new RangeError(`there is no pool of ${actor}`);
    const after = { ...pool, ...change(pool) };
    this.pools[at] = after;
    return stateOf(after);
  }
}

function stateOf(pool: PoolStatus): PoolState {
  const { actor, mode, threads, resizing, inFlight, done, delayMs, outage, settings } = pool;
  return {
    ...{ actor, mode, threads: threads.length, resizing, inFlight, done, delayMs, outage, settings },
    allowed: ALLOWED,
    saved: settings.differs
      ? { paused: false, changedAt: '2026-11-26T06:00:00.000Z', changedBy: 'operator' }
      : null,
  };
}
