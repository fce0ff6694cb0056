/** How large the files of the measurements of uploads are. */

export interface UploadSizes {
  /** Of the file that is transferred again and again, and of the one during which memory is watched. */
  readonly bytes: number;
  readonly memoryBytes: number;
  /** Of each file of debtors. */
  readonly rows: number;
}

const GIB = 1024 ** 3;
const ROWS = 1_000_000;

/** As `UPLOADS_SCALE` multiplies them (default 1; 0.01 for a short try, whose figures say nothing). */
export function uploadSizes(): UploadSizes {
  const scale = Number(process.env.UPLOADS_SCALE ?? 1);
  if (!(scale > 0)) throw new RangeError(`UPLOADS_SCALE is ${scale}, allowed is a number above 0`);
  return {
    bytes: Math.ceil(2 * GIB * scale),
    memoryBytes: Math.ceil(5 * GIB * scale),
    rows: Math.ceil(ROWS * scale),
  };
}
