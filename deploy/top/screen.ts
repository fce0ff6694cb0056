/**
 * The terminal while `tether top` has it: the alternate screen, so that what stood there before comes back as it was.
 *
 *   closed -> open <-> suspended
 *   open, suspended -> closed
 *
 * A frame is written over the last one, in one write, and only the lines that differ: nothing is erased, so nothing flickers.
 */
import { stripVTControlCharacters } from 'node:util';

type ScreenMode = 'closed' | 'open' | 'suspended';

/** What is needed of a terminal. */
interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

/** Alternate screen, no cursor, no wrapping of what is too long. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
/** A terminal that knows it shows what stands between at once; others ignore it. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';

class Screen {
  readonly #terminal: Terminal;
  #mode: ScreenMode = 'closed';
  #lines: readonly string[] = [];
  #frame = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  open(): void {
    this.#setMode('open', ['closed', 'suspended']);
    this.#terminal.write(ENTER);
    this.redraw();
  }

  suspend(): void {
    this.#setMode('suspended', ['open']);
    this.#terminal.write(LEAVE);
  }

  /** May be called in any mode: whoever ends in a hurry need not know. */
  close(): void {
    if (this.#mode === 'open') this.#terminal.write(LEAVE);
    this.#mode = 'closed';
  }

  draw(frame: string): void {
    this.#frame = frame;
    if (this.#mode !== 'open') return;
    const { columns, rows } = this.#terminal;
    const lines = frame.split('\n').slice(0, rows);
    let text = '';
    for (let row = 0; row < rows; row++) {
      const line = lines[row] ?? '';
      // Spaces instead of erasing: what was longer before is written over.
      const width = stripVTControlCharacters(line).length;
      if (line !== this.#lines[row])
        text += `\u001b[${row + 1};1H${line}${' '.repeat(Math.max(0, columns - width))}`;
    }
    this.#lines = lines;
    if (text !== '') this.#terminal.write(BEGIN + text + END);
  }

  /** All of the last frame: the size has changed, or somebody else has written here. */
  redraw(): void {
    this.#lines = [];
    if (this.#mode === 'open') this.#terminal.write('\u001b[2J');
    this.draw(this.#frame);
  }

  get mode(): ScreenMode {
    return this.#mode;
  }

  #setMode(mode: ScreenMode, from: readonly ScreenMode[]): void {
    if (!from.includes(this.#mode))
      throw new TypeError(`the screen is ${this.#mode}, it cannot become ${mode}`);
    this.#mode = mode;
  }
}

export { Screen, type Terminal };
