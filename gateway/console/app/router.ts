/** The page in the address, after `#`: a reload and a link come back to it, and the node is not asked for it. */
import { useSyncExternalStore } from 'react';

interface Place {
  /** `pools`; empty: the first page. */
  readonly page: string;
  /** What is shown in it, or empty. */
  readonly detail: string;
}

export function usePlace(): Place {
  return placeOf(useSyncExternalStore(followHash, () => window.location.hash));
}

export function placeOf(hash: string): Place {
  const [page = '', detail = ''] = hash.replace(/^#\/?/, '').split('/');
  return { page, detail: decoded(detail) };
}

export function linkTo(page: string, detail = ''): string {
  return detail === '' ? `#/${page}` : `#/${page}/${encodeURIComponent(detail)}`;
}

export function go(page: string, detail = ''): void {
  window.location.hash = linkTo(page, detail);
}

function followHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
