/** Tether's runtime: what a user's own actors and log drivers are written against. */
export {
  type ActorContext,
  type ActorDefinition,
  type ActorType,
  defineActor,
  type PartitionEpoch,
  type Reminders,
  type SnapshotPolicy,
  type ThreadContext,
  type Timers,
} from './actor.js';
export type { ActorRef, AskOptions, DurableOptions, TellOptions } from './actor-ref.js';
export { ActorSystem } from './actor-system.js';
export { type Clock, systemClock } from './clock.js';
export { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.js';
export {
  ActivationStoppedError,
  ActorModuleError,
  ActorSettingsError,
  AskCycleError,
  AskFailedError,
  AskTimeoutError,
  BodyError,
  EnvelopeError,
  EnvelopeVersionError,
  FencedError,
  LogClosedError,
  LogFullError,
  LogReadError,
  LogUnavailableError,
  MailboxFullError,
  MoveCancelledError,
  MoveTimeoutError,
  OutageError,
  PendingError,
  PoolDrainError,
  PoolRequestError,
  PoolResizeError,
  ReceiveTimeoutError,
  ReminderRefusedError,
  SnapshotVersionError,
  StoreModuleError,
  SystemModeError,
  TetherError,
  ThreadCrashError,
  ThreadLostError,
  UnknownActorError,
} from './errors.js';
export type { EventListener, EventStream } from './event-stream.js';
export type { ActorEvent, DropReason } from './events.js';
export type { Limits } from './limits.js';
export { SharedLogLevel } from './log-level.js';
export { type Logger, type LogLevel, silentLogger, stderrLogger } from './logger.js';
export type { DependencyStats } from './measure/dependency-calls.js';
export type { HistogramCounts } from './measure/histogram.js';
export type { PoolMeasures } from './measure/pool-meter.js';
export type { SystemMeasures } from './measure/system-meter.js';
export type { AnswerOf, Asks, Message, MessageOf, Question, RawMessage, ReplyOf } from './message.js';
export { MessageIdSource } from './message-id.js';
export type { AppendWaiter, Frame, LogPartition, LogState, MessageLog } from './message-log.js';
export { partitionOf } from './partition.js';
export type { ActorStats, PartitionStats, PoolMode, ThreadStats } from './pool/actor-stats.js';
export { type AutoscalePolicy, DEFAULT_AUTOSCALE } from './pool/autoscale.js';
export type { LossLimit } from './pool/loss-window.js';
export type { PoolPolicy } from './pool/options.js';
export type { PoolChange, PoolSettings } from './pool/pool-settings.js';
export type { PoolLimits, PoolSize } from './pool/pool-size.js';
export type { ResizeLimits } from './pool/resizer.js';
export type { ReplayManyResult } from './replay-many.js';
export { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
export type { Quota, ShareAnswer, ShareAsk, ShareStore } from './shares/share-store.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterEnd,
  DeadLetterFilter,
  DeadLetterMark,
  DeadLetterSelection,
  DeadLetterSink,
  DeadLetterState,
  DeadLetterStore,
  DeadLetterSummary,
  StoredDeadLetter,
} from './stores/dead-letter.js';
export {
  assertReminder,
  REMINDER_BODY_BYTES_MAX,
  REMINDER_DUE_AT_MAX,
  REMINDER_EVERY_MS_MIN,
  REMINDER_NAME_CHARS_MAX,
  type Reminder,
  type ReminderName,
  type ReminderStore,
} from './stores/reminder.js';
export { type ReminderMessage, reminderMessage } from './stores/reminder-id.js';
export {
  type AppendReminder,
  ReminderService,
  type ReminderServiceMode,
  type ReminderServiceOptions,
} from './stores/reminder-service.js';
export {
  assertSnapshot,
  type Snapshot,
  type SnapshotFence,
  type SnapshotPosition,
  type SnapshotStore,
} from './stores/snapshot.js';
export { loadSnapshotStore, type SnapshotStoreFactory, type StoreModule } from './stores/store-module.js';
export type { Directive, Supervision } from './supervision.js';
export type { ActorRegistration, ActorSystemOptions } from './system-options.js';
export type { SystemMode, SystemStats } from './system-stats.js';
