/**
 * A part of a spreadsheet as XML, in small steps, so that neither one chunk nor one element can make much memory of little.
 *
 * Names come without their prefix. A document type is refused, and with it every entity but XML's five.
 */
import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { TetherError } from '../../../../runtime/errors.js';
import { FileError } from '../errors.js';

export interface XmlHandler {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  close(name: string): void;
  /** Of one element in pieces, when others stand in it. */
  text(text: string): void;
}

/** What is handed to the parser at once; between two steps a caller takes what came of it. */
const STEP_LENGTH = 4 * 1024;
const DEPTH_MAX = 64;
/** From one tag to the next: more than the longest cell, each character of it an entity. */
const BETWEEN_TAGS_MAX = 1024 * 1024;

/** Yields after each step. @throws FileError `malformed-xml`, and what `chunks` throws */
export async function* xmlSteps(
  chunks: AsyncIterable<Uint8Array>,
  handler: XmlHandler,
): AsyncGenerator<void> {
  let decoder: TextDecoder | undefined;
  const feed = new Feed(handler);
  for await (const chunk of chunks) {
    decoder ??= decoderOf(chunk);
    const text = decode(decoder, chunk);
    for (let at = 0; at < text.length; at += STEP_LENGTH) {
      feed.write(text.slice(at, at + STEP_LENGTH));
      yield;
    }
  }
  feed.write(decode(decoder ?? new TextDecoder(), undefined));
  feed.end();
  yield;
}

export async function readXml(chunks: AsyncIterable<Uint8Array>, handler: XmlHandler): Promise<void> {
  const steps = xmlSteps(chunks, handler);
  while (!(await steps.next()).done);
}

class Feed {
  readonly #parser = new SaxesParser({ position: false, xmlns: false as const });
  #depth = 0;
  #sinceTag = 0;

  constructor(handler: XmlHandler) {
    this.#parser.on('doctype', () => {
      throw malformed('it has a document type');
    });
    this.#parser.on('opentag', ({ name, attributes }) => {
      this.#sinceTag = 0;
      if (++this.#depth > DEPTH_MAX) throw malformed('elements are nested too deeply');
      handler.open(localName(name), attributes);
    });
    this.#parser.on('closetag', ({ name }) => {
      this.#sinceTag = 0;
      this.#depth--;
      handler.close(localName(name));
    });
    this.#parser.on('text', (text) => handler.text(text));
    this.#parser.on('cdata', (text) => handler.text(text));
  }

  write(text: string): void {
    this.#sinceTag += text.length;
    if (this.#sinceTag > BETWEEN_TAGS_MAX + STEP_LENGTH) throw malformed('an element is too long');
    this.#run(() => this.#parser.write(text));
  }

  end(): void {
    this.#run(() => this.#parser.close());
  }

  #run(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw error instanceof TetherError ? error : malformed('it is not well-formed', error);
    }
  }
}

/** The standard allows UTF-8 and UTF-16, whatever the declaration says. */
function decoderOf(first: Uint8Array): TextDecoder {
  const [a, b] = first;
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le', { fatal: true });
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be', { fatal: true });
  return new TextDecoder('utf-8', { fatal: true });
}

function decode(decoder: TextDecoder, chunk: Uint8Array | undefined): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw malformed('its characters are not UTF-8 or UTF-16', error);
  }
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}

export function malformed(why: string, cause?: unknown): FileError {
  return new FileError('malformed-xml', `a part of the spreadsheet cannot be read: ${why}`, { cause });
}
