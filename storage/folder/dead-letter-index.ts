/** What the folder knows of a dead letter without reading its file, and what it can answer from that alone. */
import type {
  DeadLetterSelection,
  DeadLetterSummary,
  StoredDeadLetter,
} from '../../runtime/stores/dead-letter.js';
import { SUMMARY_ROWS_MAX } from '../dead-letter-limits.js';
import { recordId } from '../record-id.js';
import type { TimeEntry } from './time-index.js';

/** `at` is when it died, `name` its envelope's id. */
export interface Entry extends TimeEntry {
  readonly actor: string;
  readonly key: string;
  readonly code: string;
  readonly state: StoredDeadLetter['state'];
  /** It died at its first delivery. */
  readonly atOnce: boolean;
}

export function idOf(envelopeId: string): string {
  return recordId(envelopeId).toString('hex');
}

export function entryOf({ envelope, cause, attempts, deadAt, state }: StoredDeadLetter): Entry {
  const { id, actor, key } = envelope;
  return { id: idOf(id), at: deadAt, name: id, actor, key, code: cause.code, state, atOnce: attempts <= 1 };
}

/** All but the ids. */
export function fits(selection: Omit<DeadLetterSelection, 'ids'>, entry: Entry): boolean {
  const { actor, key, endpoint, code, state, deadFrom, deadBefore } = selection;
  return (
    (actor ?? entry.actor) === entry.actor &&
    (key ?? entry.key) === entry.key &&
    (endpoint === undefined || entry.key.startsWith(`${endpoint}:`)) &&
    (code ?? entry.code) === entry.code &&
    (state ?? entry.state) === entry.state &&
    (deadFrom === undefined || entry.at >= deadFrom) &&
    (deadBefore === undefined || entry.at < deadBefore)
  );
}

/** `entries`: the earliest first. */
export function summaryOf(entries: Iterable<Entry>): DeadLetterSummary {
  const keys = new Set<string>();
  const codes = new Map<string, { count: number; atOnce: number }>();
  const actors = new Map<string, { count: number }>();
  let total = 0;
  let oldest: number | undefined;
  let latest: number | undefined;
  for (const { actor, key, code, at, atOnce } of entries) {
    total++;
    oldest ??= at;
    latest = at;
    keys.add(`${actor}\0${key}`);
    const ofCode = codes.get(code) ?? { count: 0, atOnce: 0 };
    codes.set(code, { count: ofCode.count + 1, atOnce: ofCode.atOnce + (atOnce ? 1 : 0) });
    actors.set(actor, { count: (actors.get(actor)?.count ?? 0) + 1 });
  }
  return {
    total,
    keys: keys.size,
    oldest,
    latest,
    codes: mostFrequent(codes).map(([code, of]) => ({ code, ...of })),
    actors: mostFrequent(actors).map(([actor, of]) => ({ actor, ...of })),
  };
}

function mostFrequent<Of extends { readonly count: number }>(
  counts: ReadonlyMap<string, Of>,
): readonly (readonly [string, Of])[] {
  return [...counts]
    .sort(([a, { count: of }], [b, { count: than }]) => than - of || (a < b ? -1 : 1))
    .slice(0, SUMMARY_ROWS_MAX);
}
