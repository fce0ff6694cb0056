/**
 * Where a webhook goes: the routes of all endpoints, compiled once, and asked for each message.
 *
 * A condition that has no answer is no match. It is counted by its route and told once in a while: many are written for one type of message and
 * meet another, and a log with a line for each would help nobody.
 */
import { celMap } from '@bufbuild/cel';
import type { Logger } from '../../runtime/logger.js';
import { type Bindings, type Condition, Conditions, Meter, Unclear } from './condition.js';
import { WebhookEndpointError } from './errors.js';
import { readJson } from './json-value.js';
import type { WebhookMessage } from './message.js';
import type { FilledHandling } from './route-settings.js';

interface Route {
  /** For people: `stripe, routes[2]`. */
  readonly name: string;
  readonly condition: Condition | undefined;
  readonly to: readonly string[];
  readonly isLast: boolean;
}

interface Endpoint {
  readonly routes: readonly Route[];
  readonly actor: string | undefined;
  readonly delayMs: number;
}

/** Between two lines about the same route. */
const TELL_MS = 60_000;

export class Routes {
  readonly #meter = new Meter();
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #unclear = new Map<string, { count: number; reason: string; message: string; toldAt: number }>();

  /** @throws RouteError */
  constructor(endpoints: Readonly<Record<string, FilledHandling>>) {
    const conditions = new Conditions(this.#meter);
    this.#endpoints = new Map(
      Object.entries(endpoints).map(([name, { routes, actor, delaySeconds }]) => [
        name,
        {
          routes: routes.map(({ when, to, continue: goesOn }, index) => ({
            name: `${name}, routes[${index}]`,
            condition: when === undefined ? undefined : conditions.compile(when),
            to,
            isLast: !goesOn,
          })),
          actor,
          delayMs: delaySeconds * 1_000,
        },
      ]),
    );
  }

  knows(endpoint: string): boolean {
    return this.#endpoints.has(endpoint);
  }

  /** Those that it knows. */
  get names(): Iterable<string> {
    return this.#endpoints.keys();
  }

  /** @throws WebhookEndpointError */
  delayMsOf(endpoint: string): number {
    return this.#of(endpoint).delayMs;
  }

  /**
   * The destinations, each once, in the order of the routes; none: it is kept only.
   * @param key without the endpoint
   * @throws WebhookEndpointError
   */
  destinationsOf(webhook: WebhookMessage, key: string, messageId: string): readonly string[] {
    const { routes, actor } = this.#of(webhook.endpoint);
    const found = new Set<string>();
    let isTaken = false;
    this.#meter.fill();
    const asked = new Asked(webhook, key);
    for (const { name, condition, to, isLast } of routes) {
      const answer = condition === undefined || condition.ask(asked);
      if (answer instanceof Unclear) this.#count(name, answer, messageId);
      if (answer !== true) continue;
      isTaken = true;
      for (const destination of to) found.add(destination);
      if (isLast) break;
    }
    if (!isTaken && actor !== undefined) found.add(actor);
    return [...found];
  }

  /** Says which conditions had no answer since they were last told. */
  tell(logger: Logger, nowMs: number): void {
    for (const [route, unclear] of this.#unclear) {
      const { count, reason, message, toldAt } = unclear;
      if (count === 0 || nowMs - toldAt < TELL_MS) continue;
      logger.warn(
        { route, count, reason, message },
        'the condition of a route had no answer: taken for no match',
      );
      this.#unclear.set(route, { ...unclear, count: 0, toldAt: nowMs });
    }
  }

  #of(name: string): Endpoint {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) throw new WebhookEndpointError(`this node has no endpoint ${name}`);
    return endpoint;
  }

  /** As many entries as there are routes. */
  #count(route: string, { reason }: Unclear, message: string): void {
    const before = this.#unclear.get(route);
    this.#unclear.set(route, {
      count: (before?.count ?? 0) + 1,
      reason,
      message,
      toldAt: before?.toldAt ?? Number.NEGATIVE_INFINITY,
    });
  }
}

/** A message as conditions see it. Its body is read once, when the first of them asks about it. */
class Asked implements Bindings {
  readonly endpoint: string;
  readonly provider: string;
  readonly type: string;
  readonly id: string;
  readonly key: string;
  readonly contentType: string;
  readonly #webhook: WebhookMessage;
  #body: { readonly value: Bindings['body'] } | undefined;

  constructor(webhook: WebhookMessage, key: string) {
    this.endpoint = webhook.endpoint;
    this.provider = webhook.provider;
    this.type = webhook.type;
    this.id = webhook.id;
    this.key = key;
    this.contentType = webhook.contentType;
    this.#webhook = webhook;
  }

  get headers(): Bindings['headers'] {
    return celMap(new Map(Object.entries(this.#webhook.headers)));
  }

  get body(): Bindings['body'] {
    this.#body ??= { value: readJson(this.#webhook.body) };
    return this.#body.value;
  }
}
