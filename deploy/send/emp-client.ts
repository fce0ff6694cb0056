/**
 * Delivers one EMP notification as the gateway would: again and again until it is echoed, within a deadline.
 *
 * Retried, with exponential backoff and jitter, and never earlier than Retry-After says: connection errors, time-outs, 429 and 5xx.
 * The last attempt is made at the deadline itself. Everything else is final: a 200 without the right echo too, since it is
 * not an acknowledgement.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { EmpNotification } from './emp-traffic.js';
import type { Attempted } from './trouble.js';

interface DeliverOptions {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  /** From the first attempt until no further one is begun. */
  readonly deadlineMsMax: number;
  /** Of one attempt. */
  readonly attemptMsMax: number;
  /** Ends waiting; an attempt under way is finished. */
  readonly signal: AbortSignal;
  /** Called after each attempt. */
  readonly onAttempt: (attempted: Attempted) => void;
}

interface Delivery {
  readonly acknowledged: boolean;
  /** Of the last answer, or why there was none: `200`, `401`, `echo`, `ECONNREFUSED`, `timeout`. */
  readonly outcome: string;
  readonly attempts: number;
}

const DELAY_MS = 100;
const DELAY_MS_MAX = 5000;
const ANSWER_BYTES_MAX = 16 * 1024;

async function deliver(message: EmpNotification, options: DeliverOptions): Promise<Delivery> {
  const deadline = performance.now() + options.deadlineMsMax;
  for (let attempts = 1; ; attempts++) {
    const startedMs = performance.now();
    const { outcome, final, retryAfterMs } = await attempt(message, options);
    const endedMs = performance.now();
    const acknowledged = final && outcome === '200';
    options.onAttempt({ outcome, acknowledged, startedMs, endedMs });
    const leftMs = deadline - endedMs;
    if (final || leftMs <= 0 || retryAfterMs > leftMs) return { acknowledged, outcome, attempts };
    const backoff = Math.min(DELAY_MS * 2 ** (attempts - 1), DELAY_MS_MAX) * (0.5 + Math.random() / 2);
    const wait = Math.max(Math.min(backoff, leftMs), retryAfterMs);
    try {
      await sleep(wait, undefined, { signal: options.signal });
    } catch (error) {
      if (options.signal.aborted) return { acknowledged, outcome, attempts };
      throw error;
    }
  }
}

interface Attempt {
  readonly outcome: string;
  readonly final: boolean;
  readonly retryAfterMs: number;
}

async function attempt(message: EmpNotification, options: DeliverOptions): Promise<Attempt> {
  try {
    const { statusCode, headers, body } = await options.dispatcher.request({
      path: options.path,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: message.body,
      headersTimeout: options.attemptMsMax,
      bodyTimeout: options.attemptMsMax,
    });
    const text = await readAtMost(body, ANSWER_BYTES_MAX);
    const outcome = statusCode === 200 && !isEcho(text, message) ? 'echo' : String(statusCode);
    if (isRetried(outcome))
      return { outcome, final: false, retryAfterMs: retryAfterOf(headers['retry-after']) };
    return { outcome, final: true, retryAfterMs: 0 };
  } catch (error) {
    return { outcome: failureOf(error), final: false, retryAfterMs: 0 };
  }
}

/** Whether a delivery that came to `outcome` is tried again. */
function isRetried(outcome: string): boolean {
  return outcome === '429' || !/^(?:[1-4]\d\d|echo)$/.test(outcome);
}

async function readAtMost(body: Dispatcher.ResponseData['body'], bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop destroys the body and with it the connection.
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Milliseconds; 0 when the header is absent or no number of seconds. At most a minute: the deadline rules anyway. */
function retryAfterOf(header: string | string[] | undefined): number {
  const text = Array.isArray(header) ? header[0] : header;
  return text !== undefined && /^\d{1,9}$/.test(text) ? Math.min(Number(text), 60) * 1000 : 0;
}

function failureOf(error: unknown): string {
  const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (typeof code !== 'string') return 'error';
  return /^UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT$/.test(code) ? 'timeout' : code;
}

const ECHO_FORM =
  /^\s*(?:<\?xml[^>]*\?>)?\s*<notification_echo>\s*<([a-z_]+)>([^<]*)<\/\1>\s*<\/notification_echo>\s*$/;

/** Whether `xml` is the echo that makes the gateway stop repeating `message`. */
function isEcho(xml: string, message: Pick<EmpNotification, 'echo'>): boolean {
  const match = ECHO_FORM.exec(xml);
  return (
    match !== null && match[1] === message.echo.element && unescapeXml(match[2] ?? '') === message.echo.id
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});/g, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name] ?? whole;
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

export { type DeliverOptions, type Delivery, deliver, isEcho, isRetried };
