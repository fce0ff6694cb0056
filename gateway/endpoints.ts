/**
 * Webhook endpoints: as they are configured, and as the hot path wants them, with everything that can be made
 * beforehand already made.
 *
 * A table never changes. Other endpoints are another table, put in its place as a whole (`LiveEndpoints`): a request has the endpoint that it
 * began with until its end, and what is counted of an endpoint goes on under its name.
 */
import type { LogPartition } from '../runtime/message-log.js';
import type { Group } from '../runtime/partition.js';
import type { Answer } from './answer.js';
import { NetworkList } from './client-address.js';
import { GatewayOptionError } from './errors.js';
import { BODY_BYTES_MAX, ENDPOINT_BODY_BYTES_MAX } from './large-bodies.js';
import type { EndpointCounts, GatewayMetrics } from './metrics.js';
import { problem } from './problem.js';
import type { ProviderKind } from './providers/kind.js';
import type { Provider } from './providers/provider.js';
import { PROVIDERS } from './providers/registry.js';
import { sameSecret } from './secret.js';

export interface Endpoint {
  /** The first part of the path and of every key: letters, digits, `-`, `_`, `.`. */
  readonly name: string;
  /** A name of `PROVIDERS`. */
  readonly provider: string;
  /** The second part of the path; as long as a secret should be. Letters, digits, `-`, `_`, `.`, `~`. */
  readonly token: string;
  /** What signatures are made with; several during a rotation. Of the provider `none`: none. */
  readonly secrets: readonly string[];
  /** The type of the actor that handles its messages. Only of EMP is that the one which is given them: see `WEBHOOK_ACTOR`. */
  readonly actor?: string;
  /** CIDR notation. When given, requests from elsewhere are refused. */
  readonly networks?: readonly string[];
  /** Of the provider. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** `none`: the messages of a key need not wait for one another. Default `key`; EMP knows no other. */
  readonly order?: 'key' | 'none';
  /** The longest body that is taken. Default `BODY_BYTES_MAX`, at most `ENDPOINT_BODY_BYTES_MAX`. */
  readonly bodyBytesMax?: number;
}

export interface CompiledEndpoint {
  readonly name: string;
  readonly actor: string;
  readonly provider: Provider;
  /** `provider.headers` as bytes: uWebSockets.js would convert a string at each request. */
  readonly headers: readonly Buffer[];
  readonly partitions: readonly LogPartition[];
  /** How the actor groups its keys; undefined when it does not. */
  readonly group: Group | undefined;
  readonly networks: NetworkList | undefined;
  readonly bodyBytesMax: number;
  /** The longest body that is handed on without a copy when it comes in one piece. */
  readonly pieceBytesMax: number;
  /** The answer to a body that is longer than it may be. */
  readonly tooLarge: Answer;
  readonly counts: EndpointCounts;
}

/** The actor that is given the messages of every provider but EMP, with what the gateway read of them; it hands them on. */
const WEBHOOK_ACTOR = 'webhook';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const TOKEN = /^[A-Za-z0-9._~-]{1,512}$/;
/** Compared with when there is no such endpoint, so that the answer takes as long. It is no token: it has a space. */
const NO_TOKEN = 'no endpoint';

export interface EndpointParts {
  /** The partitions of an actor type, at least one. */
  partitions(actor: string): readonly LogPartition[];
  /** How an actor type groups its keys, if it does. */
  group(actor: string): Group | undefined;
  readonly metrics: GatewayMetrics;
}

class EndpointTable {
  /** Whether an endpoint that is not in it is none. False: there are others that this node does not know yet. */
  readonly complete: boolean;
  readonly #endpoints = new Map<string, { readonly token: string; readonly endpoint: CompiledEndpoint }>();

  /** @throws GatewayOptionError */
  constructor(endpoints: readonly Endpoint[], complete: boolean, parts: EndpointParts) {
    this.complete = complete;
    for (const endpoint of endpoints) {
      const { name, token } = endpoint;
      if (this.#endpoints.has(name)) throw new GatewayOptionError(`endpoint ${name} is defined twice`);
      const { actor, provider, networks, bodyBytesMax } = checkEndpoint(endpoint);
      const compiled: CompiledEndpoint = {
        name,
        actor,
        provider,
        headers: provider.headers.map((header) => Buffer.from(header)),
        partitions: parts.partitions(actor),
        group: parts.group(actor),
        networks,
        bodyBytesMax,
        pieceBytesMax: Math.min(bodyBytesMax, BODY_BYTES_MAX),
        tooLarge: problem('content-too-large', `a body has at most ${bodyBytesMax} bytes`),
        counts: parts.metrics.endpoint(name),
      };
      if (compiled.partitions.length === 0) {
        throw new GatewayOptionError(`endpoint ${name}: actor ${actor} has no partitions`);
      }
      this.#endpoints.set(name, { token, endpoint: compiled });
    }
  }

  /** The endpoint, if there is one of that name and the token is its own. */
  find(name: string, token: string): CompiledEndpoint | undefined {
    const entry = this.#endpoints.get(name);
    return sameSecret(token, entry === undefined ? NO_TOKEN : entry.token) ? entry?.endpoint : undefined;
  }
}

/** The endpoints that are served. */
export class LiveEndpoints {
  readonly #parts: EndpointParts;
  #table: EndpointTable;

  /** @throws GatewayOptionError */
  constructor(endpoints: readonly Endpoint[], complete: boolean, parts: EndpointParts) {
    this.#parts = parts;
    this.#table = new EndpointTable(endpoints, complete, parts);
  }

  get complete(): boolean {
    return this.#table.complete;
  }

  find(name: string, token: string): CompiledEndpoint | undefined {
    return this.#table.find(name, token);
  }

  /** From now on these, or, when one of them is wrong, those that were. @throws GatewayOptionError */
  replace(endpoints: readonly Endpoint[], complete: boolean): void {
    this.#table = new EndpointTable(endpoints, complete, this.#parts);
    this.#parts.metrics.keepEndpoints(endpoints.map(({ name }) => name));
  }
}

/** What of an endpoint can be made without the rest of a gateway; so that a wrong one is found before it is served. @throws GatewayOptionError */
export function checkEndpoint(
  endpoint: Endpoint,
): Pick<CompiledEndpoint, 'actor' | 'provider' | 'networks' | 'bodyBytesMax'> {
  const kind = check(endpoint);
  const { name, secrets, networks, options = {}, order = 'key', bodyBytesMax = BODY_BYTES_MAX } = endpoint;
  const actor = kind.envelope === 'webhook' ? WEBHOOK_ACTOR : endpoint.actor;
  if (actor === undefined) throw new GatewayOptionError(`endpoint ${name}: an actor, for ${kind.name}`);
  return {
    actor,
    provider: kind.create({ endpoint: name, secrets, options, order }),
    networks: networks === undefined ? undefined : new NetworkList(networks, `endpoint ${name}: networks`),
    bodyBytesMax,
  };
}

function check({ name, provider, token, order, bodyBytesMax = BODY_BYTES_MAX }: Endpoint): ProviderKind {
  if (!NAME.test(name)) {
    throw new GatewayOptionError(`endpoint ${JSON.stringify(name)}: a name is of the form ${NAME.source}`);
  }
  const kind = PROVIDERS.get(provider);
  if (kind === undefined) {
    throw new GatewayOptionError(
      `endpoint ${name}: there is no provider ${JSON.stringify(provider)}; there are ${[...PROVIDERS.keys()].join(', ')}`,
    );
  }
  if (!TOKEN.test(token)) {
    throw new GatewayOptionError(`endpoint ${name}: the token is not of the form ${TOKEN.source}`);
  }
  if (!Number.isInteger(bodyBytesMax) || bodyBytesMax < 1 || bodyBytesMax > ENDPOINT_BODY_BYTES_MAX) {
    throw new GatewayOptionError(
      `endpoint ${name}: bodyBytesMax: is a whole number from 1 to ${ENDPOINT_BODY_BYTES_MAX}`,
    );
  }
  if (order === 'none' && kind.envelope === 'body') {
    throw new GatewayOptionError(`endpoint ${name}: order: ${kind.name} knows key only`);
  }
  return kind;
}
