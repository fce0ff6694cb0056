/**
 * The gateway as one thing that starts, drains and stops.
 *
 * ```
 * listening --leave()--> leaving --drain()--> draining --close()--> closed
 *     `--------------------drain()-----------------^                    ^
 *     `---------------------------close()-------------------------------'
 * ```
 * A graceful end is `leave` where a balancer looks, `drain`, then `close`. One that leaves serves as before, and its health says that it will
 * go; each answer ends its connection, so that a balancer keeps none to reuse. Draining stops listening, answers new requests on connections that are still open
 * with 503 and `Connection: close`, and waits for the appends under way. `close` ends every connection.
 */

import uWS from 'uWebSockets.js';
import type { Logger } from '../runtime/logger.js';
import { MessageIdSource } from '../runtime/message-id.js';
import type { LogPartition } from '../runtime/message-log.js';
import type { Group } from '../runtime/partition.js';
import { PROVIDER_LOOK_MS } from '../runtime/tracing.js';
import type { OperationsOptions } from './api/register.js';
import { TokenRefusals } from './auth/refusals.js';
import { ClientAddresses } from './client-address.js';
import { Connections } from './connections.js';
import { type Endpoint, LiveEndpoints } from './endpoints.js';
import { ListenError } from './errors.js';
import { Health, type Readiness } from './health.js';
import { Intake } from './intake.js';
import { LargeBodies } from './large-bodies.js';
import type { GatewayMetrics } from './metrics.js';
import { reasonNotToListen } from './port-probe.js';
import { findRequestTracing } from './request-tracing.js';
import { type RouteParts, registerRoutes } from './routes.js';
import type { UploadParts } from './uploads/parts.js';
import type { RequestContext } from './webhook-request.js';

export interface GatewayOptions {
  readonly host: string;
  /** 0: a free one, chosen by the kernel. */
  readonly port: number;
  readonly endpoints: readonly Endpoint[];
  /** Default true. False: until `serve` says otherwise, who sends to an unknown endpoint is told to try again. */
  readonly endpointsComplete?: boolean;
  /** The partitions of an actor type, at least one. Asked once per endpoint, when it is served. */
  partitions(actor: string): readonly LogPartition[];
  /** How an actor type groups its keys, if it does. Asked once per endpoint. */
  group?(actor: string): Group | undefined;
  /** Asked at each `/readyz` and `/health`: cheap, and from memory. */
  readiness(): Readiness;
  /** When absent, there is no `/api`. */
  readonly operations?: OperationsOptions;
  /** When absent, there is no `/uploads`. */
  readonly uploads?: UploadParts;
  /** CIDR notation: proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Believe PROXY v2 headers: the port can be reached through the balancer only. */
  readonly proxyProtocol: boolean;
  /** Open at once; beyond it they are closed. Default 16,384. */
  readonly connectionsMax?: number;
  /** PEM files: HTTPS and nothing else. The caller has looked at them: uWebSockets.js says of wrong ones no more than that it failed. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** One per gateway. */
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface Gateway {
  readonly port: number;
  /** Messages between the socket and the log: bodies being read, appends that have not settled. */
  readonly pending: number;
  /**
   * Serves these endpoints from now on: all, or, when one is wrong, those as before. A request ends with the endpoint that it began with.
   * @param complete whether every other endpoint is none; false: senders to one are told to try again
   * @throws GatewayOptionError
   */
  serve(endpoints: readonly Endpoint[], complete: boolean): void;
  /** Says to whoever asks for its health that it will go, and serves on. */
  leave(): void;
  /** Takes nothing new and waits until nothing is pending, for `deadlineMs` at most. Look at `pending` afterwards. */
  drain(deadlineMs: number): Promise<void>;
  /** Stops listening and ends every connection. Appends under way still settle. Idempotent. */
  close(): void;
}

const CONNECTIONS_MAX = 16_384;
/** Of TLS 1.2: those with forward secrecy and authenticated encryption; TLS 1.3 has no others. Older versions uWebSockets.js refuses by itself. */
const CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20';

/** What the package does and its types leave out: a host and options at once, and the option's value. */
interface ExclusiveApp {
  listen(
    host: string,
    port: number,
    options: number,
    callback: (socket: uWS.us_listen_socket | false) => void,
  ): void;
}
const { LIBUS_LISTEN_EXCLUSIVE_PORT } = uWS as unknown as { readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number };

/** @throws GatewayOptionError, PortBusyError, ListenError */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { host, metrics, logger } = options;
  const intake = new Intake();
  const largeBodies = new LargeBodies();
  const context: RequestContext = {
    intake,
    largeBodies,
    ids: new MessageIdSource(),
    metrics,
    now: () => options.now(),
    tracing: findRequestTracing(),
  };
  const refusals = new TokenRefusals({ logger, now: () => options.now() });
  const parts: RouteParts = {
    context,
    endpoints: new LiveEndpoints(options.endpoints, options.endpointsComplete ?? true, {
      partitions: (actor) => options.partitions(actor),
      group: (actor) => options.group?.(actor),
      metrics,
    }),
    addresses: new ClientAddresses(options),
    health: new Health(intake, () => options.readiness(), metrics, logger),
    operations: options.operations,
    uploads: options.uploads === undefined ? undefined : { ...options.uploads, requests: intake, refusals },
    refusals,
    logger,
  };
  const connections = new Connections(options.connectionsMax ?? CONNECTIONS_MAX);
  metrics.gauge('tether_gateway_connections', 'Connections that are open', () => connections.open);
  metrics.counter(
    'tether_gateway_connections_refused_total',
    'Connections that were closed at once, as too many were open',
    () => connections.refused,
  );
  metrics.counter(
    'tether_gateway_token_refused_total',
    'Requests to the API, or about uploads, without a valid token',
    () => refusals.count,
  );
  metrics.gauge('tether_gateway_pending', 'Messages between the socket and the log', () => intake.pending);
  metrics.gauge(
    'tether_gateway_large_body_bytes',
    'Memory of bodies on their way in that are longer than 64 KiB',
    () => largeBodies.bytes,
  );
  const app =
    options.tls === undefined
      ? uWS.App()
      : uWS.SSLApp({
          cert_file_name: options.tls.certFile,
          key_file_name: options.tls.keyFile,
          ssl_ciphers: CIPHERS,
        });
  connections.watch(app);
  registerRoutes(app, parts);
  const socket = await listen(app, host, options.port);
  const port = uWS.us_socket_local_port(socket as uWS.us_socket);
  logger.info({ host, port }, 'the gateway listens');
  const look = setInterval(() => {
    context.tracing = findRequestTracing(context.tracing);
  }, PROVIDER_LOOK_MS).unref();

  const stopListening = () => {
    if (intake.isTaking) uWS.us_listen_socket_close(socket);
  };
  return {
    port,
    get pending() {
      return intake.pending;
    },
    serve(endpoints, complete) {
      parts.endpoints.replace(endpoints, complete);
    },
    leave() {
      intake.leave();
    },
    async drain(deadlineMs) {
      stopListening();
      intake.drain();
      const idle = await intake.idle(deadlineMs);
      if (!idle) logger.warn({ pending: intake.pending, deadlineMs }, 'the gateway did not drain in time');
    },
    close() {
      if (intake.mode === 'closed') return;
      stopListening();
      clearInterval(look);
      intake.close();
      app.close();
      logger.info({ host, port, pending: intake.pending }, 'the gateway is closed');
    },
  };
}

/** Alone on its port: without the option a second process would share it, and take half of the requests. */
async function listen(app: uWS.TemplatedApp, host: string, port: number): Promise<uWS.us_listen_socket> {
  const socket = await new Promise<uWS.us_listen_socket | false>((resolve) => {
    (app as unknown as ExclusiveApp).listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, resolve);
  });
  if (socket !== false) return socket;
  app.close();
  throw (
    (await reasonNotToListen(host, port)) ?? new ListenError(host, port, 'the address was taken for a moment')
  );
}
