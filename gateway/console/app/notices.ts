/** What a change came to, told once: at most three at a time, the good ones for a few seconds. */
import { Store } from './store.js';

interface Notice {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

const SHOWN_MAX = 3;
const GOOD_MS = 8_000;
let nextId = 1;

export const notices = new Store<readonly Notice[]>([]);

export function say(tone: Notice['tone'], text: string): void {
  const notice = { id: nextId++, tone, text };
  notices.set([...notices.get().slice(1 - SHOWN_MAX), notice]);
  if (tone === 'good') setTimeout(() => dismiss(notice.id), GOOD_MS);
}

export function dismiss(id: number): void {
  notices.set(notices.get().filter((notice) => notice.id !== id));
}
