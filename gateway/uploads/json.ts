/** An upload as clients see it. */
import { isFinal, type Upload } from '../../actors/upload/model.js';

const MS = 1000;

/**
 * `rate` is rows a second since processing began, `secondsLeft` an estimate from the bytes read so far; both only while it is
 * processed and something has been read.
 *
 * @param nowMs since the epoch
 */
export function uploadJson(upload: Upload, nowMs: number): Record<string, unknown> {
  const { failure, counts } = upload;
  return {
    id: upload.id,
    state: upload.state,
    filename: upload.filename,
    mediaType: upload.mediaType ?? null,
    bytes: upload.bytes,
    bytesExpected: upload.bytesExpected ?? null,
    sha256: upload.sha256 ?? null,
    counts: { ...counts },
    processedBytes: upload.processedBytes,
    ...pace(upload, nowMs),
    failure: failure === undefined ? null : { ...failure },
    client: upload.owner,
    via: upload.via,
    version: upload.version,
    createdAt: upload.createdAt.toISOString(),
    storedAt: upload.storedAt?.toISOString() ?? null,
    startedAt: upload.startedAt?.toISOString() ?? null,
    finishedAt: upload.finishedAt?.toISOString() ?? null,
    updatedAt: upload.updatedAt.toISOString(),
    links: {
      self: `/uploads/${upload.id}`,
      events: `/uploads/${upload.id}/events`,
      file: `/uploads/${upload.id}/file`,
      errors: `/uploads/${upload.id}/errors.csv`,
    },
  };
}

function pace(
  { state, counts, bytes, processedBytes, startedAt, finishedAt }: Upload,
  nowMs: number,
): { readonly rate: number | null; readonly secondsLeft: number | null } {
  if (startedAt === undefined || processedBytes === 0) return { rate: null, secondsLeft: null };
  const endMs = finishedAt?.getTime() ?? nowMs;
  const seconds = Math.max((endMs - startedAt.getTime()) / MS, 0.001);
  const rate = Math.round(counts.total / seconds);
  if (isFinal(state) || state === 'cancelling') return { rate, secondsLeft: null };
  const bytesLeft = Math.max(bytes - processedBytes, 0);
  return { rate, secondsLeft: Math.ceil((bytesLeft * seconds) / processedBytes) };
}
