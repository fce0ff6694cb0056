/**
 * One webhook request, from its head to its answer.
 *
 * ```
 * reading --body complete and genuine--> appending --log has it, or refuses it--> answered
 *    |  `------body refused, handshake-------|------------------------------------^
 *    |                                       |
 *    `-----client left--> aborted <----------'
 * ```
 * - The success answer is sent from `appended` and from nowhere else (P1); a handshake, which is no message, is answered at once.
 * - A client that leaves while the append is under way does not stop it: it cannot know whether its message was kept. The
 *   append then settles in mode `aborted`, and `res` is not touched.
 * - The request is its own `AppendWaiter`, and its body is handed on without a copy when it comes in one piece of usual length: no promise
 *   and no buffer per request. A request of several messages (`Accepted.more`) has one that waits for all of them.
 */

import type { HttpResponse } from 'uWebSockets.js';
import { strict as assert } from 'node:assert';
import { encodeEnvelope } from '../runtime/envelope.js';
import { type LogClosedError, LogFullError, type LogUnavailableError } from '../runtime/errors.js';
import type { MessageIdSource } from '../runtime/message-id.js';
import type { AppendWaiter } from '../runtime/message-log.js';
import { partitionIn } from '../runtime/partition.js';
import { type Answer, send } from './answer.js';
import { AppendAll } from './append-all.js';
import { BodyBuffer } from './body.js';
import type { CompiledEndpoint } from './endpoints.js';
import type { Intake } from './intake.js';
import { BODY_BYTES_MAX, type LargeBodies } from './large-bodies.js';
import { LingeringAnswer } from './linger.js';
import type { GatewayMetrics } from './metrics.js';
import { problem } from './problem.js';
import type { Handshake, Message, Refused } from './providers/provider.js';
import type { RequestSpan, RequestTracing } from './request-tracing.js';

/** As bytes, like the media type: uWebSockets.js would convert a string at each answer. */
const CONTENT_TYPE = Buffer.from('Content-Type');
const NO_BODY = new Uint8Array(0);

const NO_ROOM = problem('unavailable', 'too many long bodies are on their way; try again later');
const LOG_FULL = problem('log-full', 'the log is full until messages have been handled; try again later');
const LOG_CLOSED = problem('log-closed', 'the log takes no messages; try again later');

/** What all requests of a gateway share. */
export interface RequestContext {
  readonly intake: Intake;
  readonly largeBodies: LargeBodies;
  readonly ids: MessageIdSource;
  readonly metrics: GatewayMetrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** While a provider is registered in this thread. */
  tracing: RequestTracing | undefined;
}

type Mode = 'reading' | 'appending' | 'answered' | 'aborted';

export class WebhookRequest implements AppendWaiter {
  readonly #context: RequestContext;
  readonly #endpoint: CompiledEndpoint;
  readonly #res: HttpResponse;
  readonly #headers: readonly string[];
  readonly #traceparent: string;
  readonly #span: RequestSpan | undefined;
  readonly #startedMs: number;
  #mode: Mode = 'reading';
  #body: BodyBuffer | undefined;
  /** Bytes that its body has of the room for large ones. */
  #roomBytes = 0;
  /** The success answer, kept while the append is under way. */
  #success: Uint8Array | undefined;
  #lingering: LingeringAnswer | undefined;

  /** Takes the request over: body, abort and answer. `headers`: those that the provider wants. `traceparent`: checked, or empty. */
  constructor(
    context: RequestContext,
    endpoint: CompiledEndpoint,
    res: HttpResponse,
    headers: readonly string[],
    traceparent: string,
    span: RequestSpan | undefined,
  ) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#res = res;
    this.#headers = headers;
    this.#traceparent = traceparent;
    this.#span = span;
    this.#startedMs = context.metrics.clockMs();
    context.intake.begin();
    res.onAborted(() => this.#aborted());
    res.onData((chunk, isLast) => this.#data(chunk, isLast));
  }

  /** The message is on the log. */
  appended(): void {
    const { intake, metrics } = this.#context;
    if (this.#mode === 'aborted') {
      this.#endpoint.counts.keptUnanswered++;
    } else {
      this.#enter('answered');
      this.#endpoint.counts.acknowledged++;
      this.#sendSuccess(this.#success ?? NO_BODY);
      this.#span?.answered('200');
      metrics.observeAcknowledge(metrics.clockMs() - this.#startedMs, this.#traceparent);
    }
    intake.settle();
  }

  appendFailed(error: LogFullError | LogUnavailableError | LogClosedError): void {
    const { counts } = this.#endpoint;
    if (this.#mode === 'aborted') {
      counts.lostUnanswered++;
      this.#context.intake.settle();
    } else if (error instanceof LogFullError) {
      counts.logFull++;
      this.#refuse(LOG_FULL);
    } else {
      counts.logClosed++;
      this.#refuse(LOG_CLOSED);
    }
  }

  #data(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#lingering !== undefined) {
      this.#lingering.data(chunk.byteLength, isLast);
    } else if (this.#mode === 'reading') {
      if (isLast && this.#body === undefined && chunk.byteLength <= this.#endpoint.pieceBytesMax) {
        this.#complete(Buffer.from(chunk));
      } else {
        this.#piece(chunk, isLast);
      }
    }
  }

  #piece(chunk: ArrayBuffer, isLast: boolean): void {
    const { bodyBytesMax, tooLarge, counts } = this.#endpoint;
    this.#body ??= new BodyBuffer(bodyBytesMax);
    if (!this.#body.add(chunk)) {
      counts.tooLarge++;
      this.#refuseBody(tooLarge, isLast);
    } else if (!this.#hasRoom(this.#body.capacity)) {
      counts.noRoom++;
      this.#refuseBody(NO_ROOM, isLast);
    } else if (isLast) {
      this.#complete(this.#body.bytes());
    }
  }

  /** Counts what it holds, once that is more than usual. */
  #hasRoom(capacity: number): boolean {
    if (capacity <= BODY_BYTES_MAX || capacity <= this.#roomBytes) return true;
    if (!this.#context.largeBodies.enter(capacity - this.#roomBytes)) return false;
    this.#roomBytes = capacity;
    return true;
  }

  #dropBody(): void {
    this.#body = undefined;
    if (this.#roomBytes === 0) return;
    this.#context.largeBodies.leave(this.#roomBytes);
    this.#roomBytes = 0;
  }

  #refuseBody(answer: Answer, isLast: boolean): void {
    this.#dropBody();
    if (isLast) {
      this.#refuse(answer);
      return;
    }
    this.#enter('answered');
    this.#span?.answered(answer.status);
    this.#lingering = new LingeringAnswer(this.#res, answer);
    this.#context.intake.settle();
  }

  #complete(body: Buffer): void {
    const endpoint = this.#endpoint;
    const receivedAt = this.#context.now();
    const verdict = endpoint.provider.recognise(body, this.#headers, receivedAt);
    // On the log goes a copy; until then, which is in this turn, `body` is what holds the bytes.
    this.#dropBody();
    if (verdict.outcome !== 'accepted') {
      this.#answerVerdict(verdict);
      return;
    }
    const { more } = verdict;
    const waiter = more === undefined ? this : new AppendAll(1 + more.length, this);
    this.#success = verdict.answer;
    this.#enter('appending');
    this.#append(verdict, verdict.payload ?? body, receivedAt, waiter);
    if (more === undefined) return;
    for (const message of more) this.#append(message, message.payload ?? body, receivedAt, waiter);
  }

  #append({ key, dedupe }: Message, payload: Uint8Array, receivedAt: number, waiter: AppendWaiter): void {
    const { actor, group, partitions } = this.#endpoint;
    const envelope = encodeEnvelope({
      id: this.#context.ids.next(receivedAt),
      actor,
      key,
      dedupe,
      receivedAt,
      traceparent: this.#traceparent,
      payload,
    });
    const partition = partitions[partitionIn(group, key, partitions.length)];
    if (partition === undefined) assert.fail('an endpoint has partitions');
    partition.append(envelope, waiter);
  }

  #answerVerdict(verdict: Handshake | Refused): void {
    const { counts } = this.#endpoint;
    switch (verdict.outcome) {
      case 'handshake':
        counts.handshake++;
        this.#answerHandshake(verdict.answer);
        return;
      case 'malformed':
        counts.malformed++;
        this.#refuse(problem('malformed-notification', verdict.reason));
        return;
      case 'forged':
        counts.wrongSignature++;
        this.#refuse(problem('wrong-signature', verdict.reason));
        return;
      case 'expired':
        counts.expired++;
        this.#refuse(problem('expired-signature', verdict.reason));
        return;
    }
  }

  #answerHandshake(answer: Uint8Array): void {
    const { intake } = this.#context;
    this.#enter('answered');
    this.#span?.answered('200');
    this.#sendSuccess(answer);
    intake.settle();
  }

  #sendSuccess(answer: Uint8Array): void {
    const res = this.#res;
    res.cork(() => {
      res.writeHeader(CONTENT_TYPE, this.#endpoint.provider.answerMediaType);
      res.end(answer, this.#context.intake.mode !== 'open');
    });
  }

  #refuse(answer: Answer): void {
    const { intake } = this.#context;
    this.#enter('answered');
    this.#span?.answered(answer.status);
    send(this.#res, answer, { close: intake.mode !== 'open' });
    intake.settle();
  }

  #aborted(): void {
    if (this.#lingering !== undefined) {
      this.#lingering.aborted();
      return;
    }
    const wasReading = this.#mode === 'reading';
    this.#enter('aborted');
    this.#span?.aborted();
    this.#dropBody();
    if (!wasReading) return;
    this.#endpoint.counts.aborted++;
    this.#context.intake.settle();
  }

  #enter(mode: Mode): void {
    // Comparisons, not a table of transitions and not `assert`: they cost 0.2 us for each request here.
    const from = this.#mode;
    if (
      from === 'answered' ||
      from === 'aborted' ||
      mode === 'reading' ||
      (mode === 'appending' && from !== 'reading')
    ) {
      assert.fail(`a webhook request cannot go from ${from} to ${mode}`);
    }
    this.#mode = mode;
  }
}
