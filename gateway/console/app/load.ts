/** What a page asks the node for, again every so often while it is looked at, and what a change comes to. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, get, type Query } from './api.js';
import { say } from './notices.js';
import { noteReadOnly, session } from './session.js';
import { useStore } from './store.js';

interface Loaded<T> {
  /** The last answer; it stays when a later question fails. */
  readonly value: T | undefined;
  readonly error: string | undefined;
  readonly isLoading: boolean;
  again(): void;
}

/** `path` undefined: nothing to ask yet. `everyMs`: ask again so often while the page is visible. */
export function useLoad<T>(path: string | undefined, query: Query = {}, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: string }>({ key: '' });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify([path, query]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks again.
  useEffect(() => {
    const [of, asked] = JSON.parse(key) as [string | null, Query];
    if (of === null) return;
    const stop = new AbortController();
    const ask = async () => {
      try {
        const value = await get<T>(of, asked, stop.signal);
        if (!stop.signal.aborted) setState({ key, value });
      } catch (error) {
        if (stop.signal.aborted) return;
        const message = error instanceof ApiError ? error.message : 'The answer cannot be read.';
        setState((before) => (before.key === key ? { ...before, error: message } : { key, error: message }));
      }
    };
    void ask();
    const timer =
      everyMs === undefined
        ? undefined
        : setInterval(() => document.visibilityState === 'visible' && void ask(), everyMs);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [key, everyMs, turn]);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  const current = state.key === key;
  return {
    value: current ? state.value : undefined,
    error: current ? state.error : undefined,
    isLoading: path !== undefined && !current,
    again,
  };
}

interface Action {
  readonly isBusy: boolean;
  /** Runs the change, says how it went, and calls `then` after a success. Does nothing while one runs. */
  run<T>(work: () => Promise<T>, done: string | ((result: T) => string), then?: (result: T) => void): void;
}

export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const busy = useRef(false);
  return {
    isBusy,
    run(work, done, then) {
      if (busy.current) return;
      busy.current = true;
      setBusy(true);
      work()
        .then(
          (result) => {
            say('good', typeof done === 'string' ? done : done(result));
            then?.(result);
          },
          (error: unknown) => {
            if (error instanceof ApiError && error.problem === 'scope-missing') noteReadOnly();
            say(
              'bad',
              error instanceof ApiError ? error.message : 'It failed in this page; see the browser.',
            );
          },
        )
        .finally(() => {
          busy.current = false;
          setBusy(false);
        });
    },
  };
}

/** Whether the token may change things. */
export function useMayChange(): boolean {
  const now = useStore(session);
  return now.mode === 'signed-in' && now.mayChange;
}
