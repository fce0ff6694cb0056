/** Tether's runtime: what a user's own actors and log drivers are written against. */
export {
  type ActorContext,
  type ActorDefinition,
  type ActorType,
  defineActor,
  type Reminders,
  type SnapshotPolicy,
  type ThreadContext,
  type Timers,
} from './actor.js';
export type { ActorStats, PoolMode, PoolPolicy } from './actor-pool.js';
export type { ActorRef, AskOptions, DurableOptions, TellOptions } from './actor-ref.js';
export { ActorSystem, type SystemMode, type SystemStats } from './actor-system.js';
export { type AutoscalePolicy, DEFAULT_AUTOSCALE } from './autoscale.js';
export { type Clock, systemClock } from './clock.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterFilter,
  DeadLetterSink,
  DeadLetterStore,
  StoredDeadLetter,
} from './dead-letter.js';
export { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.js';
export {
  ActivationStoppedError,
  ActorModuleError,
  AskCycleError,
  AskFailedError,
  AskTimeoutError,
  BodyError,
  EnvelopeError,
  LogClosedError,
  LogFullError,
  MailboxFullError,
  MoveCancelledError,
  MoveTimeoutError,
  OutageError,
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
export { type Logger, type LogLevel, silentLogger, stderrLogger } from './logger.js';
export type { LossLimit } from './loss-window.js';
export type { AnswerOf, Asks, Message, MessageOf, Question, RawMessage, ReplyOf } from './message.js';
export { MessageIdSource } from './message-id.js';
export type { AppendWaiter, Frame, LogPartition, LogState, MessageLog } from './message-log.js';
export { partitionOf } from './partition.js';
export type { PoolLimits, PoolSize } from './pool-size.js';
export {
  assertReminder,
  REMINDER_BODY_BYTES_MAX,
  REMINDER_DUE_AT_MAX,
  REMINDER_EVERY_MS_MIN,
  REMINDER_NAME_CHARS_MAX,
  type Reminder,
  type ReminderName,
  type ReminderStore,
} from './reminder.js';
export { type ReminderMessage, reminderMessage } from './reminder-id.js';
export {
  type AppendReminder,
  ReminderService,
  type ReminderServiceMode,
  type ReminderServiceOptions,
} from './reminder-service.js';
export type { ResizeLimits } from './resizer.js';
export { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
export { assertSnapshot, type Snapshot, type SnapshotPosition, type SnapshotStore } from './snapshot.js';
export { loadSnapshotStore, type SnapshotStoreFactory, type StoreModule } from './store-module.js';
export type { Directive, Supervision } from './supervision.js';
export type { ActorRegistration, ActorSystemOptions } from './system-options.js';
