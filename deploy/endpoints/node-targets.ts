/** The targets of a node as people are shown them: as they stand in its file, with what waits for each. */
import { BACKLOG_ROWS_MAX, backlogsByTarget, type TargetBacklog } from '../../actors/forward/summary.js';
import type { FilledTarget } from '../../actors/forward/target-settings.js';
import type { TargetList, TargetState, TargetView } from '../../gateway/index.js';
import { type Pool, PostgresUnavailableError } from '../../storage/postgres/index.js';
import { shown } from './shown.js';

class NodeTargets implements TargetView {
  readonly #pool: Pool;
  readonly #targets: () => readonly FilledTarget[];

  constructor(pool: Pool, targets: () => readonly FilledTarget[]) {
    this.#pool = pool;
    this.#targets = targets;
  }

  async list(): Promise<TargetList> {
    const backlogs = await this.#backlogs();
    const waiting = new Map(backlogs?.map((backlog) => [backlog.target, backlog]));
    const isMore = sum(backlogs ?? []) >= BACKLOG_ROWS_MAX;
    const targets = this.#targets().map((target) => targetState(target, waiting.get(target.name), isMore));
    const known = new Set(targets.map(({ name }) => name));
    const gone = (backlogs ?? [])
      .filter(({ target }) => !known.has(target))
      .map((backlog) => goneState(backlog, isMore));
    return { targets: [...targets, ...gone], waitingKnown: backlogs !== undefined };
  }

  /** Undefined while Postgres is away. */
  async #backlogs(): Promise<readonly TargetBacklog[] | undefined> {
    try {
      return await backlogsByTarget(this.#pool);
    } catch (error) {
      if (error instanceof PostgresUnavailableError) return undefined;
      throw error;
    }
  }
}

function sum(backlogs: readonly TargetBacklog[]): number {
  return backlogs.reduce((all, { waiting }) => all + waiting, 0);
}

function targetState(target: FilledTarget, backlog: TargetBacklog | undefined, isMore: boolean): TargetState {
  const { name, url, secrets, headers, ca, ...settings } = target;
  return {
    name,
    known: true,
    origin: new URL(url).origin,
    secrets: secrets.map((secret) => shown(name, secret)),
    headers: Object.keys(headers),
    settings: { ...settings, ...(ca === undefined ? {} : { ca: ca.length }) },
    waiting: backlog === undefined ? null : waitingOf(backlog, isMore),
  };
}

function goneState(backlog: TargetBacklog, isMore: boolean): TargetState {
  const { target: name } = backlog;
  const waiting = waitingOf(backlog, isMore);
  return { name, known: false, origin: '', secrets: [], headers: [], settings: {}, waiting };
}

function waitingOf({ waiting, since, dueAt, reason }: TargetBacklog, more: boolean): TargetState['waiting'] {
  const [from, to] = [since, dueAt].map((at) => new Date(at).toISOString());
  return { count: waiting, more, since: from ?? '', dueAt: to ?? '', reason };
}

export { NodeTargets };
