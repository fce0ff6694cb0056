/** How far `tether send` is, on a terminal: a bar that knows failures, and lines above it. Without a terminal lines only. */
import { SingleBar } from 'cli-progress';
import type { SendProgress } from '../send/send-emp.js';

interface SendBar {
  update(progress: SendProgress): void;
  /** A line on stderr that the bar does not overwrite. */
  say(line: string): void;
  stop(): void;
}

function startSendBar(total: number, stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): SendBar {
  if (stream.isTTY !== true) {
    return { update: () => {}, say: (line) => stream.write(`${line}\n`), stop: () => {} };
  }
  const bar = new SingleBar({
    stream,
    format: '{bar} {percentage}% | {value}/{total}{failed} | {duration_formatted}{left}',
    hideCursor: true,
    // The sender still has to finish what is under way, and then stops the bar itself.
    gracefulExit: false,
  });
  const startedMs = performance.now();
  let done = 0;
  bar.start(total, 0, { failed: '', left: '' });
  return {
    update(progress) {
      done = progress.done;
      bar.update(done, {
        failed: failedText(progress.failures),
        left: leftText(done, total, performance.now() - startedMs),
      });
    },
    say(line) {
      // The bar goes back to where the cursor was saved when it stops: that is now a line further down.
      stream.write(`\r\u001b[K${line}\n\u001b7`);
      // A bar that is drawn only when it changes would stay away until then.
      bar.render();
    },
    stop() {
      bar.update(done, { left: done < total ? ' | stopped' : '' });
      bar.stop();
    },
  };
}

function failedText(failures: number): string {
  return failures === 0 ? '' : ` | ${failures} failed attempt${failures === 1 ? '' : 's'}`;
}

/** The time left if the rest goes as the part before; nothing while there is no such part. */
function leftText(done: number, total: number, elapsedMs: number): string {
  if (done === 0 || done >= total) return '';
  const seconds = Math.ceil(((total - done) * elapsedMs) / done / 1000);
  const text = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return ` | ETA ${text}`;
}

export { failedText, leftText, type SendBar, startSendBar };
