/**
 * Decides, from the attempts of all connections together, when a sender says what is wrong and when it gives up as a
 * whole: trouble lasts from the first attempt that failed after the latest acknowledgement. A single 503 is none of
 * anybody's concern; a node that is not there is, and a retry for each of many deliveries would hide it for hours.
 */

/** Shorter trouble is what retries are for. */
const TELL_MS = 3000;

interface Attempted {
  readonly outcome: string;
  readonly acknowledged: boolean;
  /** Of a monotonic clock. */
  readonly startedMs: number;
  readonly endedMs: number;
}

interface Verdict {
  /** True once for each outcome. */
  readonly tell: boolean;
  readonly giveUp: boolean;
}

const NO_TROUBLE: Verdict = Object.freeze({ tell: false, giveUp: false });

class Trouble {
  readonly #giveUpMs: number;
  readonly #told = new Set<string>();
  #acknowledgedMs = Number.NEGATIVE_INFINITY;
  #sinceMs: number | undefined;

  constructor(giveUpMs: number) {
    this.#giveUpMs = giveUpMs;
  }

  after({ outcome, acknowledged, startedMs, endedMs }: Attempted): Verdict {
    if (acknowledged) {
      this.#acknowledgedMs = endedMs;
      this.#sinceMs = undefined;
      return NO_TROUBLE;
    }
    this.#sinceMs ??= Math.max(startedMs, this.#acknowledgedMs);
    const lastsMs = endedMs - this.#sinceMs;
    const tell = lastsMs >= TELL_MS && !this.#told.has(outcome);
    if (tell) this.#told.add(outcome);
    return { tell, giveUp: lastsMs >= this.#giveUpMs };
  }
}

/** What `outcome` (of `emp-client.ts`) says about the node at `host`, as a sentence without its end. */
function troubleText(outcome: string, host: string): string {
  if (outcome === 'echo') return `${host} answers 200 without the echo of the notification`;
  if (outcome === '404') return `${host} answers 404: it has no such endpoint, or another token`;
  if (/^\d{3}$/.test(outcome)) return `${host} answers ${outcome}`;
  switch (outcome) {
    case 'ECONNREFUSED':
      return `${host} refuses connections`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${host} breaks connections off`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name of ${host} cannot be resolved`;
    case 'timeout':
      return `${host} does not answer in time`;
    default:
      return `${host} cannot be reached (${outcome})`;
  }
}

export { type Attempted, Trouble, troubleText };
