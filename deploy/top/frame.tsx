/**
 * Frames of text out of ink's components. Ink draws each frame onto a stream of ours, of the size that we say, and the screen decides what of it
 * goes to the terminal: ink itself erases all lines before it draws, which flickers, and draws nothing where it takes itself to be in a pipeline.
 */
import { Writable } from 'node:stream';
import { render } from 'ink';
import type { ReactElement } from 'react';
import { type Glyphs, UNICODE } from './format.js';

interface FrameLook {
  readonly columns: number;
  readonly rows: number;
  readonly glyphs: Glyphs;
}

interface FrameStream {
  readonly stream: NodeJS.WriteStream;
  resize(columns: number, rows: number): void;
}

/** `onFrame` gets each frame as a whole. */
function createFrameStream(
  { columns, rows, glyphs }: FrameLook,
  onFrame: (frame: string) => void,
): FrameStream {
  const stream = Object.assign(
    new Writable({
      decodeStrings: false,
      write(frame: string, _encoding, done) {
        // Ink knows one mark for what it cuts off.
        onFrame(frame.replaceAll(UNICODE.cut, glyphs.cut));
        done();
      },
    }),
    { columns, rows },
  );
  return {
    // All that ink asks of a terminal's stream is its size and a place to write to.
    stream: stream as unknown as NodeJS.WriteStream,
    resize(columns, rows) {
      Object.assign(stream, { columns, rows });
    },
  };
}

/** One frame, without a terminal. */
function renderFrame(element: ReactElement, look: FrameLook): string {
  let frame = '';
  const { stream } = createFrameStream(look, (drawn) => {
    frame = drawn;
  });
  const { unmount } = render(element, {
    stdout: stream,
    debug: true,
    patchConsole: false,
    exitOnCtrlC: false,
  });
  const first = frame;
  unmount();
  return first;
}

export { createFrameStream, renderFrame };
