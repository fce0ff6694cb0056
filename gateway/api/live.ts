/**
 * `GET /api/live`: the status of a node as server-sent events, once a second: `event: status` with the JSON of `GET /api/status` as data.
 *
 * The status is made once for all who listen. Who does not take the last one is sent no other until he has: what he gets is never older than
 * it must be, and nothing piles up for him.
 */
import { z } from 'zod';
import type { Answer } from '../answer.js';
import type { Intake } from '../intake.js';
import { problem } from '../problem.js';
import type { ResponseStream } from '../response-stream.js';
import { type ApiRoute, apiRoute, STREAMED } from './route.js';
import type { Status } from './status-schema.js';

interface LiveParts {
  status(): Status;
  readonly intake: Pick<Intake, 'isTaking' | 'onDrain'>;
}

/** Of one node: consoles and terminals of one team. */
const LISTENERS_MAX = 64;
const EVERY_MS = 1_000;
/** For the client's next try. */
const RETRY_LINE = 'retry: 1000\n\n';

const HEAD: Omit<Answer, 'body'> = {
  status: '200 OK',
  contentType: 'text/event-stream',
  headers: [
    ['Cache-Control', 'no-store'],
    ['X-Accel-Buffering', 'no'],
  ],
};
const TOO_MANY = problem('too-many-streams', 'as many clients listen as this node takes; try again later');

class Live {
  readonly #parts: LiveParts;
  readonly #streams = new Set<ResponseStream>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    parts.intake.onDrain(() => {
      for (const stream of this.#streams) stream.end();
      this.#tidy();
    });
  }

  get hasRoom(): boolean {
    this.#tidy();
    return this.#streams.size < LISTENERS_MAX && this.#parts.intake.isTaking;
  }

  add(stream: ResponseStream): void {
    this.#streams.add(stream);
    stream.write(Buffer.from(RETRY_LINE + this.#event()));
    this.#timer ??= setInterval(() => this.#tell(), EVERY_MS);
  }

  #tell(): void {
    this.#tidy();
    if (this.#streams.size === 0) return;
    const event = Buffer.from(this.#event());
    for (const stream of this.#streams) if (!stream.isFull) stream.write(event);
  }

  #event(): string {
    return `event: status\ndata: ${JSON.stringify(this.#parts.status())}\n\n`;
  }

  #tidy(): void {
    for (const stream of this.#streams) if (!stream.isOpen) this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function liveRoute(parts: LiveParts): ApiRoute {
  const live = new Live(parts);
  return apiRoute({
    method: 'get',
    path: '/api/live',
    id: 'followStatus',
    tag: 'Node',
    summary: 'The status once a second, as server-sent events `status`',
    scope: 'read',
    contentType: 'text/event-stream',
    answer: z.string(),
    problems: ['too-many-streams'],
    work({ exchange }) {
      if (!live.hasRoom) return TOO_MANY;
      const stream = exchange.stream(HEAD);
      if (stream !== undefined) live.add(stream);
      return STREAMED;
    },
  });
}

export { liveRoute };
