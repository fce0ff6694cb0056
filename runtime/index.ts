/** Tether's runtime: what a user's own actors and log drivers are written against. */
export {
  type ActorContext,
  type ActorDefinition,
  defineActor,
  type ThreadContext,
} from './actor.js';
export type { ActorRef, AskOptions, DurableOptions, TellOptions } from './actor-ref.js';
export {
  type ActorRegistration,
  type ActorStats,
  ActorSystem,
  type ActorSystemOptions,
  type SystemMode,
  type SystemStats,
} from './actor-system.js';
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
  ActorModuleError,
  EnvelopeError,
  LogClosedError,
  LogFullError,
  OutageError,
  ReceiveTimeoutError,
  TetherError,
  ThreadCrashError,
  UnknownActorError,
} from './errors.js';
export { type Logger, silentLogger } from './logger.js';
export type { AnswerOf, Asks, Message, MessageOf, Question, RawMessage, ReplyOf } from './message.js';
export { MessageIdSource } from './message-id.js';
export type { AppendWaiter, Frame, LogPartition, LogState, MessageLog } from './message-log.js';
export { partitionOf } from './partition.js';
export { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
