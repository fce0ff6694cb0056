/**
 * A body on its way through an intake stream, with signs of life for the upload's row: who looks there sees that bytes arrive, and a
 * cancellation there ends the stream.
 */
import type { Uploads } from '../../actors/upload/uploads.js';
import type { Logger } from '../../runtime/logger.js';
import type { Exchange } from '../exchange.js';
import type { IntakeResult, IntakeStream } from './intake/intake.js';

const SIGN_OF_LIFE_MS = 5_000;
/** Node rings a timer that is set for longer at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * - `done`: the stream's result
 * - `cancelled`: the row is not in state `receiving` any more
 * - `late`: the body did not end in time
 *
 * Given up in the last moment, a stream may have stored its object all the same.
 */
type Received =
  | { readonly how: 'done'; readonly result: IntakeResult }
  | { readonly how: 'cancelled'; readonly isStored: boolean }
  | { readonly how: 'late'; readonly isStored: boolean };

interface ReceiveParts {
  readonly uploads: Pick<Uploads, 'received'>;
  readonly logger: Logger;
  /** For the whole body. */
  readonly receiveMsMax: number;
  readonly signOfLifeMs?: number;
}

/** @param uploadId undefined: there is no row to tell @throws what the stream's `result` rejects with, but for its own abort */
export async function receiveBody(
  { uploads, logger, receiveMsMax, signOfLifeMs = SIGN_OF_LIFE_MS }: ReceiveParts,
  exchange: Exchange,
  stream: IntakeStream,
  uploadId: string | undefined,
): Promise<Received> {
  let bytes = 0;
  let multipart: string | undefined;
  let given: 'cancelled' | 'late' | undefined;
  let saying = false;
  const giveUp = (how: 'cancelled' | 'late') => {
    given ??= how;
    stream.abort();
  };
  const sayAlive = async () => {
    if (saying || uploadId === undefined) return;
    saying = true;
    try {
      if ((await uploads.received(uploadId, bytes, multipart)) === undefined) giveUp('cancelled');
    } catch (error) {
      // The bytes go to another place; whether the row can be written matters at the end.
      logger.debug({ err: error, uploadId }, 'an upload could not give a sign of life');
    } finally {
      saying = false;
    }
  };
  const life = setInterval(() => void sayAlive(), signOfLifeMs);
  const limit = setTimeout(() => giveUp('late'), Math.min(receiveMsMax, TIMER_MS_MAX));
  stream.onRoom = () => exchange.resume();
  // Written down at once: until then a crash leaves a multipart that is found only when it is old.
  stream.onMultipart = (begun) => {
    multipart = begun;
    void sayAlive();
  };
  exchange.receive({
    chunk(chunk) {
      bytes += chunk.byteLength;
      return stream.write(chunk);
    },
    end: () => stream.end(),
    abort: () => stream.abort(),
  });
  try {
    const result = await stream.result;
    return given === undefined
      ? { how: 'done', result }
      : { how: given, isStored: result.outcome === 'stored' };
  } catch (error) {
    if (given !== undefined) return { how: given, isStored: false };
    throw error;
  } finally {
    clearInterval(life);
    clearTimeout(limit);
  }
}
