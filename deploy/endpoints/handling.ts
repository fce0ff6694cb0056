/**
 * What the actors `webhook` and `replay` are told of endpoints: where the messages of each go. It follows the endpoints of the node while it works.
 *
 * Modes: waiting (the actors have not started: what is told is kept) -> following. Where no actors run, it waits for ever.
 */
import type { ReplaySettings } from '../../actors/replay/index.js';
import type { Handling } from '../../actors/webhook/route-settings.js';
import type { WebhookSettings } from '../../actors/webhook/settings.js';
import { PROVIDERS } from '../../gateway/providers/index.js';
import type { ActorSystem } from '../../runtime/actor-system.js';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { within } from '../../runtime/within.js';
import type { Endpoint } from '../endpoint.js';

interface HandlingOptions {
  readonly system: Pick<ActorSystem, 'changeSettings'>;
  /** All but the endpoints. */
  readonly webhook: Omit<WebhookSettings, 'endpoints'>;
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
  #endpoints: readonly Endpoint[];

  constructor(endpoints: readonly Endpoint[], options: HandlingOptions) {
    this.#endpoints = endpoints;
    this.#options = options;
  }

  /** The actors have started, maybe with the routes of other endpoints. */
  async start(): Promise<void> {
    this.#mode = 'following';
    await this.#change();
  }

  /** Resolves when the actors have these, or in two seconds. Never rejects: what it refuses is logged, and what it had holds. */
  async follow(endpoints: readonly Endpoint[]): Promise<void> {
    this.#endpoints = endpoints;
    if (this.#mode === 'following') await this.#change();
  }

  async #change(): Promise<void> {
    const { webhook, replay } = this.#options;
    await Promise.all([this.#tell('webhook', webhook), this.#tell('replay', replay)]);
  }

  async #tell(actor: string, settings: object): Promise<void> {
    const { system, clock, logger } = this.#options;
    const change = system
      .changeSettings(actor, handlingSettings(settings, this.#endpoints))
      .catch((error: unknown) => {
        logger.error({ err: error, actor }, 'the routes of endpoints could not be changed');
      });
    if ((await within(clock, CHANGE_MS_MAX, change)) === 'late') {
      logger.warn({ actor }, 'some threads have not taken the routes of endpoints yet');
    }
  }
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

export { EndpointHandling, handlingOf, handlingSettings };
