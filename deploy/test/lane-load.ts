/**
 * Load whose every acknowledgement can be accounted for afterwards. Each lane sends one message at a time and repeats it
 * until it is acknowledged, so that the order of acknowledgement is the order of the numbers in its messages.
 *
 * A lane sends, in turn: a KYC notification of the lane's own reference id (several of one id are distinct by their body),
 * and the two notifications of a payment of its own, `pending_async` and then `approved`. Some are sent again at once.
 */
import { createHash } from 'node:crypto';
import { Pool } from 'undici';

export interface LaneLoadOptions {
  /** Each try goes to one of them. */
  readonly urls: readonly string[];
  readonly lanes: number;
  /** First deliveries, of all lanes together, at most; default without limit. */
  readonly ratePerSecond?: number;
  /** For an answer, milliseconds; default 10,000. */
  readonly answerMsMax?: number;
  /** Returns [0, 1). */
  readonly random: () => number;
}

export interface Acknowledged {
  /** Numbers of the KYC notifications, by reference id, in the order of acknowledgement. */
  readonly kyc: ReadonlyMap<string, readonly number[]>;
  /** Statuses acknowledged, by payment id. */
  readonly payments: ReadonlyMap<string, readonly string[]>;
  readonly total: number;
}

const PASSWORD = 'test-api-password-1';
const REPEATS = 0.1;
/** A lane's pause after a try in vain is random, from so much to five times as much: 24 lanes at a node that is away took half of a core with 10 ms. */
const PAUSE_MS_MIN = 25;

const sign = (id: string) => createHash('sha256').update(`${id}${PASSWORD}`).digest('hex');

export class LaneLoad {
  readonly #pools: readonly Pool[];
  readonly #paceMs: number;
  readonly #random: () => number;
  readonly #kyc = new Map<string, number[]>();
  readonly #payments = new Map<string, string[]>();
  readonly #lanes: Promise<void>[];
  #stopped = false;
  #total = 0;

  constructor({ urls, lanes, random, ratePerSecond, answerMsMax = 10_000 }: LaneLoadOptions) {
    this.#random = random;
    this.#paceMs = ratePerSecond === undefined ? 0 : (lanes / ratePerSecond) * 1_000;
    this.#pools = urls.map(
      (url) =>
        new Pool(url, {
          connections: lanes,
          pipelining: 1,
          headersTimeout: answerMsMax,
          bodyTimeout: answerMsMax,
        }),
    );
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#run(`lane-${lane}`));
  }

  get acknowledged(): Acknowledged {
    return { kyc: this.#kyc, payments: this.#payments, total: this.#total };
  }

  /** Ends the load; a message that was not acknowledged is given up. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  async #run(lane: string): Promise<void> {
    const numbers: number[] = [];
    this.#kyc.set(lane, numbers);
    for (let n = 0; !this.#stopped; n++) {
      if (
        await this.#send(
          { reference_id: lane, notification_type: 'kyc_service_execution', number: `${n}` },
          lane,
        )
      ) {
        numbers.push(n);
      }
      const id = createHash('md5').update(`${lane}/${n}`).digest('hex');
      const statuses: string[] = [];
      this.#payments.set(id, statuses);
      for (const status of ['pending_async', 'approved']) {
        const fields = {
          unique_id: id,
          transaction_type: 'sdd_sale',
          status,
          amount: '4999',
          currency: 'EUR',
        };
        if (await this.#send(fields, id)) statuses.push(status);
      }
    }
  }

  /** Sends until it is acknowledged: true. False when the load was stopped before. */
  async #send(fields: Record<string, string>, id: string): Promise<boolean> {
    const body = new URLSearchParams({ ...fields, signature: sign(id) }).toString();
    const due = performance.now() + this.#paceMs;
    while (!this.#stopped) {
      if (!(await this.#post(body, id))) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS_MIN * (1 + 4 * this.#random())));
        continue;
      }
      this.#total++;
      if (this.#random() < REPEATS) await this.#post(body, id);
      const leftMs = due - performance.now();
      if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
      return true;
    }
    return false;
  }

  /** Whether the answer is an echo. A refused or broken connection is not; any other answer than 503 is a defect. */
  async #post(body: string, id: string): Promise<boolean> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    let status: number;
    let text: string;
    try {
      const pool = this.#pools[Math.floor(this.#random() * this.#pools.length)] as Pool;
      const answer = await pool.request({ method: 'POST', path: '/webhooks/emp/dev', headers, body });
      status = answer.statusCode;
      text = await answer.body.text();
    } catch {
      return false;
    }
    if (status === 200 && text.includes(`>${id}</`)) return true;
    if (status !== 503) throw new Error(`an unexpected answer: ${status} ${text}`);
    return false;
  }
}
