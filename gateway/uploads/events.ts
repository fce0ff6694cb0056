/**
 * `GET /uploads/{id}/events`: an upload's progress as server-sent events.
 *
 * At once the current state, then each change: `event: progress`, and `event: end` for the final state, with the upload's JSON as
 * data and its version as id. `Last-Event-ID` leaves out what the client knows. Who knows the final state already is told 204, on
 * which an EventSource stops coming.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { isFinal } from '../../actors/upload/model.js';
import type { Answer } from '../answer.js';
import { problem } from '../problem.js';
import { onUpload } from './find.js';
import type { UploadContext } from './parts.js';
import { PROGRESS_DEFAULTS, Progress, type ProgressOptions } from './progress.js';

const HEAD: Omit<Answer, 'body'> = {
  status: '200 OK',
  contentType: 'text/event-stream',
  headers: [
    ['Cache-Control', 'no-store'],
    // nginx holds back what it may buffer.
    ['X-Accel-Buffering', 'no'],
  ],
};
const OVER: Answer = { status: '204 No Content', contentType: '', headers: [], body: '' };
const TOO_MANY = problem('too-many-streams', 'as many clients listen as this node takes; try again later');

export function registerEvents(
  app: TemplatedApp,
  context: UploadContext,
  options: ProgressOptions = PROGRESS_DEFAULTS,
): void {
  const progress = new Progress(context, options);
  context.requests.onDrain(() => progress.endAll());
  onUpload(app, '/uploads/:id/events', context, async (upload, { head, client, exchange }) => {
    const known = versionOf(head.headers.get('last-event-id'));
    // A version that is yet to come is none of ours: the client is told what there is.
    const knownVersion = known <= upload.version ? known : 0;
    if (isFinal(upload.state) && knownVersion === upload.version) return OVER;
    if (!progress.hasRoomFor(client.name) || !context.requests.isTaking) return TOO_MANY;
    const stream = exchange.stream(HEAD);
    if (stream !== undefined) progress.add(client.name, stream, upload, knownVersion);
    return undefined;
  });
}

function versionOf(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : 0;
}
