/** Light or dark: the system's, or the reader's choice, kept in this browser. */
import { Store } from './store.js';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'tether.theme';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export const theme = new Store<Theme>(kept());

export function setTheme(next: Theme): void {
  localStorage.setItem(KEY, next);
  apply(next);
  theme.set(next);
}

export function nextTheme(): void {
  setTheme(THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length] ?? 'system');
}

export function apply(value = theme.get()): void {
  if (value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}

function kept(): Theme {
  const value = localStorage.getItem(KEY);
  return THEMES.find((each) => each === value) ?? 'system';
}
