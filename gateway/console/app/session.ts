/**
 * Who looks. The token lives in this tab only (`sessionStorage`): closing the tab forgets it, and no other site is ever sent it, as a cookie would be.
 *
 * ```
 * signed-out --token given, the node knows it--> signed-in
 *     ^------sign out, or the node knows it no more----'
 * ```
 */
import { Store } from './store.js';

const KEY = 'tether.token';

type Session =
  /** `why`: to be told to the reader; empty when he has not been here. */
  | { readonly mode: 'signed-out'; readonly why: string }
  | {
      readonly mode: 'signed-in';
      readonly token: string;
      readonly client: string;
      readonly mayChange: boolean;
    };

export const session = new Store<Session>({ mode: 'signed-out', why: '' });

/** Of an earlier page in this tab. */
export function keptToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function signIn(token: string, client: string, mayChange: boolean): void {
  sessionStorage.setItem(KEY, token);
  session.set({ mode: 'signed-in', token, client, mayChange });
}

export function signOut(why = ''): void {
  sessionStorage.removeItem(KEY);
  session.set({ mode: 'signed-out', why });
}

/** The node said 403: the token looks and does not change. */
export function noteReadOnly(): void {
  const now = session.get();
  if (now.mode === 'signed-in' && now.mayChange) session.set({ ...now, mayChange: false });
}
