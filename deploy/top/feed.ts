/**
 * Follows `GET /api/live` of a node: each status as it comes, each loss of the connection with its reason, until told to stop.
 *
 * It tries again for ever, with a pause that grows to five seconds. A stream that is silent for ten seconds is lost: a node speaks once a
 * second.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { type Status, statusSchema } from '../../gateway/api/status-schema.js';
import { type NodeAddress, problemOf, reasonOf } from '../commands/node-client.js';
import { SseParser } from './sse.js';

interface FeedOptions extends NodeAddress {
  readonly signal: AbortSignal;
  onStatus(status: Status): void;
  /** After each failed attempt. */
  onLost(reason: string): void;
  /** The longest pause between two attempts. */
  readonly pauseMsMax?: number;
  readonly silenceMsMax?: number;
}

const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 5_000;
const SILENCE_MS_MAX = 10_000;
/** A status of a hundred pools with a hundred threads each is well below. */
const EVENT_CHARACTERS_MAX = 4 * 1024 * 1024;
/** Of an answer that says no. */
const PROBLEM_BYTES_MAX = 16 * 1024;

/** Resolves when `signal` aborts. */
async function followStatus(options: FeedOptions): Promise<void> {
  const { signal, pauseMsMax = PAUSE_MS_MAX } = options;
  let pauseMs = PAUSE_MS_MIN;
  while (!signal.aborted) {
    const onStatus = (status: Status) => {
      pauseMs = PAUSE_MS_MIN;
      options.onStatus(status);
    };
    const reason = await followOnce({ ...options, onStatus });
    if (signal.aborted) return;
    options.onLost(reason);
    await pause(Math.min(pauseMs, pauseMsMax), undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, pauseMsMax);
  }
}

/** Why it ended. */
async function followOnce(options: FeedOptions): Promise<string> {
  const { url, token, signal, onStatus, silenceMsMax = SILENCE_MS_MAX } = options;
  try {
    const { statusCode, body } = await request(`${url}/api/live`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      headersTimeout: silenceMsMax,
      bodyTimeout: silenceMsMax,
      signal,
    });
    if (statusCode !== 200) return `${statusCode} ${await problemText(body)}`.trim();
    const parser = new SseParser(EVENT_CHARACTERS_MAX);
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      for (const { event, data } of parser.read(decoder.decode(chunk, { stream: true }))) {
        if (event === 'status') onStatus(statusOf(data));
      }
    }
    return 'the node ended the stream';
  } catch (error) {
    return reasonOf(error);
  }
}

/** @throws Error in words for a person */
function statusOf(data: string): Status {
  const parsed = statusSchema.safeParse(jsonOf(data));
  if (!parsed.success) throw new Error('it answers, but not as a Tether node of this version would');
  return parsed.data;
}

async function problemText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > PROBLEM_BYTES_MAX) break;
    chunks.push(chunk);
  }
  return problemOf(jsonOf(Buffer.concat(chunks).toString()));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is none of what was asked for: the caller says so.
    return undefined;
  }
}

export { followStatus };
