/** Conditional requests (RFC 9110, section 13) by entity tags. */

/** Whether If-None-Match lets a GET go on: none of its tags is `etag`, by the weak comparison. */
export function isNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return true;
  if (header.trim() === '*') return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return !header.split(',').some((tag) => opaque(tag) === opaque(etag));
}

/** Whether If-Range lets a range be answered: the client has a part of just this, by the strong comparison. A date never is. */
export function isInRange(header: string | undefined, etag: string): boolean {
  return header === undefined || (header.trim() === etag && !etag.startsWith('W/'));
}
