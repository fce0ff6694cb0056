/**
/**
 * What actors are told of endpoints and targets: `webhook` and `replay` where the messages of each endpoint go, `forward` where its targets are. They
 * follow those of the node while they work.
 *
 * Targets go first: a route never names one that `forward` has not been told of.
 *
 * Modes: waiting (the actors have not started: what is told is kept) -> following. Where no actors run, it waits for ever.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ForwardSettings } from '../../actors/forward/settings.js';
import type { ReplaySettings } from '../../actors/replay/index.js';
import type { Handling } from '../../actors/webhook/route-settings.js';
import type { WebhookSettings } from '../../actors/webhook/settings.js';
import { PROVIDERS } from '../../gateway/providers/index.js';
import type { ActorSystem } from '../../runtime/actor-system.js';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { within } from '../../runtime/within.js';
import type { Endpoint, ServedEndpoints } from '../endpoint.js';

interface HandlingOptions {
  readonly system: Pick<ActorSystem, 'changeSettings'>;
  /** All but the endpoints. */
  readonly webhook: Omit<WebhookSettings, 'endpoints'>;
  /** All but the targets. */
  readonly forward: Omit<ForwardSettings, 'targets'>;
  /** All but the endpoints. */
  readonly replay: Omit<ReplaySettings, 'endpoints'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A thread takes them after the batch that it has, which may wait for something: new endpoints are served all the same. */
const CHANGE_MS_MAX = 2_000;

class EndpointHandling {
  readonly #options: HandlingOptions;
  #mode: 'waiting' | 'following' = 'waiting';
  #served: ServedEndpoints;
  /** What each actor was told last; nothing, when it was refused. */
  readonly #told = new Map<string, object>();

  constructor(served: ServedEndpoints, options: HandlingOptions) {
    this.#served = served;
    this.#options = options;
  }

  /** The actors have started, maybe with other endpoints and targets. */
  async start(): Promise<void> {
    this.#mode = 'following';
    await this.#change();
  }

  /** Resolves when the actors have these, or in a few seconds. Never rejects: what one refuses is logged, and what it had holds. */
  async follow(served: ServedEndpoints): Promise<void> {
    this.#served = served;
    if (this.#mode === 'following') await this.#change();
  }

  async #change(): Promise<void> {
    const { webhook, forward, replay } = this.#options;
    const { endpoints, targets } = this.#served;
    await this.#tell('forward', forwardSettings(forward, targets), 'the targets');
    await Promise.all([
      this.#tell('webhook', handlingSettings(webhook, endpoints), 'the routes of endpoints'),
      this.#tell('replay', handlingSettings(replay, endpoints), 'the routes of endpoints'),
    ]);
  }

  async #tell(actor: string, settings: object, what: string): Promise<void> {
    const { system, clock, logger } = this.#options;
    if (isDeepStrictEqual(this.#told.get(actor), settings)) return;
    this.#told.set(actor, settings);
    const change = system.changeSettings(actor, settings).catch((error: unknown) => {
      if (this.#told.get(actor) === settings) this.#told.delete(actor);
      logger.error({ err: error, actor }, `${what} could not be changed`);
    });
    if ((await within(clock, CHANGE_MS_MAX, change)) === 'late') {
      logger.warn({ actor }, `some threads have not taken ${what} yet`);
    }
  }
}

function forwardSettings(
  settings: Omit<ForwardSettings, 'targets'>,
  targets: ServedEndpoints['targets'],
): ForwardSettings {
  return { ...settings, targets: [...targets] };
}

/** With the endpoints whose messages it is given; those of EMP go to their own actor. */
function handlingSettings<Settings extends object>(
  settings: Settings,
  endpoints: readonly Endpoint[],
): Settings & { readonly endpoints: Readonly<Record<string, Handling>> } {
  const routed = endpoints.filter(({ provider }) => PROVIDERS.get(provider)?.envelope === 'webhook');
  const handlings = routed.map((endpoint) => [endpoint.name, handlingOf(endpoint)] as const);
  return { ...settings, endpoints: Object.fromEntries(handlings) };
}

function handlingOf({ routes, actor, order, delaySeconds }: Endpoint): Handling {
  return {
    ...(routes === undefined ? {} : { routes: [...routes] }),
    ...(actor === undefined ? {} : { actor }),
    ...(order === undefined ? {} : { order }),
    ...(delaySeconds === undefined ? {} : { delaySeconds }),
  };
}

export { EndpointHandling, forwardSettings, handlingSettings };
