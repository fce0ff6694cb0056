/**
 * What the node does, followed once a second.
 *
 * ```
 * connecting --first status--> live --stream ends, or is silent for SILENCE_MS--> lost --first status--> live
 *      `---------no answer-----------------------------------------------------------^
 * ```
 * What was seen last stays while the connection is lost, with the time since when: old figures are shown as old. The wait before the next try
 * doubles up to RETRY_MS_MAX. A token that is not valid any more ends it (`session.ts`).
 */
import type { History, Status } from '../../api/status-schema.js';
import { ApiError, get, open } from './api.js';
import { appended, EMPTY } from './history.js';
import { serverEvents } from './sse.js';
import { Store } from './store.js';

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 15_000;
/** A status comes each second. */
const SILENCE_MS = 5_000;

export interface Live {
  readonly mode: 'connecting' | 'live' | 'lost';
  readonly status: Status | null;
  readonly history: History;
  /** Since when it is lost. */
  readonly since: number;
  readonly why: string;
}

const START: Live = { mode: 'connecting', status: null, history: EMPTY, since: 0, why: '' };

export const live = new Store<Live>(START);

/** Follows until the returned function is called. */
export function follow(): () => void {
  const stop = new AbortController();
  live.set(START);
  void run(stop.signal);
  return () => stop.abort();
}

async function run(stopped: AbortSignal): Promise<void> {
  let retryMs = RETRY_MS_MIN;
  while (!stopped.aborted) {
    let why = 'The node ended the stream.';
    try {
      await readHistory(stopped);
      await listen(stopped, () => {
        retryMs = RETRY_MS_MIN;
      });
    } catch (error) {
      if (stopped.aborted || (error instanceof ApiError && error.status === 401)) return;
      why = error instanceof ApiError ? error.message : 'Nothing was heard from the node.';
    }
    if (stopped.aborted) return;
    enterLost(why);
    await pause(retryMs, stopped);
    retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
  }
}

async function readHistory(stopped: AbortSignal): Promise<void> {
  const history = await get<History>('/api/history', {}, stopped);
  live.set({ ...live.get(), history });
}

async function listen(stopped: AbortSignal, heard: () => void): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await open('/api/live', { signal: AbortSignal.any([stopped, silence.signal]) });
    if (response.body === null) return;
    for await (const { event, data } of serverEvents(response.body)) {
      if (stopped.aborted) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      if (event !== 'status') continue;
      heard();
      const status = JSON.parse(data) as Status;
      live.set({ mode: 'live', status, history: appended(live.get().history, status), since: 0, why: '' });
    }
  } finally {
    clearTimeout(timer);
  }
}

function enterLost(why: string): void {
  const now = live.get();
  live.set({ ...now, mode: 'lost', why, since: now.mode === 'lost' ? now.since : Date.now() });
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stopped.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
