/** The gateway: what the composition root needs of it. */
export { type AuditLog, auditRoutes } from './api/audit.js';
export { deadLetterRoutes } from './api/dead-letters.js';
export { deadLetterBulkRoutes } from './api/dead-letters-bulk.js';
export {
  type EndpointControl,
  type EndpointState,
  type EndpointsFileState,
  endpointRoutes,
} from './api/endpoints.js';
export { eventRoutes } from './api/events.js';
export { type LogLevelState, type LogLevels, logLevelRoutes, type RunningLevel } from './api/log-level.js';
export { type PoolControl, type PoolSettingsChange, type PoolState, poolRoutes } from './api/pools.js';
export { replayRoutes } from './api/replays.js';
export type { ApiRoute } from './api/route.js';
export type { ActorView, ConfigKeyView, NodeView, PartitionView } from './api/status.js';
export type { Finding, History, Percentiles, PoolStatus, Status } from './api/status-schema.js';
export { type TargetList, type TargetState, type TargetView, targetRoutes } from './api/targets.js';
export { tokenRoutes } from './api/tokens.js';
export { uploadListRoutes } from './api/uploads.js';
export { TokenAuthenticator } from './auth/authenticator.js';
export { checkEndpoint, type Endpoint } from './endpoints.js';
export {
  EndpointConfiguredError,
  EndpointRefusedError,
  GatewayOptionError,
  ListenError,
  PortBusyError,
} from './errors.js';
export type { Readiness } from './health.js';
export { BODY_BYTES_MAX, ENDPOINT_BODY_BYTES_MAX } from './large-bodies.js';
export { EndpointCounts, GatewayMetrics, type GatewayMetricsOptions } from './metrics.js';
export { reasonNotToListen } from './port-probe.js';
export { type Gateway, type GatewayOptions, startGateway } from './server.js';
export type { IntakePool } from './uploads/intake/intake.js';
export { startIntake } from './uploads/intake/pool.js';
export type { UploadParts } from './uploads/parts.js';
export { UploadSweeper } from './uploads/sweeper.js';
