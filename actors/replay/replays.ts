/**
 * Replays as operators have them: what one would do, made, looked at and commanded. The actor does the work.
 *
 * A replay is made in three steps, and whoever makes it may end between any two: a reminder, which does nothing for want of a row; the row, from which
 * on the replay is there; a message, so that it begins at once and not at the next look at the reminders.
 */
import { asError } from '../../runtime/failure.js';
import type { Logger } from '../../runtime/logger.js';
import type { ReminderStore } from '../../runtime/stores/reminder.js';
import { PostgresQueryError } from '../../storage/postgres/errors.js';
import type { Pool } from '../../storage/postgres/pool.js';
import { isUuid } from '../../storage/uuid.js';
import { destinationSchema } from '../webhook/route-settings.js';
import { ReplayRefusedError, ReplayStateError, ReplaysFullError } from './errors.js';
import { type ReplayMessage, reminderOf } from './message.js';
import { COUNTED_MAX, type ReplaySelection, type SelectionSummary, summarize } from './selection.js';
import { goesOn, REPLAY_STATES, type ReplayCommand, type ReplayState, STATE_AFTER } from './state.js';
import { OPEN_MAX, type Replay, ReplayStore } from './store.js';

export interface ReplayRequest {
  readonly selection: ReplaySelection;
  /** An actor, or `forward:<target>`; undefined: the routes of the endpoints, as they are when an event is told. */
  readonly target: string | undefined;
  readonly forced: boolean;
}

export interface ReplayPreview {
  /** Undefined: counting took too long. */
  readonly summary: SelectionSummary | undefined;
  /** Whether there may be more than were counted. */
  readonly isAtLeast: boolean;
  /** Those that are left out for certain. */
  readonly leftOut: { readonly payment: number; readonly delayed: number };
}

export interface ReplayParts {
  readonly pool: Pool;
  readonly reminders: Pick<ReminderStore, 'put'>;
  /** Tells the actor, by the log. */
  tell(id: string, message: ReplayMessage): Promise<unknown>;
  newId(): string;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly logger: Logger;
}

export const RATE_MAX = 10_000;
export const RATE_DEFAULT = 500;
const QUERY_CANCELED = '57014';

export class EventReplays {
  readonly #parts: ReplayParts;
  readonly #store: ReplayStore;

  constructor(parts: ReplayParts) {
    this.#parts = parts;
    this.#store = new ReplayStore(parts.pool);
  }

  /** @throws ReplayRefusedError */
  async preview(request: ReplayRequest): Promise<ReplayPreview> {
    checkTarget(request);
    const summary = await this.#summary(request.selection);
    const sum = (of: 'ofEmp' | 'delayed') => summary?.endpoints.reduce((all, each) => all + each[of], 0) ?? 0;
    return {
      summary,
      isAtLeast: summary === undefined || summary.total >= COUNTED_MAX,
      leftOut: { payment: request.target === undefined ? sum('ofEmp') : 0, delayed: sum('delayed') },
    };
  }

  /** @throws ReplayRefusedError, ReplaysFullError */
  async create({
    rate,
    by,
    ...request
  }: ReplayRequest & { readonly rate: number; readonly by: string }): Promise<Replay> {
    checkTarget(request);
    const { pool, reminders, newId, now } = this.#parts;
    const at = now();
    const id = newId();
    const selection = endedAt(request.selection, at);
    const { target, forced } = request;
    const total = (await this.#summary(selection))?.total;
    await reminders.put(reminderOf(id, now()));
    const isAdded = await new ReplayStore(pool).add({
      id,
      selection,
      target,
      forced,
      rate,
      total,
      createdBy: by,
    });
    if (!isAdded) throw new ReplaysFullError(`${OPEN_MAX} replays wait, run or are paused; end one of them`);
    await this.#go(id);
    return this.#found(id);
  }

  get(id: string): Promise<Replay | undefined> {
    return isUuid(id) ? this.#store.get(id) : Promise.resolve(undefined);
  }

  /** The newest first. */
  list(
    states: readonly ReplayState[] = REPLAY_STATES,
    before?: string,
    limit = 100,
  ): Promise<readonly Replay[]> {
    return this.#store.list(states, before, limit);
  }

  /**
   * What it was, and is. Resuming one that waits says `go` once more.
   * @returns undefined: there is none of this id
   * @throws ReplayStateError
   */
  async command(
    id: string,
    command: ReplayCommand,
  ): Promise<{ readonly before: Replay; readonly after: Replay } | undefined> {
    const before = await this.get(id);
    if (before === undefined) return undefined;
    const next = STATE_AFTER[command];
    const after = before.state === next && goesOn(next) ? before : await this.#store.become(id, next);
    if (after === undefined) {
      const { state } = await this.#found(id);
      throw new ReplayStateError(`a replay that is ${state} cannot be ${PAST[command]}`);
    }
    if (goesOn(next)) {
      await this.#parts.reminders.put(reminderOf(id, this.#parts.now()));
      await this.#go(id);
    }
    return { before, after };
  }

  async #found(id: string): Promise<Replay> {
    const replay = await this.#store.get(id);
    if (replay === undefined) throw new ReplayStateError(`replay ${id} is gone`);
    return replay;
  }

  /** Never rejects: the reminder comes all the same, when the log takes messages again. */
  async #go(id: string): Promise<void> {
    try {
      await this.#parts.tell(id, { type: 'go' });
    } catch (error) {
      this.#parts.logger.warn({ replay: id, err: asError(error) }, 'a replay begins with its reminder');
    }
  }

  async #summary(selection: ReplaySelection): Promise<SelectionSummary | undefined> {
    try {
      return await summarize(this.#parts.pool, selection);
    } catch (error) {
      if (error instanceof PostgresQueryError && error.sqlstate === QUERY_CANCELED) return undefined;
      throw error;
    }
  }
}

const PAST: Readonly<Record<ReplayCommand, string>> = {
  pause: 'paused',
  resume: 'resumed',
  cancel: 'cancelled',
};

/** What is accepted from now on is not of it: it comes to an end. */
function endedAt(selection: ReplaySelection, at: number): ReplaySelection {
  if ('ids' in selection) return selection;
  return { filter: { ...selection.filter, to: Math.min(selection.filter.to ?? at, at) } };
}

/** @throws ReplayRefusedError that says why */
function checkTarget({ target, forced }: ReplayRequest): void {
  if (target === undefined) return;
  if (target === 'payment') {
    throw new ReplayRefusedError(
      forced
        ? 'payment cannot be forced: a payment moves once for each of its events, in the transaction that writes the event, and a second move would be a wrong balance'
        : 'payment has had every event that there is: it knows a message by its event, and would leave each of them out',
    );
  }
  const checked = destinationSchema.safeParse(target);
  if (checked.success) return;
  throw new ReplayRefusedError(`the target ${checked.error.issues[0]?.message ?? 'is wrong'}`);
}
