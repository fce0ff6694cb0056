/** Joins the view to what changes: the state of the program, the size of the terminal, and the keys. */
import { type Key as InkKey, useInput } from 'ink';
import { type ReactElement, useSyncExternalStore } from 'react';
import type { Key } from './keys.js';
import type { TopState } from './state.js';
import type { Theme } from './theme.js';
import { View } from './view.js';

/** Replaced as a whole with each change, so that React sees it. */
interface Shown {
  readonly state: TopState;
  readonly columns: number;
  readonly rows: number;
}

interface Store {
  subscribe(listener: () => void): () => void;
  get(): Shown;
}

interface AppProps {
  readonly store: Store;
  readonly theme: Theme;
  onKey(key: Key): void;
}

/** Keys that came at once, such as by a held key; more than that is a paste, and no keys. */
const KEYS_AT_ONCE_MAX = 32;

function App({ store, theme, onKey }: AppProps): ReactElement {
  const { state, columns, rows } = useSyncExternalStore(store.subscribe, store.get);
  useInput((input, key) => {
    for (const each of keysOf(input, key)) onKey(each);
  });
  return <View state={state} theme={theme} columns={columns} rows={rows} />;
}

function keysOf(input: string, key: InkKey): readonly Key[] {
  if (key.upArrow) return ['up'];
  if (key.downArrow) return ['down'];
  if (key.return) return ['enter'];
  if (key.escape) return ['escape'];
  if (key.ctrl) return input === 'c' ? ['interrupt'] : input === 'z' ? ['suspend'] : [];
  return input.length > KEYS_AT_ONCE_MAX ? [] : [...input];
}

export { App, type Shown };
