/**
 * Reads server-sent events (the `text/event-stream` of the HTML standard) from text that comes in pieces, cut anywhere.
 *
 * What has no end yet is kept, up to a limit: a server that never ends its event costs no more memory than that.
 */
interface SseEvent {
  /** `message` when the server names none. */
  readonly event: string;
  readonly data: string;
}

class SseParser {
  readonly #charactersMax: number;
  /** A line without its end. */
  #rest = '';
  #event = '';
  #data: string[] = [];
  #dataLength = 0;

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax;
  }

  /** The events that end in `piece`. @throws RangeError when one event is over the limit; the parser is of no use after it */
  read(piece: string): readonly SseEvent[] {
    const text = this.#rest + piece;
    // A CR at the very end may be the first half of CR LF: it waits for the rest.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    const events: SseEvent[] = [];
    for (const line of lines) {
      const event = this.#take(line);
      if (event !== undefined) events.push(event);
    }
    if (this.#rest.length + this.#dataLength > this.#charactersMax) {
      throw new RangeError(`an event is longer than ${this.#charactersMax} characters`);
    }
    return events;
  }

  #take(line: string): SseEvent | undefined {
    if (line === '') return this.#end();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    if (field === 'data') {
      this.#data.push(value);
      this.#dataLength += value.length + 1;
    }
    // A comment, `id` and `retry` say nothing that is needed here.
    return undefined;
  }

  #end(): SseEvent | undefined {
    const event = { event: this.#event || 'message', data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    this.#dataLength = 0;
    return isEmpty ? undefined : event;
  }
}

export { type SseEvent, SseParser };
