/**
 * The endpoints of a node: those of its configuration, which follow the file, and those that operators made over the API, which are saved in
 * Postgres and followed by every node. And the targets that their routes forward to, which stand in the file alone.
 *
 * Promises:
 * - what holds is served as a whole; a change that cannot be served changes nothing
 * - a change over the API is saved before it holds; without Postgres nothing is changed, and whoever asked is told
 * - every node looks every two seconds for what is new; while Postgres is away, what held holds on
 * - until what is saved was read once, an unknown endpoint is not said to be none (`Gateway.serve`)
 * - a name of the configuration is the configuration's: what is saved under it is not served, and can be taken away
 * - a saved endpoint that this node cannot serve (a reference to nowhere, an actor or a target that is not here) is told of and left out; the
 *   rest holds
 * - one thing at a time: what was read before a change is not applied after it
 *
 * Modes: new -> watching (the file) -> following (what is saved as well) -> stopped.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FilledTarget } from '../../actors/forward/target-settings.js';
import {
  EndpointConfiguredError,
  type EndpointControl,
  EndpointRefusedError,
  type EndpointState,
  type EndpointsFileState,
} from '../../gateway/index.js';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { within } from '../../runtime/within.js';
import {
  type EndpointsTable,
  PostgresConflictError,
  PostgresUnavailableError,
  type SavedEndpoint,
} from '../../storage/postgres/index.js';
import type { Endpoint, ServedEndpoints } from '../endpoint.js';
import type { EndpointReader, ReadEntry } from './reader.js';
import { ENDPOINTS_MAX, nameSchema } from './schema.js';
import { configuredState, savedState } from './shown.js';
import { secretsOfTarget } from './target-entry.js';
import { WatchedFile } from './watched-file.js';

interface NodeEndpointsOptions {
  /** Undefined: there is no file, and the configuration has the one for trying out, or none. */
  readonly file: string | undefined;
  /** As the configuration had them at the start. */
  readonly configured: ServedEndpoints;
  readonly reader: Pick<EndpointReader, 'readFile' | 'readEntry'>;
  readonly table: Pick<EndpointsTable, keyof EndpointsTable>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Before they are served or saved: what no line of the log may show. */
  readonly onSecrets: (secrets: readonly string[]) => void;
  /**
   * Serves these from now on. @param complete whether every other endpoint is none
   * @throws GatewayOptionError (or rejects): then those before are served on
   */
  serve(served: ServedEndpoints, complete: boolean): Promise<void> | void;
}

/** One that is saved, as it is here. */
interface Known {
  readonly saved: SavedEndpoint;
  readonly endpoint: Endpoint | undefined;
  readonly problems: readonly string[];
  /** Whether its values may be others by now, though the row is the same. */
  readonly refers: boolean;
}

const POLL_MS = 2_000;
/** A poll that hangs holds up no drain. */
const STOP_MS_MAX = 5_000;
/** Others may change the same endpoint; more often than that in a row they do not. */
const TRIES_MAX = 5;

class NodeEndpoints implements EndpointControl {
  readonly #options: NodeEndpointsOptions;
  readonly #file: WatchedFile | undefined;
  #mode: 'new' | 'watching' | 'following' | 'stopped' = 'new';
  #configured: ReadonlyMap<string, Endpoint>;
  #targets: ReadonlyMap<string, FilledTarget>;
  #saved: ReadonlyMap<string, Known> = new Map();
  #stamp: string | undefined;
  /** Whether what is saved was read, once. */
  #isComplete = false;
  #isAway = false;
  #turn: Promise<unknown> = Promise.resolve();
  #cancelPoll = () => {};

  constructor(options: NodeEndpointsOptions) {
    this.#options = options;
    this.#configured = byName(options.configured.endpoints);
    this.#targets = byName(options.configured.targets);
    const { file } = options;
    if (file === undefined) return;
    this.#file = new WatchedFile({
      ...options,
      file,
      onRead: (read) => this.#inTurn(() => this.#configure(read)),
    });
  }

  /** Once what the configuration has is served. */
  watch(): void {
    this.#enter('watching', 'new');
    this.#file?.start();
  }

  /** Once the table is there. Resolves after the first look at it. */
  async follow(): Promise<void> {
    this.#enter('following', 'watching');
    await this.#inTurn(() => this.#look());
    this.#poll();
  }

  async stop(): Promise<void> {
    this.#mode = 'stopped';
    this.#cancelPoll();
    await this.#file?.stop();
    await within(this.#options.clock, STOP_MS_MAX, this.#turn);
  }

  /** Reads the file and what is saved now, and not at the next look. */
  async reload(): Promise<void> {
    await this.#file?.reload();
    if (this.#mode === 'following') await this.#inTurn(() => this.#look());
  }

  list(): readonly EndpointState[] {
    const source = this.#file === undefined ? 'default' : 'file';
    const states = [...this.#configured.values()].map((endpoint) => configuredState(endpoint, source));
    for (const known of this.#saved.values()) states.push(this.#stateOf(known));
    // Of two of one name the first is that of the configuration: the sort is stable.
    return states.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }

  /** By name. */
  targets(): readonly FilledTarget[] {
    return [...this.#targets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  file(): EndpointsFileState | undefined {
    if (this.#file === undefined) return undefined;
    const { path, readAt, problems } = this.#file;
    return { path, readAt: new Date(readAt).toISOString(), problems: [...problems] };
  }

  /** Of the file, since the start. */
  get reloads(): { readonly taken: number; readonly refused: number } {
    const { taken, refused } = this.#file ?? { taken: 0, refused: 0 };
    return { taken, refused };
  }

  put(
    name: string,
    given: Readonly<Record<string, unknown>>,
    by: string,
  ): Promise<{ readonly before: EndpointState | undefined; readonly after: EndpointState }> {
    return this.#inTurn(async () => {
      const { table } = this.#options;
      this.#assertFollowing();
      if (this.#configured.has(name)) throw configured(name);
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const seen = await table.get(name);
        const settings = { ...secretsOf(seen), ...given };
        const known = await this.#checked(name, settings, seen);
        const saved = await table.save(name, settings, by, seen?.version);
        if (saved === undefined) continue;
        const before = seen && this.#stateOf(this.#saved.get(name) ?? { ...known, saved: seen });
        const next = { ...known, saved };
        await this.#serve(this.#configured, new Map([...this.#saved, [name, next]]));
        return { before, after: this.#stateOf(next) };
      }
      throw new PostgresConflictError(`endpoint ${name} is changed by others all the time`, '');
    });
  }

  remove(name: string): Promise<EndpointState | undefined> {
    return this.#inTurn(async () => {
      this.#assertFollowing();
      const saved = await this.#options.table.remove(name);
      if (saved === undefined) {
        if (this.#configured.has(name)) throw configured(name);
        return undefined;
      }
      const before = this.#stateOf(this.#saved.get(name) ?? (await this.#know(saved)));
      const left = new Map(this.#saved);
      left.delete(name);
      await this.#serve(this.#configured, left);
      return before;
    });
  }

  /** @throws EndpointRefusedError */
  async #checked(name: string, settings: SavedEndpoint['settings'], seen: SavedEndpoint | undefined) {
    const problems: string[] = [];
    for (const issue of nameSchema.safeParse(name).error?.issues ?? [])
      problems.push(`name: ${issue.message}`);
    if (seen === undefined && this.#saved.size >= ENDPOINTS_MAX) {
      problems.push(`there are ${ENDPOINTS_MAX} endpoints already`);
    }
    const read = await this.#options.reader.readEntry(name, settings, this.#targetNames);
    problems.push(...read.problems);
    const [endpoint] = read.endpoints;
    if (problems.length > 0 || endpoint === undefined) throw new EndpointRefusedError(problems);
    this.#options.onSecrets([endpoint.token, ...endpoint.secrets]);
    return { endpoint, problems, refers: refers(read) };
  }

  /** What stands in the file by now. @throws GatewayOptionError */
  async #configure({ endpoints, targets }: ServedEndpoints): Promise<void> {
    const next = byName(endpoints);
    const nextTargets = byName(targets);
    if (isDeepStrictEqual([next, nextTargets], [this.#configured, this.#targets])) return;
    this.#options.onSecrets(endpoints.flatMap(({ token, secrets }) => [token, ...secrets]));
    this.#options.onSecrets(targets.flatMap(secretsOfTarget));
    const names = (map: ReadonlyMap<string, unknown>, others: ReadonlyMap<string, unknown>) =>
      [...map.keys()].filter((name) => !others.has(name));
    const fields = {
      added: names(next, this.#configured),
      removed: names(this.#configured, next),
      endpoints: next.size,
      targets: nextTargets.size,
    };
    await this.#serve(next, this.#saved, nextTargets);
    this.#options.logger.info(fields, 'other endpoints of the file are served');
  }

  get #targetNames(): ReadonlySet<string> {
    return new Set(this.#targets.keys());
  }

  #poll(): void {
    if (this.#mode !== 'following') return;
    this.#cancelPoll = this.#options.clock.after(POLL_MS, () => {
      void this.#inTurn(() => this.#look()).finally(() => this.#poll());
    });
  }

  /** Is there anything new of what is saved? */
  async #look(): Promise<void> {
    const { table, logger } = this.#options;
    try {
      const stamp = await table.stamp();
      const rows =
        stamp === this.#stamp ? [...this.#saved.values()].map(({ saved }) => saved) : await table.list();
      if (this.#mode !== 'following') return;
      const next = new Map<string, Known>();
      for (const saved of rows) next.set(saved.name, await this.#knowAgain(saved));
      if (!this.#isComplete || !isDeepStrictEqual(next, this.#saved)) {
        this.#isComplete = true;
        await this.#serve(this.#configured, next);
      }
      this.#stamp = stamp;
      this.#isAway = false;
    } catch (error) {
      if (this.#isAway) return;
      this.#isAway = true;
      logger.warn({ err: error }, 'the saved endpoints cannot be read; what held holds on');
    }
  }

  async #knowAgain(saved: SavedEndpoint): Promise<Known> {
    const before = this.#saved.get(saved.name);
    const isSame = before?.saved.version === saved.version;
    if (before !== undefined && isSame && !before.refers && before.problems.length === 0) return before;
    const known = await this.#know(saved);
    const { name } = saved;
    if (known.problems.length > 0 && !(isSame && isDeepStrictEqual(known.problems, before?.problems))) {
      const { problems } = known;
      this.#options.logger.warn({ endpoint: name, problems }, 'a saved endpoint cannot be served here');
    } else if (!isSame) {
      this.#options.logger.info(
        { endpoint: name, by: saved.changedBy },
        'a saved endpoint is new or another',
      );
    }
    return known;
  }

  async #know(saved: SavedEndpoint): Promise<Known> {
    const { reader } = this.#options;
    const read = await reader.readEntry(saved.name, saved.settings, this.#targetNames);
    const { problems } = read;
    const [endpoint] = read.endpoints;
    if (endpoint !== undefined) this.#options.onSecrets([endpoint.token, ...endpoint.secrets]);
    return {
      saved,
      endpoint: problems.length === 0 ? endpoint : undefined,
      problems,
      refers: refers(read),
    };
  }

  async #serve(
    configured: ReadonlyMap<string, Endpoint>,
    saved: ReadonlyMap<string, Known>,
    targets: ReadonlyMap<string, FilledTarget> = this.#targets,
  ): Promise<void> {
    const others = [...saved.values()]
      .map(({ endpoint }) => endpoint)
      .filter((endpoint) => endpoint !== undefined)
      .filter(({ name }) => !configured.has(name));
    const served = { endpoints: [...configured.values(), ...others], targets: [...targets.values()] };
    await this.#options.serve(served, this.#isComplete);
    this.#targets = targets;
    this.#configured = configured;
    this.#saved = saved;
  }

  #stateOf({ saved, problems }: Known): EndpointState {
    const isShadowed = this.#configured.has(saved.name);
    return savedState(saved, isShadowed ? [...problems, SHADOWED] : problems);
  }

  /** After whatever is under way. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #enter(mode: 'watching' | 'following', from: 'new' | 'watching'): void {
    if (this.#mode !== from) throw new Error(`endpoints that are ${this.#mode} cannot be ${mode}`);
    this.#mode = mode;
  }

  /** @throws PostgresUnavailableError */
  #assertFollowing(): void {
    if (this.#mode !== 'following') {
      throw new PostgresUnavailableError('what endpoints are saved is not known yet');
    }
  }
}

const SHADOWED = 'the configuration of this node has an endpoint of this name, and that one is served';

function configured(name: string): EndpointConfiguredError {
  return new EndpointConfiguredError(`endpoint ${name} stands in the configuration of this node`);
}

function byName<One extends { readonly name: string }>(all: readonly One[]): ReadonlyMap<string, One> {
  return new Map(all.map((one) => [one.name, one]));
}

/** To files, or to targets, which may go while the row stays as it is. */
function refers({ files, endpoints }: ReadEntry): boolean {
  const routes = endpoints.flatMap((endpoint) => endpoint.routes ?? []);
  return files.length > 0 || routes.some(({ to }) => to.some((name) => name.startsWith('forward:')));
}

/** Of one that is there, for who leaves them out. */
function secretsOf(seen: SavedEndpoint | undefined): object {
  const { token, secrets } = seen?.settings ?? {};
  return { ...(token === undefined ? {} : { token }), ...(secrets === undefined ? {} : { secrets }) };
}

export { NodeEndpoints };
