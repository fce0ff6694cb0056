/** The task of `poolifier.ts`: says how many bytes came. */
import { ThreadWorker } from 'poolifier';

export default new ThreadWorker<Uint8Array, number>((message) => message?.length ?? 0);
