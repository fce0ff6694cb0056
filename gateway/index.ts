/** The gateway: what the composition root needs of it. */
export { deadLetterRoutes } from './api/dead-letters.js';
export { deadLetterBulkRoutes } from './api/dead-letters-bulk.js';
export { eventRoutes } from './api/events.js';
export type { ApiRoute } from './api/route.js';
export { tokenRoutes } from './api/tokens.js';
export { uploadListRoutes } from './api/uploads.js';
export { TokenAuthenticator } from './auth/authenticator.js';
export type { Endpoint } from './endpoints.js';
export { GatewayOptionError, ListenError, PortBusyError } from './errors.js';
export type { Readiness } from './health.js';
export { EndpointCounts, GatewayMetrics, type GatewayMetricsOptions } from './metrics.js';
export { reasonNotToListen } from './port-probe.js';
export { type Gateway, type GatewayOptions, startGateway } from './server.js';
export type { IntakePool } from './uploads/intake/intake.js';
export { startIntake } from './uploads/intake/pool.js';
export type { UploadParts } from './uploads/parts.js';
export { UploadSweeper } from './uploads/sweeper.js';
export { BODY_BYTES_MAX } from './webhook-request.js';
