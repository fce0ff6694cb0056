/**
 * Server-sent events out of a byte stream, as the HTML standard reads them, but for `id` and `retry`, which are not used here. `EventSource` would do
 * it, and cannot send a token.
 */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** One event of a status has some ten kilobytes; what never ends is not from Tether. */
const EVENT_LENGTH_MAX = 4_000_000;

/** @throws RangeError when an event is too long */
export async function* serverEvents(bytes: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let event = '';
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      if (rest.length > EVENT_LENGTH_MAX) throw new RangeError('an event is too long');
      // A CR at the very end may be the first half of a line's end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n') };
          event = '';
          data = [];
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon === -1 ? line : line.slice(0, colon);
        const text = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'event') event = text;
        else if (field === 'data') data.push(text);
      }
    }
  } finally {
    // Whoever stops reading leaves; a stream that has failed says so again here, and it has been told.
    reader.cancel().catch(() => {});
  }
}
