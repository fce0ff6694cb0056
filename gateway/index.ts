/** The gateway: what the composition root needs of it. */
export type { Endpoint } from './endpoints.js';
export { GatewayOptionError, ListenError, PortBusyError } from './errors.js';
export type { Readiness } from './health.js';
export { EndpointCounts, GatewayMetrics, type GatewayMetricsOptions } from './metrics.js';
export type { OperationsOptions } from './operations.js';
export { reasonNotToListen } from './port-probe.js';
export { type Gateway, type GatewayOptions, startGateway } from './server.js';
export { BODY_BYTES_MAX } from './webhook-request.js';
