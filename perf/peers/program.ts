/** How a peer's program says that it is ready, and how it ends. */
import { endWithParent } from '../harness/end-with-parent.js';

/** @param close what has to be done at SIGTERM before the process ends; default nothing */
export function ready(value: object, close: () => Promise<unknown> = async () => undefined): void {
  process.send?.(value);
  endWithParent();
  process.once('SIGTERM', () => {
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
