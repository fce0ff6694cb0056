/** What the archive says instead of a payload, and what keeps a segment from being written. */
import { OutageError, TetherError } from '../../runtime/errors.js';

/** The payload was removed, as the retention says; the event stays. */
export class PayloadGoneError extends TetherError {
  readonly code = 'TETHER_PAYLOAD_GONE';
  readonly retryable = false;
}

/** What the object store gave is not what was put there, or the segment is not there. */
export class ArchiveDamagedError extends TetherError {
  readonly code = 'TETHER_ARCHIVE_DAMAGED';
  readonly retryable = false;
}

/** A segment was written by a later release, in a form that this one does not read. */
export class ArchiveFormatError extends TetherError {
  readonly code = 'TETHER_ARCHIVE_FORMAT';
  readonly retryable = false;
}

/** As many payloads are being fetched as may be at once. */
export class ArchiveBusyError extends OutageError {
  readonly code = 'TETHER_ARCHIVE_BUSY';
}

/** Somebody else has archived some of a segment's events, or has given the segment up: it is dropped. */
export class SegmentLostError extends TetherError {
  readonly code = 'TETHER_ARCHIVE_SEGMENT_LOST';
  readonly retryable = true;
}
