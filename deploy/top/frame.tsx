/**
 * Frames of text out of ink's components. Ink draws each frame onto a stream of ours, of the size that we say, and the screen decides what of it
 * goes to the terminal: ink itself erases all lines before it draws, which flickers, and draws nothing where it takes itself to be in a pipeline.
 */
import { Writable } from 'node:stream';
import { render } from 'ink';
import type { ReactElement } from 'react';

interface FrameStream {
  readonly stream: NodeJS.WriteStream;
  resize(columns: number, rows: number): void;
}

/** `onFrame` gets each frame as a whole. */
function createFrameStream(columns: number, rows: number, onFrame: (frame: string) => void): FrameStream {
  const stream = Object.assign(
    new Writable({
      decodeStrings: false,
      write(frame: string, _encoding, done) {
        onFrame(frame);
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
function renderFrame(element: ReactElement, columns: number, rows: number): string {
  let frame = '';
  const { stream } = createFrameStream(columns, rows, (drawn) => {
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
